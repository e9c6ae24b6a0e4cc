import { type BackupProgress, type Database, type Disk, isClusterError, type Version } from '@cluster/core'
import { MemoryDisk, SimRandom } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { verifyBackup } from '../src/index.ts'
import { address, readAll, TestCluster } from './support/test-cluster.ts'

const NAMES = ['a', 'b', 'c', 'd'] as const
const ROWS = Array.from({ length: 400 }, (_, i): [number, string] => [i, `row ${i} ${'x'.repeat(100)}`])

async function cluster(databases: ConstructorParameters<typeof TestCluster>[0]['databases'] = {}) {
  const nodes = new TestCluster({ nodes: NAMES, databases })
  await nodes.start(...NAMES)
  const database = await nodes.open('a', { partitions: 4 })
  await nodes.write('a', ROWS)
  return { nodes, database }
}

/** A folder that does not take more than so many bytes until it is told to. */
function stubborn(folder: Disk, bytesMax: number): { readonly disk: Disk; relent(): void } {
  let left = bytesMax
  const error = new Error('the disk is full')
  const disk: Disk = {
    list: () => folder.list(),
    read: (path) => folder.read(path),
    rename: (from, to) => folder.rename(from, to),
    remove: (path) => folder.remove(path),
    replace: (path, content) => folder.replace(path, content),
    folder: (path) => folder.folder(path),
    async open(path) {
      const file = await folder.open(path)
      return {
        ...file,
        size: () => file.size(),
        async append(chunks) {
          left -= chunks.reduce((sum, { length }) => sum + length, 0)
          if (left < 0) throw error
          await file.append(chunks)
        },
      }
    },
  }
  return {
    disk,
    relent: () => {
      left = Number.POSITIVE_INFINITY
    },
  }
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )

