import type { Value } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Source } from '../../src/executor/context.ts'
import { joinSource } from '../../src/executor/join/hash-join.ts'
import type { PairFilter } from '../../src/executor/join/join.ts'
import { markJoinSource } from '../../src/executor/join/mark-join.ts'
import { MemoryBudget } from '../../src/executor/memory.ts'
import { Profile } from '../../src/executor/profile.ts'
import type { RowKeys } from '../../src/executor/rows/distinct.ts'
import { MemoryFiles } from './memory-files.ts'
import { contextOf, drained, rowsOf } from './support.ts'

const byFirst: RowKeys = ({ columns }) => columns[0] as readonly unknown[]

/** Pairs of rows whose numbers do not add up to a multiple of three. */
const someFilter: PairFilter = (left, right, leftRows, rightRows, count) => {
  const numberOf = (text: Value | undefined): number => Number(String(text).slice(4))
  let kept = 0
  for (let p = 0; p < count; p++) {
    const [l, r] = [leftRows[p] as number, rightRows[p] as number]
    if ((numberOf(left[1]?.[l]) + numberOf(right[1]?.[r])) % 3 === 0) continue
    leftRows[kept] = l
    rightRows[kept++] = r
  }
  return kept
}

const types = ['inner', 'left', 'full', 'semi', 'anti'] as const
/** Many keys, or mostly one that nothing divides; some are NULL. */
const keysOf = (max: number) =>
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 60 }) },
      { weight: max, arbitrary: fc.constant(7) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
    { maxLength: 160 },
  )
const sides = fc.oneof(...[0, 3, 40].map((max) => fc.tuple(keysOf(max), keysOf(max))))

const sorted = (rows: readonly Value[][]): string[] => rows.map((row) => JSON.stringify(row)).sort()

/** With so few bytes a source gives the rows that it gives with many, and leaves nothing behind. */
async function expectAlike(source: Source, bytes: number): Promise<void> {
  const files = new MemoryFiles()
  const frugal = new MemoryBudget({ bytesMax: 1e9, spill: { bytes, files } })
  const found = await drained(source, contextOf(frugal))
  const expected = await drained(source, contextOf(new MemoryBudget({ bytesMax: 1e9 })))
  expect(sorted(found)).toEqual(sorted(expected))
  expect([files.open, frugal.bytes]).toEqual([0, 0])
}

describe('a join with little memory', () => {
  test.each(types)('of kind %s gives what it gives with much', async (type) => {
    await fc.assert(
      fc.asyncProperty(
        sides,
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 200, max: 4_000 }),
        fc.integer({ min: 1, max: 40 }),
        async ([left, right], keyed, filtered, bytes, batch) => {
          const both = {
            node: {},
            type,
            keys: keyed ? { left: byFirst, right: byFirst } : null,
            filter: filtered ? someFilter : null,
            leftWidth: 2,
            rightWidth: 2,
            outputs: type === 'semi' || type === 'anti' ? [0, 1] : [0, 1, 2, 3],
          }
          const source = joinSource(rowsOf(left, batch), rowsOf(right, batch), both)
          await expectAlike(source, bytes)
        },
      ),
      { numRuns: 60, seed: 3 },
    )
  })

  test('that marks its left rows does so, too', async () => {
    await fc.assert(
      fc.asyncProperty(
        sides,
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 200, max: 4_000 }),
        async ([left, right], matched, filtered, bytes) => {
          const source = markJoinSource(rowsOf(left, 16), rowsOf(right, 16), {
            node: {},
            matched,
            keys: { left: byFirst, right: byFirst },
            filter: filtered ? someFilter : null,
            leftWidth: 2,
            rightWidth: 2,
            outputs: [1],
          })
          await expectAlike(source, bytes)
        },
      ),
      { numRuns: 60, seed: 5 },
    )
  })

  const joined = async (right: readonly number[], bytes: number) => {
    const files = new MemoryFiles()
    const memory = new MemoryBudget({ bytesMax: 1e9, spill: { bytes, files } })
    const profile = new Profile()
    const node = {}
    const source = joinSource(rowsOf([7, 8, 9], 8), rowsOf(right, 64), {
      node,
      type: 'left',
      keys: { left: byFirst, right: byFirst },
      filter: null,
      leftWidth: 2,
      rightWidth: 2,
      outputs: [0, 3],
    })
    const rows = await drained(source, contextOf(memory).profiling(profile))
    return { rows: rows.length, peak: memory.peak, files, spill: profile.of(node).spill }
  }

  test('divides again what is still too large, and stays within it', async () => {
    const { rows, peak, files, spill } = await joined(
      Array.from({ length: 30_000 }, (_, i) => i),
      20_000,
    )
    expect(rows).toBe(3)
    // One batch is seen only when it was added.
    expect(peak).toBeLessThan(20_000 + 64 * 200)
    // Two files at first, and two for each partition in which there are left rows.
    expect(files.made).toBe(2 + 3 * 2)
    expect(spill?.diskBytes).toBe(files.writtenBytes)
  })

  test('takes the one key that all rows have in blocks', async () => {
    const { rows, peak, files } = await joined(new Array<number>(20_000).fill(7), 20_000)
    expect(rows).toBe(20_000 + 2)
    expect(peak).toBeLessThan(20_000 + 64 * 200)
    // Dividing it again would make as many files as it may be divided.
    expect(files.made).toBe(2)
  })
})
