import type { Key, KeyRange, Row, RowBatch, ScanRequest, Value, Version } from '@cluster/core'
import { afterKey, SortedBlocks } from '@cluster/core'

/** Rows a scan hands over at once. */
export const BATCH_ROWS = 1024

/** One version of one row; null is a deletion. Newest first. */
interface RowVersion {
  readonly version: Version
  readonly row: Row | null
  older: RowVersion | null
}

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
   * @returns true when it left something behind that `forget` can free later
   */
  write(version: Version, key: Key, row: Row | null): boolean {
    const newest = this.#rows.get(key) ?? null
    if (newest !== null && newest.row !== null) this.#alive--
    if (row !== null) this.#alive++
    if (newest === null && row === null) return false
    // Two writes of one version to one key: the later one counts, the earlier was never visible.
    const older = newest !== null && newest.version === version ? newest.older : newest
    if (older === null && row === null) {
      this.#rows.delete(key)
      return false
    }
    this.#rows.set(key, { version, row, older })
    return older !== null
  }

  get(key: Key, version: Version): Row | null {
    return visible(this.#rows.get(key), version)
  }

  /** Frees what nobody who reads at `version` or later can see of the key. */
  forget(key: Key, version: Version): void {
    let entry: RowVersion | null = this.#rows.get(key) ?? null
    const newest = entry
    while (entry !== null && entry.version > version) entry = entry.older
    if (entry === null) return
    entry.older = null
    if (entry === newest && entry.row === null) this.#rows.delete(key)
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
      const keys: Key[] = []
      const rows: Row[] = []
      const wanted = Math.min(rest, BATCH_ROWS)
      const collect = (key: Key, entry: RowVersion): boolean => {
        const row = visible(entry, version)
        if (row !== null) {
          keys.push(key)
          rows.push(row)
        }
        return keys.length < wanted
      }
      if (reverse) {
        const from = bounds.from
        this.#rows.descend(
          bounds.to,
          (key, entry) => (from === undefined || key >= from) && collect(key, entry),
        )
      } else {
        const to = bounds.to
        this.#rows.ascend(bounds.from, (key, entry) => (to === undefined || key < to) && collect(key, entry))
      }
      if (keys.length === 0) return
      yield { length: keys.length, keys, columns: toColumns(rows, columns) }
      rest -= keys.length
      const last = keys[keys.length - 1] as Key
      bounds =
        keys.length < wanted ? null : reverse ? { ...bounds, to: last } : { ...bounds, from: afterKey(last) }
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

/** Turns rows into columns; a row that is too short for a column asked for gives NULL there. */
function toColumns(rows: readonly Row[], wanted: readonly number[] | undefined): Value[][] {
  const positions = wanted ?? Array.from({ length: rows[0]?.length ?? 0 }, (_, i) => i)
  return positions.map((position) => {
    const column = new Array<Value>(rows.length)
    for (let i = 0; i < rows.length; i++) column[i] = (rows[i] as Row)[position] ?? null
    return column
  })
}
