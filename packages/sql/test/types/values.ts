import type { Value } from '@cluster/core'
import fc from 'fast-check'
import { type Interval, intervalText } from '../../src/types/interval.ts'
import { jsonbOf } from '../../src/types/json.ts'
import type { RangeList } from '../../src/types/range.ts'
import { makeRange, normalized, RANGE_KINDS, type RangeKind } from '../../src/types/range-kind.ts'
import { fromRanges } from '../../src/types/range-text.ts'
import type { RangeSubtype } from '../../src/types/range-types.ts'
import { timetzText } from '../../src/types/time.ts'
import type { TypeId } from '../../src/types/type.ts'

const interval: fc.Arbitrary<Interval> = fc.record({
  months: fc.integer({ min: -1_200, max: 1_200 }),
  days: fc.integer({ min: -400, max: 400 }),
  micros: fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }),
})

const text = fc.oneof(
  fc.string(),
  fc.constantFrom('', 'a', 'ab', 'b', '\uffff', '\u{10000}', 'é', 'Z'),
  fc.string({ unit: 'grapheme' }),
)

const json = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom([], {}, [[]], { b: 1, aa: 2 }, { a: 1, ab: 0 }, 1, true, 'é', null, [1], [null], -1.5e3),
)

/** Bounds of ranges: often near to each other, and never the last value, behind which there is none. */
const bounds: Readonly<Record<RangeSubtype, fc.Arbitrary<Value>>> = {
  integer: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -2_147_483_648, max: 2_147_483_646 })),
  bigint: fc.oneof(fc.bigInt({ min: -3n, max: 3n }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 2n })),
  numeric: fc.constantFrom('NaN', 'Infinity', '-Infinity', '0', '0.00', '1', '1.0', '-2.5', '10'),
  timestamp: fc.oneof(
    fc.bigInt({ min: -3n, max: 3n }),
    fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), -210_866_803_200_000_000n),
  ),
  timestamptz: fc.bigInt({ min: -3_600_000_003n, max: 3n }),
  date: fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -2_440_588, 2_145_042_904),
  ),
}

const rangesOf = (kind: RangeKind): fc.Arbitrary<RangeList> => {
  const bound = bounds[kind.subtype.id as RangeSubtype]
  return fc
    .tuple(fc.option(bound), fc.option(bound), fc.boolean(), fc.boolean())
    .map(([a, b, first, last]) => {
      const turned = a !== null && b !== null && kind.compare(a, b) > 0
      return makeRange(
        kind,
        { value: turned ? b : a, inclusive: first, side: 'lower' },
        { value: turned ? a : b, inclusive: last, side: 'upper' },
      )
    })
}

const ranges = Object.fromEntries(
  RANGE_KINDS.flatMap((kind): [string, fc.Arbitrary<Value>][] => {
    const { range, multirange } = kind
    const lists = fc.array(rangesOf(kind), { maxLength: 5 })
    return [
      [range.id, rangesOf(kind).map((list) => fromRanges(kind, range, list))],
      [multirange.id, lists.map((list) => fromRanges(kind, multirange, normalized(kind, list.flat())))],
    ]
  }),
)

/** Values of each type, among them those at the edges. */
export const values: Readonly<Partial<Record<TypeId, fc.Arbitrary<Value>>>> = {
  boolean: fc.boolean(),
  smallint: fc.integer({ min: -32_768, max: 32_767 }),
  integer: fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }),
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  real: fc.float(),
  double: fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, 1e15, 1e-5, 0.1)),
  numeric: fc.oneof(
    fc.constantFrom('NaN', 'Infinity', '-Infinity', '0', '0.00', '1', '1.0', '1.00', '-1', '10'),
    fc
      .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 0, max: 5 }))
      .map(([whole, digits]) => (digits === 0 ? `${whole}` : `${whole}.${'5'.repeat(digits)}`)),
  ),
  text,
  varchar: text,
  char: fc.constantFrom('a', 'a  ', 'ab ', 'b', '   ', ''),
  timestamp: fc.oneof(
    fc
      .bigInt({ min: -210_866_803_200_000_000n, max: 9_224_318_015_999_999_999n })
      .filter((micros) => micros < 9_224_318_016_000_000_000n && micros < 2n ** 63n - 1n),
    fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n)),
  ),
  date: fc.oneof(
    fc.integer({ min: -2_440_588, max: 2_145_042_905 }),
    fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  ),
  timestamptz: fc.bigInt({ min: -210_866_803_200_000_000n, max: 9_223_371_331_199_999_999n }),
  time: fc.integer({ min: 0, max: 86_400_000_000 }),
  timetz: fc
    .tuple(fc.integer({ min: 0, max: 86_400_000_000 }), fc.integer({ min: -57_599, max: 57_599 }))
    .map(([micros, offset]) => timetzText({ micros, offset })),
  uuid: fc.uuid(),
  jsonb: json.map((value) => jsonbOf(JSON.stringify(value))),
  interval: interval.map(intervalText),
  bytea: fc.uint8Array({ maxLength: 6 }),
  ...ranges,
}
