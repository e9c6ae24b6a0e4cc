import { type DatabaseTools, numbers } from './database-tools.ts'

/** Copies that are compared. */
export function verifyTests({ describe, expect, test, write, failure }: DatabaseTools): void {
  describe('verify', () => {
    test('finds healthy copies alike, whatever is written meanwhile', async ({ first, last }) => {
      await write(
        first,
        numbers(0, 100).map((value) => [value, 'x'] as const),
      )
      const told: number[] = []
      const verifying = last.verify({ onProgress: ({ done, partitions }) => told.push(done / partitions) })
      for (const value of numbers(0, 20)) await write(first, [[value, 'meanwhile']])
      const { compared, skipped, divergences, database } = await verifying
      expect(database).toBe('shop')
      expect(divergences).toEqual([])
      const all = [...compared, ...skipped.map(({ partition }) => partition)]
      expect(all.sort()).toEqual([0, 1, 2, 3, 4])
      expect(told).toEqual([0.2, 0.4, 0.6, 0.8, 1])
      const some = await first.verify({ partitions: [...compared.slice(0, 1)] })
      expect(some.compared).toEqual(compared.slice(0, 1))
    })

    test('ends when the caller has enough', async ({ first }) => {
      const signal = AbortSignal.abort()
      expect(await failure(first.verify({ signal }))).toMatchObject({ detail: { code: 'ABORTED' } })
    })
  })
}
