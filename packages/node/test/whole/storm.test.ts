import { type Change, type Database, type Disk, isClusterError } from '@cluster/core'
import { verifyBackup } from '@cluster/db-distribution'
import { MemoryDisk, Nemesis } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { ITEMS, item, PATIENCE_MS, readAll, WholeCluster } from './whole-cluster.ts'

const NAMES = ['n1', 'n2', 'n3', 'n4'] as const
const KEYS = 30
const START = 100
const STORM_MS = 25_000
const SEEDS = (process.env['STORM_SEEDS'] ?? '4').split(',').map(Number)

/** Puts changes onto a copy of the table, each onto the row that it says it found. */
class Mirror {
  readonly rows = new Map<string, string>()
  count = 0
  #version = 0

  take({ version, key, before, after }: Change): void {
    if (version < this.#version)
      throw new Error(`a change of version ${version} came behind ${this.#version}`)
    this.#version = version
    const [was, found] = [this.rows.get(key) ?? null, before === null ? null : JSON.stringify(before)]
    if (was !== found) throw new Error(`the change at ${version} found ${found} where ${was} was`)
    if (after === null) this.rows.delete(key)
    else this.rows.set(key, JSON.stringify(after))
    this.count++
  }
}

/**
 * Money moves between rows while the world storms. A follower mirrors the table by its changes, with its token from node to
 * node; backups are made, and an archive beside the first; copies are compared in the background.
 */
class Play {
  readonly cluster: WholeCluster
  readonly folders: MemoryDisk[] = []
  readonly archive = new MemoryDisk()
  readonly mirror = new Mirror()
  from: string | number = 0
  over = false
  transfers = 0

  constructor(seed: number) {
    this.cluster = new WholeCluster(`whole storm ${seed}`, NAMES, () => ({
      databases: { auditMs: 1_500 },
      log: { snapshotEntries: 150, tailEntries: 30 },
    }))
  }

  get #random() {
    return this.cluster.world.random
  }

