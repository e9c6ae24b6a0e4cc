import type { Transaction } from '@cluster/core'
import { StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ExecutionContext } from '../../src/executor/context.ts'
import { MemoryBudget } from '../../src/executor/memory.ts'
import { sortedRows } from '../../src/executor/rows/sorted-rows.ts'

function contextOf(clock: StillClock): ExecutionContext {
  return new ExecutionContext({
    // Sorting reads no table.
    transaction: null as unknown as Transaction,
    clock,
    frame: { parameters: [], outer: [], functions: null as never },
    memory: new MemoryBudget({ bytesMax: 1e9 }),
    signal: null,
  })
}

const byNumber = (columns: readonly (readonly unknown[])[], a: number, b: number): number =>
  (columns[0]?.[a] as number) - (columns[0]?.[b] as number)

describe('sorting', () => {
  test('gives the order of a stable sort, whatever the length and the order before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 9_000 }),
        fc.integer({ min: 1, max: 3_000 }),
        fc.constantFrom('random', 'sorted', 'reversed', 'runs'),
        async (length, values, shape) => {
          let seed = length * 31 + values
          const next = (): number => {
            seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
            return seed % values
          }
          const keys = Array.from({ length }, (_, i) =>
            shape === 'random' ? next() : shape === 'sorted' ? i : shape === 'reversed' ? -i : i % values,
          )
          const expected = keys
            .map((key, i) => ({ key, i }))
            .sort((a, b) => a.key - b.key || a.i - b.i)
            .map(({ i }) => i)
          const got = await sortedRows([keys], length, byNumber, contextOf(new StillClock()))
          expect([...got]).toEqual(expected)
        },
      ),
      { numRuns: 40, seed: 7 },
    )
  })

  test('lets others have their turn', async () => {
    const clock = new StillClock()
    const keys = Array.from({ length: 50_000 }, (_, i) => (i * 7_919) % 50_021)
    await sortedRows([keys], keys.length, byNumber, contextOf(clock))
    // Runs, then rounds of merging, each of which looks at every row.
    expect(clock.turns).toBeGreaterThan(30)
  })
})

describe('work', () => {
  test('gives a turn by the clock when rows cost much', async () => {
    const clock = new StillClock()
    let now = 0
    clock.now = () => now
    const context = contextOf(clock)
    for (let i = 0; i < 64; i++) {
      now += 1
      await context.work(1)
    }
    // Asked every 16 calls, which take 16 ms here.
    expect(clock.turns).toBe(4)
  })
})
