import type { BlockPlace, Key, KeyRange, Row, RowBatch, ScanRequest, Version } from '@cluster/core'
import { afterKey, SortedBlocks } from '@cluster/core'
import { type RowVersion, toColumns } from './block-columns.ts'
import { BATCH_ROWS, BLOCK_ROWS_MIN, type Columns, type ScanStep, stepWithin } from './scan-step.ts'

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

  /**
   * Look-ups first, rows then: the processor waits for memory that is far away in most of these steps, and for that of many keys at
   * once when the same step comes for all of them.
   */
  getMany(keys: readonly Key[], version: Version): (Row | null)[] {
    const found: (RowVersion | undefined)[] = []
    for (const key of keys) found.push(this.#rows.get(key))
    const rows: (Row | null)[] = []
    for (const newest of found) rows.push(visible(newest, version))
    return rows
  }

  /** Frees what nobody who reads at that version of the key or later can see. */
  forget(key: Key, entry: RowVersion): void {
    // Found without a walk through the versions: a row that is written all the time has very many.
    entry.older = null
    if (entry.row === null && this.#rows.get(key) === entry) this.#rows.delete(key)
  }

  /**
   * Batches in key order. What is written between two batches does no harm: it is newer than the version read, and
   * where blocks came or went the scan seeks anew.
   */
  scan({
    range,
    version,
    columns,
    reverse = false,
    limit = Number.POSITIVE_INFINITY,
  }: Omit<ScanRequest, 'relation'>): Iterable<RowBatch> {
    return reverse
      ? this.#descending(range, version, columns, limit)
      : this.#ascending(range, version, columns, limit)
  }

  *#ascending({ from, to }: KeyRange, version: Version, columns: Columns, limit: number): Iterable<RowBatch> {
    const rows = this.#rows
    let rest = limit
    let place = rows.seek(from)
    while (rest > 0 && place !== null) {
      const { shape } = rows
      const { batch, next } =
        stepWithin(place, { to, version, columns, most: rest }) ??
        this.#collect(place, to, version, columns, Math.min(rest, BATCH_ROWS))
      if (batch.length > 0) yield batch
      if (next === null) return
      rest -= batch.length
      place =
        next.index !== null && rows.shape === shape
          ? rows.blockAt(next.index)
          : rows.seek(afterKey(next.behind))
    }
  }

  /** Rows from a place on: up to `wanted` of them, or those until the end of a block once they are enough for a batch. */
  #collect(
    place: BlockPlace<RowVersion>,
    to: Key | undefined,
    version: Version,
    columns: Columns,
    wanted: number,
  ): ScanStep {
    const keys: Key[] = []
    const found: Row[] = []
    const step = (next: ScanStep['next']): ScanStep => ({
      batch: { length: keys.length, keys, columns: toColumns(found, columns) },
      next,
    })
    for (let at: BlockPlace<RowVersion> | null = place; at !== null; at = this.#rows.blockAt(at.index + 1)) {
      const { block, index } = at
      const last = block.keys[block.keys.length - 1] as Key
      const inside = to === undefined || last < to
      for (let i = at.at; i < block.keys.length; i++) {
        const key = block.keys[i] as Key
        if (!inside && key >= to) return step(null)
        const row = visible(block.items[i], version)
        if (row === null) continue
        keys.push(key)
        found.push(row)
        if (keys.length === wanted) return step({ index: null, behind: key })
      }
      if (keys.length >= BLOCK_ROWS_MIN) return step({ index: index + 1, behind: last })
    }
    return step(null)
  }

  *#descending(
    { from, to }: KeyRange,
    version: Version,
    columns: Columns,
    limit: number,
  ): Iterable<RowBatch> {
    let rest = limit
    let before = to
    while (rest > 0) {
      const keys: Key[] = []
      const found: Row[] = []
      const wanted = Math.min(rest, BATCH_ROWS)
      this.#rows.descend(before, (key, entry) => {
        if (from !== undefined && key < from) return false
        const row = visible(entry, version)
        if (row !== null) {
          keys.push(key)
          found.push(row)
        }
        return keys.length < wanted
      })
      if (keys.length > 0) yield { length: keys.length, keys, columns: toColumns(found, columns) }
      if (keys.length < wanted) return
      rest -= keys.length
      before = keys[keys.length - 1]
    }
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
