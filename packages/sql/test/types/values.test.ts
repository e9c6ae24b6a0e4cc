import { KeyWriter, type Value } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { EMPTY_ARRAY } from '../../src/types/array.ts'
import { fromArray } from '../../src/types/array-text.ts'
import { compareValues } from '../../src/types/compare.ts'
import { formatValue } from '../../src/types/format.ts'
import { hashKey, writeKeyValue } from '../../src/types/key.ts'
import { parseValue } from '../../src/types/parse.ts'
import { arrayOf, formatType, type SqlType, TYPES, type TypeId } from '../../src/types/type.ts'
import { values } from './values.ts'

const keyOf = (type: SqlType, value: Value): string => {
  const writer = new KeyWriter()
  writeKeyValue(writer, type, value)
  return writer.finish()
}

const sign = (order: number): number => Math.sign(order) + 0

const plain = Object.entries(values).map(([id, arbitrary]) => [TYPES[id as TypeId], arbitrary] as const)

/** Arrays of one and of two dimensions, some counted from elsewhere, with NULL among the items. */
const arrays = plain.map(([type, arbitrary]) => {
  const items = fc.array(fc.option(arbitrary), { maxLength: 4 })
  const list = fc
    .tuple(items, fc.integer({ min: -2, max: 3 }))
    .map(([list, lower]) =>
      list.length === 0 ? EMPTY_ARRAY : { dims: [list.length], lowers: [lower], items: list },
    )
  const grid = fc
    .tuple(
      fc.array(fc.option(arbitrary), { minLength: 4, maxLength: 4 }),
      fc.constantFrom([2, 2], [1, 4], [4, 1]),
    )
    .map(([list, dims]) => ({ dims, lowers: [1, 1], items: list }))
  const either = fc.oneof(list, grid).map((array) => fromArray(type, array))
  return [arrayOf(type), either] as const
})

const named = [...plain, ...arrays].map(([type, arbitrary]) => ({ name: formatType(type), type, arbitrary }))

describe.each(named)('$name', ({ type, arbitrary }) => {
  test('the text of a value reads as the same value', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        const back = parseValue(type, formatValue(type, value))
        expect(compareValues(type, back, value)).toBe(0)
        expect(formatValue(type, back)).toBe(formatValue(type, value))
      }),
    )
  })

  test('keys sort as values do, and equal values hash alike', () => {
    fc.assert(
      fc.property(arbitrary, arbitrary, (a, b) => {
        const order = sign(compareValues(type, a, b))
        const [x, y] = [keyOf(type, a), keyOf(type, b)]
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(order)
        const set = new Set([hashKey(type, a), hashKey(type, b)])
        expect(set.size).toBe(order === 0 ? 1 : 2)
      }),
    )
  })

  test('comparing is a total order', () => {
    fc.assert(
      fc.property(arbitrary, arbitrary, arbitrary, (a, b, c) => {
        expect(sign(compareValues(type, a, b))).toBe(sign(-compareValues(type, b, a)))
        if (compareValues(type, a, b) <= 0 && compareValues(type, b, c) <= 0)
          expect(compareValues(type, a, c)).toBeLessThanOrEqual(0)
      }),
    )
  })

  test('NULL sorts behind every value', () => {
    fc.assert(fc.property(arbitrary, (value) => expect(keyOf(type, value) < keyOf(type, null)).toBe(true)))
  })
})
