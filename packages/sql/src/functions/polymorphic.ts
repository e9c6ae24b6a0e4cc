import { type SqlType, TEXT, typeCategory } from '../types/type.ts'
import { arrayFunctions, arrayOperators } from './array.ts'
import { bucketOf } from './bucket.ts'
import { enumFunctions, enumOperators } from './enum.ts'
import type { Implementation } from './function.ts'
import type { Resolver } from './generic.ts'
import { jsonBuilders } from './json/build.ts'
import { jsonExtractors } from './json/functions.ts'
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

export const polymorphicOperators: ReadonlyMap<string, readonly Resolver[]> = new Map([
  ...arrayOperators,
  ...[...enumOperators].map(
    ([sign, resolvers]) =>
      [
        sign,
        [...(arrayOperators.get(sign) ?? []), ...resolvers, ...(recordOperators.get(sign) ?? [])],
      ] as const,
  ),
  ['||', [...(arrayOperators.get('||') ?? []), join]] as const,
])

export const polymorphicFunctions: ReadonlyMap<string, Resolver> = new Map([
  ...arrayFunctions,
  ...jsonBuilders,
  ...jsonExtractors,
  ...textBuilders,
  ...recordFunctions,
  ...enumFunctions,
  ['width_bucket', bucketOf],
])
