import { type Database, type KeyRange, type PartitionId, relationId, type Transaction } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { encodeCommit } from '../src/machine/commands.ts'
import { decodeResult } from '../src/machine/results.ts'
import { address, ITEMS, id, key, TestCluster } from './support/test-cluster.ts'

async function put(database: Database, value: number) {
  const transaction = await database.begin()
  transaction.put(address(database, value), [value, 'row'])
  return transaction.commit()
}

describe('copies', () => {
  test('a lone node says how many there are', async () => {
    const cluster = new TestCluster({ nodes: ['a'] })
    await cluster.start('a')
    const database = await cluster.open('a')
    const before = cluster.world.now
    expect(await cluster.settle(put(database, 1))).toMatchObject({
      copies: 1,
      underReplicated: true,
      durableOn: 1,
      lineage: 'model',
    })
    // There is nobody to wait for.
    expect(cluster.world.now - before).toBeLessThan(100)
    expect(database.status()).toMatchObject({ underReplicated: [], unavailable: [] })
  })

  test('the first writes of a young database wait for copies, if there are nodes', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a')
    const database = await cluster.open('a')
    await cluster.settle(put(database, 1))
    const starting = cluster.start('b')
    await starting
    expect(await cluster.settle(put(database, 2))).toMatchObject({ copies: 2, underReplicated: false })
  })

  test('… but not for ever: the receipt says what there is', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a')
    const database = await cluster.open('a')
    await cluster.start('b')
    // The new node applies nothing, so it gets no copies.
    cluster.log.hold('b')
    const before = cluster.world.now
    expect(await cluster.settle(put(database, 1))).toMatchObject({ copies: 1, underReplicated: true })
    expect(cluster.world.now - before).toBeGreaterThan(1_900)
    const later = cluster.world.now
    await cluster.settle(put(database, 2))
    expect(cluster.world.now - later).toBeLessThan(100)
  })

  test('minCopies refuses writes while there are fewer, reads go on', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a', 'b')
    const database = await cluster.open('a', { minCopies: 2 })
    await cluster.settle(put(database, 1))
    cluster.crash('b')
    await cluster.until(() => cluster.app('a').peers.member(id('b'))?.state !== 'alive')
    await expect(cluster.settle(put(database, 2))).rejects.toMatchObject({
      detail: { code: 'DB_TOO_FEW_COPIES', outcome: 'rejected', copies: 1, minCopies: 2 },
    })
    expect(await cluster.read('a')).toEqual([[1, 'row']])
    await cluster.start('b')
    expect(await cluster.settle(put(database, 2))).toMatchObject({ copies: 2 })
  })

  test("redundancy 'all' puts every row everywhere, also on who joins", async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c'] })
    await cluster.start('a', 'b')
    const database = await cluster.open('a', { redundancy: 'all', partitions: 3 })
    expect(await cluster.settle(put(database, 1))).toMatchObject({ copies: 2, underReplicated: false })
    await cluster.start('c')
    for (const partition of [1, 2, 3] as PartitionId[])
      await cluster.until(() => database.holders(partition).length === 3)
    expect(await cluster.read('c')).toEqual([[1, 'row']])
  })
})

