import type { Value } from '@cluster/core'
import { sqlError } from '../../errors.ts'
import type { RangeList } from '../../types/range.ts'
import { compareLists, type RangeKind, rangeKindOf } from '../../types/range-kind.ts'
import {
  beginsWithin,
  contains,
  containsValue,
  difference,
  endsWithin,
  intersection,
  isAfter,
  isBefore,
  isBeside,
  overlaps,
  union,
} from '../../types/range-math.ts'
import { fromRanges, toRanges } from '../../types/range-text.ts'
import { BOOLEAN, type SqlType, sameKind, unmodified } from '../../types/type.ts'
import { holds, type Sign } from '../comparison.ts'
import type { ScalarFunction } from '../function.ts'
import { type Resolver, strictly } from '../generic.ts'

type Test = (kind: RangeKind, a: RangeList, b: RangeList) => boolean

/** Of ranges and multiranges of one kind, on both sides either. */
const tests: Readonly<Record<string, Test>> = {
  '@>': contains,
  '<@': (kind, a, b) => contains(kind, b, a),
  '&&': overlaps,
  '<<': isBefore,
  '>>': isAfter,
  '&<': endsWithin,
  '&>': beginsWithin,
  '-|-': isBeside,
}

/** Of two ranges, or of two multiranges. */
const unions: Readonly<Record<string, (kind: RangeKind, a: RangeList, b: RangeList) => RangeList>> = {
  '+': union,
  '*': intersection,
  '-': difference,
}

/** @throws 22000 when a range would have to be in two parts */
function inOnePart(sign: string, list: RangeList): RangeList {
  if (list.length < 2) return list
  throw sqlError('22000', `result of range ${sign === '+' ? 'union' : 'difference'} would not be contiguous`)
}

/**
 * What the operands are: a literal beside a range is a range of the same type.
 * @returns null when none is a range, or the other one has to do with other ranges
 */
function operands(
  left: SqlType | undefined,
  right: SqlType | undefined,
): { readonly kind: RangeKind; readonly left: SqlType; readonly right: SqlType } | null {
  if (left === undefined || right === undefined) return null
  const kind = rangeKindOf(left) ?? rangeKindOf(right)
  if (kind === null) return null
  const [a, b] = [left.id === 'unknown' ? right : left, right.id === 'unknown' ? left : right]
  const fits = [a, b].every((type) => (rangeKindOf(type) ?? kind) === kind)
  return fits ? { kind, left: unmodified(a), right: unmodified(b) } : null
}

const ofLists = (sign: string, test: Test): Resolver => {
  return (args) => {
    const found = operands(args[0], args[1])
    if (found === null) return null
    const { kind, left, right } = found
    const both = [left, right]
    const value = both.find((type) => rangeKindOf(type) === null)
    if (value !== undefined) return memberTest(sign, kind, left, right)
    return strictly(sign, both, BOOLEAN, (a: string, b: string) =>
      test(kind, toRanges(kind, left, a), toRanges(kind, right, b)),
    )
  }
}

/** Whether a value is in a range; it must be of the very type of the bounds. */
function memberTest(sign: string, kind: RangeKind, left: SqlType, right: SqlType): ScalarFunction | null {
  if (sign === '@>' && sameKind(right, kind.subtype))
    return strictly(sign, [left, right], BOOLEAN, (list: string, value: Value) =>
      containsValue(kind, toRanges(kind, left, list), value),
    )
  if (sign === '<@' && sameKind(left, kind.subtype))
    return strictly(sign, [left, right], BOOLEAN, (value: Value, list: string) =>
      containsValue(kind, toRanges(kind, right, list), value),
    )
  return null
}

/** Operands of one type. */
const twins =
  (make: (kind: RangeKind, type: SqlType) => ScalarFunction): Resolver =>
  (args) => {
    const found = operands(args[0], args[1])
    return found === null || found.left.id !== found.right.id ? null : make(found.kind, found.left)
  }

const comparison = (sign: Sign): Resolver =>
  twins((kind, type) => {
    const holdsFor = holds[sign]
    return strictly(sign, [type, type], BOOLEAN, (a: string, b: string) =>
      holdsFor(a === b ? 0 : compareLists(kind, toRanges(kind, type, a), toRanges(kind, type, b))),
    )
  })

export const rangeOperators: ReadonlyMap<string, readonly Resolver[]> = new Map([
  ...(Object.keys(holds) as Sign[]).map((sign) => [sign, [comparison(sign)]] as const),
  ...Object.entries(tests).map(([sign, test]) => [sign, [ofLists(sign, test)]] as const),
  ...Object.entries(unions).map(([sign, join]) => {
    const resolver = twins((kind, type) =>
      strictly(sign, [type, type], type, (a: string, b: string) => {
        const list = join(kind, toRanges(kind, type, a), toRanges(kind, type, b))
        return fromRanges(kind, type, type.id === kind.range.id ? inOnePart(sign, list) : list)
      }),
    )
    return [sign, [resolver]] as const
  }),
])

/** A range, a multirange, or a value of the bounds' type. */
type Side = 'range' | 'multirange' | 'subtype'

/** Functions of operators, by the words that PostgreSQL has for these. */
const words: Readonly<Record<string, string>> = {
  contains: '@>',
  contained_by: '<@',
  overlaps: '&&',
  before: '<<',
  after: '>>',
  overleft: '&<',
  overright: '&>',
  adjacent: '-|-',
}
const twinWords: Readonly<Record<string, string>> = {
  eq: '=',
  ne: '<>',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  union: '+',
  minus: '-',
  intersect: '*',
}

/** The function of an operator. Its name tells what its arguments are, and so what a literal is. */
const byName = (name: string, sign: string, sides: readonly [Side, Side]) => {
  const resolver: Resolver = (args) => {
    const kind = args.map(rangeKindOf).find((one) => one !== null)
    if (kind == null || args.length !== 2) return null
    const types = args.map((type, i) => (type.id === 'unknown' ? kind[sides[i] ?? 'range'] : type))
    if (types.some((type, i) => !sameKind(type, kind[sides[i] ?? 'range']))) return null
    const fn = rangeOperators.get(sign)?.[0]?.(types) ?? null
    return fn === null ? null : { ...fn, name }
  }
  return [name, resolver] as const
}

export const rangeOperatorFunctions: ReadonlyMap<string, Resolver> = new Map([
  ...Object.entries(twinWords).flatMap(([word, sign]) => [
    byName(`range_${word}`, sign, ['range', 'range']),
    byName(`multirange_${word}`, sign, ['multirange', 'multirange']),
  ]),
  ...Object.entries(words).flatMap(([word, sign]) => [
    byName(`range_${word}`, sign, ['range', 'range']),
    byName(`range_${word}_multirange`, sign, ['range', 'multirange']),
    byName(`multirange_${word}_range`, sign, ['multirange', 'range']),
    byName(`multirange_${word}_multirange`, sign, ['multirange', 'multirange']),
  ]),
  byName('range_contains_elem', '@>', ['range', 'subtype']),
  byName('multirange_contains_elem', '@>', ['multirange', 'subtype']),
  byName('elem_contained_by_range', '<@', ['subtype', 'range']),
  byName('elem_contained_by_multirange', '<@', ['subtype', 'multirange']),
])
