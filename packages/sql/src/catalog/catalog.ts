import {
  assert,
  EVERYWHERE,
  KeyWriter,
  type RelationId,
  type Row,
  type RowAddress,
  relationId,
  type Transaction,
} from '@cluster/core'
import { decodeEntry, encodeEntry } from './entry-codec.ts'
import type { CatalogEntry } from './schema.ts'

/** One row that counts: relation ids and schema versions are drawn from it, so neither is ever reused. */
const COUNTER: RelationId = relationId(1)
/** One row an entry: `[format, definition]` under the entry's name. */
const ENTRIES: RelationId = relationId(2)
/** Relation ids below are reserved for catalogs. */
const FIRST_FREE = 16

const counterAddress: RowAddress = {
  relation: COUNTER,
  partition: EVERYWHERE,
  key: new KeyWriter().text('relations').finish(),
}

const entryAddress = (name: string): RowAddress => ({
  relation: ENTRIES,
  partition: EVERYWHERE,
  key: new KeyWriter().text(name).finish(),
})

interface Cached {
  readonly address: RowAddress
  readonly definition: string
  readonly entry: CatalogEntry
}

/**
 * The tables, views and indexes of one database, read and written inside the caller's transactions: a read
 * puts the entry's row into the read set, so a statement commits only if its tables are still what they were.
 * Decoded entries are kept, and are the same object as long as the definition is the same; a read costs one
 * local `get`, because the catalog lives on every node.
 */
export class Catalog {
  readonly #cache = new Map<string, Cached>()

  /** The entry of that name as this transaction sees it. */
  async entry(transaction: Transaction, name: string): Promise<CatalogEntry | null> {
    const address = this.#cache.get(name)?.address ?? entryAddress(name)
    const row = await transaction.get(address)
    if (row === null) {
      this.#cache.delete(name)
      return null
    }
    return this.#decode(name, address, row)
  }

  #decode(name: string, address: RowAddress, row: Row): CatalogEntry {
    const definition = row[1]
    assert(typeof definition === 'string', 'catalog row without a definition')
    const cached = this.#cache.get(name)
    // Compared by text, not by version: a transaction that was rolled back may have used the same number.
    if (cached?.definition === definition) return cached.entry
    return this.#keep(decodeEntry(definition), definition, address)
  }

  #keep(entry: CatalogEntry, definition: string, address = entryAddress(entry.name)): CatalogEntry {
    this.#cache.set(entry.name, { address, definition, entry })
    return entry
  }

  /** All entries, sorted by name. */
  async entries(transaction: Transaction): Promise<readonly CatalogEntry[]> {
    const entries: CatalogEntry[] = []
    const known = new Map([...this.#cache.values()].map((cached) => [cached.definition, cached.entry]))
    const request = { relation: ENTRIES, range: {}, partitions: [EVERYWHERE], columns: [1] }
    for await (const batch of transaction.scan(request))
      for (const definition of batch.columns[0] ?? []) {
        assert(typeof definition === 'string', 'catalog row without a definition')
        entries.push(known.get(definition) ?? this.#keep(decodeEntry(definition), definition))
      }
    return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }

  /** A number that no relation and no version of this database ever had. */
  async draw(transaction: Transaction): Promise<number> {
    const row = await transaction.get(counterAddress)
    const next = row === null ? FIRST_FREE : row[0]
    assert(typeof next === 'number', 'catalog counter without a number')
    transaction.put(counterAddress, [next + 1])
    return next
  }

  /** Writes an entry, new or changed. The caller has read it before. */
  put(transaction: Transaction, entry: CatalogEntry): void {
    transaction.put(entryAddress(entry.name), [1, encodeEntry(entry)])
  }

  delete(transaction: Transaction, name: string): void {
    transaction.delete(entryAddress(name))
  }
}
