import type { Value } from '@cluster/core'
import type { RangeBound, RangeList, RangeValue } from './range.ts'
import { compareBounds, makeRange, normalized, type RangeKind, touches } from './range-kind.ts'

// What follows takes lists, and so ranges and multiranges alike.

/**
 * Looks for a range in a list.
 * @param order negative when what is looked for is behind the range, positive when it is before it
 */
function find(list: RangeList, order: (range: RangeValue) => number): RangeValue | null {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const range = list[middle] as RangeValue
    const where = order(range)
    if (where === 0) return range
    if (where < 0) low = middle + 1
    else high = middle
  }
  return null
}

/** Negative when the first ends before the second begins, positive the other way round, 0 when they have something in common. */
const placeOf = (kind: RangeKind, a: RangeValue, b: RangeValue): number =>
  compareBounds(kind, a.upper, b.lower) < 0 ? -1 : compareBounds(kind, b.upper, a.lower) < 0 ? 1 : 0

const isWithin = (kind: RangeKind, whole: RangeValue, part: RangeValue): boolean =>
  compareBounds(kind, whole.lower, part.lower) <= 0 && compareBounds(kind, whole.upper, part.upper) >= 0

export function containsValue(kind: RangeKind, list: RangeList, value: Value): boolean {
  const at = (side: RangeBound['side']): RangeBound => ({ value, inclusive: true, side })
  const point: RangeValue = { lower: at('lower'), upper: at('upper') }
  return find(list, (range) => placeOf(kind, range, point)) !== null
}

/** What holds all of nothing holds even the empty list. */
export const contains = (kind: RangeKind, whole: RangeList, part: RangeList): boolean =>
  part.every((range) => {
    const met = find(whole, (one) => placeOf(kind, one, range))
    return met !== null && isWithin(kind, met, range)
  })

export function overlaps(kind: RangeKind, a: RangeList, b: RangeList): boolean {
  const [few, many] = a.length < b.length ? [a, b] : [b, a]
  return few.some((range) => find(many, (one) => placeOf(kind, one, range)) !== null)
}

/** The outermost bounds; null for what is empty. */
export function outline(list: RangeList): RangeValue | null {
  const [first, last] = [list[0], list.at(-1)]
  return first === undefined || last === undefined ? null : { lower: first.lower, upper: last.upper }
}

/** A test of the outlines of two lists that is false when one of them is empty. */
const ofOutlines =
  (test: (kind: RangeKind, a: RangeValue, b: RangeValue) => boolean) =>
  (kind: RangeKind, a: RangeList, b: RangeList): boolean => {
    const [left, right] = [outline(a), outline(b)]
    return left !== null && right !== null && test(kind, left, right)
  }

export const isBefore = ofOutlines((kind, a, b) => compareBounds(kind, a.upper, b.lower) < 0)
export const isAfter = ofOutlines((kind, a, b) => compareBounds(kind, a.lower, b.upper) > 0)
export const endsWithin = ofOutlines((kind, a, b) => compareBounds(kind, a.upper, b.upper) <= 0)
export const beginsWithin = ofOutlines((kind, a, b) => compareBounds(kind, a.lower, b.lower) >= 0)
export const isBeside = ofOutlines((kind, a, b) => touches(kind, a, b) || touches(kind, b, a))

export const union = (kind: RangeKind, a: RangeList, b: RangeList): RangeList =>
  normalized(kind, [...a, ...b])

export function intersection(kind: RangeKind, a: RangeList, b: RangeList): RangeList {
  const common: RangeValue[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [left, right] = [a[i] as RangeValue, b[j] as RangeValue]
    if (placeOf(kind, left, right) === 0)
      common.push({
        lower: compareBounds(kind, left.lower, right.lower) >= 0 ? left.lower : right.lower,
        upper: compareBounds(kind, left.upper, right.upper) <= 0 ? left.upper : right.upper,
      })
    if (compareBounds(kind, left.upper, right.upper) < 0) i++
    else j++
  }
  return common
}

/** The bound of what lies outside. */
const turned = ({ value, inclusive, side }: RangeBound): RangeBound => ({
  value,
  inclusive: !inclusive,
  side: side === 'lower' ? 'upper' : 'lower',
})

export function difference(kind: RangeKind, a: RangeList, b: RangeList): RangeList {
  const left: RangeValue[] = []
  let j = 0
  for (const range of a) {
    let rest: RangeValue | undefined = range
    for (; rest !== undefined && j < b.length; j++) {
      const hole = b[j] as RangeValue
      const place = placeOf(kind, hole, rest)
      if (place > 0) break
      if (place < 0) continue
      if (compareBounds(kind, hole.lower, rest.lower) > 0)
        left.push(...makeRange(kind, rest.lower, turned(hole.lower)))
      // The hole may reach into the ranges that follow.
      if (compareBounds(kind, hole.upper, rest.upper) >= 0) {
        rest = undefined
        break
      }
      rest = makeRange(kind, turned(hole.upper), rest.upper)[0]
    }
    if (rest !== undefined) left.push(rest)
  }
  return left
}
