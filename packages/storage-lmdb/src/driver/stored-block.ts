import { crc32 } from 'node:zlib'
import {
  type BlockRows,
  ByteReader,
  ByteWriter,
  type Key,
  type RelationId,
  RowBlock,
  writeRowBlock,
} from '@cluster/core'
import type { Table } from './environment.ts'
import { damagedAt } from './lmdb-errors.ts'
import { blockKey, fenceOf } from './stored-keys.ts'

/** A block that fits a page of 4 KiB with the head of an overflow page. */
export const BLOCK_BYTES = 4072

const SOME_GONE = 1

/**
 * Consecutive rows of a relation, as stored: CRC-32 u32 of the key and the rest · flags u8 · newest version varint ·
 * upper fence (its length + 1 varint and the text, or 0) · a block of rows with versions. A block answers for all
 * keys from its lower fence, which is its key in the table, up to its upper one; the next block begins there. So a
 * wrong turn in LMDB's tree is noticed as well as a flipped bit.
 */
export class StoredBlock {
  readonly lower: Key
  /** Null: the block goes on to the end of the relation. */
  readonly upper: Key | null
  /** The newest version of its rows. */
  readonly newest: number
  /** True when a row is gone; such blocks are read row by row. */
  readonly someGone: boolean
  readonly rows: RowBlock

  /** @throws DISK_DAMAGED */
  constructor(key: string, bytes: Uint8Array, path: string) {
    const reader = new ByteReader(bytes)
    if (bytes.length < 8 || reader.u32() !== crc32(bytes.subarray(4), crc32(key)))
      throw damagedAt(path, 'the checksum of a block does not hold')
    this.lower = fenceOf(key)
    this.someGone = (reader.u8() & SOME_GONE) !== 0
    this.newest = reader.varint()
    const upper = reader.varint()
    this.upper = upper === 0 ? null : reader.text(upper - 1)
    this.rows = new RowBlock(bytes, reader.at)
  }

  /** True when the block answers for the key. */
  covers(key: Key): boolean {
    return key >= this.lower && (this.upper === null || key < this.upper)
  }
}

const writer = new ByteWriter(4 * BLOCK_BYTES)
const fence = new ByteWriter(256)

/** The bytes of a block that begins at `key` in the table; valid until the next call. */
export function blockBytes(key: string, upper: Key | null, rows: Required<BlockRows>): Uint8Array {
  let newest = 0
  for (const version of rows.versions) if (version > newest) newest = version
  writer.reset()
  writer.u32(0)
  writer.u8(rows.rows.includes(null) ? SOME_GONE : 0)
  writer.varint(newest)
  if (upper === null) writer.varint(0)
  else {
    writer.varint(fence.reset().text(upper) + 1)
    writer.raw(fence.view())
  }
  writeRowBlock(writer, rows)
  writer.patchU32(0, crc32(writer.view().subarray(4), crc32(key)))
  return writer.view()
}

/** Finds blocks by the keys they answer for. */
export class Blocks {
  readonly #table: Table
  readonly #path: string

  constructor(table: Table, path: string) {
    this.#table = table
    this.#path = path
  }

  /** The block that answers for the key; null when the relation has none. @throws DISK_DAMAGED */
  covering(relation: RelationId, key: Key): StoredBlock | null {
    const entry = this.#table.last(blockKey(relation, ''), blockKey(relation, key))
    if (entry === null) return null
    const block = new StoredBlock(entry.key, entry.value, this.#path)
    if (!block.covers(key)) throw this.#gap()
    return block
  }

  /** The block that answers for the keys just below `key` (null: the last one). @throws DISK_DAMAGED */
  before(relation: RelationId, key: Key | null): StoredBlock | null {
    const high = key === null ? blockKey((relation + 1) as RelationId, '') : blockKey(relation, key)
    const entry = this.#table.last(blockKey(relation, ''), high, true)
    if (entry === null) return null
    const block = new StoredBlock(entry.key, entry.value, this.#path)
    if (block.upper !== null && (key === null || key > block.upper)) throw this.#gap()
    return block
  }

  /** The block that begins exactly at the fence, as another one's upper fence says. @throws DISK_DAMAGED */
  at(relation: RelationId, lower: Key): StoredBlock {
    const key = blockKey(relation, lower)
    const bytes = this.#table.get(key)
    if (bytes === null) throw this.#gap()
    return new StoredBlock(key, bytes, this.#path)
  }

  /** True when the relation has blocks. */
  has(relation: RelationId): boolean {
    return this.#table.get(blockKey(relation, '')) !== null
  }

  #gap(): Error {
    return damagedAt(this.#path, 'a block of rows is missing')
  }
}
