import type { Database, Transaction } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { address, ITEMS, key, TestCluster } from './support/test-cluster.ts'

const ROWS = 20

/** Reads all rows slowly, and writes down their sum. */
interface Report {
  readonly transaction: Transaction
  readonly sum: number
}

async function report(
  cluster: TestCluster,
  database: Database,
  retryOf: Transaction | null,
): Promise<Report> {
  const transaction = await database.begin(retryOf === null ? {} : { retryOf })
  let sum = 0
  for (let value = 0; value < ROWS; value++) {
    sum += Number((await transaction.get(address(database, value)))?.[1] ?? 0)
    await cluster.world.sleep(10)
  }
  transaction.put(address(database, 1_000), [1_000, sum])
  return { transaction, sum }
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )

/** Writers that never pause, each on rows of the report. */
function writers(cluster: TestCluster, databases: readonly Database[]) {
  const state = { stop: false, written: 0, failed: [] as unknown[] }
  const one = async (database: Database, at: number): Promise<void> => {
    for (let i = 0; !state.stop; i++) {
      const transaction = await database.begin()
      const target = address(database, (at * 7 + i) % ROWS)
      transaction.put(target, [(at * 7 + i) % ROWS, 1])
      const error = await failure(transaction.commit())
      if (error === null) state.written++
      else state.failed.push(error)
      await cluster.world.sleep(3)
    }
  }
  const done = Promise.all(databases.map(one))
  return Object.assign(state, { done })
}

async function busy(writing = 3) {
  const nodes = ['a', 'b', 'c']
  const cluster = new TestCluster({ nodes })
  await cluster.start(...nodes)
  await cluster.write(
    'a',
    Array.from({ length: ROWS }, (_, i) => [i, 1] as const),
  )
  const databases: Database[] = []
  for (const name of nodes) databases.push(await cluster.open(name))
  return { cluster, databases, load: writers(cluster, databases.slice(0, writing)) }
}

describe('a long transaction beside writers that never pause', () => {
  test('starves by itself, and gets its turn when it says how often it lost', async () => {
    const { cluster, databases, load } = await busy()
    const [database] = databases as [Database]
    for (let attempt = 0; attempt < 10; attempt++) {
      const { transaction }: Report = await cluster.settle(report(cluster, database, null))
      expect(await cluster.settle(failure(transaction.commit()))).toMatchObject({
        detail: { code: 'DB_CONFLICT' },
      })
    }
    let lost: Transaction | null = null
    let attempts = 0
    for (;;) {
      attempts++
      const { transaction, sum }: Report = await cluster.settle(report(cluster, database, lost))
      lost = transaction
      if ((await cluster.settle(failure(transaction.commit()))) !== null) continue
      expect(sum).toBe(ROWS)
      break
    }
    expect(attempts).toBe(5)
    // The others had to wait, and lost nothing.
    const before = load.written
    await cluster.world.run(100)
    expect(load.written).toBeGreaterThan(before)
    load.stop = true
    await cluster.settle(load.done)
    expect(load.failed).toEqual([])
  })

  test('is one of several that wait in line', async () => {
    const { cluster, databases, load } = await busy()
    const patient = async (database: Database): Promise<number> => {
      let lost: Transaction | null = null
      for (let attempts = 1; ; attempts++) {
        const { transaction }: Report = await report(cluster, database, lost)
        lost = transaction
        if ((await failure(transaction.commit())) === null) return attempts
      }
    }
    const all = await cluster.settle(Promise.all([...databases, ...databases].map(patient)))
    // What they write is not what they read, so none is in another's way.
    expect(Math.max(...all)).toBeLessThanOrEqual(6)
    load.stop = true
    await cluster.settle(load.done)
    expect(load.failed).toEqual([])
  })

  test('holds nobody up for ever when its node dies in its turn', async () => {
    const { cluster, databases, load } = await busy(2)
    let lost: Transaction | null = null
    for (let attempt = 0; attempt < 4; attempt++) {
      const { transaction }: Report = await cluster.settle(report(cluster, databases[2] as Database, lost))
      lost = transaction
      await cluster.settle(failure(transaction.commit()))
    }
    await cluster.settle((databases[2] as Database).begin({ retryOf: lost as Transaction }))
    const other = databases[0] as Database
    const blocked = other.begin().then((transaction) => {
      transaction.put(address(other, 1), [1, 1])
      return transaction.commit()
    })
    const begun = cluster.world.now
    cluster.crash('c')
    await cluster.settle(blocked)
    // Twice as long as it took before, and not at once.
    expect(cluster.world.now - begun).toBeGreaterThan(300)
    expect(cluster.world.now - begun).toBeLessThan(2_000)
    load.stop = true
  })

  test('gives its turn back when it is rolled back, or has nothing to write', async () => {
    for (const end of ['rollback', 'commit'] as const) {
      const { cluster, databases, load } = await busy()
      const [database] = databases as [Database]
      let lost: Transaction | null = null
      for (let attempt = 0; attempt < 4; attempt++) {
        const { transaction }: Report = await cluster.settle(report(cluster, database, lost))
        lost = transaction
        await cluster.settle(failure(transaction.commit()))
      }
      const held = await cluster.settle(database.begin({ retryOf: lost as Transaction }))
      const before = load.written
      await cluster.world.run(100)
      // Writers stand still while the turn lasts.
      expect(load.written - before).toBeLessThanOrEqual(3)
      if (end === 'rollback') held.rollback()
      else await cluster.settle(held.commit())
      await cluster.world.run(100)
      expect(load.written - before).toBeGreaterThan(20)
      load.stop = true
      await cluster.settle(load.done)
      expect(load.failed).toEqual([])
    }
  })

  test('lets programs wait, too: none of them is lost', async () => {
    const { cluster, databases, load } = await busy()
    load.stop = true
    await cluster.settle(load.done)
    const [database, other] = databases as [Database, Database]
    const increment = async (): Promise<void> => {
      const { partition } = address(other, 5)
      const value = {
        op: 'add',
        type: 'integer',
        left: { op: 'column', position: 1 },
        right: { op: 'value', value: 1 },
      } as const
      const present = { do: 'update', set: [{ position: 1, value }], where: null } as const
      const transaction = await other.begin({ optimistic: true })
      await transaction.execute({
        relation: ITEMS,
        partition,
        steps: [{ key: key(5), present, absent: null }],
        checks: [],
        returning: false,
      })
    }
    let lost: Transaction | null = null
    for (let attempt = 0; attempt < 4; attempt++) {
      const { transaction }: Report = await cluster.settle(report(cluster, database, lost))
      lost = transaction
      await cluster.settle(increment())
      expect(await cluster.settle(failure(transaction.commit()))).toMatchObject({
        detail: { code: 'DB_CONFLICT' },
      })
    }
    const { transaction, sum } = await cluster.settle(
      (async () => {
        const held = database.begin({ retryOf: lost as Transaction })
        const mine = await held
        const meanwhile = increment()
        let total = 0
        for (let value = 0; value < ROWS; value++)
          total += Number((await mine.get(address(database, value)))?.[1] ?? 0)
        await cluster.world.sleep(50)
        mine.put(address(database, 1_000), [1_000, total])
        return { transaction: mine, sum: total, meanwhile }
      })(),
    )
    await cluster.settle(transaction.commit())
    expect(sum).toBe(ROWS + 4)
    await cluster.world.run(500)
    expect((await cluster.read('c'))[5]).toEqual([5, 6])
  })
})
