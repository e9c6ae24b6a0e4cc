import { type ArrayValue, arrayText, listOf, parseArray } from './array.ts'
import { formatValue } from './format.ts'
import { parseValue } from './parse.ts'
import { type SqlType, TEXT } from './type.ts'

const known = new Map<string, ArrayValue>()
const KNOWN_MAX = 256
const KNOWN_LENGTH_MAX = 16_384

/** The value of a stored array. The last ones are remembered: they must not be changed. */
export function toArray(element: SqlType, text: string): ArrayValue {
  const key = `${element.id} ${text}`
  let array = known.get(key)
  if (array === undefined) {
    array = parseArray(text, (item) => parseValue(element, item))
    if (text.length > KNOWN_LENGTH_MAX) return array
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(key, array)
  }
  return array
}

/** The stored form of an array. */
export const fromArray = (element: SqlType, array: ArrayValue): string =>
  arrayText(array, (item) => formatValue(element, item))

/** Lists of plain values as arrays, for what the catalog says of itself. */
export const smallints = (items: readonly number[]): string => `{${items.join(',')}}`
export const textArray = (items: readonly string[]): string => fromArray(TEXT, listOf(items))

/** Whole numbers as an `int2vector`, which counts from 0. */
export const smallintVector = (items: readonly number[]): string =>
  items.length === 0 ? '{}' : `[0:${items.length - 1}]=${smallints(items)}`
