import type { Value } from '@cluster/core'
import type { SqlType } from '../types/type.ts'
import type { ContextImplementation, Implementation, ScalarFunction } from './function.ts'

/**
 * Finds the overload of a function that takes types of many kinds. An argument may still be of unknown type.
 * @returns null when these types do not fit
 */
export type Resolver = (args: readonly SqlType[]) => ScalarFunction | null

type Impl = (...values: readonly never[]) => Value

/** A function whose types were found when it was called: strict, immutable. */
export const strictly = (
  name: string,
  args: readonly SqlType[],
  returns: SqlType,
  impl: Impl,
): ScalarFunction => ({
  name,
  args,
  returns,
  strict: true,
  volatility: 'immutable',
  impl: impl as unknown as Implementation,
  contextual: null,
  js: null,
})

/** As `strictly`, but called with NULL too. */
export const loosely = (
  name: string,
  args: readonly SqlType[],
  returns: SqlType,
  impl: Impl,
): ScalarFunction => ({ ...strictly(name, args, returns, impl), strict: false })

/** Called with NULL too, and with the session: its time zone shows in the result. */
export const inSession = (
  name: string,
  args: readonly SqlType[],
  returns: SqlType,
  impl: ContextImplementation,
): ScalarFunction => ({
  name,
  args,
  returns,
  strict: false,
  volatility: 'stable',
  impl: () => {
    throw new TypeError(`${name} needs its session`)
  },
  contextual: impl,
  js: null,
})
