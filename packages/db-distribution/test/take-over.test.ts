import { type Database, EVERYWHERE, type PartitionId, type Row } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { encodeAssign } from '../src/machine/commands.ts'
import { address, ITEMS, id, key, TestCluster } from './support/test-cluster.ts'

const ROWS: readonly (readonly [number, string])[] = Array.from({ length: 10 }, (_, i) => [i, `row ${i}`])

/** Numbers of the rows that a node holds on itself. */
async function held(cluster: TestCluster, name: string): Promise<number[]> {
  const database = await cluster.open(name)
  const numbers: number[] = []
  for (let p = 1; p <= database.options.partitions; p++)
    for (const batch of database.localScan(ITEMS, p as PartitionId))
      for (const value of batch.columns[0] ?? []) numbers.push(Number(value))
  return numbers.sort((a, b) => a - b)
}

/** Numbers of the rows held on some nodes, each as often as it is held. */
async function copies(cluster: TestCluster, names: readonly string[]): Promise<number[]> {
  const numbers: number[] = []
  for (const name of names) numbers.push(...(await held(cluster, name)))
  return numbers.sort((a, b) => a - b)
}

/** True when a node sees every partition with all its copies, none of them on `gone`. */
function whole(database: Database, gone: string | null = null): boolean {
  const { underReplicated, unavailable, replicas } = database.status()
  return (
    underReplicated.length + unavailable.length === 0 &&
    replicas.every(({ node, complete }) => complete && node !== gone)
  )
}

const FIRST = 1 as PartitionId

