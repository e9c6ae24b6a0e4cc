import { type SqlType, TEXT, typeCategory } from '../types/type.ts'
import { arrayFunctions, arrayOperators } from './array.ts'
import { bucketOf } from './bucket.ts'
import { enumFunctions, enumOperators } from './enum.ts'
import type { Implementation } from './function.ts'
import type { Resolver } from './generic.ts'
import { jsonBuilders } from './json/build.ts'
import { jsonExtractors } from './json/functions.ts'
import { rangeResolvers } from './range/functions.ts'
import { rangeOperatorFunctions, rangeOperators } from './range/operators.ts'
import { recordFunctions, recordOperators } from './record.ts'
import { textBuilders } from './text/build.ts'

/** Any text beside a value that is no array joins it as text. */
const join: Resolver = ([left, right]) => {
  if (left === undefined || right === undefined) return null
  const isText = (type: SqlType): boolean =>
    type.id === 'text' || type.id === 'varchar' || type.id === 'unknown'
  const plain = (type: SqlType): boolean => typeCategory(type.id) !== 'array'
  const fits =
    (isText(left) && plain(right) && right.id !== 'bytea') ||
    (isText(right) && plain(left) && left.id !== 'bytea')
  if (!fits || (left.id === 'unknown' && ['jsonb', 'bytea'].includes(right.id))) return null
  if (right.id === 'unknown' && ['jsonb', 'bytea'].includes(left.id)) return null
  return {
    name: '||',
    args: [TEXT, TEXT],
    returns: TEXT,
    strict: true,
    volatility: 'immutable',
    impl: ((a: string, b: string) => a + b) as unknown as Implementation,
    contextual: null,
    js: ([a, b]) => `${a} + ${b}`,
  }
}

/** The resolvers of each sign, in the order of the maps. */
function together(
  ...maps: readonly ReadonlyMap<string, readonly Resolver[]>[]
): ReadonlyMap<string, readonly Resolver[]> {
  const signs = new Set(maps.flatMap((map) => [...map.keys()]))
  return new Map([...signs].map((sign) => [sign, maps.flatMap((map) => map.get(sign) ?? [])]))
}

export const polymorphicOperators = together(
  arrayOperators,
  enumOperators,
  recordOperators,
  rangeOperators,
  new Map([['||', [join]]]),
)

export const polymorphicFunctions: ReadonlyMap<string, Resolver> = new Map([
  ...arrayFunctions,
  ...jsonBuilders,
  ...jsonExtractors,
  ...textBuilders,
  ...recordFunctions,
  ...enumFunctions,
  ...rangeResolvers,
  ...rangeOperatorFunctions,
  ['width_bucket', bucketOf],
])
