import type { Value } from '@cluster/core'
import type { CatalogImage } from '../catalog/image.ts'
import type { SequenceSchema } from '../catalog/schema.ts'
import type { SequenceState } from '../catalog/sequence-state.ts'
import type { Zone } from '../types/time-zone.ts'
import type { SqlType } from '../types/type.ts'

/**
 * - `immutable`: the same arguments give the same value for ever, so constants fold;
 * - `stable`: the same value within one statement (`now()`);
 * - `volatile`: another value on every call (`random()`), so a call is never moved or repeated.
 */
export type Volatility = 'immutable' | 'stable' | 'volatile'

/** Sequences as a running statement has them. Values that it may need were put by before. */
export interface SequenceCalls {
  /** @throws 2200H at the end of one that does not cycle */
  next(sequence: SequenceSchema): bigint
  /** @throws 55000 when this session has taken none */
  current(sequence: SequenceSchema): bigint
  /** Takes effect when the statement ends. @throws 22003 */
  set(sequence: SequenceSchema, value: bigint, called: boolean): bigint
  /** What a sequence has given out last, as far as it is known here that it is the last. @param stored what is written of it */
  state(sequence: SequenceSchema, stored: SequenceState): SequenceState
  /** What `next` gave last, of any sequence. @throws 55000 */
  last(): bigint
}

/** How a lock is taken. */
export type LockMode = 'exclusive' | 'shared'

/** What a statement wants of the locks of the cluster. */
export type LockCall =
  | {
      readonly kind: 'take'
      readonly name: string
      readonly mode: LockMode
      /** With what it ends at the latest. */
      readonly scope: 'session' | 'transaction'
      /** False: now or not at all. */
      readonly wait: boolean
    }
  /** Gives back what was taken for the session. */
  | { readonly kind: 'give'; readonly name: string; readonly mode: LockMode }
  /** The same for all whose names begin so. */
  | { readonly kind: 'giveAll'; readonly prefix: string }
  | { readonly kind: 'break'; readonly name: string; readonly reason: string }
  /** No lock, but waited for as one is. */
  | { readonly kind: 'sleep'; readonly ms: number }

/** Locks as a running statement has them. */
export interface LockCalls {
  /** A token, null for a lock that was not to be had; how many were given back, or broken. */
  call(call: LockCall): bigint | null
}

/** What stable and volatile functions may ask of the session that runs them. */
export interface FunctionContext {
  /** Start of the transaction, in microseconds since 1970: `now()`. */
  readonly transactionMicros: bigint
  /** Start of the statement, in microseconds since 1970. */
  readonly statementMicros: bigint
  /** The present, in microseconds since 1970. */
  clockMicros(): bigint
  /** A number from 0 up to 1, excluded. */
  random(): number
  /** From now on the session's random numbers follow from this one, −1 … 1. */
  seed(value: number): void
  /** The session's TimeZone. */
  readonly zone: Zone
  /** Bytes nobody can guess, for `gen_random_uuid`. */
  randomBytes(count: number): Uint8Array
  readonly sequences: SequenceCalls
  readonly locks: LockCalls
  /** The catalog as the statement sees it; only statements that ask for it have it. */
  catalog(): CatalogImage
  /** The session's settings. */
  setting(name: string): string
  settings(): readonly (readonly [name: string, value: string])[]
  set(name: string, value: string): void
  /** Whose rights count. */
  readonly user: string
  /** Tells the session from all others. */
  pid(): number
  /** Channels that it listens to. */
  channels(): readonly string[]
  /** Sends a notification with the transaction. @throws 22023 */
  notify(channel: string, payload: string): void
  /** Who opened the session. */
  readonly sessionUser: string
  readonly database: string
}

export type Implementation = (...args: readonly Value[]) => Value
export type ContextImplementation = (context: FunctionContext, ...args: readonly Value[]) => Value

/** Hands a JavaScript value to compiled code and gives the name it has there. */
export type Capture = (value: unknown) => string

/** One overload of a function, an operator or a cast. */
export interface ScalarFunction {
  /** Lower case; for operators the sign. */
  readonly name: string
  /** The types it takes, one an argument of this very call: a variadic function comes with as many as it needs. */
  readonly args: readonly SqlType[]
  readonly returns: SqlType
  /** True: the caller gives NULL when any argument is NULL, and does not call. */
  readonly strict: boolean
  readonly volatility: Volatility
  /** Arguments are of exactly the types in `args`: the caller has cast them. */
  readonly impl: Implementation
  /** Set where the function needs its session; `impl` throws then. */
  readonly contextual: ContextImplementation | null
  /**
   * The same as JavaScript: takes the code of each argument (an identifier or a literal, never NULL) and gives an
   * expression that does what `impl` does. `capture` gives the name under which the code reaches a value.
   */
  readonly js: ((args: readonly string[], capture: Capture) => string) | null
  /** For casts, all but those of the system's own types: how freely it was asked for, so that it can be found again. */
  readonly castContext?: 'implicit' | 'assignment' | 'explicit'
}

/**
 * One overload of an aggregate. A partial state is made of `Value`s and plain arrays of them, so that it
 * can cross links; `merge` joins two.
 */
export interface AggregateFunction<State = unknown> {
  readonly name: string
  /** Empty for `count(*)`. */
  readonly args: readonly SqlType[]
  readonly returns: SqlType
  /** True: rows with NULL in any argument are skipped before `step`. */
  readonly strict: boolean
  /** True when the order of the rows can show in the result. */
  readonly ordered: boolean
  init(): State
  /** May change `state` and give it back. */
  step(state: State, ...args: readonly Value[]): State
  /** Changes neither. */
  merge(left: State, right: State): State
  /** Leaves the state as it is: more rows may follow, and what it gave must not change with them. */
  finish(state: State): Value
  /** Takes back the earliest `step`, exactly; absent where that cannot be done. May change `state`. */
  inverse?(state: State, ...args: readonly Value[]): State
}
