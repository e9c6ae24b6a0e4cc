import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { openDataFolder } from '../src/driver/data-folder.ts'
import { lockFolder } from '../src/driver/folder-lock.ts'

const base = await mkdtemp(join(tmpdir(), 'cluster-folder-'))
afterAll(() => rm(base, { recursive: true, force: true }))
const identity = async (): Promise<Uint8Array> => new Uint8Array([1, 2, 3])

describe('a data folder', () => {
  test('keeps its identity and counts its starts', async () => {
    const path = join(base, 'one')
    const first = await openDataFolder('shop', path, identity)
    expect(first).toMatchObject({ fresh: true, start: 1, path })
    await first.release()
    const again = await openDataFolder('shop', path, async () => new Uint8Array([9]))
    expect(again).toMatchObject({ fresh: false, start: 2, identity: new Uint8Array([1, 2, 3]) })
    await again.release()
  })

  test('is used by one node at a time', async () => {
    const path = join(base, 'busy')
    const first = await openDataFolder('shop', path, identity)
    await expect(openDataFolder('shop', path, identity)).rejects.toMatchObject({
      code: 'DATA_IN_USE',
      detail: { pid: process.pid },
    })
    await first.release()
    await (await openDataFolder('shop', path, identity)).release()
  })

  test('of another cluster, of a stranger, or unreadable is refused and left alone', async () => {
    const path = join(base, 'other')
    await (await openDataFolder('shop', path, identity)).release()
    await expect(openDataFolder('bank', path, identity)).rejects.toMatchObject({ code: 'DATA_FOREIGN' })

    const photos = join(base, 'photos')
    await mkdir(photos)
    await writeFile(join(photos, 'cat.jpg'), 'meow')
    await expect(openDataFolder('shop', photos, identity)).rejects.toMatchObject({ code: 'DATA_FOREIGN' })
    expect(await readFile(join(photos, 'cat.jpg'), 'utf8')).toBe('meow')

    await writeFile(join(path, 'node.json'), '{"format": 1, "clus')
    await expect(openDataFolder('shop', path, identity)).rejects.toMatchObject({ code: 'DATA_FOREIGN' })
    await writeFile(join(path, 'node.json'), '{"format": 99}')
    await expect(openDataFolder('shop', path, identity)).rejects.toMatchObject({ code: 'DISK_FORMAT' })
  })

  test('that cannot be made says why', async () => {
    await writeFile(join(base, 'a-file'), '')
    await expect(openDataFolder('shop', join(base, 'a-file', 'below'), identity)).rejects.toMatchObject({
      code: 'DISK_DENIED',
    })
  })
})

describe('a folder lock', () => {
  test('left by a process that is gone is taken over', async () => {
    const folder = join(base, 'stale')
    await mkdir(folder)
    for (const left of [
      '{"pid": 4194305, "started": "x"}',
      `{"pid": ${process.pid}, "started": "another boot"}`,
      'garbage',
    ]) {
      await writeFile(join(folder, 'lock'), left)
      const lock = await lockFolder(folder)
      expect(typeof lock).toBe('object')
      if (typeof lock !== 'number') await lock.release()
    }
  })

  test('has nothing to give back when its folder was removed meanwhile', async () => {
    const folder = join(base, 'removed')
    const lock = await lockFolder(folder)
    await rm(folder, { recursive: true })
    expect(typeof lock).toBe('object')
    if (typeof lock !== 'number') await lock.release()
    await expect(readdir(folder)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('goes to exactly one of many', async () => {
    const folder = join(base, 'race')
    await mkdir(folder)
    await writeFile(join(folder, 'lock'), '{"pid": 4194305, "started": null}')
    // Whoever hesitates between seeing that the holder is gone and taking over must not push out another who was faster.
    for (let round = 0; round < 30; round++) {
      const locks = await Promise.all(Array.from({ length: 20 }, () => lockFolder(folder)))
      const taken = locks.filter((lock) => typeof lock !== 'number')
      expect(taken).toHaveLength(1)
      // Left behind as by a process that is gone, or given back.
      if (round % 2 === 0) await taken[0]?.release()
      else
        for (const name of await readdir(folder))
          await writeFile(join(folder, name), '{"pid": 4194305, "started": null}')
    }
  })
})
