import type { Value } from '@cluster/core'
import fc from 'fast-check'
import { type Interval, intervalText } from '../../src/types/interval.ts'
import { jsonbOf } from '../../src/types/json.ts'
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
}