  /** Does something on any node that runs; false when that node died or refused. */
  async try(work: (database: Database) => Promise<void>): Promise<boolean> {
    const { world } = this.cluster
    const up = [...this.cluster.nodes.values()].filter(({ app, running }) => app !== null && running)
    const node = up[Math.floor(this.#random.between(0, up.length))]
    const databases = node?.app?.databases
    if (node === undefined || !databases) return false
    const died = new Promise<'died'>((resolve) => node.onDeath(() => resolve('died')))
    try {
      const done = work(await databases.open('shop', { deadlineMs: 3_000 })).then(() => 'done' as const)
      return (await Promise.race([done, died])) === 'done'
    } catch (error) {
      if (!isClusterError(error)) world.fail(error)
      return false
    }
  }

  async writer(): Promise<void> {
    while (!this.over) {
      await this.cluster.world.sleep(this.#random.between(5, 40))
      await this.try(async (database) => {
        const transaction = await database.begin({ deadlineMs: 3_000 })
        const pick = (): number => Math.floor(this.#random.between(0, KEYS))
        const [from, to] = [pick(), pick()]
        if (from === to) return
        const read = async (value: number) => Number((await transaction.get(item(database, value)))?.[1])
        const [a, b] = [await read(from), await read(to)]
        transaction.put(item(database, from), [from, a - 1])
        transaction.put(item(database, to), [to, b + 1])
        await transaction.commit({ deadlineMs: 3_000 })
        this.transfers++
      })
    }
  }

  /** @param end how many changes there are, once that is known */
  async follower(end: () => number): Promise<void> {
    while (this.mirror.count < end()) {
      let current = true
      const enough = new AbortController()
      const leave = this.cluster.world.schedule(this.#random.between(200, 4_000), () => enough.abort())
      await this.try(async (database) => {
        const feed = database.changes({
          relations: [ITEMS],
          from: this.from as string,
          signal: enough.signal,
        })
        for await (const change of feed) {
          // The node died, and somebody else goes on: what this loop gets nobody takes.
          if (!current) return
          this.mirror.take(change)
          this.from = change.token
          if (this.mirror.count >= end()) return
        }
      })
      current = false
      leave()
      await this.cluster.world.sleep(10)
    }
  }

  async maker(): Promise<void> {
    while (!this.over) {
      const folder = new MemoryDisk()
      for (let done = false; !done && !this.over; ) {
        done = await this.try(async (database) => {
          await database.backup(folder)
        })
        await this.cluster.world.sleep(this.#random.between(10, 500))
      }
      if ((await folder.list()).includes('backup.json')) this.folders.push(folder)
    }
  }

  async archiver(wanted: () => number): Promise<void> {
    let through = 0
    while (through < wanted()) {
      const enough = new AbortController()
      const leave = this.cluster.world.schedule(this.#random.between(500, 4_000), () => enough.abort())
      let current = true
      // A process that is gone writes no more.
      const folder = guarded(this.archive, () => current)
      await this.try((database) =>
        database.archive(folder, {
          signal: enough.signal,
          flushMs: 100,
          onProgress: ({ version }) => {
            if (!current) return
            through = version
            if (through >= wanted()) enough.abort()
          },
        }),
      )
      current = false
      leave()
      await this.cluster.world.sleep(10)
    }
  }
}

/** The folder, as long as whoever writes to it lives. */
function guarded(folder: Disk, lives: () => boolean): Disk {
  const never = new Promise<never>(() => {})
  return {
    list: () => folder.list(),
    read: (path) => folder.read(path),
    remove: (path) => folder.remove(path),
    rename: (from, to) => folder.rename(from, to),
    replace: (path, content) => folder.replace(path, content),
    folder: (path) => folder.folder(path),
    async open(path) {
      const file = await folder.open(path)
      return {
        ...file,
        append: (chunks) => (lives() ? file.append(chunks) : never),
        truncate: (size) => (lives() ? file.truncate(size) : never),
      }
    },
  }
}

async function play(seed: number): Promise<Play> {
  const stage = new Play(seed)
  const { cluster } = stage
  const { world } = cluster
  await cluster.start(...NAMES)
  const database = await cluster.open('n1', { redundancy: 2, partitions: 4 })
  stage.from = await cluster.settle(database.keepChanges())
  await cluster.write(
    'n1',
    Array.from({ length: KEYS }, (_, i) => [i, START] as const),
  )
  await cluster.settle(database.backup(stage.archive, { keepChanges: true }))
  let changes = Number.POSITIVE_INFINITY
  let version = Number.POSITIVE_INFINITY
  const writers = [stage.writer(), stage.writer(), stage.maker()]
  const followers = [stage.follower(() => changes), stage.archiver(() => version)]
  const leader = (): string | null => cluster.running[0]?.log.group().leader ?? null
  const nemesis = new Nemesis(world, [...cluster.nodes.values()], leader)
  nemesis.start()
  await world.run(STORM_MS)
  nemesis.stop()
  world.heal()
  stage.over = true
  await world.run(6_000)
  for (const [name, node] of cluster.nodes) if (!node.running) cluster.launch(name)
  await cluster.until('all nodes', () => NAMES.every((name) => cluster.node(name).app !== null))
  await cluster.settle(Promise.all(writers))
  for (const name of NAMES) await cluster.whole(name)
  // What there is to follow is known now.
  const last = await cluster.open('n1')
  await cluster.write('n1', [[KEYS, 0]])
  const taken = new Mirror()
  const taking = (async () => {
    const start = stage.archive
    const { version: from } = await verifyBackup(start)
    for (const row of (await restoredRows(cluster, start)).entries())
      taken.rows.set(keyText(row[1]), JSON.stringify(row[1]))
    for await (const change of last.changes({ relations: [ITEMS], from })) {
      taken.take(change)
      if (change.after?.[0] === KEYS) break
    }
  })()
  await cluster.settle(taking)
  changes = taken.count + KEYS
  version = cluster.app('n1').log.appliedIndex()
  await world.settle(Promise.all(followers), PATIENCE_MS)
  return stage
}

/** The rows that the backup itself has. */
async function restoredRows(
  cluster: WholeCluster,
  folder: MemoryDisk,
): Promise<readonly (readonly unknown[])[]> {
  const { databases } = cluster.app('n1')
  if (databases === null) throw new Error('it holds data')
  await databases.restore('begin', folder, { redundancy: 1 })
  return readAll(await databases.open('begin'))
}

const keyText = (row: readonly unknown[]): string => keyOf(Number(row[0]))
const keyOf = (value: number): string => item({ partitionOf: () => 1 } as never, value).key

describe('whole nodes in a storm', () => {
  for (const seed of SEEDS) {
    test(`changes, archives, backups and copies tell the same story: seed ${seed}`, async () => {
      const stage = await play(seed)
      const { cluster, mirror, folders, archive, transfers } = stage
      expect(transfers).toBeGreaterThan(50)
      const rows = (await cluster.read('n3')).map((row) => JSON.stringify(row))
      expect([...mirror.rows.values()].sort()).toEqual(rows.toSorted())
      const { databases } = cluster.app('n2')
      const restored = async (folder: MemoryDisk, name: string, newest: boolean) => {
        await databases?.restore(name, folder, {
          redundancy: 1,
          ...(newest && { version: 'newest' as const }),
        })
        const copy = await databases?.open(name)
        return copy === undefined ? [] : readAll(copy)
      }
      const newest = await cluster.settle(restored(archive, 'newest', true))
      expect(newest.map((row) => JSON.stringify(row))).toEqual(rows)
      expect(folders.length).toBeGreaterThan(3)
      for (const [i, folder] of [folders[0], folders.at(-1)].entries()) {
        if (folder === undefined) continue
        const found = await cluster.settle(restored(folder, `copy ${i}`, false))
        expect(found.reduce((sum, row) => sum + Number(row[1]), 0)).toBe(KEYS * START)
      }
      const report = await cluster.settle((await cluster.open('n4')).verify())
      expect(report).toMatchObject({ compared: [0, 1, 2, 3, 4], divergences: [] })
      expect(
        cluster.world.trace.tail(2_000).filter((line) => line.includes('copies of a partition differ')),
      ).toEqual([])
    }, 60_000)
  }
})
