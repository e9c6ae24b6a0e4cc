import { crc32 } from 'node:zlib'
import { ByteReader, ByteWriter, type Key, type RelationId } from '@cluster/core'
import type { Environment, Table } from './environment.ts'
import { damagedAt } from './lmdb-errors.ts'
import { journalKey } from './stored-keys.ts'

/** Keys of one relation that a step of a checkpoint has changed. */
export interface JournalPart {
  readonly relation: RelationId
  readonly keys: readonly Key[]
}

const PAGE = 64

/**
 * Which rows a checkpoint has changed so far, a record for each step: CRC-32 u32 of key and rest · parts varint · for
 * each the relation varint, its keys varint, and of each key the bytes varint and the key. It is emptied by the step that
 * finishes the checkpoint; what stands here at the start of a process belongs to one that was not finished.
 */
export class Journal {
  readonly #table: Table
  readonly #path: string

  constructor({ journal, path }: Environment) {
    this.#table = journal
    this.#path = path
  }

  write(position: number, parts: readonly JournalPart[]): void {
    const writer = new ByteWriter()
    writer.u32(0)
    writer.varint(parts.length)
    const text = new ByteWriter(256)
    for (const { relation, keys } of parts) {
      writer.varint(relation)
      writer.varint(keys.length)
      for (const key of keys) {
        writer.varint(text.reset().text(key))
        writer.raw(text.view())
      }
    }
    const at = journalKey(position)
    writer.patchU32(0, crc32(writer.view().subarray(4), crc32(at)))
    this.#table.put(at, writer.view())
  }

  /** True when the records of all these steps are there. */
  hasAll(from: number, to: number): boolean {
    for (let position = from; position < to; position++)
      if (this.#table.get(journalKey(position)) === null) return false
    return true
  }

  empty(): boolean {
    return this.#table.empty()
  }

  /** All records in turn. @throws DISK_DAMAGED */
  *records(): Iterable<readonly JournalPart[]> {
    let from = ''
    for (;;) {
      const entries = this.#table.some(from, PAGE)
      for (const { key, value } of entries) yield this.#read(key, value)
      const last = entries.at(-1)
      if (last === undefined || entries.length < PAGE) return
      from = `${last.key}\x00`
    }
  }

  clear(): void {
    this.#table.clear()
  }

  #read(at: string, bytes: Uint8Array): readonly JournalPart[] {
    const reader = new ByteReader(bytes)
    if (bytes.length < 5 || reader.u32() !== crc32(bytes.subarray(4), crc32(at)))
      throw damagedAt(this.#path, 'the checksum of its journal does not hold')
    const parts: JournalPart[] = []
    for (let left = reader.varint(); left > 0; left--) {
      const relation = reader.varint() as RelationId
      const keys: Key[] = []
      for (let count = reader.varint(); count > 0; count--) keys.push(reader.text(reader.varint()))
      parts.push({ relation, keys })
    }
    return parts
  }
}
