import { type Change, errorCode } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { address, TestCluster } from './support/test-cluster.ts'

const ALL = ['a', 'b', 'c'] as const
const ROWS: readonly (readonly [number, string])[] = Array.from({ length: 20 }, (_, i) => [i, `row ${i}`])

async function cluster(): Promise<TestCluster> {
  const made = new TestCluster({ nodes: ALL })
  await made.start(...ALL)
  await made.write('a', ROWS)
  await made.applied()
  return made
}

const stores = (nodes: TestCluster, name: string): number => nodes.disks.get(name)?.images.size ?? 0

async function checkpoint(nodes: TestCluster): Promise<void> {
  for (const name of ALL) await nodes.settle(nodes.app(name).databases.checkpoint())
}

describe('dropping a database', () => {
  test('takes it from every node, its files too, and from whoever has it open', async () => {
    const nodes = await cluster()
    await checkpoint(nodes)
    for (const name of ALL) expect(stores(nodes, name)).toBeGreaterThan(0)
    const shop = await nodes.open('b')
    const open = await nodes.settle(shop.begin())
    open.put(address(shop, 100), [100, 'late'])
    const feed = shop.changes()
    const changes: Change[] = []
    const reading = (async () => {
      for await (const change of feed) changes.push(change)
    })()
    await nodes.world.run(100)

    expect(await nodes.settle(nodes.app('c').databases.drop('shop'))).toBe(true)
    await nodes.applied()
    const told = { code: 'DB_DROPPED', outcome: 'rejected' }
    await expect(nodes.settle(open.commit())).rejects.toMatchObject(told)
    await expect(nodes.settle(shop.begin())).rejects.toMatchObject(told)
    await expect(nodes.settle(reading)).rejects.toMatchObject(told)
    expect(changes).toEqual([])
    for (const name of ALL) expect(nodes.app(name).databases.list()).toEqual([])
    await nodes.until(() => ALL.every((name) => stores(nodes, name) === 0))
    expect(await nodes.settle(nodes.app('a').databases.drop('shop'))).toBe(false)
  })

  test('leaves its name to another one, of which who had the old one open sees nothing', async () => {
    const nodes = await cluster()
    const old = await nodes.open('b')
    let commits = 0
    old.on('commit', () => commits++)
    await nodes.settle(nodes.app('a').databases.drop('shop'))
    await nodes.write('a', [[1, 'new']])
    await nodes.applied()
    expect(await nodes.read('b')).toEqual([[1, 'new']])
    expect(await nodes.settle(old.begin().catch(errorCode))).toBe('DB_DROPPED')
    expect(commits).toBe(0)
  })

  test('is known to a node that was away: it removes what it has on disk', async () => {
    const nodes = await cluster()
    await checkpoint(nodes)
    nodes.crash('b')
    await nodes.settle(nodes.app('a').databases.drop('shop'))
    await nodes.write('a', [[1, 'new']])
    // It comes back by a snapshot, in which there is nothing of the creation and the end of the first.
    await nodes.applied()
    nodes.log.compact('a')
    const before = stores(nodes, 'b')
    expect(before).toBeGreaterThan(0)
    await nodes.start('b')
    await nodes.applied()
    expect(await nodes.read('b')).toEqual([[1, 'new']])
    await nodes.until(() => nodes.said('dropped a former replica') >= before)
  })
})
