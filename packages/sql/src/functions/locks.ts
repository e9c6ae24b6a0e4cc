import type { Value } from '@cluster/core'
import { intervalSpan, toInterval } from '../types/interval.ts'
import type { TypeId } from '../types/type.ts'
import { contextual } from './define.ts'
import type { LockCall, LockMode, ScalarFunction } from './function.ts'

/** Names of advisory locks begin with it, as every database has its own. */
const advisoryPrefix = (database: string): string => `advisory:${database}:`

/** An advisory lock by its name. `keys`: one of 64 bits, or two of 32. */
export interface AdvisoryName {
  readonly database: string
  readonly keys: readonly [bigint] | readonly [number, number]
}

const advisoryName = (database: string, keys: readonly Value[]): string =>
  `${advisoryPrefix(database)}${keys.join(',')}`

/** Null for the name of any other lock. */
export function advisoryOf(name: string): AdvisoryName | null {
  const parts = /^advisory:(.*):(-?\d+)(?:,(-?\d+))?$/s.exec(name)
  if (parts === null) return null
  const [, database = '', first = '', second] = parts
  const keys = second === undefined ? ([BigInt(first)] as const) : ([Number(first), Number(second)] as const)
  return { database, keys }
}

const calling = (
  name: string,
  args: readonly TypeId[],
  returns: TypeId,
  make: (database: string, ...args: readonly Value[]) => LockCall,
  show: (value: bigint | null) => Value,
): ScalarFunction =>
  contextual(name, args, returns, 'volatile', ({ locks, database }, ...values) =>
    show(locks.call(make(database, ...values))),
  )

/** What PostgreSQL calls void. */
const nothing = (): Value => ''
const whether = (value: bigint | null): Value => value !== null && value > 0n
const token = (value: bigint | null): Value => value

const keyTypes: readonly (readonly TypeId[])[] = [['bigint'], ['integer', 'integer']]

/** PostgreSQL's functions: all four ways to take one, by one key and by two. */
const advisory = (['exclusive', 'shared'] as const).flatMap((mode) =>
  keyTypes.flatMap((args) => {
    const suffix = mode === 'shared' ? '_shared' : ''
    const take =
      (scope: 'session' | 'transaction', wait: boolean) =>
      (database: string, ...keys: readonly Value[]): LockCall => ({
        kind: 'take',
        name: advisoryName(database, keys),
        mode,
        scope,
        wait,
      })
    return [
      calling(`pg_advisory_lock${suffix}`, args, 'text', take('session', true), nothing),
      calling(`pg_advisory_xact_lock${suffix}`, args, 'text', take('transaction', true), nothing),
      calling(`pg_try_advisory_lock${suffix}`, args, 'boolean', take('session', false), whether),
      calling(`pg_try_advisory_xact_lock${suffix}`, args, 'boolean', take('transaction', false), whether),
      calling(
        `pg_advisory_unlock${suffix}`,
        args,
        'boolean',
        (database, ...keys) => ({
          kind: 'give',
          name: advisoryName(database, keys),
          mode,
        }),
        whether,
      ),
    ]
  }),
)

const named = (['exclusive', 'shared'] as const).flatMap((mode: LockMode) => {
  const suffix = mode === 'shared' ? '_shared' : ''
  const take =
    (scope: 'session' | 'transaction', wait: boolean) =>
    (_: string, name: Value): LockCall => ({
      kind: 'take',
      name: name as string,
      mode,
      scope,
      wait,
    })
  return [
    calling(`cluster_lock${suffix}`, ['text'], 'bigint', take('session', true), token),
    calling(`cluster_xact_lock${suffix}`, ['text'], 'bigint', take('transaction', true), token),
    calling(`cluster_try_lock${suffix}`, ['text'], 'bigint', take('session', false), token),
    calling(`cluster_try_xact_lock${suffix}`, ['text'], 'bigint', take('transaction', false), token),
    calling(
      `cluster_unlock${suffix}`,
      ['text'],
      'boolean',
      (_, name) => ({
        kind: 'give',
        name: name as string,
        mode,
      }),
      whether,
    ),
  ]
})

const sleeping = (seconds: number): LockCall => ({ kind: 'sleep', ms: seconds > 0 ? seconds * 1_000 : 0 })

/** Functions over the locks of the cluster. Those that take one give its token; NULL says that somebody is in the way. */
export const lockFunctions: readonly ScalarFunction[] = [
  ...advisory,
  ...named,
  calling(
    'pg_advisory_unlock_all',
    [],
    'text',
    (database) => ({ kind: 'giveAll', prefix: advisoryPrefix(database) }),
    nothing,
  ),
  calling('cluster_unlock_all', [], 'bigint', () => ({ kind: 'giveAll', prefix: '' }), token),
  // What is not above zero is not waited for.
  calling('pg_sleep', ['double'], 'text', (_, seconds) => sleeping(Number(seconds)), nothing),
  calling(
    'pg_sleep_for',
    ['interval'],
    'text',
    (_, span) => sleeping(Number(intervalSpan(toInterval(span as string))) / 1e6),
    nothing,
  ),
  calling(
    'cluster_break_lock',
    ['text', 'text'],
    'bigint',
    (_, name, reason) => ({
      kind: 'break',
      name: name as string,
      reason: reason as string,
    }),
    token,
  ),
]

/** True for functions that wait for the log, so that their statement is run in a way of its own. */
export const takesLocks: ReadonlySet<string> = new Set(lockFunctions.map(({ name }) => name))
