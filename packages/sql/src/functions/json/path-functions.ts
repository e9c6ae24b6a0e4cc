import type { Value } from '@cluster/core'
import { sqlError } from '../../errors.ts'
import { type Json, jsonbText, toJson } from '../../types/json.ts'
import { BOOLEAN, JSONB, type SqlType, TEXT } from '../../types/type.ts'
import type { ScalarFunction } from '../function.ts'
import { strictly } from '../generic.ts'
import { isJsonError, query } from './path/evaluate.ts'

const find = (target: string, path: string, variables = '{}', silent = false): readonly Json[] =>
  query(toJson(target), path, toJson(variables), silent)

/** With variables and `silent`, either of which may be left out. */
const path = (
  name: string,
  returns: SqlType,
  impl: (found: readonly Json[], silent: boolean) => Value,
): ScalarFunction[] =>
  [2, 3, 4].map((count) =>
    strictly(
      name,
      [JSONB, TEXT, JSONB, BOOLEAN].slice(0, count),
      returns,
      (target: string, expression: string, variables = '{}', silent = false) => {
        try {
          return impl(find(target, expression, variables, silent), silent)
        } catch (error) {
          if (silent && isJsonError(error)) return null
          throw error
        }
      },
    ),
  )

/** @throws 22038 */
function single(found: readonly Json[], silent: boolean): boolean | null {
  const [value, more] = found
  if (more === undefined && (typeof value === 'boolean' || value === null)) return value
  if (silent) return null
  throw sqlError('22038', 'single boolean result is expected')
}

/** Operators never fail for what the value is. */
const quietly = (sign: string, impl: (found: readonly Json[]) => boolean | null): ScalarFunction =>
  strictly(sign, [JSONB, TEXT], BOOLEAN, (target: string, expression: string) =>
    impl(find(target, expression, '{}', true)),
  )

export const jsonPathFunctions: readonly ScalarFunction[] = [
  // Values with a zone compare with others in UTC, whichever form is called.
  ...['', '_tz'].flatMap((zoned) => [
    ...path(`jsonb_path_exists${zoned}`, BOOLEAN, (found) => found.length > 0),
    ...path(`jsonb_path_match${zoned}`, BOOLEAN, single),
    ...path(`jsonb_path_query_array${zoned}`, JSONB, (found) => jsonbText(found)),
    ...path(`jsonb_path_query_first${zoned}`, JSONB, ([first]) =>
      first === undefined ? null : jsonbText(first),
    ),
  ]),
  quietly('@?', (found) => found.length > 0),
  quietly('@@', (found) => single(found, true)),
]

/** The rows of `jsonb_path_query`. */
export function* pathRows(
  target: string,
  expression: string,
  variables = '{}',
  silent = false,
): Generator<string> {
  for (const value of find(target, expression, variables, silent)) yield jsonbText(value)
}
