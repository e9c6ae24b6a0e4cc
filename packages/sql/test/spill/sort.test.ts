import type { Value } from '@cluster/core'
import { StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { MemoryBudget } from '../../src/executor/memory.ts'
import { sortSource, topSource } from '../../src/executor/rows/sort.ts'
import { MemoryFiles } from './memory-files.ts'
import { type Columns, contextOf, rowsOf } from './support.ts'

const compare = (columns: Columns, a: number, b: number): number =>
  (columns[0]?.[a] as number) - (columns[0]?.[b] as number)

const options = {
  node: {},
  addKeys: (batch: { length: number; columns: Columns }) => batch,
  width: 2,
  widthWithKeys: 2,
  compare,
  before: (columns: Columns, length: number, others: Columns, other: number): number[] => {
    const bound = others[0]?.[other] as number
    return Array.from({ length }, (_, i) => i).filter((i) => (columns[0]?.[i] as number) < bound)
  },
}

describe('a sort with little memory', () => {
  test('gives the rows of a stable sort, all of them or the first', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 1_500 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 500, max: 30_000 }),
        fc.option(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 900 }))),
        async (keys, batch, bytes, part) => {
          const files = new MemoryFiles()
          const memory = new MemoryBudget({ bytesMax: 1e9, spill: { bytes, files } })
          const [skip, limit] = part ?? [0, Number.POSITIVE_INFINITY]
          const source =
            part === null
              ? sortSource(rowsOf(keys, batch), options)
              : topSource(rowsOf(keys, batch), options, () => ({ limit, offset: skip }))
          const found: Value[] = []
          for await (const { length, columns } of source.open(contextOf(memory)))
            found.push(...(columns[1] ?? []).slice(0, length))
          const expected = keys
            .map((key, i) => ({ key, i }))
            .sort((a, b) => a.key - b.key || a.i - b.i)
            .slice(skip, skip + limit)
          expect(found).toEqual(expected.map(({ i }) => `row ${i}`))
          expect({ open: files.open, bytes: memory.bytes }).toEqual({ open: 0, bytes: 0 })
          if (part === null && keys.length * 80 > bytes + 80 * batch) expect(files.made).toBeGreaterThan(0)
        },
      ),
      { numRuns: 80, seed: 7 },
    )
  })

  test('keeps what it may and yields: 300,000 rows in a megabyte', async () => {
    const ROWS = 300_000
    const keys = Array.from({ length: ROWS }, (_, i) => (i * 7_919) % 300_007)
    const files = new MemoryFiles()
    const memory = new MemoryBudget({ bytesMax: 1e9, spill: { bytes: 1_000_000, files } })
    const clock = new StillClock()
    let rows = 0
    let last = -1
    let first: number | null = null
    for await (const { length, columns } of sortSource(rowsOf(keys, 1_024), options).open(
      contextOf(memory, clock),
    )) {
      first ??= clock.turns
      for (let i = 0; i < length; i++) {
        const key = columns[0]?.[i] as number
        if (key < last) throw new Error(`${key} comes behind ${last}`)
        last = key
      }
      rows += length
    }
    expect(rows).toBe(ROWS)
    // One batch is seen only when it was added.
    expect(memory.peak).toBeLessThan(1_000_000 + 100_000)
    expect(files.open).toBe(0)
    expect(first ?? 0).toBeGreaterThan(ROWS / 8_192)
    expect(clock.turns - (first ?? 0)).toBeGreaterThan(ROWS / 8_192 - 2)
  })
})
