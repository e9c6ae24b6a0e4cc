import type { Clock, Transaction } from '@cluster/core'
import type { Batch } from '../../compile/batch.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { cancellation } from '../../executor/context.ts'
import type { LockCall, LockCalls } from '../../functions/function.ts'
import type { Settings } from '../settings/settings.ts'
import { limitMs } from '../settings/time-limit.ts'
import type { SessionLocks } from './session-locks.ts'

/** Calls of one statement: each makes it run once more. */
const CALLS_MAX = 1_000

/** Thrown in the middle of a statement that wants something of a lock: it is run again once that is done. */
export class LockWantedError extends Error {
  override readonly name = 'LockWantedError'
  readonly call: LockCall

  constructor(call: LockCall) {
    super('a statement waits for a lock')
    this.call = call
  }
}

/**
 * Locks as one statement has them. Expressions cannot wait, so a call that has no answer yet ends the run; the next
 * run is given the answers of all calls before, in their order.
 */
export class StatementLocks implements LockCalls {
  readonly #answers: { readonly call: string; readonly value: bigint | null }[] = []
  #next = 0

  /** @throws LockWantedError, 54000, 55000 */
  call(call: LockCall): bigint | null {
    const known = this.#answers[this.#next]
    if (known === undefined) {
      if (this.#answers.length >= CALLS_MAX)
        throw sqlError(
          SQLSTATE.programLimitExceeded,
          `a statement cannot use locks more than ${CALLS_MAX} times`,
        )
      throw new LockWantedError(call)
    }
    if (known.call !== JSON.stringify(call))
      throw sqlError('55000', 'the locks that the statement takes are not the same when it is run again', {
        hint: 'Name them by something that does not change, such as a column in a given order.',
      })
    this.#next++
    return known.value
  }

  answer(call: LockCall, value: bigint | null): void {
    this.#answers.push({ call: JSON.stringify(call), value })
    this.#next = 0
  }
}

/** For statements of which nobody knew that they use locks. */
export const noLockCalls: LockCalls = {
  call() {
    throw sqlError(SQLSTATE.featureNotSupported, 'locks cannot be used in a definition', {
      hint: 'Call the function in a statement of its own.',
    })
  },
}

/** What of a run has to do with locks. */
export interface LockingRun {
  readonly transaction: Transaction
  readonly settings: Settings
  readonly session: { readonly locks: SessionLocks }
  readonly signal: AbortSignal | null
}

/** Resolves after so long. @throws 57014 as soon as the statement is cancelled */
async function asleep(clock: Clock, ms: number, signal: AbortSignal | null): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const stop = (): void => reject(signal === null ? null : cancellation(signal))
  if (signal?.aborted === true) stop()
  signal?.addEventListener('abort', stop, { once: true })
  const cancel = clock.after(ms, resolve)
  try {
    await promise
  } finally {
    cancel()
    signal?.removeEventListener('abort', stop)
  }
}

/** Runs a statement again and again, until all that it wants of locks is done, and gathers its rows. */
export async function withLocks<T extends { readonly batches: AsyncIterable<Batch> | Iterable<Batch> }>(
  clock: Clock,
  { transaction, settings, session, signal }: LockingRun,
  work: (locks: LockCalls) => Promise<T>,
): Promise<Omit<T, 'batches'> & { readonly batches: readonly Batch[] }> {
  const locks = new StatementLocks()
  const mark = transaction.mark()
  const timeoutMs = limitMs('lock_timeout', settings.get('lock_timeout'))
  for (;;)
    try {
      const { batches, ...outcome } = await work(locks)
      const all: Batch[] = []
      for await (const batch of batches) all.push(batch)
      return { ...outcome, batches: all }
    } catch (error) {
      if (!(error instanceof LockWantedError)) throw error
      transaction.rollbackTo(mark)
      const { call } = error
      if (call.kind === 'sleep') {
        await asleep(clock, call.ms, signal)
        locks.answer(call, null)
      } else locks.answer(call, await session.locks.perform(call, { signal, timeoutMs }))
    }
}
