import type { Key, KeyRange, Row, RowBatch, ScanRequest, Version } from '@cluster/core'
import { afterKey, SortedBlocks } from '@cluster/core'
import { BlockColumns, type RowVersion, toColumns } from './block-columns.ts'

/** Rows a scan hands over at once. */
export const BATCH_ROWS = 1024
/** Blocks of fewer rows are put together, so that a batch is worth its costs. */
const BLOCK_ROWS_MIN = 192

/** One ordered relation with the versions of its rows. */
export class Relation {
  readonly #rows = new SortedBlocks<RowVersion>()
  #alive = 0

  /** Rows alive at the newest version. */
  get alive(): number {
    return this.#alive
  }

  /** True when there is nothing left, not even an older version. */
  get empty(): boolean {
    return this.#rows.size === 0
  }

  /**
   * Adds a version on top.
   * @returns the version, when it left something behind that `forget` can free later
   */
  write(version: Version, key: Key, row: Row | null): RowVersion | null {
    const newest = this.#rows.get(key) ?? null
    if (newest !== null && newest.row !== null) this.#alive--
    if (row !== null) this.#alive++
    if (newest === null && row === null) return null
    // Two writes of one version to one key: the later one counts, the earlier was never visible.
    const older = newest !== null && newest.version === version ? newest.older : newest
    if (older === null && row === null) {
      this.#rows.delete(key)
      return null
    }
    const entry: RowVersion = { version, row, older }
    this.#rows.set(key, entry)
    return older === null ? null : entry
  }

  get(key: Key, version: Version): Row | null {
    return visible(this.#rows.get(key), version)
  }

  /** Frees what nobody who reads at that version of the key or later can see. */
  forget(key: Key, entry: RowVersion): void {
    // Found without a walk through the versions: a row that is written all the time has very many.
    entry.older = null
    if (entry.row === null && this.#rows.get(key) === entry) this.#rows.delete(key)
  }

  /**
   * Batches in key order. Each batch seeks anew from the last key, so writes between two batches do no harm:
   * what they add is newer than the version read.
   */
  *scan({
    range,
    version,
    columns,
    reverse = false,
    limit = Number.POSITIVE_INFINITY,
  }: Omit<ScanRequest, 'relation'>): Iterable<RowBatch> {
    let rest = limit
    let bounds: KeyRange | null = range
    while (rest > 0 && bounds !== null) {
      const whole: BlockColumns | null = reverse ? null : this.#wholeBlock(bounds, version, rest)
      if (whole !== null && columns !== undefined) {
        yield whole.batch(columns)
        rest -= whole.keys.length
        bounds = { ...bounds, from: afterKey(whole.last) }
        continue
      }
      const { keys, rows, more } = this.#collect(bounds, version, Math.min(rest, BATCH_ROWS), reverse)
      if (keys.length === 0) return
      yield { length: keys.length, keys, columns: toColumns(rows, columns) }
      rest -= keys.length
      const last = keys[keys.length - 1] as Key
      bounds = !more ? null : reverse ? { ...bounds, to: last } : { ...bounds, from: afterKey(last) }
    }
  }

  /** The next block, when all of it is wanted and what it keeps of its columns is what the version shows. */
  #wholeBlock({ from, to }: KeyRange, version: Version, most: number): BlockColumns | null {
    const found = this.#rows.seek(from)
    if (found === null || found.at !== 0) return null
    const { block } = found
    const { keys } = block
    if (keys.length < BLOCK_ROWS_MIN || keys.length > most) return null
    if (to !== undefined && (keys[keys.length - 1] as Key) >= to) return null
    const columns = BlockColumns.of(block)
    return columns.newest <= version && columns.keys.length > 0 ? columns : null
  }

  /** Up to `wanted` rows; not into a block that can be given as a whole next, when there are enough without it. */
  #collect(
    { from, to }: KeyRange,
    version: Version,
    wanted: number,
    reverse: boolean,
  ): { readonly keys: Key[]; readonly rows: Row[]; readonly more: boolean } {
    const keys: Key[] = []
    const rows: Row[] = []
    const collect = (key: Key, entry: RowVersion): boolean => {
      const row = visible(entry, version)
      if (row !== null) {
        keys.push(key)
        rows.push(row)
      }
      return keys.length < wanted
    }
    if (reverse) {
      this.#rows.descend(to, (key, entry) => (from === undefined || key >= from) && collect(key, entry))
      return { keys, rows, more: keys.length === wanted }
    }
    const inRange = (key: Key, entry: RowVersion): boolean =>
      (to === undefined || key < to) && collect(key, entry)
    const start = this.#rows.seek(from)
    // The rest of a block that was begun in the middle: behind it whole ones may follow.
    const rest = start === null ? 0 : start.block.keys.length - start.at
    if (start !== null && start.at > 0 && rest >= BLOCK_ROWS_MIN) {
      const { block } = start
      for (let at = start.at; at < block.keys.length; at++)
        if (!inRange(block.keys[at] as Key, block.items[at] as RowVersion)) break
      const end = block.keys[block.keys.length - 1] as Key
      const reached = keys[keys.length - 1] === end
      if (reached || keys.length === wanted) return { keys, rows, more: true }
      keys.length = 0
      rows.length = 0
    }
    this.#rows.ascend(from, inRange)
    return { keys, rows, more: keys.length === wanted }
  }

  /** Visits every row visible at the version, in key order, from the first key ≥ `from`, until `visit` returns false. */
  visit(version: Version, from: Key | undefined, visit: (key: Key, row: Row) => boolean): void {
    this.#rows.ascend(from, (key, entry) => {
      const row = visible(entry, version)
      return row === null || visit(key, row)
    })
  }
}

function visible(newest: RowVersion | undefined, version: Version): Row | null {
  let entry: RowVersion | null = newest ?? null
  while (entry !== null && entry.version > version) entry = entry.older
  return entry === null ? null : entry.row
}
