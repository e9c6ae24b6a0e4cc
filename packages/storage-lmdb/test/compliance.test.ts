import { cpSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '@cluster/core'
import { type StorageFixture, storageSuite } from '@cluster/testkit'
import { afterAll, describe, expect, test } from '@jest/globals'
import { lmdbStorage } from '../src/index.ts'

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
  const folder = await mkdtemp(join(tmpdir(), 'cluster-lmdb-'))
  folders.push(folder)
  return folder
}

const onFolder = (folder: string): StorageFixture => ({
  engine: lmdbStorage({ folder })({ clock }),
  // What a process leaves behind that is killed now, in another place, since this one goes on.
  restart: async () => {
    const copy = await freshFolder()
    copyFolder(folder, copy)
    return onFolder(copy)
  },
  damaged: async (part) => {
    const copy = await freshFolder()
    copyFolder(folder, copy)
    const path = join(copy, 'db/1/data.mdb')
    const bytes = await readFile(path)
    const at = Math.floor(part * bytes.length)
    bytes[at] = (bytes[at] as number) ^ 8
    await writeFile(path, bytes)
    return onFolder(copy)
  },
})

storageSuite({ describe, test, expect }, async () => onFolder(await freshFolder()))
