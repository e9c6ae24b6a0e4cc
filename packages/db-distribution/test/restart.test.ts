import { EVERYWHERE, lineageId, logIndex, type PartitionId, type RowWrite } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { signature } from '../src/driver/replica/signature.ts'
import { modelStorage } from './support/model-storage.ts'
import { address, ITEMS, id, key, TestCluster } from './support/test-cluster.ts'

const ROWS: readonly (readonly [number, string])[] = Array.from({ length: 50 }, (_, i) => [i, `row ${i}`])
const ALL = ['a', 'b', 'c'] as const

async function cluster(options: ConstructorParameters<typeof TestCluster>[0] = { nodes: ALL }) {
  const made = new TestCluster(options)
  await made.start(...options.nodes)
  await made.write('a', ROWS)
  await made.applied()
  return made
}

describe('restart', () => {
  test('from the log alone after a crash', async () => {
    const nodes = await cluster()
    nodes.crash('b')
    await nodes.write('a', [[100, 'meanwhile']])
    await nodes.start('b')
    await nodes.until(() => nodes.app('b').databases.describe().children.length === 1)
    expect(await nodes.read('b')).toEqual([...ROWS, [100, 'meanwhile']])
    expect(nodes.app('b').tookOver).toEqual([])
  })

  test('what a node took over before is no news after a restart', async () => {
    const nodes = await cluster({ nodes: ['a', 'b', 'c', 'd'] })
    nodes.lose('d')
    await nodes.until(() => ['a', 'b', 'c'].some((name) => nodes.app(name).tookOver.length > 0))
    await nodes.world.run(1_000)
    const taker = ['a', 'b', 'c'].find((name) => nodes.app(name).tookOver.length > 0) as string
    nodes.crash(taker)
    await nodes.start(taker)
    expect(await nodes.read(taker)).toEqual(ROWS)
    expect(nodes.app(taker).tookOver).toEqual([])
  })

  test('from checkpoints and the log behind them, which may be cut', async () => {
    const nodes = await cluster()
    const { databases } = nodes.app('b')
    await nodes.settle(databases.checkpoint())
    for (const name of ['a', 'c']) await nodes.settle(nodes.app(name).databases.checkpoint())
    nodes.log.compact('b')
    await nodes.write('a', [[100, 'behind']])
    nodes.crash('b')
    await nodes.start('b')
    expect(await nodes.read('b')).toEqual([...ROWS, [100, 'behind']])
    await nodes.world.run(2_000)
    // Nothing had to be copied.
    expect(nodes.app('b').tookOver).toEqual([])
  })

  test('the log is kept on every node until every holder has the rows on disk', async () => {
    const nodes = await cluster()
    const last = nodes.app('a').log.appliedIndex()
    for (const name of ALL) expect(nodes.machine(name).durableIndex()).toBeLessThan(last)
    const [first, ...rest] = ALL
    await nodes.settle(nodes.app(first).databases.checkpoint())
    await nodes.applied()
    // Its own rows are on disk, those of the others are not.
    expect(nodes.machine(first).durableIndex()).toBeLessThan(last)
    for (const name of rest) await nodes.settle(nodes.app(name).databases.checkpoint())
    await nodes.applied()
    for (const name of ALL) expect(nodes.machine(name).durableIndex()).toBeGreaterThanOrEqual(last)
  })

  test('what the log waits for is written soon', async () => {
    const nodes = await cluster()
    const last = nodes.app('a').log.appliedIndex()
    // Every node's log asks.
    const cut = () => Math.min(...ALL.map((name) => nodes.machine(name).durableIndex())) >= last
    await nodes.until(cut, 5_000)
  })

  test('stopping writes everything to disk', async () => {
    const nodes = await cluster()
    await nodes.stop('b')
    nodes.log.compact('a')
    await nodes.start('b')
    expect(await nodes.read('b')).toEqual(ROWS)
    await nodes.world.run(2_000)
    expect(nodes.app('b').tookOver).toEqual([])
  })

  test('a copy that is behind the log is given up and made anew', async () => {
    const nodes = await cluster()
    nodes.crash('b')
    await nodes.write('a', [[100, 'missed']])
    // What b has not seen is no longer in the log.
    nodes.log.compact('a')
    await nodes.start('b')
    const database = await nodes.open('b')
    const mine = () => database.status().replicas.filter(({ node }) => node === id('b'))
    await nodes.until(
      () => mine().length > 0 && mine().every((replica) => replica.complete && replica.rows !== null),
    )
    expect(await nodes.read('b')).toEqual([...ROWS, [100, 'missed']])
    expect(nodes.app('b').tookOver.some((event) => event.source !== null)).toBe(true)
  })

  test('a damaged store is given up and made anew; others serve meanwhile', async () => {
    const nodes = await cluster()
    for (const name of ALL) await nodes.settle(nodes.app(name).databases.checkpoint())
    nodes.log.compact('a')
    nodes.crash('b')
    const disk = nodes.disks.get('b')
    for (const name of disk?.images.keys() ?? []) disk?.damaged.add(name)
    await nodes.start('b')
    expect(await nodes.read('b')).toEqual(ROWS)
    const database = await nodes.open('b')
    await nodes.until(() => database.status().underReplicated.length === 0)
    const mine = database.status().replicas.filter(({ node }) => node === id('b'))
    expect(mine.every((replica) => replica.complete && replica.rows !== null)).toBe(true)
  })

  test('all nodes, from their disks', async () => {
    const nodes = await cluster()
    for (const name of ALL) nodes.crash(name)
    await nodes.start(...ALL)
    for (const name of ALL) expect(await nodes.read(name)).toEqual(ROWS)
    await nodes.write('c', [[100, 'on']])
    for (const name of ALL) expect(await nodes.read(name)).toEqual([...ROWS, [100, 'on']])
  })

  test('a node that was replaced drops what it held', async () => {
    const nodes = await cluster({ nodes: ['a', 'b', 'c', 'd'] })
    for (const name of ['a', 'b', 'c', 'd']) await nodes.settle(nodes.app(name).databases.checkpoint())
    nodes.lose('d')
    const database = await nodes.open('a')
    const settled = () =>
      database.status().underReplicated.length === 0 &&
      database.status().replicas.every(({ node, complete }) => complete && node !== 'd')
    await nodes.until(settled)
    await nodes.write('a', [[100, 'later']])
    await nodes.start('d')
    const everywhere = () => database.holders(EVERYWHERE).includes(id('d'))
    await nodes.until(() => everywhere() && database.status().underReplicated.length === 0)
    await nodes.world.run(5_000)
    const held = database
      .status()
      .replicas.filter(({ node }) => node === 'd')
      .map(({ partition }) => partition)
    const there = await nodes.open('d')
    for (const partition of held) {
      const rows = [...there.localScan(ITEMS, partition as PartitionId)].flatMap((batch) => batch.columns[0])
      const source = await nodes.open(database.holders(partition).find((node) => node !== 'd') as string)
      const wanted = [...source.localScan(ITEMS, partition)].flatMap((batch) => batch.columns[0])
      expect(rows).toEqual(wanted)
    }
    const stores = [...(nodes.disks.get('d')?.images.keys() ?? [])]
    expect(stores.length).toBeLessThanOrEqual(held.length)
    expect(await nodes.read('d')).toEqual([...ROWS, [100, 'later']])
  })
})