describe('limits', () => {
  test('a transaction that is too large says so, and the writes before stand', async () => {
    const cluster = new TestCluster({ nodes: ['a'], databases: { transactionBytesMax: 10_000 } })
    await cluster.start('a')
    const database = await cluster.open('a')
    const transaction = await cluster.settle(database.begin())
    transaction.put(address(database, 1), [1, 'small'])
    expect(() => transaction.put(address(database, 2), [2, 'x'.repeat(20_000)])).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ code: 'DB_TRANSACTION_TOO_LARGE' }) }),
    )
    await cluster.settle(transaction.commit())
    expect(await cluster.read('a')).toEqual([[1, 'small']])
  })

  test('an ordered scan that stops early conflicts only with what it has read', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a', 'b')
    const database = await cluster.open('a')
    for (const value of [1, 2, 3, 4]) await cluster.settle(put(database, value))
    const first = async (reverse: boolean) => {
      const transaction = await database.begin()
      const request = { relation: ITEMS, range: { to: key(1_000) }, ordered: true, limit: 2, reverse }
      const seen: unknown[] = []
      for await (const batch of transaction.scan(request)) seen.push(...(batch.columns[0] ?? []))
      transaction.put(address(database, 2_000), [2_000, 'mine'])
      return { transaction, seen }
    }
    const low = await cluster.settle(first(false))
    const high = await cluster.settle(first(true))
    expect([low.seen, high.seen]).toEqual([
      [1, 2],
      [4, 3],
    ])
    await cluster.settle(put(database, 2.5))
    await cluster.settle(low.transaction.commit())
    await cluster.settle(high.transaction.commit())
    const again = await cluster.settle(first(false))
    await cluster.settle(put(database, 1.5))
    await expect(cluster.settle(again.transaction.commit())).rejects.toMatchObject({
      detail: { code: 'DB_CONFLICT', relation: ITEMS },
    })
  })

  test('a range that ends at a key is not taken for one that is open', async () => {
    const cluster = new TestCluster({ nodes: ['a'] })
    await cluster.start('a')
    const database = await cluster.open('a')
    const partition = 1 as PartitionId
    const at = (name: string) => ({ relation: ITEMS, partition, key: name })
    const read = await cluster.settle(database.begin())
    const scan = async (range: KeyRange) => {
      for await (const batch of read.scan({ relation: ITEMS, partitions: [partition], range }))
        expect(batch.length).toBe(0)
    }
    await cluster.settle(scan({ from: '!', to: '*' }))
    await cluster.settle(scan({ from: '!' }))
    read.put(at('mine'), [1])
    const other = await cluster.settle(database.begin())
    other.put(at('other'), [2])
    await cluster.settle(other.commit())
    await expect(cluster.settle(read.commit())).rejects.toMatchObject({ detail: { code: 'DB_CONFLICT' } })
  })

  test('rows that do not fit into one reply come in several', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a', 'b')
    const database = await cluster.open('a', { redundancy: 1, partitions: 2 })
    const text = 'x'.repeat(60_000)
    const values = Array.from({ length: 200 }, (_, i) => i)
    await cluster.write(
      'a',
      values.map((value) => [value, text]),
    )
    const all = async () => {
      const transaction = await database.begin({ readOnly: true })
      return Promise.all(values.map((value) => transaction.get(address(database, value))))
    }
    expect(await cluster.settle(all())).toEqual(values.map((value) => [value, text]))
  })

  test('a write that waits for a holder ends when its node stops', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a', 'b')
    const database = await cluster.open('a', { redundancy: 1, partitions: 2 })
    const value = [1, 2, 3, 4, 5, 6, 7, 8].find(
      (number) => database.holders(address(database, number).partition)[0] === id('b'),
    ) as number
    cluster.crash('b')
    await cluster.until(() => cluster.app('a').peers.member(id('b'))?.state !== 'alive')
    const transaction = await cluster.settle(database.begin())
    transaction.put(address(database, value), [value])
    const before = cluster.world.now
    const committing = expect(transaction.commit()).rejects.toMatchObject({ detail: { code: 'STOPPED' } })
    await cluster.world.run(100)
    await cluster.settle(cluster.app('a').databases.stop())
    await cluster.settle(committing)
    expect(cluster.world.now - before).toBeLessThan(1_000)
  })

  test('what a stopped node is asked is refused', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a', 'b')
    const database = await cluster.open('a')
    const { databases } = cluster.app('a')
    await cluster.settle(databases.stop())
    await expect(database.begin()).rejects.toMatchObject({ detail: { code: 'STOPPED', outcome: 'rejected' } })
    await expect(databases.open('shop')).rejects.toMatchObject({ detail: { code: 'STOPPED' } })
  })
})

describe('a peer that sends garbage', () => {
  test('gets an error, and the node keeps serving', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a', 'b')
    const database = await cluster.open('a')
    await cluster.settle(put(database, 1))
    const { peers } = cluster.app('b')
    const ask = (...bytes: number[]) =>
      peers.request(database.holders(0 as PartitionId)[0] as never, 'db', Uint8Array.from(bytes))
    const damaged = { detail: { code: 'DB_FRAME_DAMAGED', outcome: 'rejected' } }
    for (const bytes of [
      [],
      [1],
      [1, 9, 1, 1],
      [7, 1, 0, 0],
      [1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255],
    ])
      await expect(cluster.settle(ask(...bytes))).rejects.toMatchObject(damaged)
    const stream = await cluster.settle(
      peers.openStream(database.holders(0 as PartitionId)[0] as never, 'db', Uint8Array.of(2, 1, 255)),
    )
    const frames = (async () => {
      let count = 0
      for await (const frame of stream) if (frame.length > 0) count++
      return count
    })()
    expect(await cluster.settle(frames)).toBe(1)
    expect(await cluster.read('b')).toEqual([[1, 'row']])
  })

  test('a commit whose rows cannot be read changes no row, and no holder stops', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a', 'b')
    const database = await cluster.open('a')
    await cluster.settle(put(database, 1))
    const { partition } = address(database, 1)
    const command = encodeCommit({
      database: 1,
      version: 1,
      points: [],
      ranges: [],
      writes: [{ partition, relations: [ITEMS], keys: [key(1)], rows: [['new']] }],
    })
    // The tag of the last value.
    command[command.length - 5] = 99
    const { result } = await cluster.settle(cluster.app('b').log.submit('databases', command))
    expect(decodeResult(result)).toMatchObject({ type: 'done' })
    expect(await cluster.read('a')).toEqual([[1, 'row']])
    expect(cluster.said('cannot be read')).toBeGreaterThan(0)
    await cluster.settle(put(database, 2))
    for (const name of ['a', 'b']) await cluster.settle(cluster.app(name).databases.checkpoint())
    await cluster.applied()
    expect(cluster.machine('a').durableIndex()).toBe(Number.POSITIVE_INFINITY)
  })

  test('an unknown command in the log changes nothing', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a', 'b')
    const database = await cluster.open('a')
    await cluster.settle(put(database, 1))
    await cluster.settle(cluster.app('b').log.submit('databases', Uint8Array.of(99, 1, 2, 3)))
    await cluster.settle(cluster.app('b').log.submit('databases', new Uint8Array(0)))
    expect(await cluster.read('a')).toEqual([[1, 'row']])
  })
})

