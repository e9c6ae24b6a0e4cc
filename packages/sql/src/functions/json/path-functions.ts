import type { Value } from '@cluster/core'
import { sqlError } from '../../errors.ts'
import { jsonbText, toJson } from '../../types/json.ts'
import type { Zone } from '../../types/time-zone.ts'
import { BOOLEAN, JSONB, JSONPATH, type SqlType } from '../../types/type.ts'
import type { FunctionContext, ScalarFunction } from '../function.ts'
import { inSession, strictly } from '../generic.ts'
import { type Found, query } from './path/evaluate.ts'

type Reading = (found: Found, silent: boolean) => Value

const ARGS: readonly SqlType[] = [JSONB, JSONPATH, JSONB, BOOLEAN]

function read(
  reading: Reading,
  first: boolean,
  zone: Zone | null,
  [target, path, variables = '{}', silent = false]: readonly Value[],
): Value {
  const quiet = silent === true
  return reading(
    query(toJson(target as string), path as string, toJson(variables as string), quiet, zone, first),
    quiet,
  )
}

/**
 * A function of a value and a path, with variables and `silent`, either of which may be left out, and its twin that
 * compares moments in the session's zone.
 */
const path = (name: string, returns: SqlType, reading: Reading, first = false): ScalarFunction[] =>
  [2, 3, 4].flatMap((count) => {
    const args = ARGS.slice(0, count)
    const zoned = ({ zone }: FunctionContext, ...values: readonly Value[]): Value =>
      values.includes(null) ? null : read(reading, first, zone, values)
    return [
      strictly(name, args, returns, ((...values: readonly Value[]) => read(reading, first, null, values)) as (
        ...values: readonly never[]
      ) => Value),
      inSession(`${name}_tz`, args, returns, zoned),
    ]
  })

const exists: Reading = ({ items, error }) => (error === null ? items.length > 0 : null)

/** @throws 22038 */
const single: Reading = ({ items: [value, more], error }, silent) => {
  if (error !== null) return null
  if (more === undefined && (typeof value === 'boolean' || value === null)) return value
  if (silent) return null
  throw sqlError('22038', 'single boolean result is expected')
}

/** Operators never fail for what the value is. */
const quietly = (sign: string, reading: Reading, first: boolean): ScalarFunction =>
  strictly(sign, [JSONB, JSONPATH], BOOLEAN, (target: string, expression: string) =>
    read(reading, first, null, [target, expression, '{}', true]),
  )

export const jsonPathFunctions: readonly ScalarFunction[] = [
  ...path('jsonb_path_exists', BOOLEAN, exists, true),
  ...path('jsonb_path_match', BOOLEAN, single),
  ...path('jsonb_path_query_array', JSONB, ({ items }) => jsonbText(items)),
  ...path('jsonb_path_query_first', JSONB, ({ items: [first] }) =>
    first === undefined ? null : jsonbText(first),
  ),
  quietly('@?', exists, true),
  quietly('@@', single, false),
]

/** The rows of `jsonb_path_query`; with a zone those of its twin that compares moments in it. */
export const pathRows = (zone: Zone | null) =>
  function* (target: string, expression: string, variables = '{}', silent = false): Generator<string> {
    const { items } = query(toJson(target), expression, toJson(variables), silent, zone)
    for (const value of items) yield jsonbText(value)
  }
