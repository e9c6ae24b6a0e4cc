import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { toArray } from '../types/array-text.ts'
import { arrayOf, elementOf, type SqlType, TEXT } from '../types/type.ts'
import type { FunctionContext, ScalarFunction } from './function.ts'
import { inSession } from './generic.ts'
import { interned } from './interned.ts'
import { multirangeOfArray } from './range/functions.ts'
import { resolveFunction } from './resolve.ts'

/** Functions that take any number of arguments, and so may get the last ones as an array. */
const anyNumber: ReadonlySet<string> = new Set([
  'concat',
  'concat_ws',
  'format',
  'json_build_array',
  'json_build_object',
  'jsonb_build_array',
  'jsonb_build_object',
  'num_nonnulls',
  'num_nulls',
])

/** Those whose further arguments are texts. */
const paths: ReadonlySet<string> = new Set([
  'json_extract_path',
  'json_extract_path_text',
  'jsonb_extract_path',
  'jsonb_extract_path_text',
])

/** Those that may be called with no argument at all. */
const emptyCalls = /^jsonb?_build_/

/** These give something else than NULL when there is no array. */
const withoutArray: ReadonlySet<string> = new Set(['format'])

/**
 * The function of that name whose last argument is an array that holds all further ones. Which overload that is can
 * only be told when the array is there.
 * @throws 42883 when there is no such function, 42804 when the argument is no array
 */
export function variadicFunction(name: string, types: readonly SqlType[], position?: number): ScalarFunction {
  const multirange = multirangeOfArray(name, types)
  if (multirange !== null) return interned(name, types, 'variadic', () => multirange)
  const last = types.at(-1)
  if (last === undefined || !(anyNumber.has(name) || paths.has(name)))
    return resolveFunction(name, types, position)
  const list = paths.has(name) ? arrayOf(TEXT) : last
  if (list.element === undefined)
    throw sqlError(SQLSTATE.datatypeMismatch, 'VARIADIC argument must be an array', { position })
  const element = elementOf(list)
  const fixed = types.slice(0, -1).map((type) => (type.id === 'unknown' ? TEXT : type))
  const { args, returns } = resolveFunction(name, [...fixed, element], position)
  return interned(name, types, 'variadic', () =>
    inSession(name, [...args.slice(0, -1), list], returns, (context, ...values) => {
      const array = values.at(-1) ?? null
      if (array === null && !withoutArray.has(name)) return null
      const items = array === null ? [] : toArray(element, array as string).items
      return called(context, name, fixed, element, [...values.slice(0, -1), ...items])
    }),
  )
}

function called(
  context: FunctionContext,
  name: string,
  fixed: readonly SqlType[],
  element: SqlType,
  values: readonly Value[],
): Value {
  if (values.length === 0 && name.startsWith('num_')) return 0
  // What takes one argument at least gets NULL, which adds nothing.
  const missing =
    (values.length === 0 && !emptyCalls.test(name)) || (name === 'concat_ws' && values.length === 1)
  const given = missing ? [...values, null] : values
  const fn = resolveFunction(
    name,
    given.map((_, i) => fixed[i] ?? element),
  )
  if (fn.strict && given.includes(null)) return null
  return fn.contextual === null ? fn.impl(...given) : fn.contextual(context, ...given)
}
