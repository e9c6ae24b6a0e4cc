import type { Key, Row, RowBatch, Value } from '@cluster/core'

/** Rows in one batch at most. */
export const BATCH_ROWS = 1_024

/** Gives batches one after another, in key order where that was asked; null at the end. */
export interface BatchSource {
  next(): RowBatch | null | Promise<RowBatch | null>
  /** Ends it early. */
  close(): void
}

/** Collects rows into batches. */
class BatchBuilder {
  #keys: Key[] = []
  #columns: Value[][] = []

  get length(): number {
    return this.#keys.length
  }

  /** Appends rows `from` … `to` of a batch. */
  take(batch: RowBatch, from: number, to: number): void {
    if (this.#keys.length === 0 && this.#columns.length !== batch.columns.length)
      this.#columns = batch.columns.map(() => [])
    for (let i = from; i < to; i++) this.#keys.push(batch.keys[i] as Key)
    for (let c = 0; c < batch.columns.length; c++) {
      const source = batch.columns[c] as readonly Value[]
      const target = this.#columns[c] as Value[]
      for (let i = from; i < to; i++) target.push(source[i] as Value)
    }
  }

  /** The rows so far; the builder starts anew. */
  finish(): RowBatch {
    const batch = { length: this.#keys.length, keys: this.#keys, columns: this.#columns }
    this.#keys = []
    this.#columns = []
    return batch
  }
}

/** A batch of whole rows, or of the columns asked for. */
export function batchOf(
  keys: readonly Key[],
  rows: readonly Row[],
  columns: readonly number[] | null,
): RowBatch {
  const positions = columns ?? (rows[0] ?? []).map((_, position) => position)
  return {
    length: keys.length,
    keys,
    columns: positions.map((position) => rows.map((row) => row[position] ?? null)),
  }
}

/** The batch without the rows for whose keys `hidden` is true; the batch itself when there are none. */
export function without(batch: RowBatch, hidden: (key: Key) => boolean): RowBatch {
  let first = 0
  while (first < batch.length && !hidden(batch.keys[first] as Key)) first++
  if (first === batch.length) return batch
  const builder = new BatchBuilder()
  builder.take(batch, 0, first)
  for (let i = first + 1; i < batch.length; i++) {
    if (!hidden(batch.keys[i] as Key)) builder.take(batch, i, i + 1)
  }
  return builder.finish()
}

/** Batches of fewer rows are not worth their costs to whoever works on them. */
const FEW_ROWS = 192

/** Sources one after another, in any order of rows. */
export class Chain implements BatchSource {
  readonly #sources: readonly BatchSource[]
  readonly #enough: number
  readonly #few = new BatchBuilder()
  #at = 0

  /**
   * @param enough how many rows are worth a batch, at most: batches of fewer are put together. 0: they stay as they are,
   * so that nobody who gave some waits for the next source
   */
  constructor(sources: readonly BatchSource[], enough = 0) {
    this.#sources = sources
    this.#enough = Math.min(enough, FEW_ROWS)
  }

  next(): RowBatch | null | Promise<RowBatch | null> {
    for (;;) {
      const source = this.#sources[this.#at]
      if (source === undefined) return this.#few.length === 0 ? null : this.#few.finish()
      const batch = source.next()
      if (batch instanceof Promise) return batch.then((came) => this.#take(came) ?? this.next())
      const given = this.#take(batch)
      if (given !== null) return given
    }
  }

  /** What is to be handed on now; null: nothing yet. */
  #take(batch: RowBatch | null): RowBatch | null {
    if (batch === null) {
      this.#at++
      return null
    }
    if (batch.length >= this.#enough) return batch
    this.#few.take(batch, 0, batch.length)
    return this.#few.length >= this.#enough ? this.#few.finish() : null
  }

  close(): void {
    for (let i = this.#at; i < this.#sources.length; i++) this.#sources[i]?.close()
  }
}

interface Head {
  readonly source: BatchSource
  batch: RowBatch
  at: number
}

/** Merges sources that are each in key order. */
export class Merge implements BatchSource {
  readonly #sources: readonly BatchSource[]
  readonly #before: (a: Key, b: Key) => boolean
  #heads: Head[] | null = null

  constructor(sources: readonly BatchSource[], reverse: boolean) {
    this.#sources = sources
    this.#before = reverse ? (a, b) => a > b : (a, b) => a < b
  }

  async next(): Promise<RowBatch | null> {
    const heads = await this.#start()
    const builder = new BatchBuilder()
    while (heads.length > 0 && builder.length < BATCH_ROWS) {
      const { first, limit } = this.#smallest(heads)
      const { batch, at } = first
      const most = Math.min(batch.length, at + BATCH_ROWS - builder.length)
      let end = at + 1
      while (end < most && (limit === null || !this.#before(limit, batch.keys[end] as Key))) end++
      // Batches that need no merging pass as they are.
      if (builder.length === 0 && at === 0 && end === batch.length && heads.length === 1) {
        await this.#advance(heads, first)
        return batch
      }
      builder.take(batch, at, end)
      first.at = end
      if (end === batch.length) await this.#advance(heads, first)
    }
    return builder.length === 0 ? null : builder.finish()
  }

  async #start(): Promise<Head[]> {
    if (this.#heads !== null) return this.#heads
    const heads: Head[] = []
    const batches = await Promise.all(this.#sources.map((source) => filled(source)))
    for (const [i, batch] of batches.entries()) {
      const source = this.#sources[i]
      if (batch !== null && source !== undefined) heads.push({ source, batch, at: 0 })
    }
    this.#heads = heads
    return heads
  }

  async #advance(heads: Head[], head: Head): Promise<void> {
    const batch = await filled(head.source)
    if (batch === null) {
      heads.splice(heads.indexOf(head), 1)
      return
    }
    head.batch = batch
    head.at = 0
  }

  /** The head with the smallest key, and the smallest key of the others. */
  #smallest(heads: readonly Head[]): { first: Head; limit: Key | null } {
    let first = heads[0] as Head
    let limit: Key | null = null
    for (let i = 1; i < heads.length; i++) {
      const head = heads[i] as Head
      const key = head.batch.keys[head.at] as Key
      const best = first.batch.keys[first.at] as Key
      if (this.#before(key, best)) {
        limit = best
        first = head
      } else if (limit === null || this.#before(key, limit)) limit = key
    }
    return { first, limit }
  }

  close(): void {
    for (const source of this.#sources) source.close()
  }
}

/** The next batch that has rows. */
async function filled(source: BatchSource): Promise<RowBatch | null> {
  for (;;) {
    const batch = await source.next()
    if (batch === null || batch.length > 0) return batch
  }
}
