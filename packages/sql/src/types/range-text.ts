import { formatValue } from './format.ts'
import { parseValue } from './parse.ts'
import { listText, type RangeList } from './range.ts'
import { type RangeKind, readRanges } from './range-kind.ts'
import type { SqlType } from './type.ts'

const known = new Map<string, Map<string, RangeList>>()
const KNOWN_MAX = 256
const KNOWN_LENGTH_MAX = 16_384

/** What is in a stored range or multirange. The last ones are remembered: they must not be changed. */
export function toRanges(kind: RangeKind, type: SqlType, text: string): RangeList {
  let lists = known.get(type.id)
  if (lists === undefined) {
    lists = new Map()
    known.set(type.id, lists)
  }
  let list = lists.get(text)
  if (list === undefined) {
    list = readRanges(kind, type, text, (bound) => parseValue(kind.subtype, bound))
    if (text.length > KNOWN_LENGTH_MAX) return list
    if (lists.size >= KNOWN_MAX) lists.clear()
    lists.set(text, list)
  }
  return list
}

/** The stored form of a range or a multirange. */
export const fromRanges = (kind: RangeKind, type: SqlType, list: RangeList): string =>
  listText(list, kind.multirange.id === type.id, (value) => formatValue(kind.subtype, value))
