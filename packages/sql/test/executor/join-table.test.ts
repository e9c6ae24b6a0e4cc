import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { JoinTable } from '../../src/executor/join/join-table.ts'

const nothing = fc.constantFrom(null, undefined)
/** Keys that lie close together, far apart, or are not whole. */
const kinds = [
  fc.integer({ min: -20, max: 20 }),
  fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
  fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom(0.5, 2 ** 40, Number.NaN, 'text', 3n)),
]

describe('the table of a join', () => {
  test('tells the row of each key, wherever no key has two', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom(...kinds)
          .chain((kind) =>
            fc.tuple(
              fc.uniqueArray(kind, { maxLength: 40 }),
              fc.array(fc.oneof(kind, nothing), { maxLength: 60 }),
            ),
          ),
        fc.boolean(),
        ([keys, asked], known) => {
          const table = new JoinTable()
          table.add(keys, keys.length)
          while (table.link(7)) expect(table.unique).toBe(true)
          expect(table.unique).toBe(true)
          // Keys that all have a row are answered without positions.
          const wanted: readonly unknown[] = known
            ? asked.filter((key) => keys.includes(key as number))
            : asked
          const [positions, rows] = [new Int32Array(wanted.length), new Int32Array(wanted.length)]
          const count = table.pairs(wanted, wanted.length, positions, rows)
          const expected = wanted.flatMap((key, i) => {
            const row = keys.findIndex((one) => Object.is(one, key) || one === key)
            return row < 0 ? [] : [[i, row]]
          })
          const all = expected.length === wanted.length
          const found = Array.from({ length: count }, (_, i) => [all ? i : positions[i], rows[i]])
          expect(found).toEqual(expected)
        },
      ),
      { numRuns: 500 },
    )
  })
})
