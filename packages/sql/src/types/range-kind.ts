import type { Value } from '@cluster/core'
import { sqlError } from '../errors.ts'
import { toWhole } from './convert.ts'
import { inDateRange } from './datetime.ts'
import { compareDecimal } from './decimal.ts'
import { parseRange, type RangeBound, type RangeList, type RangeValue, splitMultirange } from './range.ts'
import { RANGE_TYPES, type RangeSubtype } from './range-types.ts'
import { type SqlType, TYPES } from './type.ts'

/** A range type, its multirange, and how the values between its bounds are ordered. */
export interface RangeKind {
  readonly range: SqlType
  readonly multirange: SqlType
  readonly subtype: SqlType
  compare(a: Value, b: Value): number
  /** The next value; null where between any two values there are others. @throws 22003, 22008 behind the last one */
  readonly next: ((value: Value) => Value) | null
}

const plain = (a: Value, b: Value): number =>
  (a as number | bigint) < (b as number | bigint)
    ? -1
    : (a as number | bigint) > (b as number | bigint)
      ? 1
      : 0

/** What values are counted one by one. */
const nexts: Readonly<Partial<Record<RangeSubtype, (value: Value) => Value>>> = {
  integer: (value) => toWhole(TYPES.integer, (value as number) + 1),
  bigint: (value) => toWhole(TYPES.bigint, (value as bigint) + 1n),
  // The infinities have no neighbours.
  date: (value) => (Number.isFinite(value) ? inDateRange((value as number) + 1) : value),
}

const kinds: ReadonlyMap<string, RangeKind> = new Map(
  RANGE_TYPES.flatMap(({ range, multirange, subtype }) => {
    const kind: RangeKind = {
      range: TYPES[range],
      multirange: TYPES[multirange],
      subtype: TYPES[subtype],
      compare: subtype === 'numeric' ? (a, b) => compareDecimal(a as string, b as string) : plain,
      next: nexts[subtype] ?? null,
    }
    return [
      [range, kind],
      [multirange, kind],
    ] as const
  }),
)

/** All of them, in the order of their names' list. */
export const RANGE_KINDS: readonly RangeKind[] = [...new Set(kinds.values())]

/** Of a range or a multirange; null: the type is neither. */
export const rangeKindOf = (type: SqlType): RangeKind | null => kinds.get(type.id) ?? null

export const isRange = (type: SqlType): boolean => rangeKindOf(type)?.range.id === type.id
export const isMultirange = (type: SqlType): boolean => rangeKindOf(type)?.multirange.id === type.id

/** How far out a bound is that has no value. */
const reach = ({ value, side }: RangeBound): number => (value !== null ? 0 : side === 'lower' ? -1 : 1)

/** Where a bound stands beside its value: a lower one that excludes it behind, an upper one before. */
const beside = ({ value, inclusive, side }: RangeBound): number =>
  value === null || inclusive ? 0 : side === 'lower' ? 1 : -1

/** By their values alone. */
const compareBoundValues = (kind: RangeKind, a: RangeBound, b: RangeBound): number =>
  a.value === null || b.value === null ? reach(a) - reach(b) : kind.compare(a.value, b.value)

/** Bounds of any sides, by where they stand. */
export const compareBounds = (kind: RangeKind, a: RangeBound, b: RangeBound): number =>
  compareBoundValues(kind, a, b) || beside(a) - beside(b)

/** Range by range, by their lower bounds first; a list that ends is less than one that goes on, and so what is empty is least. */
export function compareLists(kind: RangeKind, a: RangeList, b: RangeList): number {
  for (const [i, { lower, upper }] of a.entries()) {
    const other = b[i]
    if (other === undefined) return 1
    const order = compareBounds(kind, lower, other.lower) || compareBounds(kind, upper, other.upper)
    if (order !== 0) return order
  }
  return a.length - b.length
}

const isBackward = () =>
  sqlError('22000', 'range lower bound must be less than or equal to range upper bound')

/**
 * A range between two bounds: of values that are counted one by one, always from the first within to the first behind.
 * @throws 22000 when the bounds are the wrong way round, 22003 and 22008 when there is no value behind
 */
export function makeRange(kind: RangeKind, lower: RangeBound, upper: RangeBound): RangeList {
  const from = lower.value === null ? { ...lower, inclusive: false } : lower
  const to = upper.value === null ? { ...upper, inclusive: false } : upper
  const order = compareBoundValues(kind, from, to)
  if (order > 0) throw isBackward()
  if (order === 0 && !(from.inclusive && to.inclusive)) return []
  const { next } = kind
  if (next === null) return [{ lower: from, upper: to }]
  const first = counted(next, from, true)
  const behind = counted(next, to, false)
  return compareBounds(kind, first, behind) > 0 ? [] : [{ lower: first, upper: behind }]
}

/** The bound with the other inclusion, which is one value further. */
function counted(next: (value: Value) => Value, bound: RangeBound, inclusive: boolean): RangeBound {
  if (bound.value === null || bound.inclusive === inclusive) return bound
  const value = next(bound.value)
  return value === bound.value ? bound : { ...bound, value, inclusive }
}

/** True when one range ends exactly where the other begins: nothing between them, nothing in both. */
export function touches(kind: RangeKind, { upper }: RangeValue, { lower }: RangeValue): boolean {
  return compareBoundValues(kind, upper, lower) === 0 && upper.inclusive !== lower.inclusive
}

/** Ranges of any order as a multirange: those that overlap or touch become one. */
export function normalized(kind: RangeKind, ranges: readonly RangeValue[]): RangeList {
  const sorted = [...ranges].sort((a, b) => compareLists(kind, [a], [b]))
  const list: RangeValue[] = []
  for (const range of sorted) {
    const last = list.at(-1)
    const apart =
      last === undefined || (compareBounds(kind, last.upper, range.lower) < 0 && !touches(kind, last, range))
    if (apart) list.push(range)
    else if (compareBounds(kind, last.upper, range.upper) < 0)
      list[list.length - 1] = { lower: last.lower, upper: range.upper }
  }
  return list
}

/**
 * What a text of a range or of a multirange says, put in order.
 * @param boundOf value of a bound's text
 * @throws 22P02, what `makeRange` throws, and what `boundOf` throws
 */
export function readRanges(
  kind: RangeKind,
  type: SqlType,
  text: string,
  boundOf: (text: string) => Value,
): RangeList {
  const read = (part: string): RangeList => {
    const written = parseRange(part)
    if (written === null) return []
    const bound = (one: RangeBound & { readonly value: string | null }): RangeBound =>
      one.value === null ? one : { ...one, value: boundOf(one.value) }
    return makeRange(kind, bound(written.lower), bound(written.upper))
  }
  if (kind.multirange.id !== type.id) return read(text)
  const ranges: RangeValue[] = []
  for (const part of splitMultirange(text)) ranges.push(...read(part))
  return normalized(kind, ranges)
}
