import type { Clock } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'

/** Settings that say how long something may take; they are told in the largest unit that fits. */
export const TIME_LIMITS: ReadonlySet<string> = new Set([
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'lock_timeout',
  'statement_timeout',
])

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
  ['ms', 1],
]
const MS_MAX = 2_147_483_647

/** Milliseconds of `200`, `1.5s`, `2 min`; 0: no limit. @throws 22023 */
export function limitMs(name: string, text: string): number {
  const [, digits = '', unit = 'ms'] = /^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*$/.exec(text) ?? []
  const factor = unit === 'us' ? 0.001 : (units.find(([one]) => one === unit)?.[1] ?? 1)
  const ms = digits === '' ? Number.NaN : Math.round(Number(digits) * factor)
  if (ms >= 0 && ms <= MS_MAX) return ms
  throw sqlError(SQLSTATE.invalidParameterValue, `invalid value for parameter "${name}": "${text}"`, {
    hint: 'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".',
  })
}

/** As SHOW tells it: `200ms`, `1min`, `0`. */
export function limitText(ms: number): string {
  const [unit, factor] = units.find(([, one]) => ms % one === 0) ?? ['ms', 1]
  return ms === 0 ? '0' : `${ms / factor}${unit}`
}

/** What ends a statement that takes too long, together with what may end it anyway. */
export interface TimeLimit {
  readonly signal: AbortSignal
  /** The statement is over. */
  release(): void
}

/** Begins to count. */
export function timeLimit(clock: Clock, ms: number, signal: AbortSignal | null): TimeLimit {
  const late = new AbortController()
  const cancel = clock.after(ms, () =>
    late.abort(sqlError('57014', 'canceling statement due to statement timeout')),
  )
  return {
    signal: signal === null ? late.signal : AbortSignal.any([signal, late.signal]),
    release: cancel,
  }
}

/** Passes batches on, and ends the limit with them. */
export async function* within<T>(
  batches: AsyncIterable<T> | Iterable<T>,
  limit: TimeLimit,
): AsyncGenerator<T> {
  try {
    yield* batches
  } finally {
    limit.release()
  }
}
