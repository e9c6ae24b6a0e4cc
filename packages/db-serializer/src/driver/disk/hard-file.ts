import { crc32c, type Disk, type DiskFile, type NodeId } from '@cluster/core'
import type { HardState } from '../../machine/raft/types.ts'
import { damaged, decodeBlock, encodeBlock, readCopies, unreadable } from './block.ts'
import { syncFile } from './sync-file.ts'

/** What the copies hold. */
export interface HardRecord {
  /** Counts the writes. */
  readonly sequence: number
  /** Null while the folder is being cleared: whatever else is in it is to be removed. */
  readonly state: HardState | null
  /** The log was durable at least to here when it was written. */
  readonly durableIndex: number
  /** The newest configuration in the log when it was written: who may have what a damaged log loses. */
  readonly group?: { readonly index: number; readonly voters: readonly NodeId[] }
}

const PATH = 'hard'
const KIND = { magic: 0x44524843, version: 2 }
/** Version 1: two files, each replaced at every write. */
const BEFORE = { paths: ['hard-a', 'hard-b'], kind: { magic: 0x44524843, version: 1 } }
const WHAT = 'term, vote and lineage'

const PAGE_BYTES = 4096
/** Two places, written in turn, with two copies of a record each. */
const SLOTS = 2
const COPIES = 2
const NOTHING = new Uint8Array(0)

/** A mark: CRC-32C of the rest (u32), unused (u32), sequence of the record it adds to (f64), durable index (f64). */
const MARK_BYTES = 24
const MARKS = 2
/** Sectors are written whole or not at all; so far apart no torn one takes both marks. */
const MARK_APART_BYTES = 2048

export const isHardFile = (path: string): boolean => path === PATH || BEFORE.paths.includes(path)

interface Read {
  readonly record: HardRecord
  readonly slotBytes: number
  readonly noted: number
  readonly nextMark: number
}

/**
 * Term, vote and lineage, apart from the log, written in place with one sync a change.
 *
 * The file is four equal parts and a page for the marks. Record n goes into the parts n mod 2 and n mod 2 + 2. A write
 * that a crash tears spoils its own two parts at most, and the record before it, which still holds then, is in the
 * other two. Damage to either copy of the newest record leaves the other copy.
 *
 * A mark says how far the log was durable. It is written without a sync, so it costs next to nothing: a killed
 * process leaves it behind, and a power loss may take it, but never makes it say too much. It adds to one record
 * only, so that a record which takes a note back takes the marks back with it.
 */
export class HardFile {
  readonly #disk: Disk
  #file: DiskFile | null = null
  #record: HardRecord | null
  #slotBytes: number
  #noted: number
  #nextMark: number
  #loose = false

  private constructor(disk: Disk, read: Read | null) {
    this.#disk = disk
    this.#record = read?.record ?? null
    this.#slotBytes = read?.slotBytes ?? 0
    this.#noted = read?.noted ?? 0
    this.#nextMark = read?.nextMark ?? 0
  }

  /**
   * Reads the newest record. What is damaged is written anew, and files of version 1 are taken over.
   * @throws LOG_DAMAGED when there is a file and no copy in it can be read, DISK_FORMAT
   */
  static async open(disk: Disk): Promise<HardFile> {
    const bytes = await disk.read(PATH)
    if (bytes === null) {
      const record = await readCopies<HardRecord>(disk, BEFORE.kind, BEFORE.paths, WHAT)
      const file = new HardFile(disk, null)
      if (record !== null) await file.#replace(record)
      await removeBefore(disk)
      return file
    }
    // A crash may have come before the files that were taken over were removed.
    await removeBefore(disk)
    const { read, intact } = parse(bytes)
    const file = new HardFile(disk, read)
    if (intact) await syncFile(disk, PATH)
    else await file.#replace({ ...read.record, durableIndex: read.noted })
    return file
  }

  /** Null when nothing was ever written. */
  get record(): HardRecord | null {
    return this.#record
  }

  /** The log was durable at least to here, by the newest record or a mark. */
  get noted(): number {
    return this.#noted
  }

