import type { Key, PartitionId, PartitionStore, Row, RowWrite, Value, Version } from '@cluster/core'
import { ByteReader, ByteWriter } from '../../machine/bytes.ts'
import { ALL_CHANGES, changeKey, changePlace, FLOOR_KEY } from '../../machine/change-keys.ts'
import { type KeptChanges, keptSince } from '../../machine/kept-changes.ts'
import { OWN_ROWS } from '../replica/signature.ts'

/** How much of its changes a partition keeps. The same on every node of a cluster: replicas drop alike. */
export interface ChangeLimits {
  /** Changes, ≥ 1. The newest commit is kept whole, however many it has. */
  readonly changesMax: number
  /** Bytes of their rows and keys, ≥ 1. */
  readonly bytesMax: number
}

export const CHANGE_LIMITS: ChangeLimits = { changesMax: 16_384, bytesMax: 8 * 1024 * 1024 }

/** Columns of a kept change. */
export const CHANGE_COLUMNS = [0, 1, 2, 3] as const

interface Kept {
  readonly key: Key
  readonly bytes: number
}

/**
 * The changes of one partition, for those who follow them: rows of the partition itself, so that they are as durable as
 * what they tell of, and go with its copies.
 */
export class ChangeLog {
  readonly #partition: PartitionId
  readonly #limits: ChangeLimits
  /** Oldest first; what lies before `head` is dropped. */
  #kept: Kept[] = []
  #head = 0
  #bytes = 0

  constructor(partition: PartitionId, limits: ChangeLimits) {
    this.#partition = partition
    this.#limits = limits
  }

  /** Learns what a store has. */
  load(store: PartitionStore): void {
    this.#kept = []
    this.#head = 0
    this.#bytes = 0
    const version = store.appliedVersion()
    for (const { keys, columns } of store.scan({
      relation: OWN_ROWS,
      range: ALL_CHANGES,
      version,
      columns: CHANGE_COLUMNS,
    }))
      for (const [i, key] of keys.entries())
        this.#note(
          key,
          columns.map((column) => column[i] ?? null),
        )
  }

  #note(key: Key, row: Row): void {
    const bytes = sizeOf(row)
    this.#kept.push({ key, bytes })
    this.#bytes += bytes
  }

  /** What to write beside the writes of a commit that the store does not have yet. */
  rows(version: Version, writes: readonly RowWrite[], kept: KeptChanges, store: PartitionStore): RowWrite[] {
    const rows: RowWrite[] = []
    const last = this.#kept.at(-1)
    const newest = last === undefined ? null : changePlace(last.key)
    // A bundle may have several commits at one index.
    let ordinal = newest?.version === version ? newest.ordinal + 1 : 0
    for (const { relation, key, row } of writes) {
      if (relation === OWN_ROWS || keptSince(kept, relation) === null) continue
      const before = store.get(relation, key, version)
      if (before === null && row === null) continue
      const place = { version, partition: this.#partition, ordinal: ordinal++ }
      const change: Row = [relation, key, packed(before), packed(row)]
      const at = changeKey(place)
      rows.push({ relation: OWN_ROWS, key: at, row: change })
      this.#note(at, change)
    }
    if (rows.length > 0) this.#drop(version, rows)
    return rows
  }

  /** Drops the oldest when there are too many, more than one at a time, so that it is not done with every commit. */
  #drop(newest: Version, rows: RowWrite[]): void {
    const { changesMax, bytesMax } = this.#limits
    if (this.#kept.length - this.#head <= changesMax && this.#bytes <= bytesMax) return
    let floor: Version | null = null
    for (; this.#head < this.#kept.length; this.#head++) {
      const { key, bytes } = this.#kept[this.#head] as Kept
      const { version } = changePlace(key)
      // Changes of one version go together.
      const enough =
        this.#kept.length - this.#head <= (changesMax * 7) / 8 && this.#bytes <= (bytesMax * 7) / 8
      if (version === newest || (enough && version !== floor)) break
      floor = version
      this.#bytes -= bytes
      rows.push({ relation: OWN_ROWS, key, row: null })
    }
    if (floor !== null) rows.push({ relation: OWN_ROWS, key: FLOOR_KEY, row: [floor] })
    if (this.#head * 2 < this.#kept.length) return
    this.#kept = this.#kept.slice(this.#head)
    this.#head = 0
  }
}

const sizeOf = (row: Row): number => {
  let bytes = 32
  for (const value of row) if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length
  return bytes
}

function packed(row: Row | null): Uint8Array | null {
  return row === null ? null : new ByteWriter().row(row).finish()
}

/** A row of a kept change. @throws DB_FRAME_DAMAGED */
export function unpacked(value: Value | undefined): Row | null {
  return value instanceof Uint8Array ? new ByteReader(value).row() : null
}
