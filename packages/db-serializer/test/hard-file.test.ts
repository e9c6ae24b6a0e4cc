import { crc32c, errorCode, nodeId, type Term } from '@cluster/core'
import { MemoryDisk } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { encodeBlock } from '../src/driver/disk/block.ts'
import { HardFile, type HardRecord } from '../src/driver/disk/hard-file.ts'
import type { HardState, Lineage } from '../src/machine/raft/types.ts'
import { Crash, CrashDisk } from './crash-disk.ts'
import { TestRandom } from './raft-cluster.ts'

const history = (lineages: number): Lineage =>
  ({
    cluster: 'c1',
    lineage: 'now',
    ancestry: Array.from({ length: lineages }, (_, i) => ({ lineage: `before ${i}`, index: i, term: i })),
  }) as unknown as Lineage

const hard = (term: number, lineages = 1): HardState => ({
  history: history(lineages),
  term: term as Term,
  votedFor: nodeId('b'),
  alone: false,
  committed: 0 as never,
  founding: false,
})

const change = (term: number, lineages = 1): Omit<HardRecord, 'sequence'> => ({
  state: hard(term, lineages),
  durableIndex: term * 10,
})

const termOf = ({ record }: HardFile): number => record?.state?.term ?? 0

describe('the file of the hard state', () => {
  test('one change costs one sync, in place', async () => {
    const disk = new CrashDisk(new TestRandom(1))
    const file = await HardFile.open(disk)
    await file.write(change(1))
    const size = disk.files.get('hard')?.bytes.length
    const before = disk.syncs
    for (let term = 2; term <= 6; term++) await file.write(change(term))
    expect(disk.syncs - before).toBe(5)
    expect(disk.files.get('hard')?.bytes.length).toBe(size)
    await file.close()
    expect(termOf(await HardFile.open(disk))).toBe(6)
  })

  test('grows with its record, and keeps what it held', async () => {
    const disk = new MemoryDisk()
    const file = await HardFile.open(disk)
    for (const [at, lineages] of [1, 300, 2, 900, 3].entries()) {
      await file.write(change(at + 1, lineages))
      await file.mark(1000 + at)
      const again = await HardFile.open(disk)
      expect(again.record?.state).toEqual(hard(at + 1, lineages))
      expect(again.noted).toBe(1000 + at)
    }
  })

  test('a crash in the middle of a write leaves the record before or the new one, marks with it', async () => {
    let before = 0
    let after = 0
    for (let seed = 1; seed <= 600; seed++) {
      const random = new TestRandom(seed)
      const disk = new CrashDisk(random)
      let file = await HardFile.open(disk)
      let term = 1
      await file.write(change(term))
      let marked = 10
      // The newest durable mark lasts until two more were begun: they take turns in two places.
      let settled = { noted: 10, marks: 0 }
      disk.operationsLeft = 1 + random.below(25)
      let writing = false
      try {
        for (;;) {
          if (random.below(2) === 0) {
            writing = true
            await file.write(change(term + 1))
            writing = false
            term++
            marked = term * 10
            settled = { noted: marked, marks: 0 }
          } else {
            settled.marks++
            await file.mark(++marked)
            if (random.below(3) === 0) {
              await file.settle()
              settled = { noted: marked, marks: 0 }
            }
          }
        }
      } catch (error) {
        if (!(error instanceof Crash)) throw error
      }
      disk.crash()
      file = await HardFile.open(disk)
      const found = termOf(file)
      expect([seed, writing ? [term, term + 1] : [term]]).toEqual([seed, expect.arrayContaining([found])])
      if (found === term) {
        before++
        const least = settled.marks < 2 ? settled.noted : term * 10
        expect([seed, file.noted >= least && file.noted <= marked]).toEqual([seed, true])
      } else {
        after++
        expect(file.noted).toBe(found * 10)
      }
      // What was mended goes on as if nothing had been.
      await file.write(change(found + 1))
      expect(termOf(await HardFile.open(disk))).toBe(found + 1)
    }
    expect(before).toBeGreaterThan(100)
    expect(after).toBeGreaterThan(20)
  })

  test('what a killed process had not synced is durable once it was read', async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const disk = new CrashDisk(new TestRandom(seed))
      const first = await HardFile.open(disk)
      await first.write(change(1))
      // Both copies are written, and the process dies before their sync. Only the power can take them then.
      const writeUnsynced = async (file: HardFile, term: number): Promise<void> => {
        disk.operationsLeft = 3
        await expect(file.write(change(term))).rejects.toBeInstanceOf(Crash)
        disk.operationsLeft = Number.POSITIVE_INFINITY
      }
      await writeUnsynced(first, 2)
      const second = await HardFile.open(disk)
      expect(termOf(second)).toBe(2)
      await writeUnsynced(second, 3)
      disk.crash()
      expect([seed, [2, 3]]).toEqual([seed, expect.arrayContaining([termOf(await HardFile.open(disk))])])
    }
  })

  test('a flipped bit anywhere never brings an older record back, nor a mark that was never made', async () => {
    const disk = new CrashDisk(new TestRandom(1))
    const file = await HardFile.open(disk)
    for (let term = 1; term <= 4; term++) await file.write(change(term))
    await file.mark(77)
    await file.mark(78)
    const good = disk.files.get('hard')?.bytes ?? new Uint8Array()
    const interesting = [0, 4096, 8192, 12_288, 16_384, 18_432].flatMap((from) =>
      Array.from({ length: 300 }, (_, at) => from + at),
    )
    for (const at of interesting) {
      const bytes = good.slice()
      bytes[at] = (bytes[at] as number) ^ (1 << (at % 8))
      disk.files.set('hard', { bytes, durable: bytes.length, overwritten: [] })
      const again = await HardFile.open(disk)
      expect(termOf(again)).toBe(4)
      expect([77, 78]).toContain(again.noted)
    }
  })

  test('a file that was cut is damage, wherever it was cut', async () => {
    const disk = new MemoryDisk()
    const file = await HardFile.open(disk)
    for (let term = 1; term <= 5; term++) await file.write(change(term, term === 3 ? 200 : 1))
    const good = (await disk.read('hard')) ?? new Uint8Array()
    for (let size = 0; size < good.length; size += 512) {
      await disk.replace('hard', good.slice(0, size))
      const error = await HardFile.open(disk).catch((caught: unknown) => caught)
      expect([size, errorCode(error)]).toEqual([size, 'LOG_DAMAGED'])
    }
  })

  test('a record that takes a note back takes the marks back, too', async () => {
    const disk = new MemoryDisk()
    const file = await HardFile.open(disk)
    await file.write(change(1))
    await file.mark(50)
    expect(file.noted).toBe(50)
    await file.write({ state: hard(1), durableIndex: 20 })
    expect((await HardFile.open(disk)).noted).toBe(20)
  })

  test('the two files of version 1 are taken over, one of them damaged too', async () => {
    for (const spoilt of [null, 'hard-a', 'hard-b']) {
      const disk = new MemoryDisk()
      const record: HardRecord = { ...change(7), sequence: 12 }
      const kind = { magic: 0x44524843, version: 1 }
      for (const path of ['hard-a', 'hard-b'])
        await disk.replace(
          path,
          path === spoilt ? new Uint8Array(50) : encodeBlock(kind, record, new Uint8Array()),
        )
      const file = await HardFile.open(disk)
      expect(file.record).toEqual(record)
      expect(await disk.list()).toEqual(['hard'])
    }
  })

  test('a file of a later version is refused', async () => {
    const disk = new MemoryDisk()
    const file = await HardFile.open(disk)
    await file.write(change(1))
    const bytes = (await disk.read('hard')) ?? new Uint8Array()
    const view = new DataView(bytes.buffer)
    for (const at of [4096, 12_288]) {
      const end = at + 24 + view.getUint32(at + 8, true)
      view.setUint16(at + 4, 3, true)
      const checksum = crc32c(bytes.subarray(at + 24, end), crc32c(bytes.subarray(at, at + 20)))
      view.setUint32(at + 20, checksum, true)
    }
    await disk.replace('hard', bytes)
    await expect(HardFile.open(disk)).rejects.toMatchObject({ code: 'DISK_FORMAT', detail: { found: 3 } })
  })
})
