import { ByteReader, ByteWriter, type Value, ValueVector, writeVector } from '@cluster/core'
import { BATCH_ROWS, type Batch } from '../../compile/batch.ts'
import type { ExecutionContext, Source } from '../context.ts'
import { rowsBytes } from '../memory.ts'
import type { SpillFile } from './spill-file.ts'

interface Chunk {
  readonly offset: number
  readonly length: number
  readonly rows: number
}

/** Every list of rows gathers at most this share of what the statement may keep before it writes. */
const GATHERED_SHARE = 128
const CHUNK_BYTES_MIN = 512
const CHUNK_BYTES_MAX = 64 * 1024
/** Rows are judged by what so many of them take. */
const JUDGED_ROWS = 64

const writer = new ByteWriter()

/**
 * A list of rows on disk, in chunks: for each column the bytes u32 and a vector. The number of rows, and where each chunk is, are
 * kept here: nobody reads the file without.
 */
export class SpilledRows {
  readonly #file: SpillFile
  readonly #width: number
  readonly #chunkBytes: number
  readonly #chunks: Chunk[] = []
  /** Rows that are not written yet. */
  #pending: Value[][]
  #pendingRows = 0
  #pendingBytes = 0
  #rows = 0
  #bytes = 0

  constructor(file: SpillFile, width: number) {
    this.#file = file
    this.#width = width
    const { spillBytes } = file.owner.context.memory
    this.#chunkBytes = Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, spillBytes / GATHERED_SHARE))
    this.#pending = empty(width)
  }

  /** All of them. */
  get length(): number {
    return this.#rows
  }

  /** About what they would take in memory. */
  get bytes(): number {
    return this.#bytes
  }

  /** What one chunk takes in memory, at most about. */
  get chunkBytes(): number {
    const rows = this.#chunks.reduce((most, chunk) => Math.max(most, chunk.rows), 0)
    return this.#rows === 0 ? 0 : Math.ceil((this.#bytes / this.#rows) * rows)
  }

  /** How many rows each chunk has, in order; `read` gives them as batches. */
  get chunkRows(): readonly number[] {
    return this.#chunks.map(({ rows }) => rows)
  }

  get chunks(): number {
    return this.#chunks.length
  }

  /** Adds rows of a batch: those at the positions, or all. @throws 53100, 53400, 58030 */
  async append({ length, columns }: Batch, positions: readonly number[] | null = null): Promise<void> {
    const count = positions?.length ?? length
    let to = 0
    for (let from = 0; from < count; from = to) {
      to = Math.min(count, from + JUDGED_ROWS, from + BATCH_ROWS - this.#pendingRows)
      for (let c = 0; c < this.#width; c++) {
        const source = columns[c] as readonly Value[]
        const target = this.#pending[c] as Value[]
        for (let i = from; i < to; i++) target.push(source[positions?.[i] ?? i] as Value)
      }
      const bytes = rowsBytes(this.#pending, this.#pendingRows + to - from, this.#pendingRows)
      this.#pendingRows += to - from
      this.#pendingBytes += bytes
      if (this.#pendingBytes >= this.#chunkBytes || this.#pendingRows >= BATCH_ROWS) await this.finish()
    }
  }

  /** Writes what is gathered; afterwards all can be read. */
  async finish(): Promise<void> {
    const rows = this.#pendingRows
    if (rows === 0) return
    writer.reset()
    for (const column of this.#pending) {
      const at = writer.length
      writer.u32(0)
      writeVector(writer, column)
      writer.patchU32(at, writer.length - at - 4)
    }
    this.#rows += rows
    this.#bytes += this.#pendingBytes
    this.#pending = empty(this.#width)
    this.#pendingRows = 0
    this.#pendingBytes = 0
    // The writer is everybody's: what it holds is good until somebody else writes.
    const bytes = writer.finish()
    const offset = await this.#file.append(bytes)
    this.#chunks.push({ offset, length: bytes.length, rows })
  }

  /** One chunk. */
  async chunk(position: number): Promise<Batch> {
    const { offset, length, rows } = this.#chunks[position] as Chunk
    const reader = new ByteReader(await this.#file.read(offset, length))
    const columns: Value[][] = []
    for (let c = 0; c < this.#width; c++) {
      const end = reader.u32() + reader.at
      const column: Value[] = []
      new ValueVector(reader, rows).into(column)
      columns.push(column)
      reader.at = end
    }
    return { length: rows, columns }
  }

  /** All rows in the order they came. They may be read again and again, and while more are added. */
  async *read(context: ExecutionContext): AsyncGenerator<Batch> {
    for (let position = 0; position < this.#chunks.length; position++) {
      const batch = await this.chunk(position)
      const pause = context.work(batch.length)
      if (pause !== null) await pause
      yield batch
    }
  }

  /** The same for an operator. */
  get source(): Source {
    return { open: (context) => this.read(context) }
  }
}

const empty = (width: number): Value[][] => Array.from({ length: width }, () => [])
