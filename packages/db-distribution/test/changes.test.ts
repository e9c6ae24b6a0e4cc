import { type Change, type Database, isClusterError, type NodeId, type PartitionId } from '@cluster/core'
import { SimRandom } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { address, ITEMS, id, readAll, TestCluster } from './support/test-cluster.ts'

const NAMES = ['a', 'b', 'c', 'd'] as const

/** Takes what is there already; a feed never ends by itself. */
async function takeUntil(
  database: Database,
  from: string | number,
  enough: (taken: readonly Change[]) => boolean,
): Promise<Change[]> {
  const taken: Change[] = []
  if (enough(taken)) return taken
  for await (const change of database.changes({ relations: [ITEMS], from: from as string })) {
    taken.push(change)
    if (enough(taken)) break
  }
  return taken
}

/** Puts changes onto what was there, each onto what it says that it found. */
class Mirror {
  readonly rows = new Map<string, string>()
  #version = 0
  count = 0

  take({ version, key, before, after }: Change): void {
    if (version < this.#version) throw new Error(`version ${version} came behind ${this.#version}`)
    this.#version = version
    this.count++
    const [was, found] = [this.rows.get(key) ?? null, before === null ? null : JSON.stringify(before)]
    if (was !== found) throw new Error(`at ${version} a change of ${was} says that it found ${found}`)
    if (after === null) this.rows.delete(key)
    else this.rows.set(key, JSON.stringify(after))
  }

  get texts(): string[] {
    return [...this.rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
  }
}

describe('changes', () => {
  test('go with a partition to whoever takes it over, and survive a restart of all', async () => {
    const cluster = new TestCluster({ nodes: NAMES })
    await cluster.start(...NAMES)
    const database = await cluster.open('a', { partitions: 2 })
    const start = await cluster.settle(database.keepChanges([ITEMS]))
    for (let i = 0; i < 20; i++) await cluster.write('a', [[i % 7, `change ${i}`]])
    cluster.lose('d')
    const whole = () =>
      database.status().underReplicated.length === 0 &&
      database.status().replicas.every(({ complete, node }) => complete && node !== id('d'))
    await cluster.until(whole)
    for (let i = 20; i < 30; i++) await cluster.write('b', [[i % 7, `change ${i}`]])
    const texts = Array.from({ length: 30 }, (_, i) => `change ${i}`)
    for (const name of ['a', 'b', 'c']) {
      const taken = await cluster.settle(
        takeUntil(await cluster.open(name), start, ({ length }) => length === 30),
      )
      expect(taken.map(({ after }) => after?.[1])).toEqual(texts)
    }
    for (const name of ['a', 'b', 'c']) await cluster.settle(cluster.app(name).databases.checkpoint())
    cluster.log.compact('a')
    for (const name of ['a', 'b', 'c']) cluster.crash(name)
    await cluster.start('a', 'b', 'c')
    await cluster.write('c', [[0, 'after']])
    const taken = await cluster.settle(
      takeUntil(await cluster.open('b'), start, ({ length }) => length === 31),
    )
    expect(taken.map(({ after }) => after?.[1])).toEqual([...texts, 'after'])
  })

  test('are taken from holders by a node that holds nothing of them, while these come and go', async () => {
    const cluster = new TestCluster({ nodes: NAMES })
    await cluster.start(...NAMES)
    const database = await cluster.open('a', { partitions: 1 })
    const partition = 1 as PartitionId
    const holders = database.holders(partition)
    const reader = NAMES.find((name) => !holders.includes(name as NodeId)) ?? 'a'
    const start = await cluster.settle(database.keepChanges([ITEMS]))
    const watched = await cluster.open(reader)
    const taken: Change[] = []
    const taking = (async () => {
      for await (const change of watched.changes({ relations: [ITEMS], from: start })) {
        taken.push(change)
        if (taken.length === 60) break
      }
    })()
    for (let i = 0; i < 60; i++) {
      const victim = holders[Math.floor(i / 10) % holders.length] as string
      if (i % 10 === 3) cluster.crash(victim)
      if (i % 10 === 7) await cluster.start(victim)
      await cluster.write(reader, [[i % 5, i]])
    }
    await cluster.settle(taking)
    expect(taken.map(({ after }) => after?.[1])).toEqual(Array.from({ length: 60 }, (_, i) => i))
    expect(watched.holders(partition)).not.toContain(reader)
  })

  test('are dropped when they are too many, with an error that says from where on they are there', async () => {
    const databases = { changes: { changesMax: 40, bytesMax: 1 << 20 } }
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c'], databases })
    await cluster.start('a', 'b', 'c')
    const database = await cluster.open('a', { partitions: 1 })
    const start = await cluster.settle(database.keepChanges([ITEMS]))
    for (let i = 0; i < 40; i++) await cluster.write('a', [[i, 'few']])
    expect(await cluster.settle(takeUntil(database, start, ({ length }) => length === 40))).toHaveLength(40)
    for (let i = 0; i < 15; i++) await cluster.write('b', [[i, 'more']])
    const oldest = async (name: string): Promise<number> => {
      const following = takeUntil(await cluster.open(name), start, ({ length }) => length === 1)
      const error = await cluster.settle(following.catch((reason: unknown) => reason))
      expect(error).toMatchObject({
        detail: { code: 'DB_CHANGES_GONE', outcome: 'rejected', reason: 'retention' },
      })
      return (error as { detail: { oldest: number } }).detail.oldest
    }
    const there = await oldest('a')
    // Every holder has dropped the same.
    expect([await oldest('b'), await oldest('c')]).toEqual([there, there])
    const rest = await cluster.settle(
      takeUntil(await cluster.open('c'), there, (taken) => taken.at(-1)?.after?.[0] === 14),
    )
    expect(rest.length).toBeGreaterThan(30)
    expect(rest.length).toBeLessThanOrEqual(40)
    // One large commit is kept whole, however large.
    const many = Array.from({ length: 100 }, (_, i): [number, string] => [i, 'at once'])
    await cluster.write('a', many)
    const { token } = rest.at(-1) ?? {}
    const all = await cluster.settle(
      takeUntil(await cluster.open('b'), token ?? '', ({ length }) => length === 100),
    )
    expect(new Set(all.map(({ version }) => version)).size).toBe(1)
  })

  test('a slow reader holds nobody up, and loses nothing', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c'], databases: { keepVersionsMs: 500 } })
    await cluster.start('a', 'b', 'c')
    const database = await cluster.open('a')
    const start = await cluster.settle(database.keepChanges([ITEMS]))
    await cluster.write(
      'a',
      Array.from({ length: 3_000 }, (_, i): [number, string] => [i, 'x']),
    )
    const feed = (await cluster.open('b')).changes({ relations: [ITEMS], from: start })
    const seen: number[] = []
    const taking = (async () => {
      for await (const { after } of feed) {
        seen.push(Number(after?.[0]))
        if (seen.length % 500 === 0) await cluster.world.sleep(2_000)
        if (seen.length === 3_000) break
      }
    })()
    await cluster.write('a', [[5_000, 'meanwhile']])
    await cluster.settle(taking)
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 3_000 }, (_, i) => i))
  })
})