describe('reads from others', () => {
  test('go on with another holder when one dies', async () => {
    const nodes = new TestCluster({ nodes: ['a', 'b', 'c', 'd'] })
    await nodes.start('a', 'b', 'c', 'd')
    const many = Array.from({ length: 5_000 }, (_, i): [number, string] => [i, 'x'.repeat(100)])
    const database = await nodes.open('a', { partitions: 4 })
    await nodes.write('a', many)
    let resumed = 0
    for (const ordered of [true, false]) {
      const reading = (async () => {
        const transaction = await database.begin({ readOnly: true })
        const seen: number[] = []
        let batches = 0
        for await (const batch of transaction.scan({ relation: ITEMS, range: {}, ordered })) {
          seen.push(...(batch.columns[0] ?? []).map(Number))
          if (++batches === 2) nodes.crash(ordered ? 'c' : 'd')
        }
        return seen
      })()
      const seen = await nodes.settle(reading)
      resumed += nodes.said('a read is tried elsewhere')
      expect(ordered ? seen : seen.sort((x, y) => x - y)).toEqual(many.map(([value]) => value))
      await nodes.start(ordered ? 'c' : 'd')
    }
    expect(resumed).toBeGreaterThan(0)
  })

  test('wait for a holder that is behind, and never see old rows', async () => {
    const nodes = await cluster()
    const database = await nodes.open('a')
    const value = ROWS.map(([number]) => number).find(
      (number) => !database.holders(address(database, number).partition).includes(id('a')),
    ) as number
    for (const name of database.holders(address(database, value).partition)) nodes.log.hold(name)
    await nodes.write('a', [[value, 'new']])
    let row: unknown = null
    const reading = (async () => {
      const transaction = await database.begin()
      row = await transaction.get(address(database, value))
    })()
    await nodes.world.run(500)
    expect(row).toBeNull()
    for (const name of database.holders(address(database, value).partition)) nodes.log.release(name)
    await nodes.settle(reading)
    expect(row).toEqual([value, 'new'])
  })

  test('a version that is trimmed is gone, with an error that says so', async () => {
    const nodes = await cluster({ nodes: ALL, databases: { keepVersionsMs: 2_000, pinMs: 4_000 } })
    const database = await nodes.open('a')
    const old = await nodes.settle(database.begin())
    expect(await nodes.settle(old.get(address(database, 1)))).toEqual(ROWS[1])
    for (let i = 0; i < 3; i++)
      await nodes.write(
        'b',
        ROWS.map(([value]) => [value, `changed ${i}`]),
      )
    await nodes.world.run(20_000)
    await expect(nodes.settle(old.get(address(database, 1)))).rejects.toMatchObject({
      detail: { code: 'DB_VERSION_GONE', outcome: 'rejected' },
    })
  })
})

