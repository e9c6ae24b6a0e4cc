import type { RowBatch } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type BatchSource, Chain } from '../../src/driver/read/batches.ts'

const batchOf = (keys: readonly string[]): RowBatch => ({
  length: keys.length,
  keys,
  columns: [keys.map((key) => `row ${key}`)],
})

/** Gives batches, every so manyth only later. */
function sourceOf(batches: readonly RowBatch[], later: number): BatchSource & { closed: boolean } {
  let at = 0
  return {
    closed: false,
    next() {
      const batch = batches[at++] ?? null
      return at % later === 0 ? Promise.resolve(batch) : batch
    },
    close() {
      this.closed = true
    },
  }
}

async function allOf(source: BatchSource): Promise<RowBatch[]> {
  const all: RowBatch[] = []
  for (let batch = await source.next(); batch !== null; batch = await source.next()) all.push(batch)
  return all
}

const keys = fc.array(fc.string({ maxLength: 3 }), { maxLength: 300 })
const sources = fc.array(fc.tuple(fc.array(keys, { maxLength: 4 }), fc.integer({ min: 1, max: 3 })))

describe('a chain of sources', () => {
  test('gives every row once, with its key, in batches that are as large as can be had', async () => {
    await fc.assert(
      fc.asyncProperty(sources, fc.nat(400), async (parts, enough) => {
        const chain = new Chain(
          parts.map(([batches, later]) => sourceOf(batches.map(batchOf), later)),
          enough,
        )
        const given = await allOf(chain)
        const rows = given.flatMap(({ keys }) => keys)
        expect([...rows].sort()).toEqual(parts.flatMap(([batches]) => batches.flat()).sort())
        for (const { length, keys, columns } of given) {
          expect(keys.length).toBe(length)
          expect(columns).toEqual([keys.map((key) => `row ${key}`)])
        }
        const least = Math.min(enough, 192)
        for (const { length } of given.slice(0, -1)) expect(length).toBeGreaterThanOrEqual(least)
      }),
      { numRuns: 100 },
    )
  })

  test('hands a batch that is large enough on as it is', async () => {
    const large = batchOf(Array.from({ length: 200 }, (_, i) => String(i)))
    const few = batchOf(['a', 'b'])
    const chain = new Chain([sourceOf([few, large], 5), sourceOf([few], 5)], 1_000)
    expect(await chain.next()).toBe(large)
    expect(await chain.next()).toEqual(batchOf(['a', 'b', 'a', 'b']))
    expect(await chain.next()).toBeNull()
  })

  test('closes what has not ended', async () => {
    const [first, second] = [sourceOf([], 2), sourceOf([batchOf(['a'])], 2)]
    const chain = new Chain([first, second])
    expect(await chain.next()).toEqual(batchOf(['a']))
    chain.close()
    expect(second.closed).toBe(true)
  })
})