  /** Durable when it resolves. */
  async write(change: Omit<HardRecord, 'sequence'>): Promise<void> {
    const record: HardRecord = { ...change, sequence: (this.#record?.sequence ?? 0) + 1 }
    const bytes = encodeBlock(KIND, record, NOTHING)
    if (bytes.length > this.#slotBytes) {
      await this.#replace(record)
      return
    }
    const file = await this.#open()
    for (let copy = 0; copy < COPIES; copy++) await file.write(place(record, copy, this.#slotBytes), bytes)
    await file.sync()
    this.#adopt(record)
  }

  /** Notes that the log is durable up to here. Not durable itself before `settle`, or some later write. */
  async mark(durableIndex: number): Promise<void> {
    if (this.#record === null || durableIndex <= this.#noted) return
    const bytes = new Uint8Array(MARK_BYTES)
    const view = new DataView(bytes.buffer)
    view.setFloat64(8, this.#record.sequence, true)
    view.setFloat64(16, durableIndex, true)
    view.setUint32(0, crc32c(bytes.subarray(4)), true)
    const file = await this.#open()
    await file.write(markAt(this.#nextMark, this.#slotBytes), bytes)
    this.#nextMark = (this.#nextMark + 1) % MARKS
    this.#noted = durableIndex
    this.#loose = true
  }

  /** Makes the newest mark durable. */
  async settle(): Promise<void> {
    if (!this.#loose) return
    await this.#file?.sync()
    this.#loose = false
  }

  async remove(): Promise<void> {
    await this.close()
    await this.#disk.remove(PATH)
    this.#record = null
    this.#slotBytes = 0
    this.#noted = 0
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = null
    this.#loose = false
  }

  async #open(): Promise<DiskFile> {
    this.#file ??= await this.#disk.open(PATH)
    return this.#file
  }

  /** Writes the whole file anew, with room for the record. */
  async #replace(record: HardRecord): Promise<void> {
    const bytes = encodeBlock(KIND, record, NOTHING)
    let slotBytes = PAGE_BYTES
    while (slotBytes < bytes.length) slotBytes *= 2
    const whole = new Uint8Array(SLOTS * COPIES * slotBytes + PAGE_BYTES)
    for (let copy = 0; copy < COPIES; copy++) whole.set(bytes, place(record, copy, slotBytes))
    // An open file would be the one that is replaced.
    await this.close()
    await this.#disk.replace(PATH, whole)
    this.#slotBytes = slotBytes
    this.#adopt(record)
  }

  #adopt(record: HardRecord): void {
    this.#record = record
    this.#noted = record.durableIndex
    this.#loose = false
  }
}

function place({ sequence }: HardRecord, copy: number, slotBytes: number): number {
  return ((sequence % SLOTS) + copy * SLOTS) * slotBytes
}

const markAt = (mark: number, slotBytes: number): number =>
  SLOTS * COPIES * slotBytes + mark * MARK_APART_BYTES

function parse(bytes: Uint8Array): { readonly read: Read; readonly intact: boolean } {
  let newest: HardRecord | null = null
  let places: number[] = []
  // Parts begin at pages, however long they are: so much is certain even if the file's length is not.
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    const block = decodeBlock(PATH, KIND, bytes.subarray(at))
    if (block === null) continue
    const record = block.meta as HardRecord
    if (newest !== null && record.sequence < newest.sequence) continue
    places = record.sequence === newest?.sequence ? [...places, at] : [at]
    newest = record
  }
  if (newest === null) throw unreadable(PATH, WHAT)
  const record = newest
  const slotBytes = (bytes.length - PAGE_BYTES) / (SLOTS * COPIES)
  const whole = Number.isInteger(slotBytes) && slotBytes >= PAGE_BYTES
  const copies = [0, 1].map((copy) => place(record, copy, slotBytes))
  // The file keeps its length, so another one means that it was cut, and the newest record may be what is missing.
  if (!whole || !places.every((at) => copies.includes(at)))
    throw damaged(PATH, bytes.length, `the file with ${WHAT} was cut; put it back from a copy`)
  const marks = [0, 1].map((mark) => readMark(bytes, markAt(mark, slotBytes), record))
  const [first = 0, second = 0] = marks
  const read = {
    record,
    slotBytes,
    noted: Math.max(record.durableIndex, first, second),
    nextMark: first <= second ? 0 : 1,
  }
  return { read, intact: places.length === COPIES }
}

/** The durable index of a mark; 0 when it is damaged, torn, or of another record. */
function readMark(bytes: Uint8Array, at: number, { sequence }: HardRecord): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, MARK_BYTES)
  const holds = crc32c(bytes.subarray(at + 4, at + MARK_BYTES)) === view.getUint32(0, true)
  return holds && view.getFloat64(8, true) === sequence ? view.getFloat64(16, true) : 0
}

async function removeBefore(disk: Disk): Promise<void> {
  for (const path of BEFORE.paths) await disk.remove(path)
}