describe('backup', () => {
  test('goes on where it ended, at the same version', async () => {
    const { nodes, database } = await cluster()
    const folder = new MemoryDisk()
    const { disk, relent } = stubborn(folder, 30_000)
    expect(await nodes.settle(failure(database.backup(disk)))).toMatchObject({ message: 'the disk is full' })
    expect(await nodes.settle(failure(verifyBackup(folder)))).toMatchObject({
      detail: { code: 'DB_BACKUP_UNUSABLE', reason: 'missing' },
    })
    const expected = await nodes.read('a')
    await nodes.write('b', [[1, 'later']])
    relent()
    const made: BackupProgress[] = []
    // Another node may do it.
    const other = await nodes.open('c')
    const info = await nodes.settle(other.backup(disk, { onProgress: (progress) => made.push(progress) }))
    expect(made.length).toBeLessThan(5)
    const report = await nodes.settle(verifyBackup(folder))
    expect(report).toMatchObject({ rows: 400, version: info.version, newest: info.version, changes: 0 })
    await nodes.settle(nodes.app('d').databases.restore('copy', folder))
    const copy = await nodes.settle(nodes.app('d').databases.open('copy'))
    expect(await nodes.settle(readAll(copy))).toEqual(expected)
  })

  test('begins anew when its version is not kept any more', async () => {
    const { nodes, database } = await cluster({ keepVersionsMs: 1_000 })
    const folder = new MemoryDisk()
    const { disk, relent } = stubborn(folder, 30_000)
    await nodes.settle(failure(database.backup(disk)))
    for (let i = 0; i < 5; i++) {
      await nodes.world.run(5_000)
      await nodes.write(
        'b',
        ROWS.map(([value]) => [value, `later ${i}`] as const),
      )
    }
    await nodes.world.run(5_000)
    relent()
    await nodes.settle(database.backup(disk))
    expect(nodes.said('a backup is begun anew')).toBe(1)
    await nodes.settle(nodes.app('b').databases.restore('copy', folder))
    const copy = await nodes.settle(nodes.app('b').databases.open('copy'))
    expect(await nodes.settle(readAll(copy))).toEqual(ROWS.map(([value]) => [value, 'later 4']))
  })

  test('takes its time when it is told to, keeps its version meanwhile, and can be given up', async () => {
    const { nodes, database } = await cluster({ keepVersionsMs: 1_000, pinMs: 20_000 })
    const many = Array.from({ length: 6_000 }, (_, i): [number, string] => [i, `${i} `.repeat(200)])
    await nodes.write('a', many)
    const controller = new AbortController()
    const given = failure(
      database.backup(new MemoryDisk(), { bytesPerSecond: 1_000, signal: controller.signal }),
    )
    await nodes.world.run(2_000)
    controller.abort()
    expect(await nodes.settle(given)).toMatchObject({ detail: { code: 'ABORTED' } })
    const folder = new MemoryDisk()
    const before = nodes.world.now
    const making = database.backup(folder, { bytesPerSecond: 500_000 })
    for (let i = 0; i < 6; i++) {
      await nodes.world.run(1_500)
      await nodes.write('b', [[i, 'changed']])
    }
    const info = await nodes.settle(making)
    expect(nodes.world.now - before).toBeGreaterThan(8_000)
    expect(nodes.said('a backup is begun anew')).toBe(0)
    expect(info.files.reduce((sum, { rows }) => sum + rows, 0)).toBe(6_000)
    await nodes.settle(nodes.app('b').databases.restore('copy', folder))
    const copy = await nodes.settle(nodes.app('b').databases.open('copy'))
    expect(await nodes.settle(readAll(copy))).toEqual(many)
  })

  test('with any byte changed is not restored', async () => {
    const { nodes, database } = await cluster()
    const folder = new MemoryDisk()
    await nodes.settle(database.backup(folder))
    const random = new SimRandom('damage')
    for (const path of await folder.list()) {
      const whole = (await folder.read(path)) ?? new Uint8Array()
      for (let i = 0; i < 12; i++) {
        const broken = whole.slice()
        const at = Math.floor(random.between(0, whole.length))
        broken[at] = (broken[at] ?? 0) ^ (1 << Math.floor(random.between(0, 8)))
        await folder.replace(path, i === 11 ? whole.slice(0, at) : broken)
        const error = await failure(verifyBackup(folder))
        expect(error).toMatchObject({ detail: { code: 'DB_BACKUP_UNUSABLE', outcome: 'rejected' } })
      }
      await folder.replace(path, whole)
    }
    expect(await nodes.settle(verifyBackup(folder))).toMatchObject({ rows: 400 })
  })

  test('an archive that a crash cut off goes on behind what is whole', async () => {
    const { nodes, database } = await cluster()
    const folder = new MemoryDisk()
    await nodes.settle(database.backup(folder, { keepChanges: true }))
    const archive = async (name: string, through: () => Promise<number>): Promise<void> => {
      const enough = new AbortController()
      let wanted = Number.POSITIVE_INFINITY
      let reached = 0
      const onProgress = ({ version }: { readonly version: Version }): void => {
        reached = version
        if (version >= wanted) enough.abort()
      }
      const options = { signal: enough.signal, flushMs: 10, onProgress }
      const archiving = (await nodes.open(name)).archive(folder, options)
      wanted = await through()
      if (reached >= wanted) enough.abort()
      await nodes.settle(archiving)
    }
    const change = async (from: number, to: number): Promise<number> => {
      for (let i = from; i < to; i++) await nodes.write('b', [[i % 7, `change ${i}`]])
      return nodes.app('b').log.appliedIndex()
    }
    await archive('a', () => change(0, 20))
    const path = 'changes.log'
    const bytes = (await folder.read(path)) ?? new Uint8Array()
    const before = await verifyBackup(folder)
    expect(before.changes).toBe(20)
    await folder.replace(path, bytes.slice(0, bytes.length - 5))
    expect((await verifyBackup(folder)).changes).toBeLessThan(20)
    await archive('c', () => change(20, 30))
    const { changes, newest, newestWall } = await verifyBackup(folder)
    expect(changes).toBe(30)
    expect(newest).toBeGreaterThan(before.newest)
    const { databases } = nodes.app('d')
    await nodes.settle(databases.restore('newest', folder, { version: 'newest' }))
    const copy = await nodes.settle(databases.open('newest'))
    expect(await nodes.settle(readAll(copy))).toEqual(await nodes.read('a'))
    // As it was when the first archive ended.
    const { restored } = await nodes.settle(databases.restore('then', folder, { wall: before.newestWall }))
    expect(restored).toBeLessThanOrEqual(before.newest)
    expect(newestWall).toBeGreaterThan(before.newestWall)
    const damaged = bytes.slice()
    damaged[20] = (damaged[20] ?? 0) ^ 1
    await folder.replace(path, damaged)
    expect(await failure(verifyBackup(folder))).toMatchObject({
      detail: { code: 'DB_BACKUP_UNUSABLE', reason: 'damaged' },
    })
  })

  test('a restore that broke off goes on, and nothing else is mixed in', async () => {
    const { nodes, database } = await cluster()
    const folder = new MemoryDisk()
    await nodes.settle(database.backup(folder))
    const controller = new AbortController()
    const restoring = nodes.app('b').databases.restore('copy', folder, {
      signal: controller.signal,
      onProgress: ({ partitionsDone }) => {
        if (partitionsDone === 2) controller.abort()
      },
    })
    expect(await nodes.settle(failure(restoring))).toMatchObject({ detail: { code: 'ABORTED' } })
    const other = new MemoryDisk()
    await nodes.write('a', [[0, 'later']])
    await nodes.settle(database.backup(other))
    const { databases } = nodes.app('c')
    expect(await nodes.settle(failure(databases.restore('copy', other)))).toMatchObject({
      detail: { code: 'DB_NOT_EMPTY' },
    })
    const { rows } = await nodes.settle(databases.restore('copy', folder))
    expect(rows).toBeLessThan(400)
    const copy = await nodes.settle(databases.open('copy'))
    expect(await nodes.settle(readAll(copy))).toEqual(ROWS)
  })
})

