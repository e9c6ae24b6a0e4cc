import {
  assert,
  type Key,
  type KeyRange,
  lowerBound,
  type PartitionId,
  type RelationId,
  type Row,
  type RowAddress,
  type Value,
} from '@cluster/core'
import type { AddedRow } from '../../machine/additions.ts'
import type { PartitionWrites } from '../../machine/commands.ts'

interface Written {
  readonly partition: PartitionId
  readonly relation: RelationId
  readonly key: Key
  readonly row: Row | null
  /** What is added to the row that is there; null when it is replaced. */
  readonly added: AddedRow | null
  readonly bytes: number
  /** Where the write before this one to the same row stands; −1 when there is none. */
  readonly before: number
}

/** The keys one transaction wrote in one relation of one partition. */
class WrittenKeys {
  /** Position of the newest write of each key. */
  readonly newest = new Map<Key, number>()
  #sorted: Key[] | null = null

  set(key: Key, position: number): void {
    if (this.#sorted !== null && !this.newest.has(key)) {
      this.#sorted.splice(lowerBound(this.#sorted, key), 0, key)
    }
    this.newest.set(key, position)
  }

  delete(key: Key): void {
    this.newest.delete(key)
    this.#sorted = null
  }

  within({ from, to }: KeyRange): readonly Key[] {
    this.#sorted ??= [...this.newest.keys()].sort()
    const start = from === undefined ? 0 : lowerBound(this.#sorted, from)
    const end = to === undefined ? this.#sorted.length : lowerBound(this.#sorted, to)
    return this.#sorted.slice(start, end)
  }
}

export interface OwnRow {
  readonly key: Key
  readonly row: Row | null
}

/** What a transaction made of a row; null where it deleted. */
export interface OwnWrite {
  readonly row: Row | null
  readonly added: AddedRow | null
}

/** The writes of one transaction, in order, so that the newest can be taken back. */
export class WriteSet {
  readonly #written: Written[] = []
  readonly #keys = new Map<PartitionId, Map<RelationId, WrittenKeys>>()
  #bytes = 0
  #adds = false

  /** How many writes were made. */
  get length(): number {
    return this.#written.length
  }

  /** Roughly, what they take in a command. */
  get bytes(): number {
    return this.#bytes
  }

  write(address: RowAddress, row: Row | null): void {
    this.#note(address, row, null, rowBytes(row))
  }

  /** In place of what was added before. */
  add(address: RowAddress, added: AddedRow): void {
    this.#adds = true
    this.#note(address, added.row, added, 24 + 12 * added.additions.length)
  }

  #note(
    { partition, relation, key }: RowAddress,
    row: Row | null,
    added: AddedRow | null,
    size: number,
  ): void {
    let relations = this.#keys.get(partition)
    if (relations === undefined) {
      relations = new Map()
      this.#keys.set(partition, relations)
    }
    let keys = relations.get(relation)
    if (keys === undefined) {
      keys = new WrittenKeys()
      relations.set(relation, keys)
    }
    const before = keys.newest.get(key) ?? -1
    const bytes = key.length + 8 + size
    keys.set(key, this.#written.length)
    this.#written.push({ partition, relation, key, row, added, bytes, before })
    this.#bytes += bytes
  }

  /** The row as written here; undefined when it was not. */
  get({ partition, relation, key }: RowAddress): OwnWrite | undefined {
    const position = this.#keys.get(partition)?.get(relation)?.newest.get(key)
    return position === undefined ? undefined : (this.#written[position] as Written)
  }

  /** The rows that are added to, of all writes but the first `from`, those that were written again included. */
  *added(from = 0): Generator<RowAddress> {
    if (!this.#adds) return
    for (let i = from; i < this.#written.length; i++) {
      const written = this.#written[i] as Written
      if (written.added !== null) yield written
    }
  }

  /** The newest writes to a range of a relation in some partitions, sorted by key. */
  within(relation: RelationId, partitions: readonly PartitionId[], range: KeyRange): OwnRow[] {
    const rows: OwnRow[] = []
    let lists = 0
    for (const partition of partitions) {
      const keys = this.#keys.get(partition)?.get(relation)
      if (keys === undefined) continue
      const found = keys.within(range)
      if (found.length > 0) lists++
      for (const key of found) {
        const position = keys.newest.get(key)
        assert(position !== undefined, 'a sorted key was written')
        rows.push({ key, row: (this.#written[position] as Written).row })
      }
    }
    if (lists > 1) rows.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    return rows
  }

  /** Takes back all but the first `length` writes. */
  truncate(length: number): void {
    while (this.#written.length > length) {
      const { partition, relation, key, bytes, before } = this.#written.pop() as Written
      this.#bytes -= bytes
      const keys = this.#keys.get(partition)?.get(relation)
      if (before === -1) keys?.delete(key)
      else keys?.set(key, before)
    }
  }

  partitions(): readonly PartitionId[] {
    const partitions: PartitionId[] = []
    for (const [partition, relations] of this.#keys)
      for (const keys of relations.values())
        if (keys.newest.size > 0) {
          partitions.push(partition)
          break
        }
    return partitions.sort((a, b) => a - b)
  }

  /** What to commit: the newest write of each row, by partition. */
  collect(): PartitionWrites[] {
    const only = this.#written.length === 1 ? this.#written[0] : undefined
    if (only !== undefined) {
      const { partition, relation, key, row, added } = only
      const alone = { partition, relations: [relation], keys: [key], rows: [row] }
      return [added === null ? alone : { ...alone, added: new Map([[0, added]]) }]
    }
    return this.partitions().map((partition) => {
      const relations: RelationId[] = []
      const keys: Key[] = []
      const rows: (Row | null)[] = []
      const additions = new Map<number, AddedRow>()
      for (const [relation, written] of this.#keys.get(partition) ?? []) {
        for (const [key, position] of written.newest) {
          const { row, added } = this.#written[position] as Written
          if (added !== null) additions.set(keys.length, added)
          relations.push(relation)
          keys.push(key)
          rows.push(row)
        }
      }
      const whole = { partition, relations, keys, rows }
      return additions.size === 0 ? whole : { ...whole, added: additions }
    })
  }
}

function rowBytes(row: Row | null): number {
  if (row === null) return 1
  let bytes = 2
  for (let i = 0; i < row.length; i++) bytes += valueBytes(row[i] as Value)
  return bytes
}

function valueBytes(value: Value): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length + 3
  return typeof value === 'boolean' || value === null ? 1 : 9
}