describe('rows at hand', () => {
  test('are read at once, with own writes, and count as read; others have to be asked for', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b'] })
    await cluster.start('a', 'b')
    const database = await cluster.open('a', { redundancy: 1, partitions: 4 })
    const values = Array.from({ length: 20 }, (_, i) => i + 1)
    for (const value of values) await cluster.settle(put(database, value))
    await cluster.applied()
    const holds = (value: number): boolean =>
      database.holders(address(database, value).partition).includes(id('a'))
    const [here = 0, gone = 0] = values.filter(holds)
    const there = values.find((value) => !holds(value)) ?? 0
    const transaction = await cluster.settle(database.begin())
    expect(transaction.getNow?.(address(database, here))).toEqual([here, 'row'])
    expect(transaction.getNow?.(address(database, there))).toBeUndefined()
    transaction.put(address(database, there), [there, 'own'])
    transaction.delete(address(database, gone))
    expect(transaction.getNow?.(address(database, there))).toEqual([there, 'own'])
    expect(transaction.getNow?.(address(database, gone))).toBeNull()
    const other = await cluster.settle(database.begin())
    other.put(address(database, here), [here, 'changed'])
    await cluster.settle(other.commit())
    await expect(cluster.settle(transaction.commit())).rejects.toMatchObject({ code: 'DB_CONFLICT' })
    expect(() => transaction.getNow?.(address(database, here))).toThrow(
      expect.objectContaining({ code: 'DB_TRANSACTION_ENDED' }),
    )
  })
})

describe('entries followed to their rows', () => {
  const INDEX = relationId(ITEMS + 1)
  const range = { from: key(5), to: key(15) }

  const entryOf = (database: Database, value: number) => ({
    relation: INDEX,
    partition: address(database, value).partition,
    key: key(value),
  })

  async function filled() {
    const cluster = new TestCluster({ nodes: ['a'] })
    await cluster.start('a')
    const database = await cluster.open('a')
    const writing = await cluster.settle(database.begin())
    for (let value = 1; value <= 20; value += 2) {
      writing.put(address(database, value), [value, 'row'])
      writing.put(entryOf(database, value), [address(database, value).key])
    }
    await cluster.settle(writing.commit())
    const followed = (transaction: Transaction, limit?: number): unknown[] | undefined => {
      const given = limit === undefined ? {} : { limit }
      const batches = transaction.followNow?.({
        entries: INDEX,
        range,
        rows: ITEMS,
        columns: [1, 0],
        ...given,
      })
      return batches && [...batches].flatMap(({ columns }) => columns[1])
    }
    return { cluster, database, followed }
  }

  test('give the rows of the range, some of them when asked so, and none once the transaction has written', async () => {
    const { cluster, database, followed } = await filled()
    const transaction = await cluster.settle(database.begin())
    const rows = followed(transaction) as number[]
    expect(rows.sort((a, b) => a - b)).toEqual([5, 7, 9, 11, 13])
    expect(followed(transaction, 2)).toHaveLength(2)
    expect(followed(transaction, 0)).toEqual([])
    transaction.put(address(database, 1), [1, 'own'])
    expect(followed(transaction)).toBeUndefined()
  })

  test.each([
    ['a row of the range', (database: Database) => address(database, 7), 'DB_CONFLICT'],
    ['a new entry in it', (database: Database) => entryOf(database, 6), 'DB_CONFLICT'],
    ['a row outside of it', (database: Database) => address(database, 3), null],
    ['an entry outside of it', (database: Database) => entryOf(database, 15), null],
  ])('are certified: %s changes meanwhile', async (_, changed, code) => {
    const { cluster, database, followed } = await filled()
    const transaction = await cluster.settle(database.begin())
    expect(followed(transaction)).toHaveLength(5)
    transaction.put(address(database, 19), [19, 'mine'])
    const other = await cluster.settle(database.begin())
    other.put(changed(database), ['another'])
    await cluster.settle(other.commit())
    const committing = cluster.settle(transaction.commit())
    if (code === null) await expect(committing).resolves.toMatchObject({ copies: 1 })
    else await expect(committing).rejects.toMatchObject({ code })
  })
})
