import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import {
  ByteWriter,
  type Clock,
  logIndex,
  type PartitionStore,
  type RowWrite,
  relationId,
  type Value,
} from '@cluster/core'
import { afterAll, describe, expect, test } from '@jest/globals'
import { Environment } from '../src/driver/environment.ts'
import { lmdbStorage } from '../src/index.ts'

/** Time stands still, but turns pass. */
const clock: Clock = { now: () => 0, wall: () => 0, after: () => () => {}, turn: () => Promise.resolve() }
const ITEMS = relationId(16)
const v = logIndex

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-lmdb-'))
  folders.push(folder)
  return folder
}

const put = (n: number, ...row: Value[]): RowWrite => ({
  relation: ITEMS,
  key: `k${String(n).padStart(7, '0')}`,
  row,
})
const many = <T>(count: number, item: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => item(i))

function rows(store: PartitionStore): Value[][] {
  const found: Value[][] = []
  for (const batch of store.scan({ relation: ITEMS, range: {}, version: store.appliedVersion() }))
    for (let i = 0; i < batch.length; i++) found.push(batch.columns.map((column) => column[i] as Value))
  return found
}

describe('the buffer of writes', () => {
  const BUFFER = 1 << 18
  const rowText = 'x'.repeat(80)

  test('is kept within its bound by writes that leave no turn to anything else', async () => {
    const engine = lmdbStorage({ folder: await freshFolder(), bufferBytesMax: BUFFER })({ clock })
    const stores = [await engine.open('p'), await engine.open('q')]
    // Twenty times as much in each.
    for (let version = 1; version <= 60; version++)
      for (const store of stores)
        store.apply(
          v(version),
          many(300, (i) => put((version * 300 + i * 7919) % 12_000, version, rowText)),
        )
    for (const store of stores) {
      // All but what fits the buffer is on disk, without anybody having asked for a checkpoint.
      expect(store.durableVersion()).toBeGreaterThan(50)
      const expected = new Map<number, number>()
      for (let version = 1; version <= 60; version++)
        for (let i = 0; i < 300; i++) expected.set((version * 300 + i * 7919) % 12_000, version)
      expect(store.count(ITEMS)).toBe(expected.size)
      const found = rows(store).map(([version]) => version)
      expect(found).toEqual([...expected].sort(([a], [b]) => a - b).map(([, version]) => version))
      await store.close()
    }
  })

  test('is written in the background when it is half full', async () => {
    const engine = lmdbStorage({ folder: await freshFolder(), bufferBytesMax: BUFFER })({ clock })
    const store = await engine.open('p')
    for (let version = 1; store.durableVersion() === 0; version++) {
      store.apply(
        v(version),
        many(100, (i) => put(version * 100 + i, rowText)),
      )
      // A turn of the event loop, in which the background gets on.
      await stat(tmpdir())
      expect(version).toBeLessThan(2000)
    }
    await store.close()
  })
})

