import type { SqlType } from '../types/type.ts'
import type { ScalarFunction } from './function.ts'

const known = new Map<string, ScalarFunction>()
const KNOWN_MAX = 2_000

/**
 * A function that is made for the types of a call: the same object for the same call, so that two expressions can be
 * told to be the same.
 * @param detail what the function depends on besides its name and types
 */
export function interned(
  name: string,
  types: readonly SqlType[],
  detail: string,
  make: () => ScalarFunction,
): ScalarFunction {
  const key = `${name} ${detail} ${JSON.stringify(types)}`
  let fn = known.get(key)
  if (fn === undefined) {
    fn = make()
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(key, fn)
  }
  return fn
}
