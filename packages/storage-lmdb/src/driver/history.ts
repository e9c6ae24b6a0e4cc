import { crc32 } from 'node:zlib'
import {
  ByteReader,
  ByteWriter,
  type Key,
  type RelationId,
  type Row,
  RowBlock,
  type Version,
  writeRowBlock,
} from '@cluster/core'
import type { Environment, Table } from './environment.ts'
import { damagedAt } from './lmdb-errors.ts'
import { historyKey, historyPrefix } from './stored-keys.ts'

/** Versions of one row in one record; so many that a hot row takes few records, so few that each is small. */
const VERSIONS_MAX = 64

/** One version of a row that a newer one covers. */
export interface OldVersion {
  readonly version: number
  /** Null: the row was gone at that time. */
  readonly row: Row | null
}

/** A record of the history, read as far as a sweep needs it. */
export interface HistoryHead {
  readonly relation: RelationId
  readonly key: Key
  /** The version that covers the newest of the record. */
  readonly until: number
  /** True when that version is a deletion, which has left its mark in the blocks. */
  readonly gone: boolean
}

const writer = new ByteWriter()
const keyBytes = new ByteWriter(256)

/**
 * Older versions of rows, as long as somebody may read them: by row, then by the oldest version of a record. A record:
 * CRC-32 u32 of key and rest · relation varint · bytes of the row's key varint, and that · the version that covers
 * the newest one here varint · 1 if that is a deletion, else 0 · a block of rows with versions, oldest first.
 */
export class History {
  readonly #table: Table
  readonly #path: string

  constructor({ history, path }: Environment) {
    this.#table = history
    this.#path = path
  }

  /**
   * Adds versions of one row, oldest first.
   * @param until the version that covers the last of them; `gone` says whether it is a deletion
   */
  add(relation: RelationId, key: Key, versions: readonly OldVersion[], until: number, gone: boolean): void {
    const prefix = historyPrefix(relation, key)
    for (let from = 0; from < versions.length; from += VERSIONS_MAX) {
      const part = versions.slice(from, from + VERSIONS_MAX)
      const next = versions[from + VERSIONS_MAX]
      const at = historyKey(prefix, part[0]?.version ?? 0)
      writer.reset()
      writer.u32(0)
      writer.varint(relation)
      writer.varint(keyBytes.reset().text(key))
      writer.raw(keyBytes.view())
      writer.varint(next?.version ?? until)
      writer.u8(next === undefined && gone ? 1 : 0)
      writeRowBlock(writer, {
        keys: part.map(() => ''),
        rows: part.map(({ row }) => row),
        versions: part.map(({ version }) => version),
      })
      writer.patchU32(0, crc32(writer.view().subarray(4), crc32(at)))
      this.#table.put(at, writer.view())
    }
  }

  /** The row as of `version`, which must be older than the one in the blocks; null when there was none. @throws DISK_DAMAGED */
  find(relation: RelationId, key: Key, version: Version): OldVersion | null {
    const prefix = historyPrefix(relation, key)
    const entry = this.#table.last(historyKey(prefix, 0), historyKey(prefix, version))
    if (entry === null) return null
    const { until, rows } = this.#read(entry.key, entry.value)
    if (version >= until) return null
    let i = rows.length - 1
    while (i > 0 && rows.version(i) > version) i--
    return { version: rows.version(i), row: rows.row(i) }
  }

  /** Records from the place `from` on, and the place to go on from; null at the end. @throws DISK_DAMAGED */
  some(
    from: string,
    limit: number,
  ): { readonly heads: readonly (HistoryHead & { readonly at: string })[]; readonly next: string | null } {
    const entries = this.#table.some(from, limit)
    const heads = entries.map(({ key: at, value }) => ({ at, ...this.#read(at, value) }))
    const last = entries.at(-1)
    return { heads, next: entries.length < limit || last === undefined ? null : `${last.key}\x00` }
  }

  remove(at: string): void {
    this.#table.remove(at)
  }

  clear(): void {
    this.#table.clear()
  }

  #read(at: string, bytes: Uint8Array): HistoryHead & { readonly rows: RowBlock } {
    const reader = new ByteReader(bytes)
    if (bytes.length < 8 || reader.u32() !== crc32(bytes.subarray(4), crc32(at)))
      throw damagedAt(this.#path, 'the checksum of an old version does not hold')
    const relation = reader.varint() as RelationId
    const key = reader.text(reader.varint())
    const until = reader.varint()
    const gone = reader.u8() === 1
    return { relation, key, until, gone, rows: new RowBlock(bytes, reader.at) }
  }
}
