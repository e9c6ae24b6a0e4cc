import type { Database } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { address, TestCluster } from './support/test-cluster.ts'

const put = async (database: Database, value: number, text: string) => {
  const transaction = await database.begin()
  transaction.put(address(database, value), [value, text])
  return transaction.commit()
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )

/** Two nodes, of which the second has seen the first row and then applies nothing more. */
async function lagging() {
  const cluster = new TestCluster({ nodes: ['a', 'b'] })
  await cluster.start('a', 'b')
  const a = await cluster.open('a')
  const b = await cluster.open('b')
  await cluster.settle(put(a, 1, 'old'))
  await cluster.applied()
  const { version } = await cluster.settle(put(a, 2, 'beside'))
  await cluster.applied()
  cluster.log.hold('b')
  await cluster.settle(put(a, 1, 'new'))
  return { cluster, a, b, version }
}

describe('an optimistic transaction on a node that lags', () => {
  test('begins at once, and what it read is not proved once there is something newer', async () => {
    const { cluster, b } = await lagging()
    const transaction = await cluster.settle(b.begin({ optimistic: true, readOnly: true }), 0.01)
    expect(await cluster.settle(transaction.get(address(b, 1)))).toEqual([1, 'old'])
    const proof = failure(transaction.validate({ deadlineMs: 5_000 }))
    await cluster.world.run(100)
    cluster.log.release('b')
    expect(await cluster.settle(proof)).toMatchObject({
      detail: { code: 'DB_CONFLICT', outcome: 'rejected' },
    })
    transaction.rollback()
  })

  test('proves what has not changed, however far behind it is', async () => {
    const { cluster, b } = await lagging()
    const transaction = await cluster.settle(b.begin({ optimistic: true }))
    expect(await cluster.settle(transaction.get(address(b, 2)))).toEqual([2, 'beside'])
    const proof = transaction.commit()
    await cluster.world.run(100)
    cluster.log.release('b')
    expect(await cluster.settle(proof)).toMatchObject({ copies: null, version: transaction.version })
  })
})

describe('bounded staleness', () => {
  test('reads here what the leader has confirmed lately enough, else asks', async () => {
    const { cluster, b, version } = await lagging()
    const local = await cluster.settle(b.begin({ staleness: 'local' }))
    expect(local.version).toBe(version)
    // Nothing was ever confirmed to this node, so it asks, and waits for what it lacks when it reads.
    const asked = await cluster.settle(b.begin({ staleness: { maxMs: 60_000 } }))
    expect(asked.version).toBeGreaterThan(version)
    cluster.log.release('b')
    await cluster.applied()
    await cluster.settle(put(await cluster.open('a'), 1, 'newer'))
    await cluster.applied()
    const before = cluster.world.now
    const again = await cluster.settle(b.begin({ staleness: { maxMs: 60_000 } }))
    expect(cluster.world.now).toBe(before)
    expect(await cluster.settle(again.get(address(b, 1)))).toEqual([1, 'newer'])
    cluster.log.hold('b')
    const { version: newest } = await cluster.settle(put(await cluster.open('a'), 1, 'newest'))
    await cluster.world.run(1_000)
    const strict = await cluster.settle(b.begin({ staleness: { maxMs: 500 } }))
    expect(strict.version).toBeGreaterThanOrEqual(newest)
    expect((await cluster.settle(b.begin({ staleness: { maxMs: 60_000 } }))).version).toBe(strict.version)
    cluster.log.release('b')
    expect(await cluster.settle(strict.get(address(b, 1)))).toEqual([1, 'newest'])
  })
})

describe('the lifetime of a transaction', () => {
  test('ends its reads and its commit', async () => {
    const cluster = new TestCluster({ nodes: ['a'] })
    await cluster.start('a')
    const a = await cluster.open('a')
    const transaction = await cluster.settle(a.begin({ lifetimeMs: 1_000 }))
    transaction.put(address(a, 1), [1, 'late'])
    await cluster.world.run(900)
    expect(await cluster.settle(transaction.get(address(a, 2)))).toBeNull()
    await cluster.world.run(200)
    const late = { detail: { code: 'DEADLINE', outcome: 'rejected', afterMs: 1_000 } }
    expect(await cluster.settle(failure(transaction.get(address(a, 2))))).toMatchObject(late)
    expect(await cluster.settle(failure(transaction.commit()))).toMatchObject(late)
    transaction.rollback()
    expect(await cluster.read('a')).toEqual([])
  })
})
