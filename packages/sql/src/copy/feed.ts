import type { CopyRecord, RecordReader } from './records.ts'

/** What COPY FROM reads: bytes in pieces of any length, or texts. */
export type CopySource = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>

/** What whoever sends the rows is told before the first one. */
export interface CopyShape {
  readonly binary: boolean
  /** How many columns are copied. */
  readonly columns: number
}

/** Gives the data when the statement is known to be right. */
export type OpenCopySource = (shape: CopyShape) => CopySource

const encoder = new TextEncoder()

/** The data of one COPY FROM, read once, row by row, over as many transactions as it takes. */
export class CopyFeed {
  readonly #open: OpenCopySource
  /** So many rows are taken from it in one run of the statement; null: all. */
  readonly rowsMax: number | null
  #reader: RecordReader | null = null
  #source: AsyncIterator<Uint8Array | string> | Iterator<Uint8Array | string> | null = null
  #failure: { readonly error: unknown } | null = null
  #columns = ''
  /** Everything was read. */
  ended = false

  constructor(open: OpenCopySource, rowsMax: number | null) {
    this.#open = open
    this.rowsMax = rowsMax
  }

  get begun(): boolean {
    return this.#reader !== null
  }

  /**
   * Begins to read, the first time.
   * @param columns what the reader was made for
   * @returns false when the table has other columns than before
   */
  begin(shape: CopyShape, columns: readonly string[], make: () => RecordReader): boolean {
    const names = JSON.stringify(columns)
    if (this.#reader !== null) return names === this.#columns
    this.#columns = names
    this.#reader = make()
    const source = this.#open(shape)
    this.#source = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    return true
  }

  /** The next rows, at most `max`; none at the end. @throws what the data or their source are wrong with, behind the rows before */
  async take(max: number): Promise<readonly CopyRecord[]> {
    const reader = this.#reader
    const source = this.#source
    if (reader === null || source === null) return []
    const records: CopyRecord[] = []
    try {
      if (this.#failure !== null) throw this.#failure.error
      while (records.length < max) {
        const record = reader.next()
        if (record !== null) {
          records.push(record)
          continue
        }
        if (this.ended) break
        const { done, value } = await source.next()
        if (done === true) {
          this.ended = true
          reader.finish()
        } else reader.push(typeof value === 'string' ? encoder.encode(value) : value)
      }
    } catch (error) {
      if (records.length === 0) throw error
      this.#failure = { error }
    }
    return records
  }

  /** Nobody reads on. */
  async close(): Promise<void> {
    const source = this.#source
    this.#source = null
    if (!this.ended) await source?.return?.()
  }
}
