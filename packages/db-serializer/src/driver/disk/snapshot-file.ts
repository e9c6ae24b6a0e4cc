import { assert, crc32c, type Disk, type DiskFile } from '@cluster/core'
import type { SnapshotMeta } from '../../machine/raft/types.ts'
import { damaged, decodeBlock, encodeBlock } from './block.ts'

const KIND = { magic: 0x50534e43, version: 2 }
const NAME = /^snapshot-(\d+)$/
const NEW_NAME = /^incoming-\d+$/
/** No piece of a snapshot is longer. */
export const PIECE_BYTES_MAX = 1024 * 1024
/** Written without a sync at most: what is synced at once delays the log's own syncs. */
const UNSYNCED_BYTES_MAX = 2 * 1024 * 1024
const HEAD_READ_BYTES = 64 * 1024
/** Before each piece: its length and its CRC-32C (u32 each). */
const PIECE_HEAD_BYTES = 8
/** In the place of a length, behind the last piece. */
const END = 0xffff_ffff
/** Behind it: bytes and pieces (f64 each), checksum (u32); the CRC before it covers these. */
const END_BYTES = 20
const NOTHING = new Uint8Array(0)

export const snapshotPath = (index: number): string => `snapshot-${String(index).padStart(16, '0')}`
/** A snapshot that is being written, or received, and not part of the log yet. */
export const newSnapshotPath = (number: number): string => `incoming-${number}`
export const isNewSnapshot = (path: string): boolean => NEW_NAME.test(path)

/** Indexes of the snapshots in the folder, oldest first. */
export function snapshotsIn(paths: readonly string[]): number[] {
  const indexes: number[] = []
  for (const path of paths) {
    const found = NAME.exec(path)
    if (found !== null) indexes.push(Number(found[1]))
  }
  return indexes.sort((a, b) => a - b)
}

/** What a whole snapshot amounts to: two with the same numbers, of the same moment, have the same pieces. */
export interface SnapshotSummary {
  /** Of all pieces together. */
  readonly bytes: number
  readonly pieces: number
  /** CRC-32C over the CRC-32C of each piece. */
  readonly checksum: number
}

/** Adds up a summary, piece by piece. */
export class Tally {
  #bytes = 0
  #pieces = 0
  #checksum = 0
  readonly #word = new Uint8Array(4)
  readonly #view = new DataView(this.#word.buffer)

  /** @param checksum CRC-32C of the piece */
  add(length: number, checksum: number): void {
    this.#view.setUint32(0, checksum, true)
    this.#checksum = crc32c(this.#word, this.#checksum)
    this.#bytes += length
    this.#pieces++
  }

  get summary(): SnapshotSummary {
    return { bytes: this.#bytes, pieces: this.#pieces, checksum: this.#checksum }
  }
}

/** Writes a snapshot piece by piece, in a file of its own that is not part of the log before it is given its name. */
export class SnapshotWriter {
  readonly path: string
  readonly #disk: Disk
  readonly #file: DiskFile
  readonly #tally = new Tally()
  #unsynced = 0

  private constructor(disk: Disk, path: string, file: DiskFile) {
    this.#disk = disk
    this.path = path
    this.#file = file
  }

  static async create(disk: Disk, path: string, meta: SnapshotMeta): Promise<SnapshotWriter> {
    const file = await disk.open(path)
    if (file.size() > 0) await file.truncate(0)
    await file.append([encodeBlock(KIND, meta, NOTHING)])
    return new SnapshotWriter(disk, path, file)
  }

  /** What was written so far. */
  get summary(): SnapshotSummary {
    return this.#tally.summary
  }