/**
 * Followers on several nodes mirror a table that is written while nodes crash, come back, are given up and the log is cut.
 * Each goes on with its token, on another node when its own one dies; in the end every mirror is the table.
 */
async function follow(
  seed: number,
  totals: { changes: number; moves: number; takeOvers: number },
): Promise<void> {
  const cluster = new TestCluster({ nodes: NAMES, seed, databases: { unavailableMs: 2_000 } })
  const random = new SimRandom(`changes ${seed}`)
  const pickName = (names: readonly string[]): string =>
    names[Math.floor(random.between(0, names.length))] as string
  await cluster.start(...NAMES)
  const start = await cluster.settle((await cluster.open('a', { partitions: 4 })).keepChanges([ITEMS]))
  const running = new Set<string>(NAMES)
  let over = false
  let last: number | null = null

  const writer = async (): Promise<void> => {
    while (!over) {
      await cluster.world.sleep(random.between(1, 15))
      const name = pickName([...running])
      try {
        const work = async (): Promise<void> => {
          const database = await cluster.app(name).databases.open('shop')
          const transaction = await database.begin()
          for (let i = Math.floor(random.between(1, 4)); i > 0; i--) {
            const value = Math.floor(random.between(0, 25))
            const at = address(database, value)
            const row = await transaction.get(at)
            if (row !== null && random.between(0, 1) < 0.3) transaction.delete(at)
            else transaction.put(at, [value, Number(row?.[1] ?? 0) + 1])
          }
          await transaction.commit()
        }
        await Promise.race([work(), cluster.died(name)])
      } catch (error) {
        if (!isClusterError(error)) cluster.world.fail(error)
      }
    }
  }

  const follower = async (mirror: Mirror): Promise<void> => {
    let from: string | number = start
    while (last === null || mirror.count < last) {
      const name = pickName([...running])
      const lost = { lost: false }
      void cluster.died(name).then(() => {
        lost.lost = true
      })
      try {
        const work = async (): Promise<void> => {
          const database = await cluster.app(name).databases.open('shop')
          for await (const change of database.changes({ relations: [ITEMS], from: from as string })) {
            // The process is gone: what it would have taken nobody took.
            if (lost.lost) return
            mirror.take(change)
            from = change.token
            totals.changes++
            if (random.between(0, 1) < 0.02) break
            if (last !== null && mirror.count >= last) return
          }
        }
        // Nothing may come any more, and the end be unknown to whoever waits.
        await Promise.race([work(), cluster.died(name), cluster.world.sleep(3_000)])
        lost.lost = true
        totals.moves++
      } catch (error) {
        lost.lost = true
        if (!isClusterError(error) || error.code === 'DB_CHANGES_GONE') cluster.world.fail(error)
        await cluster.world.sleep(20)
      }
    }
  }

  const mirrors = [new Mirror(), new Mirror()]
  const writers = [writer(), writer()]
  const followers = mirrors.map(follower)
  const whole = (): boolean => {
    const [name] = running
    const facts = cluster.app(name as string).databases.describe().children[0]?.facts ?? {}
    return !('under-replicated' in facts) && !('unavailable' in facts)
  }
  for (let round = 0; round < 8; round++) {
    const victim = pickName(NAMES)
    const kind = Math.floor(random.between(0, 4))
    if (kind === 0) {
      cluster.log.hold(victim)
      await cluster.world.run(random.between(10, 500))
      cluster.log.release(victim)
    } else if (kind === 1) {
      await cluster.applied()
      for (const name of NAMES) await cluster.settle(cluster.app(name).databases.checkpoint())
      cluster.log.compact(NAMES[0])
    } else {
      running.delete(victim)
      if (kind === 2) cluster.crash(victim)
      else cluster.lose(victim)
      await cluster.world.run(random.between(1, 600))
      await cluster.start(victim)
      running.add(victim)
    }
    await cluster.world.run(random.between(1, 200))
    await cluster.until(whole)
  }
  over = true
  await cluster.settle(Promise.all(writers))
  const database = await cluster.open('a')
  const all = new Mirror()
  const rows = (await cluster.settle(readAll(database))).map((row) => JSON.stringify(row)).sort()
  const done = (): boolean => JSON.stringify(all.texts.toSorted()) === JSON.stringify(rows)
  // How many there are is what one follower without any trouble sees; more than that must not come.
  const { version } = await cluster.settle(database.begin())
  await cluster.write('a', [[99, 'the end']])
  const taken = await cluster.settle(
    takeUntil(database, start, (changes) => changes.at(-1)?.after?.[1] === 'the end'),
  )
  for (const change of taken.slice(0, -1)) all.take(change)
  expect(done()).toBe(true)
  expect(taken.at(-2)?.version).toBeLessThanOrEqual(version)
  last = taken.length
  await cluster.settle(Promise.all(followers))
  const end = (await cluster.settle(readAll(database))).map((row) => JSON.stringify(row)).sort()
  for (const mirror of mirrors) {
    expect(mirror.count).toBe(taken.length)
    expect(mirror.texts.toSorted()).toEqual(end)
  }
  totals.takeOvers += cluster.said('took over') + cluster.said('holds a new replica')
}

describe('followers', () => {
  test('mirror a table exactly, whatever fails', async () => {
    const totals = { changes: 0, moves: 0, takeOvers: 0 }
    for (let seed = 1; seed <= SEEDS; seed++) await follow(seed, totals)
    expect(totals.changes).toBeGreaterThan(200 * SEEDS)
    expect(totals.moves).toBeGreaterThan(2 * SEEDS)
    expect(totals.takeOvers).toBeGreaterThan(0)
  }, 60_000)
})

const SEEDS = Number(process.env['STORM_SEEDS'] ?? 4)