const ACCOUNTS = 30

/** Backups while money moves and nodes crash, come back and are given up: each of them has all of the money. */
async function storm(
  seed: number,
  totals: { backups: number; transfers: number; failures: number },
): Promise<void> {
  const nodes = new TestCluster({ nodes: NAMES, seed, databases: { unavailableMs: 2_000 } })
  const random = new SimRandom(`backup ${seed}`)
  const pick = (names: readonly string[]): string =>
    names[Math.floor(random.between(0, names.length))] as string
  await nodes.start(...NAMES)
  await nodes.open('a', { partitions: 4 })
  await nodes.write(
    'a',
    Array.from({ length: ACCOUNTS }, (_, i): [number, number] => [i, 100]),
  )
  const running = new Set<string>(NAMES)
  let over = false
  const guarded = async (name: string, work: () => Promise<void>): Promise<boolean> => {
    try {
      await Promise.race([work(), nodes.died(name)])
      return true
    } catch (error) {
      if (!isClusterError(error)) nodes.world.fail(error)
      return false
    }
  }
  const transfer = async (database: Database): Promise<void> => {
    const transaction = await database.begin()
    const [from, to] = [Math.floor(random.between(0, ACCOUNTS)), Math.floor(random.between(0, ACCOUNTS))]
    if (from === to) return
    const read = async (value: number) => Number((await transaction.get(address(database, value)))?.[1])
    const [a, b] = [await read(from), await read(to)]
    transaction.put(address(database, from), [from, a - 1])
    transaction.put(address(database, to), [to, b + 1])
    await transaction.commit()
    totals.transfers++
  }
  const client = async (): Promise<void> => {
    while (!over) {
      await nodes.world.sleep(random.between(1, 10))
      const name = pick([...running])
      await guarded(name, async () => transfer(await nodes.app(name).databases.open('shop')))
    }
  }
  const folders: MemoryDisk[] = []
  let making: string = NAMES[0]
  const maker = async (): Promise<void> => {
    while (!over) {
      await nodes.world.sleep(random.between(1, 50))
      const folder = new MemoryDisk()
      // A backup that broke off is gone on with from whichever node there is.
      for (let done = false; !done && !over; ) {
        const name = pick([...running])
        making = name
        await guarded(name, async () => {
          await (await nodes.app(name).databases.open('shop')).backup(folder, { bytesPerSecond: 5_000 })
          done = true
        })
        if (!done) totals.failures++
        await nodes.world.sleep(10)
      }
      if ((await folder.list()).includes('backup.json')) folders.push(folder)
    }
  }
  const work = [client(), client(), maker(), maker()]
  for (let round = 0; round < 4; round++) {
    // Mostly the one that is at it.
    const victim = random.between(0, 1) < 0.7 ? making : pick(NAMES)
    running.delete(victim)
    if (random.between(0, 1) < 0.5) nodes.crash(victim)
    else nodes.lose(victim)
    await nodes.world.run(random.between(1, 500))
    await nodes.start(victim)
    running.add(victim)
    await nodes.world.run(random.between(1, 300))
  }
  over = true
  await nodes.settle(Promise.all(work))
  for (const [i, folder] of folders.entries()) {
    if (i % 4 !== 0) continue
    totals.backups++
    const { rows } = await nodes.settle(
      nodes.app('a').databases.restore(`copy ${i}`, folder, { redundancy: 1 }),
    )
    expect(rows).toBe(ACCOUNTS)
    const copy = await nodes.settle(nodes.app('b').databases.open(`copy ${i}`))
    const balances = (await nodes.settle(readAll(copy))).map(([, balance]) => Number(balance))
    expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(ACCOUNTS * 100)
  }
}

describe('backups in a storm', () => {
  test('are of one version', async () => {
    const totals = { backups: 0, transfers: 0, failures: 0 }
    for (let seed = 1; seed <= SEEDS; seed++) await storm(seed, totals)
    expect(totals.backups).toBeGreaterThanOrEqual(SEEDS)
    expect(totals.transfers).toBeGreaterThan(50 * SEEDS)
    expect(totals.failures).toBeGreaterThan(0)
  }, 60_000)
})

const SEEDS = Number(process.env['STORM_SEEDS'] ?? 2)
