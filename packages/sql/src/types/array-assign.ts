import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { type ArrayValue, DIMENSIONS_MAX, ITEMS_MAX, itemAt } from './array.ts'

/** Bounds of a slice by dimension, as they were written; null: left out. */
export type SliceBounds = readonly (readonly [lower: number | null, upper: number | null])[]

const wrong = (message: string) => sqlError('2202E', message)
const outside = () => wrong('array subscript out of range')
const tooLarge = () =>
  sqlError(SQLSTATE.programLimitExceeded, `array size exceeds the maximum allowed (${ITEMS_MAX})`)

/** @throws 54000 */
export function checkDimensions(count: number): void {
  if (count > DIMENSIONS_MAX)
    throw sqlError(
      SQLSTATE.programLimitExceeded,
      `number of array dimensions (${count}) exceeds the maximum allowed (${DIMENSIONS_MAX})`,
    )
}

/** The list with room for all places from `from` to `to`, NULL where nothing was. */
function grown({ lowers, items }: ArrayValue, from: number, to: number): Value[] {
  if (to - from >= ITEMS_MAX) throw tooLarge()
  const wider: Value[] = new Array<Value>(to - from + 1).fill(null)
  const lower = lowers[0] ?? 1
  for (const [i, value] of items.entries()) wider[lower - from + i] = value
  return wider
}

/** The array with another item at one place. A list grows to hold it, with NULLs between. @throws 2202E, 54000 */
export function withItem(array: ArrayValue, at: readonly number[], item: Value): ArrayValue {
  const { dims, lowers, items } = array
  if (dims.length === 0) return { dims: at.map(() => 1), lowers: at, items: [item] }
  if (at.length !== dims.length) throw wrong('wrong number of array subscripts')
  const place = itemAt(array, at)
  if (place !== null) return { dims, lowers, items: items.with(place, item) }
  if (dims.length > 1) throw outside()
  const [first = 1] = at
  const lower = lowers[0] ?? 1
  const from = Math.min(lower, first)
  const wider = grown(array, from, Math.max(lower + items.length - 1, first))
  wider[first - from] = item
  return { dims: [wider.length], lowers: [from], items: wider }
}

/**
 * The array with other items in a slice, in the order of `put`, of which more may be there than are taken. A list grows;
 * an array of more dimensions does not.
 * @throws 2202E, 54000
 */
export function withSlice(array: ArrayValue, bounds: SliceBounds, put: ArrayValue): ArrayValue {
  const { dims, lowers } = array
  if (dims.length === 0) return sliceAlone(bounds, put)
  if (dims.length < bounds.length) throw wrong('wrong number of array subscripts')
  const ranges = dims.map((length, i) => {
    const lowest = lowers[i] ?? 1
    const [lower, upper] = bounds[i] ?? [null, null]
    const range = { from: lower ?? lowest, to: upper ?? lowest + length - 1 }
    if (range.from > range.to) throw wrong('upper bound cannot be less than lower bound')
    if (dims.length > 1 && (range.from < lowest || range.to >= lowest + length)) throw outside()
    return range
  })
  const count = ranges.reduce((product, { from, to }) => product * (to - from + 1), 1)
  const [list] = ranges
  if (dims.length > 1 || list === undefined) {
    if (put.items.length < count) throw wrong('source array too small')
    return { dims, lowers, items: overwritten(array, ranges, put.items) }
  }
  const lower = lowers[0] ?? 1
  const from = Math.min(lower, list.from)
  const wider = grown(array, from, Math.max(lower + array.items.length - 1, list.to))
  if (put.items.length < count) throw wrong('source array too small')
  for (let i = 0; i < count; i++) wider[list.from - from + i] = put.items[i] ?? null
  return { dims: [wider.length], lowers: [from], items: wider }
}

/** What becomes of an empty array. */
function sliceAlone(bounds: SliceBounds, put: ArrayValue): ArrayValue {
  const ranges = bounds.map(([lower, upper]) => {
    if (lower === null || upper === null)
      throw sqlError('2202E', 'array slice subscript must provide both boundaries', {
        detail:
          'When assigning to a slice of an empty array value, slice boundaries must be fully specified.',
      })
    if (upper < lower - 1) throw tooLarge()
    return { lower, length: upper - lower + 1 }
  })
  const count = ranges.reduce((product, { length }) => product * length, 1)
  if (count > ITEMS_MAX) throw tooLarge()
  if (put.items.length < count) throw wrong('source array too small')
  if (count === 0) return { dims: [], lowers: [], items: [] }
  return {
    dims: ranges.map(({ length }) => length),
    lowers: ranges.map(({ lower }) => lower),
    items: put.items.slice(0, count),
  }
}

/** Row by row, the last subscript fastest. */
function overwritten(
  { dims, lowers, items }: ArrayValue,
  ranges: readonly { readonly from: number; readonly to: number }[],
  put: readonly Value[],
): readonly Value[] {
  const result = [...items]
  let taken = 0
  const level = (dimension: number, offset: number): void => {
    const range = ranges[dimension]
    if (range === undefined) {
      result[offset] = put[taken++] ?? null
      return
    }
    for (let at = range.from; at <= range.to; at++)
      level(dimension + 1, offset * (dims[dimension] ?? 1) + at - (lowers[dimension] ?? 1))
  }
  level(0, 0)
  return result
}
