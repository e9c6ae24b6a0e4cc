import { type DatabaseTools, numbers } from './database-tools.ts'

/** Options that change while a database is used. */
export function alterTests({ describe, expect, test, write, read, failure }: DatabaseTools): void {
  describe('alter', () => {
    test('changes how many copies are asked for, on every node, while all go on', async ({
      first,
      last,
      fixture,
    }) => {
      for (const value of numbers(0, 10)) await write(first, [[value, 'x']])
      await last.alter({ redundancy: 1 })
      await write(last, [[1, 'one copy']])
      expect(last.options.redundancy).toBe(1)
      expect(await read(first, 1)).toEqual([1, 'one copy'])
      expect(first.options).toEqual({ redundancy: 1, partitions: 4, minCopies: 1 })
      await first.alter({ redundancy: 'all' })
      await write(first, [[1, 'everywhere']])
      expect(await read(last, 1)).toEqual([1, 'everywhere'])
      expect(last.options.redundancy).toBe('all')
      // Whoever opens it with what it was is told.
      expect(
        await failure(fixture.nodes[0]?.open('shop', { redundancy: 1 }) ?? Promise.resolve()),
      ).toMatchObject({
        detail: { code: 'DB_OPTIONS_DIFFER', option: 'redundancy', exists: 'all', given: '1' },
      })
    })

    test('refuses what makes no sense', async ({ first }) => {
      const invalid = { detail: { code: 'DB_OPTION_INVALID', outcome: 'rejected' } }
      expect(await failure(first.alter({ redundancy: 0 }))).toMatchObject(invalid)
      expect(first.options.redundancy).toBe(2)
    })
  })
}
