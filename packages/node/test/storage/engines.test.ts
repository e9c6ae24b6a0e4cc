import { cpSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Clock,
  logIndex,
  type PartitionStore,
  type RowWrite,
  relationId,
  type StorageEngine,
} from '@cluster/core'
import { lmdbStorage } from '@cluster/storage-lmdb'
import { memoryStorage } from '@cluster/storage-memory'
import { MemoryDisk, mirrorStorage, type StorageFixture, storageRandomSuite } from '@cluster/testkit'
import { afterAll, describe, expect, test } from '@jest/globals'

/** Time stands still, but turns pass. */
const clock: Clock = { now: () => 0, wall: () => 0, after: () => () => {}, turn: () => Promise.resolve() }

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

/**
 * In one go: a commit may be under way on its own thread, but the next one must not begin, or pages would be copied that
 * belong to different moments. A crash does not do that either.
 */
const copyFolder = (from: string, to: string): void => cpSync(from, to, { recursive: true })

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-engines-'))
  folders.push(folder)
  return folder
}

const both = (disk: MemoryDisk, folder: string): StorageFixture => ({
  engine: mirrorStorage(memoryStorage({ disk, clock }), lmdbStorage({ folder })({ clock })),
  restart: async () => {
    const copy = await freshFolder()
    copyFolder(folder, copy)
    return both(disk.copy(), copy)
  },
})

describe('the memory engine and LMDB side by side', () => {
  storageRandomSuite({ describe, test, expect }, async () => both(new MemoryDisk(), await freshFolder()))
})

describe('copies between engines', () => {
  const ITEMS = relationId(16)
  const writes: readonly RowWrite[] = Array.from({ length: 3000 }, (_, i) => ({
    relation: relationId(16 + (i % 3)),
    key: `k${String(i).padStart(5, '0')}`,
    row: i % 2 === 0 ? [i, `row ${i}`, -0, null] : [BigInt(i), '\ud800', new Uint8Array([i & 255])],
  }))
  const all = (store: PartitionStore): unknown[] =>
    writes.map(({ relation, key }) => store.get(relation, key, store.appliedVersion()))

  const engines = async (): Promise<Record<'memory' | 'lmdb', StorageEngine>> => ({
    memory: memoryStorage({ disk: new MemoryDisk(), clock }),
    lmdb: lmdbStorage({ folder: await freshFolder() })({ clock }),
  })

  for (const [from, to] of [
    ['memory', 'lmdb'],
    ['lmdb', 'memory'],
  ] as const) {
    test(`${to} takes what ${from} exports`, async () => {
      const { [from]: source, [to]: target } = await engines()
      const store = await source.open('p')
      store.apply(logIndex(5), writes)
      await store.checkpoint()
      const copy = await target.import('p', logIndex(5), store.export(logIndex(5)))
      expect(all(copy)).toEqual(writes.map(({ row }) => row))
      expect(copy.count(ITEMS)).toBe(1000)
      await store.close()
      await copy.close()
    })
  }
})
