import { type DatabaseTools, item } from './database-tools.ts'

/** Databases that are ended while they are used. */
export function dropTests({ describe, expect, test, write, read, failure }: DatabaseTools): void {
  const dropped = { detail: { code: 'DB_DROPPED', outcome: 'rejected' } }

  describe('drop', () => {
    test('ends a database for all who have it open', async ({ first, last, fixture }) => {
      await write(first, [[1, 'x']])
      const open = await last.begin()
      open.put(item(last, 2), [2, 'late'])
      const [databases] = fixture.nodes
      expect(await databases?.drop('shop')).toBe(true)
      expect(databases?.list()).toEqual([])
      expect(await failure(open.commit())).toMatchObject(dropped)
      expect(await failure(first.begin())).toMatchObject(dropped)
      expect(await failure(last.begin())).toMatchObject(dropped)
      expect(await databases?.drop('shop')).toBe(false)
    })

    test('leaves the name to another one, which is empty', async ({ first, fixture }) => {
      await write(first, [[1, 'x']])
      await fixture.nodes.at(-1)?.drop('shop')
      const another = await fixture.nodes[0]?.open('shop', { partitions: 4 })
      if (another === undefined) throw new Error('a fixture has a node')
      expect(await read(another, 1)).toBeNull()
      await write(another, [[1, 'new']])
      expect(await read(another, 1)).toEqual([1, 'new'])
      expect(await failure(first.begin())).toMatchObject(dropped)
    })
  })
}
