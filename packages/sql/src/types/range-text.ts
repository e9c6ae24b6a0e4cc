import { formatValue } from './format.ts'
import { parseValue } from './parse.ts'
import { listText, type RangeList } from './range.ts'
import { type RangeKind, readRanges } from './range-kind.ts'
import type { SqlType } from './type.ts'

/** What was read last, of one type. */
interface Known {
  readonly lists: Map<string, RangeList>
  /** Of all texts in `lists` together. */
  length: number
  /** The last one that is longer than `TEXT_MAX`: a constant that all rows are compared with. */
  long: { readonly text: string; readonly list: RangeList } | null
}

const knownOf = new Map<string, Known>()
const LENGTH_MAX = 131_072
const TEXT_MAX = 4_096

/** What is in a stored range or multirange. The last ones are remembered, so that a sort reads most of them once: they must not be changed. */
export function toRanges(kind: RangeKind, type: SqlType, text: string): RangeList {
  let known = knownOf.get(type.id)
  if (known === undefined) {
    known = { lists: new Map(), length: 0, long: null }
    knownOf.set(type.id, known)
  }
  const found = text.length > TEXT_MAX ? known.long : null
  const before = found === null ? known.lists.get(text) : found.text === text ? found.list : undefined
  if (before !== undefined) return before
  const list = readRanges(kind, type, text, (bound) => parseValue(kind.subtype, bound))
  if (text.length > TEXT_MAX) {
    known.long = { text, list }
    return list
  }
  if (known.length > LENGTH_MAX) {
    known.lists.clear()
    known.length = 0
  }
  known.lists.set(text, list)
  known.length += text.length
  return list
}

/** The stored form of a range or a multirange. */
export const fromRanges = (kind: RangeKind, type: SqlType, list: RangeList): string =>
  listText(list, kind.multirange.id === type.id, (value) => formatValue(kind.subtype, value))
