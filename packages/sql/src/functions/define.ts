import type { AnyRangeId } from '../types/range-types.ts'
import { TYPES, type TypeId } from '../types/type.ts'
import type {
  Capture,
  ContextImplementation,
  Implementation,
  ScalarFunction,
  Volatility,
} from './function.ts'

export interface Options {
  /** Default true. */
  readonly strict?: boolean
  /** Default `immutable`. */
  readonly volatility?: Volatility
  readonly js?: (args: readonly string[], capture: Capture) => string
}

/** The JavaScript type of a SQL type's values. */
export interface ValueOf extends Readonly<Record<AnyRangeId, string>> {
  boolean: boolean
  smallint: number
  integer: number
  bigint: bigint
  real: number
  double: number
  numeric: string
  text: string
  varchar: string
  char: string
  timestamp: bigint
  timestamptz: bigint
  date: number
  time: number
  timetz: string
  uuid: string
  json: string
  jsonb: string
  array: string
  enum: string
  oid: number
  regclass: string
  regtype: string
  record: string
  jsonpath: string
  bit: string
  varbit: string
  regnamespace: string
  interval: string
  bytea: Uint8Array
  unknown: string
}

type Values<Args extends readonly TypeId[]> = { readonly [I in keyof Args]: ValueOf[Args[I]] }

/** Defines a strict function of typed arguments; what it takes and gives follows from the types' names. */
export function fn<const Args extends readonly TypeId[], Result extends TypeId>(
  name: string,
  args: Args,
  returns: Result,
  impl: (...values: Values<Args>) => ValueOf[Result] | null,
  { volatility = 'immutable', js }: Options = {},
): ScalarFunction {
  return {
    name,
    args: args.map((id) => TYPES[id]),
    returns: TYPES[returns],
    strict: true,
    volatility,
    // The caller casts each argument to the type that it is declared with.
    impl: impl as unknown as Implementation,
    contextual: null,
    js: js ?? null,
  }
}

/** A function that asks its session. */
export function contextual(
  name: string,
  args: readonly TypeId[],
  returns: TypeId,
  volatility: Volatility,
  impl: ContextImplementation,
): ScalarFunction {
  return {
    name,
    args: args.map((id) => TYPES[id]),
    returns: TYPES[returns],
    strict: true,
    volatility,
    impl: () => {
      throw new TypeError(`${name} needs its session`)
    },
    contextual: impl,
    js: null,
  }
}