describe('take-over', () => {
  test('the scene: four nodes, two copies, one after another dies', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c', 'd'] })
    await cluster.start('a', 'b', 'c', 'd')
    await cluster.write('a', ROWS)
    await cluster.applied()
    expect(await copies(cluster, ['a', 'b', 'c', 'd'])).toEqual(ROWS.flatMap(([value]) => [value, value]))
    let expected: Row[] = [...ROWS]
    let extra = 100
    for (const [victim, survivors] of [
      ['c', ['a', 'b', 'd']],
      ['a', ['b', 'd']],
      ['d', ['b']],
    ] as const) {
      const before = new Map(survivors.map((name) => [name, cluster.app(name).tookOver.length]))
      const databases: Database[] = []
      for (const name of survivors) databases.push(await cluster.open(name))
      cluster.lose(victim)
      await cluster.until(() => databases.every((database) => whole(database, victim)))
      if (survivors.length > 1) {
        // Each row that the dead node held has a second copy again, on another node.
        const numbers = expected.flatMap(([value]) => [value, value])
        expect(await copies(cluster, survivors)).toEqual(numbers)
        const events = survivors.flatMap((name) => cluster.app(name).tookOver.slice(before.get(name)))
        expect(events.some((event) => event.from === id(victim) && event.source !== null)).toBe(true)
        expect(events.every((event) => event.from === id(victim) || event.from === null)).toBe(true)
      }
      for (const name of survivors) expect(await cluster.read(name)).toEqual(expected)
      const row: [number, string] = [extra++, `after ${victim}`]
      await cluster.write(survivors[0], [row])
      expected = [...expected, row]
      for (const name of survivors) expect(await cluster.read(name)).toEqual(expected)
    }
  })

  test('nothing moves while a node may come back, and all rows stay readable', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c'] })
    await cluster.start('a', 'b', 'c')
    await cluster.write('a', ROWS)
    cluster.crash('c')
    const database = await cluster.open('a')
    const before = database.status().replicas.map(({ partition, node }) => [partition, node])
    expect(await cluster.read('a')).toEqual(ROWS)
    expect(await cluster.read('b')).toEqual(ROWS)
    await cluster.world.run(5_000)
    expect(database.status().replicas.map(({ partition, node }) => [partition, node])).toEqual(before)
    expect(database.status().underReplicated.length).toBeGreaterThan(0)
    await cluster.start('c')
    await cluster.until(() => whole(database))
    expect(await cluster.read('c')).toEqual(ROWS)
    expect(cluster.app('c').tookOver).toEqual([])
  })

  test('a node that joins gets the catalogs and a share', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c', 'd'] })
    await cluster.start('a', 'b', 'c')
    await cluster.write('a', ROWS)
    await cluster.start('d')
    const database = await cluster.open('a')
    const on = (name: string): number =>
      database.status().replicas.filter((replica) => replica.node === id(name) && replica.complete).length
    await cluster.until(() => on('d') >= 8)
    await cluster.until(() => whole(database))
    expect(database.holders(EVERYWHERE)).toEqual(['a', 'b', 'c', 'd'])
    const replicas = database.status().replicas.filter(({ partition }) => partition !== EVERYWHERE)
    await cluster.until(() => database.status().replicas.length === 16 * 2 + 4)
    expect(replicas.length).toBeGreaterThanOrEqual(32)
    for (const name of ['a', 'b', 'c', 'd']) {
      expect(on(name)).toBeGreaterThanOrEqual(8)
      expect(on(name)).toBeLessThanOrEqual(10)
      expect(await cluster.read(name)).toEqual(ROWS)
    }
  })

  test('a node that joins says how far it is, and answers before it is complete', async () => {
    const cluster = new TestCluster({
      nodes: ['a', 'b', 'c', 'd'],
      databases: { copyBytesPerSecond: 200_000 },
    })
    await cluster.start('a', 'b', 'c')
    await cluster.open('a', { partitions: 6 })
    const many = Array.from({ length: 2_000 }, (_, i): [number, string] => [i, `${i} `.repeat(40)])
    await cluster.write('a', many)
    const begun = cluster.world.now
    await cluster.start('d')
    const told: { assigned: number; complete: number }[] = []
    let done = false
    const complete = cluster
      .app('d')
      .databases.complete({ onProgress: (progress) => told.push(progress) })
      .then(() => {
        done = true
      })
    expect((await cluster.read('d')).length).toBe(2_000)
    expect(done).toBe(false)
    await cluster.settle(complete)
    // Copies took the time that they are given.
    expect(cluster.world.now - begun).toBeGreaterThan(500)
    const shares = (await cluster.open('d')).status().replicas.filter(({ node }) => node === id('d'))
    expect(shares.length).toBe(told.at(-1)?.assigned)
    expect(shares.every((replica) => replica.complete)).toBe(true)
    expect(shares.length).toBeGreaterThan(2)
    expect(told.length).toBeGreaterThan(2)
    for (const { assigned, complete: served } of told) expect(served).toBeLessThanOrEqual(assigned)
    await cluster.settle(cluster.app('a').databases.complete())
  })

  test('rows written while a partition is copied are in the copy', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c'], databases: { copiesAtOnce: 1 } })
    await cluster.start('a', 'b', 'c')
    const database = await cluster.open('a', { partitions: 2 })
    const many = Array.from({ length: 3_000 }, (_, i): [number, string] => [i, 'x'.repeat(200)])
    await cluster.write('a', many)
    cluster.lose('c')
    let written = 0
    const writing = (async () => {
      for (; written < 40 || !whole(database, 'c'); written++) {
        const transaction = await database.begin()
        transaction.put(address(database, 10_000 + written), [10_000 + written, 'new'])
        transaction.delete(address(database, written))
        await transaction.commit()
      }
    })()
    await cluster.settle(writing)
    await cluster.until(() => whole(database, 'c'))
    const expected = [
      ...many.slice(written).map(([value]) => value),
      ...Array.from({ length: written }, (_, i) => 10_000 + i),
    ]
    for (const name of ['a', 'b']) {
      expect(await held(cluster, name)).toEqual(expected)
      expect((await cluster.read(name)).map(([value]) => value)).toEqual(expected)
    }
  })

  test('a source that dies while it streams is replaced by another', async () => {
    let interrupted = 0
    for (let seed = 1; seed <= 8; seed++) interrupted += await killSource(seed)
    expect(interrupted).toBeGreaterThan(0)
  })

  /** Kills one of two possible sources in the middle; returns how many streams that interrupted. */
  async function killSource(seed: number): Promise<number> {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c', 'd'], seed })
    await cluster.start('a', 'b', 'c', 'd')
    const database = await cluster.open('a', { partitions: 1, redundancy: 3 })
    const many = Array.from({ length: 2_000 }, (_, i): [number, string] => [i, 'x'.repeat(100)])
    await cluster.write('a', many)
    const holders = database.holders(FIRST)
    const taker = ['a', 'b', 'c', 'd'].find((name) => !holders.includes(id(name))) as string
    const [lost, source] = holders.filter((name) => name !== 'a')
    const watched = await cluster.open(taker)
    cluster.lose(lost as string)
    const assigned = (): boolean =>
      watched.status().replicas.some(({ node, partition }) => node === taker && partition === FIRST)
    await cluster.until(assigned)
    await cluster.world.run(seed / 4)
    cluster.crash(source as string)
    await cluster.until(() => cluster.app(taker).tookOver.length > 0)
    expect(await held(cluster, taker)).toEqual(many.map(([value]) => value))
    expect(cluster.app(taker).tookOver).toMatchObject([{ from: lost, rows: 2_000 }])
    return cluster.said('a copy was not finished')
  }

  /** Takes over from a holder that is behind when it is asked. Returns what the new holder has. */
  async function takeFromStale(): Promise<number[]> {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c'] })
    await cluster.start('a', 'b', 'c')
    const database = await cluster.open('a', { partitions: 1 })
    await cluster.write('a', [[1, 'old']])
    await cluster.applied()
    const [lost, stale] = database.holders(FIRST) as unknown as [string, string]
    const taker = ['a', 'b', 'c'].find((name) => name !== lost && name !== stale) as string
    cluster.log.lead(taker)
    const watched = await cluster.open(taker)
    cluster.log.hold(stale)
    await cluster.write(taker, [[2, 'new']])
    cluster.lose(lost)
    const replicas = () => watched.status().replicas.filter(({ partition }) => partition === FIRST)
    await cluster.until(() => replicas().some(({ node }) => node === taker))
    await cluster.world.run(1_000)
    const complete = watched.holders(FIRST).includes(id(taker))
    // While the holder is behind there is no copy to be had, and reads wait for it.
    expect(complete).toBe(false)
    cluster.log.release(stale)
    await cluster.until(() => whole(watched, lost))
    expect((await cluster.read(stale)).length).toBe(2)
    return held(cluster, taker)
  }

  test('a stale copy is never taken over', async () => {
    expect(await takeFromStale()).toEqual([1, 2])
  })

  test('without a complete living copy nothing is served, written or reassigned', async () => {
    const cluster = new TestCluster({ nodes: ['a', 'b', 'c'], databases: { unavailableMs: 500 } })
    await cluster.start('a', 'b', 'c')
    const database = await cluster.open('a', { partitions: 8, redundancy: 1 })
    await cluster.write('a', ROWS)
    const lostPartitions = Array.from({ length: 8 }, (_, i) => (i + 1) as PartitionId).filter((partition) =>
      database.holders(partition).includes(id('c')),
    )
    expect(lostPartitions.length).toBeGreaterThan(0)
    const lostRow = ROWS.find(([value]) => lostPartitions.includes(database.partitionOf(key(value))))
    expect(lostRow).toBeDefined()
    // Whoever asks before it happens is told.
    const [foreseen] = database.explainRisk([id('c')])
    expect(foreseen?.lost.map(({ partition }) => partition)).toEqual(lostPartitions)
    cluster.lose('c')
    await cluster.world.run(1_000)
    expect(database.status().unavailable).toEqual(lostPartitions)
    for (const partition of lostPartitions) expect(database.holders(partition)).toEqual(['c'])
    const unavailable = {
      detail: { code: 'DB_UNAVAILABLE', outcome: 'rejected', waitingFor: ['c'] },
      message: expect.stringContaining('c'),
    }
    await expect(cluster.read('a')).rejects.toMatchObject(unavailable)
    await expect(cluster.write('b', [[lostRow?.[0] ?? 0, 'again']])).rejects.toMatchObject(unavailable)
    // The other rows are served as ever.
    const other = ROWS.find(([value]) => !lostPartitions.includes(database.partitionOf(key(value))))
    const transaction = await cluster.settle(database.begin())
    expect(await cluster.settle(transaction.get(address(database, other?.[0] ?? 0)))).toEqual(other)
    // Nobody else has to go for that.
    const [risk] = database.explainRisk([])
    expect(risk?.paused.map(({ partition }) => partition)).toEqual(lostPartitions)
    expect(risk?.paused.every(({ waitingFor }) => waitingFor.join() === 'c')).toBe(true)
    await cluster.start('c')
    await cluster.until(() => database.status().unavailable.length === 0)
    for (const name of ['a', 'b', 'c']) expect(await cluster.read(name)).toEqual(ROWS)
  })

  test('copies are made and dropped when another redundancy is asked for, while rows are written', async () => {
    const nodes = ['a', 'b', 'c', 'd']
    const cluster = new TestCluster({ nodes })
    await cluster.start(...nodes)
    const database = await cluster.open('a', { partitions: 4 })
    await cluster.write('a', ROWS)
    let written = 100
    for (const redundancy of [3, 1, 'all', 2] as const) {
      await cluster.settle(database.alter({ redundancy }))
      const count = redundancy === 'all' ? 4 : redundancy
      const reached = (): boolean =>
        whole(database) &&
        Array.from({ length: 4 }, (_, i) => (i + 1) as PartitionId).every(
          (partition) =>
            database.status().replicas.filter((replica) => replica.partition === partition).length === count,
        )
      for (let i = 0; i < 10 || !reached(); i++)
        await cluster.write(nodes[i % 4] as string, [[written++, 'meanwhile']])
      await cluster.applied()
      const numbers = [
        ...ROWS.map(([value]) => value),
        ...Array.from({ length: written - 100 }, (_, i) => 100 + i),
      ]
      expect(await copies(cluster, nodes)).toEqual(
        numbers.flatMap((value) => Array.from({ length: count }, () => value)),
      )
      for (const name of nodes) expect((await cluster.read(name)).length).toBe(numbers.length)
    }
  })

  /** Of two holders one comes back too old while the other is given up; then that comes back with everything. */
  async function comesBackInTime(dropped: boolean): Promise<TestCluster> {
    const nodes = ['a', 'b', 'c']
    const cluster = new TestCluster({ nodes, databases: { unavailableMs: 300 } })
    await cluster.start(...nodes)
    const database = await cluster.open('a', { partitions: 1 })
    await cluster.write('a', [[1, 'old']])
    await cluster.applied()
    const [whole, stale] = database.holders(FIRST) as unknown as [string, string]
    for (const name of nodes) await cluster.settle(cluster.app(name).databases.checkpoint())
    cluster.crash(stale)
    await cluster.write(whole, [[2, 'new']])
    await cluster.applied()
    await cluster.settle(cluster.app(whole).databases.checkpoint())
    cluster.log.compact(whole)
    cluster.lose(whole)
    if (dropped) {
      const third = nodes.find((name) => name !== whole && name !== stale) as string
      const replicas = [{ node: id(stale), replaces: null }]
      const command = encodeAssign([{ database: 1, partition: FIRST, epoch: 0, replicas }])
      await cluster.settle(cluster.app(third).log.submit('databases', command))
    }
    await cluster.start(stale)
    const watched = await cluster.settle(
      cluster
        .app(stale)
        .databases.open('shop')
        // Opening may be refused for the same reason as reading.
        .catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'DB_UNAVAILABLE' })
          return null
        }),
    )
    const status = () => cluster.app(stale).databases.describe().children[0]?.facts ?? {}
    await cluster.until(() => 'unavailable' in status())
    await cluster.world.run(2_000)
    // What there is of the rows is not everything, so nobody answers.
    if (watched !== null) await expect(cluster.read(stale)).rejects.toMatchObject({ code: 'DB_UNAVAILABLE' })
    await cluster.start(whole)
    await cluster.until(() => !('unavailable' in status()) && !('under-replicated' in status()))
    for (const name of nodes)
      expect(await cluster.read(name)).toEqual([
        [1, 'old'],
        [2, 'new'],
      ])
    return cluster
  }

  test('a copy on a node that was given up is recorded until there are others, and taken back', async () => {
    const cluster = await comesBackInTime(false)
    expect(cluster.said('offers a former replica')).toBe(0)
  })

  test('a former copy is offered when nobody has a complete one', async () => {
    const cluster = await comesBackInTime(true)
    expect(cluster.said('offers a former replica')).toBeGreaterThan(0)
  })
})
