import { type Clock, type Disk, logIndex, relationId } from '@cluster/core'
import { MemoryDisk, type StorageFixture, storageSuite } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { memoryStorage } from '../src/index.ts'

/** Time stands still, but turns pass. */
const clock: Clock = { now: () => 0, wall: () => 0, after: () => () => {}, turn: () => Promise.resolve() }

const onDisk = (disk: MemoryDisk): StorageFixture => ({
  engine: memoryStorage({ disk, clock }),
  restart: async () => onDisk(disk.copy()),
  damaged: async (part) => {
    const copy = disk.copy()
    const files = await Promise.all(
      (await copy.list()).map(async (path) => ({ path, bytes: (await copy.read(path)) ?? new Uint8Array() })),
    )
    let at = Math.floor(part * files.reduce((sum, { bytes }) => sum + bytes.length, 0))
    for (const { path, bytes } of files) {
      if (at >= 0 && at < bytes.length) {
        bytes[at] = (bytes[at] as number) ^ 8
        await copy.replace(path, bytes)
      }
      at -= bytes.length
    }
    return onDisk(copy)
  },
})

storageSuite({ describe, test, expect }, async () => onDisk(new MemoryDisk()))

describe('checkpoints on a disk that fails', () => {
  const write = (n: number) => ({ relation: relationId(16), key: `k${n}`, row: [n] })

  for (const broken of ['open', 'replace'] as const) {
    test(`a checkpoint whose ${broken} failed leaves the one before, and the next one has everything`, async () => {
      const disk = new MemoryDisk()
      let failing = false
      const folder = disk.folder('p')
      const full = async () => Promise.reject(new Error('disk full'))
      const moody: Disk = {
        list: () => folder.list(),
        read: (path) => folder.read(path),
        open: (path) => (failing && broken === 'open' ? full() : folder.open(path)),
        replace: (path, content) =>
          failing && broken === 'replace' ? full() : folder.replace(path, content),
        rename: (path, to) => folder.rename(path, to),
        remove: (path) => folder.remove(path),
        folder: () => moody,
      }
      const store = await memoryStorage({ disk: moody, clock }).open('p')
      store.apply(logIndex(1), [write(1)])
      await store.checkpoint()
      store.apply(logIndex(2), [write(2)])
      failing = true
      await expect(store.checkpoint()).rejects.toThrow('disk full')
      expect(store.durableVersion()).toBe(1)
      expect((await memoryStorage({ disk, clock }).open('p')).count(relationId(16))).toBe(1)
      failing = false
      store.apply(logIndex(3), [write(3)])
      expect(await store.checkpoint()).toBe(3)
      expect((await memoryStorage({ disk, clock }).open('p')).count(relationId(16))).toBe(3)
    })
  }

  test('a checkpoint whose old files could not be removed counts, and so does the next one', async () => {
    const disk = new MemoryDisk()
    let failing = false
    const folder = disk.folder('p')
    const moody: Disk = {
      list: () => folder.list(),
      read: (path) => folder.read(path),
      open: (path) => folder.open(path),
      replace: (path, content) => folder.replace(path, content),
      rename: (path, to) => folder.rename(path, to),
      remove: async (path) => {
        if (failing && path.startsWith('delta')) throw new Error('disk gone')
        await folder.remove(path)
      },
      folder: () => moody,
    }
    const store = await memoryStorage({ disk: moody, clock }).open('p')
    // So many deltas that everything is written anew in the end.
    for (let version = 1; version <= 9; version++) {
      store.apply(logIndex(version), [write(version)])
      await store.checkpoint()
    }
    failing = true
    store.apply(logIndex(10), [write(10)])
    await store.checkpoint()
    expect(store.durableVersion()).toBe(10)
    failing = false
    store.apply(logIndex(11), [write(11)])
    expect(await store.checkpoint()).toBe(11)
    expect((await memoryStorage({ disk, clock }).open('p')).count(relationId(16))).toBe(11)
  })

  test('every flipped bit of a checkpoint is noticed', async () => {
    const disk = new MemoryDisk()
    const store = await memoryStorage({ disk, clock }).open('p')
    store.apply(logIndex(1), [write(1), write(2)])
    await store.checkpoint()
    for (const path of await disk.list()) {
      const whole = (await disk.read(path)) ?? new Uint8Array()
      for (let at = 0; at < whole.length; at++) {
        const flipped = whole.slice()
        flipped[at] = (flipped[at] as number) ^ 4
        await disk.replace(path, flipped)
        await expect(memoryStorage({ disk, clock }).open('p')).rejects.toMatchObject({ code: 'DISK_DAMAGED' })
      }
      await disk.replace(path, whole)
    }
    expect((await memoryStorage({ disk, clock }).open('p')).count(relationId(16))).toBe(2)
  })
})

describe('values', () => {
  test('come back exactly as they were, also those that CBOR does not tell apart', async () => {
    const row = [-0, 0, Number.NaN, '\ud800x', '', 5n, 2n ** 70n, new Uint8Array([1, 2]), null, true, 2 ** 53]
    const disk = new MemoryDisk()
    const engine = memoryStorage({ disk, clock })
    const store = await engine.open('p')
    store.apply(logIndex(1), [{ relation: relationId(16), key: '\x00\xff', row }])
    await store.checkpoint()
    const again = await engine.open('p')
    expect(again.get(relationId(16), '\x00\xff', logIndex(1))).toEqual(row)
    const copy = await engine.import('q', logIndex(1), again.export(logIndex(1)))
    expect(copy.get(relationId(16), '\x00\xff', logIndex(1))).toEqual(row)
  })
})

describe('scans', () => {
  test('that are read after their version was trimmed fail, and show no rows', async () => {
    const store = await memoryStorage({ disk: new MemoryDisk(), clock }).open('p')
    const rows = (value: string) => [{ relation: relationId(16), key: 'k', row: [value] }]
    store.apply(logIndex(1), rows('old'))
    store.apply(logIndex(2), rows('new'))
    const scan = store.scan({ relation: relationId(16), range: {}, version: logIndex(1) })
    store.trim(logIndex(2))
    expect(() => [...scan]).toThrow(expect.objectContaining({ code: 'STORAGE_VERSION_GONE' }))
  })
})
