import type { Database, PartitionId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { address, TestCluster } from './support/test-cluster.ts'

const put = async (database: Database, value: number, text: string): Promise<void> => {
  const transaction = await database.begin()
  transaction.put(address(database, value), [value, text])
  await transaction.commit()
}

const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: { code?: string }) => error.code,
  )

/** Three nodes that keep versions for two seconds, and one of them that holds nothing of row 1. */
async function brief() {
  const nodes = ['a', 'b', 'c']
  const cluster = new TestCluster({ nodes, databases: { keepVersionsMs: 2_000, keepVersionsMax: 5 } })
  await cluster.start(...nodes)
  const a = await cluster.open('a', { partitions: 4 })
  await cluster.settle(put(a, 1, 'old'))
  const holders: readonly string[] = a.holders(address(a, 1).partition as PartitionId)
  const reader = nodes.find((name) => !holders.includes(name)) as string
  const busy = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      await cluster.settle(put(a, 1, `new ${round}`))
      await cluster.world.run(500)
    }
  }
  return { cluster, busy, reader, database: await cluster.open(reader) }
}

describe('versions in use', () => {
  test('are kept by every holder for as long as a transaction of any node reads', async () => {
    const { cluster, busy, database } = await brief()
    const transaction = await cluster.settle(database.begin({ readOnly: true }))
    for (let i = 0; i < 5; i++) {
      await busy(12)
      expect(await cluster.settle(transaction.get(address(database, 1)))).toEqual([1, 'old'])
    }
    transaction.rollback()
    // Nobody needs it any more.
    await busy(12)
    const later = await cluster.settle(database.begin({ atVersion: transaction.version }))
    expect(await cluster.settle(code(later.get(address(database, 1))))).toBe('DB_VERSION_GONE')
  })

  test('are let go when their node dies', async () => {
    const { cluster, busy, database, reader } = await brief()
    const { version } = await cluster.settle(database.begin({ readOnly: true }))
    await busy(6)
    cluster.crash(reader)
    await busy(20)
    await cluster.start(reader)
    const again = await cluster.open(reader)
    const later = await cluster.settle(again.begin({ atVersion: version }))
    expect(await cluster.settle(code(later.get(address(again, 1))))).toBe('DB_VERSION_GONE')
  })
})