describe('the files', () => {
  test('grow far beyond what was mapped at first, under open scans', async () => {
    const engine = lmdbStorage({ folder: await freshFolder(), mapBytes: 1 << 17 })({ clock })
    const store = await engine.open('p')
    store.apply(
      v(1),
      many(3000, (i) => put(i, i, 'first')),
    )
    await store.checkpoint()
    const scans = many(5, () => store.scan({ relation: ITEMS, range: {}, version: v(1) })[Symbol.iterator]())
    const seen = scans.map((scan) => scan.next().value?.length ?? 0)
    const pin = store.pin(v(1))
    for (let version = 2; version <= 5; version++) {
      store.apply(
        v(version),
        many(4000, (i) => put(i, i, `${version}`.repeat(500))),
      )
      await store.checkpoint()
    }
    for (const [i, scan] of scans.entries())
      for (let next = scan.next(); next.done !== true; next = scan.next()) {
        expect(new Set(next.value.columns[1])).toEqual(new Set(['first']))
        seen[i] = (seen[i] ?? 0) + next.value.length
      }
    expect(seen).toEqual(many(5, () => 3000))
    pin.release()
    expect(rows(store).length).toBe(4000)
    await store.close()
  })

  test('use the room of old versions and deleted rows again', async () => {
    const folder = await freshFolder()
    const store = await lmdbStorage({ folder })({ clock }).open('p')
    const size = async (): Promise<number> => (await stat(join(folder, 'p/data.mdb'))).size
    const sizes: number[] = []
    for (let version = 1; version <= 40; version++) {
      store.apply(
        v(version),
        many(2000, (i) =>
          i % 4 === version % 4 ? { ...put(i), row: null } : put(i, version, `text ${version} ${i}`),
        ),
      )
      store.trim(v(version))
      await store.checkpoint()
      sizes.push(await size())
    }
    expect(Math.max(...sizes.slice(10))).toBeLessThanOrEqual(2 * Math.max(...sizes.slice(0, 10)))
    store.apply(
      v(41),
      many(2000, (i) => ({ ...put(i), row: null })),
    )
    store.trim(v(41))
    await store.checkpoint()
    expect(rows(store)).toEqual([])
    await store.close()
    // Not one block, mark or old version is left.
    const env = Environment.open(join(folder, 'p'), { mapBytes: 1 << 20 })
    expect([env.rows.some('', 1), env.history.some('', 1), env.journal.some('', 1)]).toEqual([[], [], []])
    await env.close()
  })

  test('of another format are known for what they are', async () => {
    const folder = await freshFolder()
    const engine = lmdbStorage({ folder })({ clock })
    const store = await engine.open('p')
    store.apply(v(1), [put(1, 'a')])
    await store.checkpoint()
    await store.close()
    const env = Environment.open(join(folder, 'p'), { mapBytes: 1 << 20 })
    const head = new ByteWriter()
    head.u32(0)
    head.u32(7)
    head.varint(1)
    head.varint(0)
    head.patchU32(0, crc32(head.view().subarray(4)))
    await env.step(() => env.meta.put('head', head.finish()))
    await env.close()
    await expect(engine.open('p')).rejects.toMatchObject({
      code: 'DISK_FORMAT',
      detail: { found: 7, supported: 1 },
      message: expect.stringMatching(/format 7.*run the version that wrote it/),
    })
    // Nothing was harmed, and whoever does not want it can remove it.
    await engine.remove('p')
    expect((await engine.open('p')).appliedVersion()).toBe(0)
  })

  test('that are cut short, or something else, are damaged', async () => {
    const folder = await freshFolder()
    const engine = lmdbStorage({ folder })({ clock })
    const store = await engine.open('p')
    store.apply(
      v(1),
      many(5000, (i) => put(i, `row ${i}`)),
    )
    await store.checkpoint()
    await store.close()
    const path = join(folder, 'p/data.mdb')
    const { size } = await stat(path)
    for (const bytes of [size - 1, size - 4096, Math.floor(size / 2), 8192, 4096, 100, 0]) {
      await truncate(path, bytes)
      await expect(engine.open('p')).rejects.toMatchObject({ code: 'DISK_DAMAGED', outcome: 'rejected' })
    }
    await writeFile(path, 'not a database at all '.repeat(1000))
    await expect(engine.open('p')).rejects.toMatchObject({ code: 'DISK_DAMAGED' })
    expect(await engine.list()).toEqual(['p'])
    await engine.remove('p')
    expect(await engine.list()).toEqual([])
  })
})

describe('a store that is closed', () => {
  test('says so, and can be opened again', async () => {
    const engine = lmdbStorage({ folder: await freshFolder() })({ clock })
    const store = await engine.open('p')
    store.apply(v(1), [put(1, 'a')])
    await store.checkpoint()
    await store.close()
    for (const use of [
      () => store.get(ITEMS, 'k', v(1)),
      () => store.scan({ relation: ITEMS, range: {}, version: v(1) }),
      () => store.apply(v(2), []),
      () => store.pin(v(1)),
    ])
      expect(use).toThrow(expect.objectContaining({ code: 'STOPPED' }))
    expect(await store.checkpoint()).toBe(1)
    const again = await engine.open('p')
    expect(rows(again)).toEqual([['a']])
    await again.close()
  })

  test('and opened under another handle is one store, not two', async () => {
    const engine = lmdbStorage({ folder: await freshFolder() })({ clock })
    const first = await engine.open('p')
    first.apply(v(1), [put(1, 'a')])
    await first.checkpoint()
    const second = await engine.open('p')
    expect(() => first.get(ITEMS, 'k', v(1))).toThrow('is closed')
    expect(rows(second)).toEqual([['a']])
    await second.close()
  })
})
