import { type ArrayValue, arrayText, parseArray } from './array.ts'
import { formatValue } from './format.ts'
import { parseValue } from './parse.ts'
import type { SqlType } from './type.ts'

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
