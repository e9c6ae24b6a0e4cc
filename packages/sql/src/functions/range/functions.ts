import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { toArray } from '../../types/array-text.ts'
import type { RangeBound, RangeList, RangeValue } from '../../types/range.ts'
import {
  compareBounds,
  compareLists,
  makeRange,
  normalized,
  RANGE_KINDS,
  type RangeKind,
} from '../../types/range-kind.ts'
import { outline } from '../../types/range-math.ts'
import { fromRanges, toRanges } from '../../types/range-text.ts'
import { arrayOf, BOOLEAN, INTEGER, type SqlType, TEXT } from '../../types/type.ts'
import type { ScalarFunction } from '../function.ts'
import { loosely, type Resolver, strictly } from '../generic.ts'

const FLAGS = ['[]', '[)', '(]', '()']

/** @throws 22000, 42601 */
function checkFlags(flags: Value): string {
  if (flags === null) throw sqlError('22000', 'range constructor flags argument must not be null')
  if (FLAGS.includes(flags as string)) return flags as string
  throw sqlError(SQLSTATE.syntaxError, 'invalid range bound flags', {
    hint: 'Valid values are "[]", "[)", "(]", and "()".',
  })
}

/** A range by its bounds; NULL is no bound. */
function constructors(kind: RangeKind): readonly ScalarFunction[] {
  const { range, subtype } = kind
  const make = (from: Value, to: Value, flags: string): string => {
    const lower: RangeBound = { value: from, inclusive: flags.startsWith('['), side: 'lower' }
    const upper: RangeBound = { value: to, inclusive: flags.endsWith(']'), side: 'upper' }
    return fromRanges(kind, range, makeRange(kind, lower, upper))
  }
  return [
    loosely(range.id, [subtype, subtype], range, (from: Value, to: Value) => make(from, to, '[)')),
    loosely(range.id, [subtype, subtype, TEXT], range, (from: Value, to: Value, flags: Value) =>
      make(from, to, checkFlags(flags)),
    ),
  ]
}

/** What there is to ask of a range or of a multirange: of its outermost bounds, which are those of the only range in a range. */
function questions(kind: RangeKind, type: SqlType): readonly ScalarFunction[] {
  const ask = (name: string, returns: SqlType, answer: (range: RangeValue | null) => Value): ScalarFunction =>
    strictly(name, [type], returns, (text: string) => answer(outline(toRanges(kind, type, text))))
  const cmp = type.id === kind.range.id ? 'range_cmp' : 'multirange_cmp'
  return [
    ask('lower', kind.subtype, (range) => range?.lower.value ?? null),
    ask('upper', kind.subtype, (range) => range?.upper.value ?? null),
    ask('isempty', BOOLEAN, (range) => range === null),
    ask('lower_inc', BOOLEAN, (range) => range?.lower.inclusive ?? false),
    ask('upper_inc', BOOLEAN, (range) => range?.upper.inclusive ?? false),
    ask('lower_inf', BOOLEAN, (range) => range !== null && range.lower.value === null),
    ask('upper_inf', BOOLEAN, (range) => range !== null && range.upper.value === null),
    strictly(cmp, [type, type], INTEGER, (a: string, b: string) =>
      Math.sign(compareLists(kind, toRanges(kind, type, a), toRanges(kind, type, b))),
    ),
  ]
}

/** Two ranges and all between them. */
function around(kind: RangeKind, a: RangeList, b: RangeList): RangeList {
  const [left, right] = [outline(a), outline(b)]
  if (left === null || right === null) return left === null ? b : a
  const lower = compareBounds(kind, left.lower, right.lower) <= 0 ? left.lower : right.lower
  const upper = compareBounds(kind, left.upper, right.upper) >= 0 ? left.upper : right.upper
  return [{ lower, upper }]
}

function conversions(kind: RangeKind): readonly ScalarFunction[] {
  const { range, multirange } = kind
  return [
    strictly('range_merge', [range, range], range, (a: string, b: string) =>
      fromRanges(kind, range, around(kind, toRanges(kind, range, a), toRanges(kind, range, b))),
    ),
    strictly('range_merge', [multirange], range, (text: string) => {
      const whole = outline(toRanges(kind, multirange, text))
      return fromRanges(kind, range, whole === null ? [] : [whole])
    }),
    strictly('multirange', [range], multirange, (text: string) =>
      fromRanges(kind, multirange, toRanges(kind, range, text)),
    ),
  ]
}

export const rangeFunctions: readonly ScalarFunction[] = RANGE_KINDS.flatMap((kind) => [
  ...constructors(kind),
  ...questions(kind, kind.range),
  ...questions(kind, kind.multirange),
  ...conversions(kind),
])

function ofMembers(kind: RangeKind, members: readonly Value[]): string {
  const ranges = members.flatMap((member): RangeList => {
    if (member === null) throw sqlError('22004', 'multirange values cannot contain null members')
    return toRanges(kind, kind.range, member as string)
  })
  return fromRanges(kind, kind.multirange, normalized(kind, ranges))
}

/** A multirange of any number of ranges. A literal alone is the text of the multirange itself. */
const multirangeOf =
  (kind: RangeKind): Resolver =>
  (args) => {
    const { range, multirange } = kind
    const [first, second] = args
    if (!args.every(({ id }) => id === range.id || id === 'unknown')) return null
    if (second === undefined && first !== undefined)
      return first.id === 'unknown'
        ? null
        : strictly(multirange.id, [range], multirange, (member: Value) => ofMembers(kind, [member]))
    const types = args.map(() => range)
    return loosely(multirange.id, types, multirange, (...members: readonly Value[]) =>
      ofMembers(kind, members),
    )
  }

const kindsByMultirange = new Map(RANGE_KINDS.map((kind) => [kind.multirange.id as string, kind]))

/** `int4multirange(VARIADIC list)`; null for what is none of these, or no array of its ranges. */
export function multirangeOfArray(name: string, args: readonly SqlType[]): ScalarFunction | null {
  const kind = kindsByMultirange.get(name)
  const [list, more] = args
  if (kind === undefined || list === undefined || more !== undefined) return null
  if (list.element?.id !== kind.range.id) return null
  return strictly(name, [arrayOf(kind.range)], kind.multirange, (text: string) => {
    const { dims, items } = toArray(kind.range, text)
    if (dims.length > 1)
      throw sqlError('21000', 'multiranges cannot be constructed from multidimensional arrays')
    return ofMembers(kind, items)
  })
}

/** Nothing tells which ranges literals are. @throws 42804 */
const known: Resolver = (args) => {
  if (args.length > 0 && args.every(({ id }) => id === 'unknown'))
    throw sqlError(
      SQLSTATE.datatypeMismatch,
      'could not determine polymorphic type because input has type unknown',
    )
  return null
}

export const rangeResolvers: ReadonlyMap<string, Resolver> = new Map([
  ['range_merge', known],
  ['multirange', known],
  ...RANGE_KINDS.map((kind) => [kind.multirange.id, multirangeOf(kind)] as const),
])