  async add(piece: Uint8Array, checksum = crc32c(piece)): Promise<void> {
    assert(piece.length <= PIECE_BYTES_MAX, 'a piece of a snapshot is too long')
    const head = new Uint8Array(PIECE_HEAD_BYTES)
    const view = new DataView(head.buffer)
    view.setUint32(0, piece.length, true)
    view.setUint32(4, checksum, true)
    await this.#file.append([head, piece])
    this.#tally.add(piece.length, checksum)
    this.#unsynced += piece.length
    if (this.#unsynced < UNSYNCED_BYTES_MAX) return
    await this.#file.sync()
    this.#unsynced = 0
  }

  /** All pieces are there, and durable once this resolves. */
  async finish(): Promise<SnapshotSummary> {
    const { bytes, pieces, checksum } = this.#tally.summary
    const end = new Uint8Array(PIECE_HEAD_BYTES + END_BYTES)
    const view = new DataView(end.buffer)
    view.setUint32(0, END, true)
    view.setFloat64(8, bytes, true)
    view.setFloat64(16, pieces, true)
    view.setUint32(24, checksum, true)
    view.setUint32(4, crc32c(end.subarray(PIECE_HEAD_BYTES)), true)
    await this.#file.append([end])
    await this.#file.sync()
    await this.#file.close()
    return { bytes, pieces, checksum }
  }

  /** Nobody wants it any more. */
  async discard(): Promise<void> {
    await this.#file.close()
    await this.#disk.remove(this.path)
  }
}

/** Reads a snapshot piece by piece, and checks each. */
export class SnapshotReader {
  readonly meta: SnapshotMeta
  readonly #path: string
  readonly #file: DiskFile
  readonly #start: number

  private constructor(path: string, file: DiskFile, meta: SnapshotMeta, start: number) {
    this.#path = path
    this.#file = file
    this.meta = meta
    this.#start = start
  }

  /** @throws LOG_DAMAGED, DISK_FORMAT */
  static async open(disk: Disk, index: number): Promise<SnapshotReader> {
    const path = snapshotPath(index)
    const file = await disk.open(path)
    try {
      const head = await file.read(0, HEAD_READ_BYTES)
      // Its head is a block; that of a group with a thousand members is longer than what was read.
      const block = decodeBlock(path, KIND, head) ?? decodeBlock(path, KIND, await file.read(0, file.size()))
      if (block === null) throw damaged(path, 0, 'the head of the snapshot does not hold')
      const meta = block.meta as SnapshotMeta
      if (meta.index !== index) throw damaged(path, 0, `it holds the snapshot of index ${meta.index}`)
      return new SnapshotReader(path, file, meta, block.length)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /**
   * The pieces, but for the first `from`.
   * @returns in the end, what all of them amount to
   * @throws LOG_DAMAGED
   */
  async *pieces(from = 0): AsyncGenerator<Uint8Array, SnapshotSummary> {
    const tally = new Tally()
    let at = this.#start
    let head = await this.#file.read(at, PIECE_HEAD_BYTES + END_BYTES)
    for (;;) {
      if (head.length < PIECE_HEAD_BYTES) throw this.#damaged(at, 'it ends in the middle')
      const view = new DataView(head.buffer, head.byteOffset, head.length)
      const [length, checksum] = [view.getUint32(0, true), view.getUint32(4, true)]
      if (length === END) break
      if (length > PIECE_BYTES_MAX) throw this.#damaged(at, 'the length of a piece does not hold')
      at += PIECE_HEAD_BYTES
      // With it comes the head of the next one.
      const bytes = await this.#file.read(at, length + PIECE_HEAD_BYTES + END_BYTES)
      const piece = bytes.subarray(0, length)
      if (piece.length < length || crc32c(piece) !== checksum)
        throw this.#damaged(at, 'the checksum of a piece does not hold')
      if (tally.summary.pieces >= from) yield piece
      tally.add(length, checksum)
      at += length
      head = bytes.subarray(length)
    }
    const { summary } = tally
    const view = new DataView(head.buffer, head.byteOffset, head.length)
    const whole =
      head.length === PIECE_HEAD_BYTES + END_BYTES &&
      crc32c(head.subarray(PIECE_HEAD_BYTES)) === view.getUint32(4, true) &&
      view.getFloat64(8, true) === summary.bytes &&
      view.getFloat64(16, true) === summary.pieces &&
      view.getUint32(24, true) === summary.checksum &&
      at + head.length === this.#file.size()
    if (!whole) throw this.#damaged(at, 'its end does not hold')
    return summary
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  #damaged(at: number, what: string): Error {
    return damaged(this.#path, at, what)
  }
}

/** What a snapshot is of and amounts to. @throws LOG_DAMAGED, DISK_FORMAT when it is not whole */
export async function verifySnapshot(
  disk: Disk,
  index: number,
): Promise<{ readonly meta: SnapshotMeta; readonly summary: SnapshotSummary }> {
  const reader = await SnapshotReader.open(disk, index)
  try {
    const pieces = reader.pieces()
    for (;;) {
      const next = await pieces.next()
      if (next.done) return { meta: reader.meta, summary: next.value }
    }
  } finally {
    await reader.close()
  }
}
