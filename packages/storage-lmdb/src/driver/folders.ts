import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { assert } from '@cluster/core'
import { DATA_FILE } from './environment.ts'
import { diskErrorOf } from './lmdb-errors.ts'

/** The folder of a copy that is not complete. */
const INCOMING = '.incoming'

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/

/** The folders of all partitions, by name, below one folder. */
export class Folders {
  readonly #root: string

  constructor(root: string) {
    this.#root = resolve(root)
  }

  /** Where the partition's files are. */
  of(name: string): string {
    const segments = name.split('/')
    const plain = segments.every((segment) => SEGMENT.test(segment) && !segment.endsWith(INCOMING))
    assert(plain, `"${name}" is made of words of letters, digits, dots and dashes`)
    return join(this.#root, ...segments)
  }

  incoming(name: string): string {
    return this.of(name) + INCOMING
  }

  exists(folder: string): boolean {
    return existsSync(join(folder, DATA_FILE))
  }

  /** Makes the folder. Its name is durable once `persist` was called. */
  make(folder: string): void {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
    } catch (error) {
      throw diskErrorOf(error, folder)
    }
  }

  /** Makes the names from that of the root down to the folder's files durable. */
  persist(folder: string): void {
    const above = dirname(this.#root)
    try {
      for (let at = folder; ; at = dirname(at)) {
        syncFolder(at)
        if (at === above || dirname(at) === at) return
      }
    } catch (error) {
      throw diskErrorOf(error, folder)
    }
  }

  async remove(folder: string): Promise<void> {
    try {
      if (!existsSync(folder)) return
      await rm(folder, { recursive: true, force: true })
      this.persist(dirname(folder))
    } catch (error) {
      throw diskErrorOf(error, folder)
    }
  }

  /** Puts a complete copy in its place. */
  async adopt(name: string): Promise<void> {
    const target = this.of(name)
    await this.remove(target)
    try {
      await rename(this.incoming(name), target)
      this.persist(dirname(target))
    } catch (error) {
      throw diskErrorOf(error, target)
    }
  }

  /** Names of the partitions with files, sorted. */
  async list(): Promise<readonly string[]> {
    if (!existsSync(this.#root)) return []
    try {
      const entries = await readdir(this.#root, { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile() && entry.name === DATA_FILE && !entry.parentPath.endsWith(INCOMING))
        .map((entry) => relative(this.#root, entry.parentPath).split(sep).join('/'))
        .sort()
    } catch (error) {
      throw diskErrorOf(error, this.#root)
    }
  }
}

function syncFolder(folder: string): void {
  // Windows has no way to sync a folder; its file systems keep names in their journal.
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
