import { ClusterError, type Disk, type DiskErrorDetail } from '@cluster/core'
import { MemoryDisk } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { temporaryFiles } from '../../src/index.ts'
import { failure } from '../engine/support.ts'

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i & 255)

/** A disk on which appending, or opening, fails in this way. */
function brokenDisk(code: 'DISK_FULL' | 'DISK_FAILED', at: 'open' | 'append'): Disk {
  const disk = new MemoryDisk()
  const broken = () =>
    new ClusterError<DiskErrorDetail>({ code, outcome: 'unknown', path: 'rows-1' }, 'it is broken')
  return Object.assign(Object.create(disk) as Disk, {
    list: () => disk.list(),
    remove: (path: string) => disk.remove(path),
    async open(path: string) {
      if (at === 'open') throw broken()
      return Object.assign(await disk.open(path), {
        append: async () => {
          throw broken()
        },
      })
    },
  })
}

describe('temporary files', () => {
  test('hold what was written, and are gone when they are removed', async () => {
    const disk = new MemoryDisk()
    const files = temporaryFiles(disk)
    const [one, other] = [await files.create(), await files.create()]
    expect([await one.append(bytes(10)), await other.append(bytes(5)), await one.append(bytes(7))]).toEqual([
      0, 0, 10,
    ])
    expect(await one.read(10, 7)).toEqual(bytes(7))
    expect(files.bytes).toBe(22)
    expect(await disk.list()).toHaveLength(2)
    await one.remove()
    await one.remove()
    expect(files.bytes).toBe(5)
    await other.remove()
    expect([files.bytes, await disk.list()]).toEqual([0, []])
  })

  test('are emptied of what another process left', async () => {
    const disk = new MemoryDisk()
    await (await temporaryFiles(disk).create()).append(bytes(9))
    const files = temporaryFiles(disk)
    await files.empty()
    expect(await disk.list()).toEqual([])
  })

  test('take no more than they may, all together', async () => {
    const files = temporaryFiles(new MemoryDisk(), { bytesMax: 20 })
    const [one, other] = [await files.create(), await files.create()]
    await one.append(bytes(12))
    expect(await failure(other.append(bytes(9)))).toMatchObject({ sqlstate: '53400' })
    await one.remove()
    expect(await other.append(bytes(9))).toBe(0)
  })

  test.each([
    ['DISK_FULL', 'append', '53100'],
    ['DISK_FULL', 'open', '53100'],
    ['DISK_FAILED', 'append', '58030'],
  ] as const)('say %s at %s as %s', async (code, at, sqlstate) => {
    const files = temporaryFiles(brokenDisk(code, at))
    const write = async () => (await files.create()).append(bytes(3))
    expect(await failure(write())).toMatchObject({ sqlstate })
  })

  test('say so when a file is shorter than it was', async () => {
    const disk = new MemoryDisk()
    const file = await temporaryFiles(disk).create()
    await file.append(bytes(10))
    await (await disk.open('rows-1')).truncate(4)
    expect(await failure(file.read(0, 10))).toMatchObject({ sqlstate: '58030' })
  })
})
