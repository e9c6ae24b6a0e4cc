import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
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

/**
 * LMDB hands out one buffer of its own again and again, and a copy of each value would keep the garbage collector busy:
 * so values go into a few places that are used in turn. What is read stays valid until so many more were read.
 */
class Places {
  readonly #places: Uint8Array[]
  #next = 0

  constructor(count: number) {
    this.#places = Array.from({ length: count }, () => new Uint8Array(8192))
  }

  keep(volatile: Uint8Array): Uint8Array {
    const { length } = volatile
    const at = this.#next
    this.#next = (at + 1) % this.#places.length
    let place = this.#places[at] as Uint8Array
    if (place.length < length || place.length > PLACE_BYTES_MAX) {
      place = new Uint8Array(Math.max(length, 8192))
      this.#places[at] = place
    }
    // The buffer's own length is set to that of the value, which typed arrays do not know.
    place.set(new Uint8Array(volatile.buffer, volatile.byteOffset, length))
    return place.subarray(0, length)
  }
}

/** A place that had to grow past this for one value is not kept. */
const PLACE_BYTES_MAX = 1 << 20

/** Values pass as they are; what is read is LMDB's own buffer, valid until the next read. */
const valueEncoder = {
  encode: (value: Uint8Array): Uint8Array => value,
  decode: (volatile: Uint8Array): Uint8Array => volatile,
}

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
}

/** One ordered table of an environment. Writes belong inside a step. */
export class Table {
  readonly #db: Database<Uint8Array, string>
  readonly #path: string
  readonly #places: Places

  /** @param inUse values that a reader looks at together */
  constructor(db: Database<Uint8Array, string>, path: string, inUse: number) {
    this.#db = db
    this.#path = path
    this.#places = new Places(inUse)
  }

  /** The value, valid until a few more were read. */
  get(key: string): Uint8Array | null {
    return this.#read(() => {
      const value = this.#db.getBinaryFast(key)
      return value === undefined ? null : this.#places.keep(value)
    })
  }

  put(key: string, value: Uint8Array): void {
    void this.#db.put(key, value)
  }

  remove(key: string): void {
    void this.#db.remove(key)
  }

  /** The entry with the greatest key from `low` (included) up to `high`; its value is valid until a few more were read. */
  last(low: string, high: string, exclusive = false): Entry | null {
    const range = {
      start: high,
      end: low,
      exclusiveStart: exclusive,
      inclusiveEnd: true,
      reverse: true,
      limit: 1,
    }
    return this.#read(() => {
      for (const { key, value } of this.#db.getRange(range)) return { key, value: this.#places.keep(value) }
      return null
    })
  }

  /** Up to `limit` entries from `start` (included) upwards. */
  some(start: string, limit: number): readonly Entry[] {
    return this.#read(() =>
      Array.from(this.#db.getRange({ start, limit }), ({ key, value }) => ({
        key,
        value: new Uint8Array(value.buffer, value.byteOffset, value.length).slice(),
      })),
    )
  }

  empty(): boolean {
    return this.some('', 1).length === 0
  }

  /** Removes all entries. */
  clear(): void {
    // Inside of a step this is done at once; the promise is for calls outside.
    void this.#db.clearAsync()
  }

  /** What LMDB says when its pages do not hold together, in the project's words. */
  #read<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw diskErrorOf(error, this.#path)
    }
  }
}

const TABLES = ['meta', 'rows', 'history', 'journal'] as const

/** A scan looks at one block and the next; a checkpoint at a block and its neighbour. */
const VALUES_IN_USE = 4

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
    // Sharing no cache is what LMDB's layer does without being told; its types want to know at least one option.
    const options = { cache: false, encoder: valueEncoder, keyEncoder }
    const table = (name: string): Table =>
      new Table(root.openDB<Uint8Array, string>(name, options), path, VALUES_IN_USE)
    // All of them in one commit.
    const tables = root.transactionSync(() => TABLES.map(table))
    ;[this.meta, this.rows, this.history, this.journal] = tables as [Table, Table, Table, Table]
  }

  /** Opens the environment in the folder, or makes one. @throws DISK_DAMAGED, DISK_FULL, DISK_DENIED, DISK_FAILED */
  static open(folder: string, { mapBytes }: EnvironmentOptions): Environment {
    const path = join(folder, DATA_FILE)
    let root: RootDatabase<Uint8Array, string> | null = null
    try {
      if (existsSync(path)) checkHeads(path)
      root = open<Uint8Array, string>({
        path: folder,
        noSubdir: false,
        encoder: valueEncoder,
        keyEncoder,
        maxDbs: TABLES.length,
        mapSize: mapBytes,
        // A step is on the disk when it resolves, by LMDB's own rules and no others.
        overlappingSync: false,
        // With batches per turn LMDB's layer keeps a promise that nobody can await; a failed commit would end the process.
        eventTurnBatching: false,
        remapChunks: false,
        noMemInit: false,
      })
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
      throw diskErrorOf(await causeOf(error), this.path)
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

/** A commit that failed rejects with an error that carries a promise of the reason. */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: PromiseLike<unknown> }
  if (commitError === undefined) return error
  try {
    await commitError
    return error
  } catch (cause) {
    return cause
  }
}

/** A head of LMDB: numbers of four bytes in the order of this machine, and where they stand. */
const HEAD_WORDS = 40
const MARK_AT = 6
const LAYOUT_AT = 7
const PAGE_SIZE_AT = 12
const LAST_PAGE_AT = 36
const MARK = 0xbeefc0de
const PAGE_BYTES_MIN = 512
const PAGE_BYTES_MAX = 65_536

/**
 * LMDB believes its two heads, and a damaged one can end the process: so they are compared with each other, and with
 * the size of the file, before it sees them. A file that was cut short is found by this, too.
 * @throws DISK_DAMAGED
 */
function checkHeads(path: string): void {
  const file = openSync(path, 'r')
  try {
    const headAt = (position: number): Uint32Array | null => {
      const head = new Uint32Array(HEAD_WORDS)
      const whole = readSync(file, head, 0, head.byteLength, position) === head.byteLength
      return whole && head[MARK_AT] === MARK ? head : null
    }
    const first = headAt(0)
    const pageBytes = first?.[PAGE_SIZE_AT] ?? 0
    const plausible =
      pageBytes >= PAGE_BYTES_MIN && pageBytes <= PAGE_BYTES_MAX && (pageBytes & (pageBytes - 1)) === 0
    const second = plausible ? headAt(pageBytes) : null
    if (first === null || second === null) throw damagedAt(path, 'a head of it is not one')
    for (const at of [LAYOUT_AT, PAGE_SIZE_AT])
      if (first[at] !== second[at]) throw damagedAt(path, 'its two heads contradict each other')
    const { size } = fstatSync(file)
    for (const head of [first, second]) {
      const pages = lastPage(head) + 1
      if (pages * pageBytes > size)
        throw damagedAt(path, `it has ${size} bytes, but a head of it counts ${pages} pages of ${pageBytes}`)
    }
  } finally {
    closeSync(file)
  }
}

/** A number of eight bytes in the order of this machine. */
const lastPage = (head: Uint32Array): number =>
  Number(new BigUint64Array(head.buffer, LAST_PAGE_AT * 4, 1)[0])
