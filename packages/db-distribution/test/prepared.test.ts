import { assert, type Database, type PreparedCommit, type Transaction } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { address, TestCluster } from './support/test-cluster.ts'

/** Two databases on two nodes, each with one row. */
async function two() {
  const cluster = new TestCluster({ nodes: ['a', 'b'] })
  await cluster.start('a', 'b')
  const { databases } = cluster.app('a')
  const open = (name: string) => cluster.settle(databases.open(name, { redundancy: 2, partitions: 3 }))
  const [rows, entries] = [await open('rows'), await open('entries')]
  const put = async (database: Database, text: string): Promise<void> => {
    const transaction = await database.begin()
    transaction.put(address(database, 1), [1, text])
    await transaction.commit()
  }
  await cluster.settle(put(rows, 'old'))
  await cluster.settle(put(entries, 'old'))
  const read = async (database: Database): Promise<unknown> =>
    (await (await database.begin()).get(address(database, 1)))?.[1]
  const write = async (database: Database): Promise<Transaction> => {
    const transaction = await database.begin()
    await transaction.get(address(database, 1))
    transaction.put(address(database, 1), [1, 'new'])
    return transaction
  }
  const prepare = (transaction: Transaction): Promise<PreparedCommit> => {
    assert(transaction.prepare, 'these databases have a log')
    return transaction.prepare()
  }
  return { cluster, rows, entries, put, read, write, prepare }
}

describe('commits that take part in what others commit', () => {
  test('transactions of two databases take effect at one index', async () => {
    const { cluster, rows, entries, read, write, prepare } = await two()
    const [first, second] = [await cluster.settle(write(rows)), await cluster.settle(write(entries))]
    const { command } = await cluster.settle(prepare(second))
    await expect(second.get(address(entries, 1))).rejects.toMatchObject({ code: 'DB_TRANSACTION_ENDED' })
    expect(await cluster.settle(read(entries))).toBe('old')
    await cluster.settle(first.commit({ along: { commands: [command] } }))
    expect(await cluster.settle(read(rows))).toBe('new')
    expect(await cluster.settle(read(entries))).toBe('new')
  })

  test('when one of them has lost its race, nothing of both happens, and its result says so', async () => {
    const { cluster, rows, entries, put, read, write, prepare } = await two()
    const [first, second] = [await cluster.settle(write(rows)), await cluster.settle(write(entries))]
    const { command, refusal, release } = await cluster.settle(prepare(second))
    await cluster.settle(put(entries, 'faster'))
    const refused = await cluster.settle(
      first.commit({ along: { commands: [command] } }).then(
        () => null,
        (error: unknown) => error,
      ),
    )
    release()
    expect(refused).toMatchObject({ code: 'DB_ALONG_REFUSED', detail: { refused: 0, unmet: null } })
    const { results } = (refused as { detail: { results: readonly Uint8Array[] } }).detail
    expect(refusal(results[0] ?? new Uint8Array(0)).code).toBe('DB_CONFLICT')
    expect(await cluster.settle(read(rows))).toBe('old')
    expect(await cluster.settle(read(entries))).toBe('faster')
    // The next attempt knows that this one lost.
    const again = await cluster.settle(entries.begin({ retryOf: second }))
    expect(await cluster.settle(again.get(address(entries, 1)))).toEqual([1, 'faster'])
  })
})
