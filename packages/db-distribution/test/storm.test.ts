import { type Database, isClusterError } from '@cluster/core'
import { SimRandom } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import type { DatabasesOptions } from '../src/index.ts'
import { address, ITEMS, TestCluster } from './support/test-cluster.ts'

const NAMES = ['a', 'b', 'c', 'd']
const ACCOUNTS = 12
const START = 100

/** Errors that a client meets under faults, and that say so. */
const EXPECTED = new Set([
  'DB_CONFLICT',
  'DB_UNAVAILABLE',
  'DB_VERSION_GONE',
  'OUTCOME_UNKNOWN',
  'STOPPED',
  'DEADLINE',
  'LOG_NO_QUORUM',
])

async function balances(database: Database, readOnly: boolean): Promise<number[]> {
  const transaction = await database.begin({ readOnly })
  const found: number[] = []
  const request = { relation: ITEMS, range: {}, ordered: true, columns: [1] }
  for await (const batch of transaction.scan(request))
    for (const value of batch.columns[0] ?? []) found.push(Number(value))
  transaction.rollback()
  return found
}

async function transfer(database: Database, random: SimRandom): Promise<void> {
  const transaction = await database.begin()
  const from = Math.floor(random.between(0, ACCOUNTS))
  const to = (from + 1 + Math.floor(random.between(0, ACCOUNTS - 1))) % ACCOUNTS
  const amount = Math.floor(random.between(1, 10))
  const read = async (account: number): Promise<number> =>
    Number((await transaction.get(address(database, account)))?.[1])
  const [a, b] = [await read(from), await read(to)]
  transaction.put(address(database, from), [from, a - amount])
  transaction.put(address(database, to), [to, b + amount])
  await transaction.commit()
}

interface Totals {
  transfers: number
  reads: number
  conflicts: number
  takeOvers: number
}

/** Transfers on every node while nodes crash, come back, are given up and fall behind; money is never made or lost. */
async function storm(seed: number, totals: Totals, databases: DatabasesOptions = {}): Promise<void> {
  const cluster = new TestCluster({ nodes: NAMES, seed, databases: { unavailableMs: 2_000, ...databases } })
  const random = new SimRandom(`storm ${seed}`)
  await cluster.start(...NAMES)
  await cluster.write(
    'a',
    Array.from({ length: ACCOUNTS }, (_, i): [number, number] => [i, START]),
  )
  await cluster.applied()
  const running = new Set(NAMES)
  let over = false

  const once = async (name: string): Promise<void> => {
    const database = await cluster.app(name).databases.open('shop')
    if (random.between(0, 1) < 0.7) {
      await transfer(database, random)
      totals.transfers++
      return
    }
    const found = await balances(database, random.between(0, 1) < 0.5)
    if (found.length !== ACCOUNTS || found.reduce((a, b) => a + b, 0) !== ACCOUNTS * START)
      throw new Error(`seed ${seed}: ${name} read ${found.join(' ')}`)
    totals.reads++
  }

  const client = async (name: string): Promise<void> => {
    while (!over) {
      await cluster.world.sleep(random.between(1, 20))
      if (!running.has(name)) continue
      try {
        // What the process of a dead node would have answered never comes.
        await Promise.race([once(name), cluster.died(name)])
      } catch (error) {
        if (!isClusterError(error) || !EXPECTED.has(error.code)) {
          cluster.world.fail(error)
          return
        }
        if (error.code === 'DB_CONFLICT') totals.conflicts++
      }
    }
  }
  const clients = NAMES.map(client)

  const cut = async (names: readonly string[]): Promise<void> => {
    await cluster.applied()
    for (const name of names) await cluster.settle(cluster.app(name).databases.checkpoint())
    cluster.log.compact(names[0] as string)
  }
  const whole = (): boolean => {
    const [name] = running
    const facts = cluster.app(name as string).databases.describe().children[0]?.facts ?? {}
    return !('under-replicated' in facts) && !('unavailable' in facts)
  }
  for (let round = 0; round < 12; round++) {
    const victim = NAMES[Math.floor(random.between(0, NAMES.length))] as string
    const kind = Math.floor(random.between(0, 5))
    if (kind === 0) {
      cluster.log.hold(victim)
      await cluster.world.run(random.between(10, 500))
      cluster.log.release(victim)
    } else if (kind === 1) {
      await cut(NAMES)
    } else {
      running.delete(victim)
      const slow = NAMES[(NAMES.indexOf(victim) + 1) % NAMES.length] as string
      if (kind === 4) cluster.log.hold(slow)
      if (kind === 2) cluster.crash(victim)
      else cluster.lose(victim)
      await cluster.world.run(random.between(1, 800))
      // What the victim has missed is then no longer in the log.
      if (kind === 2 && round % 2 === 0) await cut([...running])
      if (kind === 4) cluster.log.release(slow)
      await cluster.start(victim)
      running.add(victim)
    }
    await cluster.world.run(random.between(1, 300))
    await cluster.until(whole)
  }
  over = true
  await cluster.settle(Promise.all(clients))
  for (const name of NAMES) {
    const found = await cluster.settle(balances(await cluster.open(name), true))
    expect(found.reduce((a, b) => a + b, 0)).toBe(ACCOUNTS * START)
  }
  totals.takeOvers += cluster.said('took over') + cluster.said('holds a new replica')
}

describe('storm', () => {
  test('money is neither made nor lost', async () => {
    const totals: Totals = { transfers: 0, reads: 0, conflicts: 0, takeOvers: 0 }
    for (let seed = 1; seed <= SEEDS; seed++) await storm(seed, totals)
    expect(totals.transfers).toBeGreaterThan(100 * SEEDS)
    expect(totals.reads).toBeGreaterThan(50 * SEEDS)
    expect(totals.conflicts).toBeGreaterThan(0)
    expect(totals.takeOvers).toBeGreaterThan(SEEDS)
  }, 60_000)
})

const SEEDS = Number(process.env['STORM_SEEDS'] ?? 4)
