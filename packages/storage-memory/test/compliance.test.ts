import { type Clock, type Disk, logIndex, relationId } from '@cluster/core'
import { MemoryDisk, type StorageFixture, storageSuite } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { memoryStorage } from '../src/index.ts'

/** Time stands still, but turns pass. */
const clock: Clock = { now: () => 0, wall: () => 0, after: () => () => {}, turn: () => Promise.resolve() }

const onDisk = (disk: Disk): StorageFixture => ({
  engine: memoryStorage({ disk, clock }),
  restart: async () => onDisk(disk),
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