describe('a group that gives itself up into another', () => {
  test('starts over with what the other has, and nothing of its own passes for it', async () => {
    const nodes = new TestCluster({ nodes: ALL })
    await nodes.start(...ALL)
    const { databases } = nodes.app('a')
    const handle = await nodes.open('a', { partitions: 4 })
    expect(handle.options.partitions).toBe(4)
    expect(databases.list()).toEqual(['shop'])
    expect(nodes.machine('a').empty?.()).toBe(true)
    await nodes.write('a', ROWS)
    expect(nodes.machine('a').empty?.()).toBe(false)
    nodes.machine('a').restore(null, logIndex(0))
    expect(nodes.machine('a').empty?.()).toBe(true)
    expect(databases.list()).toEqual([])
    expect(() => handle.status()).toThrow(expect.objectContaining({ code: 'DB_UNAVAILABLE' }))
  })
})

describe('copies of a history that was given up', () => {
  const LATER = logIndex(1_000)

  /** Writes to the stores that a node has on disk as it would have in another history, at versions that are yet to come. */
  async function goAstray(nodes: TestCluster, name: string): Promise<string[]> {
    const disk = nodes.disks.get(name)
    if (disk === undefined) throw new Error('it has a disk')
    const stores = [...disk.images.keys()]
    for (const store of stores) {
      const open = await modelStorage(disk).open(store)
      const wrong: RowWrite = { relation: ITEMS, key: key(0), row: [0, 'of another history'] }
      open.apply(LATER, [wrong, signature(lineageId('another'))])
      await open.checkpoint()
    }
    return stores
  }

  test('are neither opened nor offered, and go when others have everything', async () => {
    const nodes = await cluster({ nodes: ALL, databases: { unavailableMs: 300 } })
    for (const name of ALL) await nodes.settle(nodes.app(name).databases.checkpoint())
    nodes.crash('b')
    const astray = await nodes.settle(goAstray(nodes, 'b'))
    expect(astray.length).toBeGreaterThan(0)
    await nodes.start('b')
    const database = await nodes.open('b')
    const mine = () => database.status().replicas.filter(({ node }) => node === id('b'))
    await nodes.until(() => mine().every(({ complete, rows }) => complete && rows !== null))
    for (const name of ALL) expect(await nodes.read(name)).toEqual(ROWS)
    // Where nobody else has a copy, the partition has none, although its store is there.
    expect(nodes.said('a copy on disk is of a history that was given up')).toBe(astray.length)
    await nodes.until(() => database.status().underReplicated.length === 0)
    await nodes.world.run(1_000)
    const names = [...(nodes.disks.get('b')?.images.keys() ?? [])]
    expect(names.filter((name) => astray.includes(name))).toEqual([])
    // What was copied anew is found again.
    nodes.crash('b')
    await nodes.start('b')
    expect(await nodes.read('b')).toEqual(ROWS)
    expect(nodes.app('b').tookOver).toEqual([])
  })

  test('are kept aside while nobody has a complete copy of this history', async () => {
    const nodes = new TestCluster({ nodes: ALL, databases: { unavailableMs: 300 } })
    await nodes.start(...ALL)
    const database = await nodes.open('a', { redundancy: 1, partitions: 4 })
    await nodes.write('a', ROWS)
    for (const name of ALL) await nodes.settle(nodes.app(name).databases.checkpoint())
    await nodes.applied()
    nodes.log.compact('a')
    const lost = database.status().replicas.filter(({ node, partition }) => node === id('b') && partition > 0)
    expect(lost.length).toBeGreaterThan(0)
    nodes.crash('b')
    const astray = await nodes.settle(goAstray(nodes, 'b'))
    await nodes.start('b')
    await nodes.until(() => database.status().unavailable.length === lost.length)
    await nodes.world.run(5_000)
    expect(database.status().unavailable).toEqual(lost.map(({ partition }) => partition))
    expect(nodes.said('offers a former replica')).toBe(0)
    await expect(nodes.read('b')).rejects.toMatchObject({ code: 'DB_UNAVAILABLE' })
    const names = new Set(nodes.disks.get('b')?.images.keys())
    for (const { partition } of lost)
      expect(names).toContain(astray.find((name) => name.endsWith(`p${partition}`)))
  })
})
