import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { damagedAt, diskErrorOf } from './lmdb-errors.ts'

/** The file that LMDB makes in its folder. */
export const DATA_FILE = 'data.mdb'

/** Keys are binary strings, whose order by `<` is that of their bytes. */
const keyEncoder = {
  writeKey(key: string, target: Uint8Array, start: number): number {
    const end = start + key.length
    // Typed arrays drop what lies outside, so the caller's check of the length sees a key that is too long.
    for (let at = start, i = 0; at < end; at++, i++) target[at] = key.charCodeAt(i)
    return end
  },
  readKey: (source: Buffer, start: number, end: number): string => source.toString('latin1', start, end),
}

/** Buffers share memory where typed arrays copy (`slice`), so nobody above gets to see one. */
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
}

/** One ordered table of an environment. Writes belong inside a step. */
export class Table {
  readonly #db: Database<Uint8Array, string>

  constructor(db: Database<Uint8Array, string>) {
    this.#db = db
  }

  /** A copy of the value. */
  get(key: string): Uint8Array | null {
    const value = this.#db.getBinary(key)
    return value === undefined ? null : plain(value)
  }

  put(key: string, value: Uint8Array): void {
    void this.#db.put(key, value)
  }

  remove(key: string): void {
    void this.#db.remove(key)
  }

  /** The entry with the greatest key from `low` (included) up to `high`. */
  last(low: string, high: string, exclusive = false): Entry | null {
    const range = {
      start: high,
      end: low,
      exclusiveStart: exclusive,
      inclusiveEnd: true,
      reverse: true,
      limit: 1,
    }
    for (const { key, value } of this.#db.getRange(range)) return { key, value: plain(value) }
    return null
  }

  /** Up to `limit` entries from `start` (included) upwards. */
  some(start: string, limit: number): readonly Entry[] {
    return Array.from(this.#db.getRange({ start, limit }), ({ key, value }) => ({ key, value: plain(value) }))
  }

  empty(): boolean {
    for (const _ of this.#db.getKeys({ start: '', limit: 1 })) return false
    return true
  }

  /** Removes all entries. */
  clear(): void {
    // Inside of a step this is done at once; the promise is for calls outside.
    void this.#db.clearAsync()
  }
}

export interface EnvironmentOptions {
  /** Address space to begin with; it grows by itself. */
  readonly mapBytes: number
}

/**
 * LMDB's file of one partition, with its tables. Every step is a transaction: whole and synced to the disk, or
 * absent. Each commit waits for the disk (LMDB's own order: pages, sync, then the head that names them).
 */
export class Environment {
  /** Blocks of the newest rows, by relation and first key. */
  readonly rows: Table
  /** Older versions of rows. */
  readonly history: Table
  /** Keys that an unfinished checkpoint has changed. */
  readonly journal: Table
  /** What the store says of itself. */
  readonly meta: Table
  readonly path: string
  readonly #root: RootDatabase<Uint8Array, string>

  private constructor(root: RootDatabase<Uint8Array, string>, path: string) {
    this.#root = root
    this.path = path
    const table = (name: string): Table => {
      const options = { encoding: 'binary', keyEncoder } as const
      return new Table(root.openDB<Uint8Array, string>(name, options))
    }
    this.meta = table('meta')
    this.rows = table('rows')
    this.history = table('history')
    this.journal = table('journal')
  }

  /** Opens the environment in the folder, or makes one. @throws DISK_DAMAGED, DISK_FULL, DISK_DENIED, DISK_FAILED */
  static open(folder: string, { mapBytes }: EnvironmentOptions): Environment {
    const path = join(folder, DATA_FILE)
    let root: RootDatabase<Uint8Array, string> | null = null
    try {
      root = open<Uint8Array, string>({
        path: folder,
        noSubdir: false,
        encoding: 'binary',
        keyEncoder,
        maxDbs: 4,
        mapSize: mapBytes,
        // A step is on the disk when it resolves, by LMDB's own rules and no others.
        overlappingSync: false,
        remapChunks: false,
        noMemInit: false,
      })
      checkSize(root, path)
      return new Environment(root, path)
    } catch (error) {
      void root?.close()
      throw diskErrorOf(error, path)
    }
  }

  /**
   * Runs `work` in a transaction of its own, committed off the main thread. When `work` throws, or the commit fails,
   * nothing of it happened.
   */
  async step<T>(work: () => T): Promise<T> {
    try {
      const result = await this.#root.childTransaction(work)
      this.#see()
      return result
    } catch (error) {
      throw diskErrorOf(error, this.path)
    }
  }

  /** The same, done when it returns. It waits for a step that is being committed. */
  stepNow<T>(work: () => T): T {
    try {
      const result = this.#root.transactionSync(work)
      this.#see()
      return result
    } catch (error) {
      throw diskErrorOf(error, this.path)
    }
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#root.close()
  }

  /** Reads of one turn share a snapshot; what was just committed must be seen by the next one. */
  #see(): void {
    this.#root.resetReadTxn()
  }
}

/** A file that was cut short would end the process when a page behind its end is touched. */
function checkSize(root: RootDatabase<Uint8Array, string>, path: string): void {
  const { pageSize, lastPageNumber } = root.getStats() as { pageSize: number; lastPageNumber: number }
  const bytes = statSync(path).size
  if (bytes < (lastPageNumber + 1) * pageSize)
    throw damagedAt(path, `it has ${bytes} bytes, but its pages need ${(lastPageNumber + 1) * pageSize}`)
}
