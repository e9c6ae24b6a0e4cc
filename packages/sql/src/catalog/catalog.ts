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
import { LOCAL_ENTRIES, type LocalStore, localOf } from '../local/local-store.ts'
import { decodeEntry, encodeEntry } from './entry-codec.ts'
import { catalogKey, schemaKey, TEMPORARY_PREFIX } from './names.ts'
import type { CatalogEntry, TableSchema } from './schema.ts'

/** One row that counts: relation ids and schema versions are drawn from it, so neither is ever reused. */
const COUNTER: RelationId = relationId(1)
/** One row an entry: `[format, definition]` under the entry's key. */
const ENTRIES: RelationId = relationId(2)
/** One row for each relation that no table has any more: `[relation, everywhere]` under its id. */
const DISCARDED: RelationId = relationId(4)
/** Relation ids below are reserved for catalogs. */
const FIRST_FREE = 16

const counterAddress: RowAddress = {
  relation: COUNTER,
  partition: EVERYWHERE,
  key: new KeyWriter().text('relations').finish(),
}

const entryAddress = (key: string): RowAddress => ({
  relation: key.startsWith(TEMPORARY_PREFIX) ? LOCAL_ENTRIES : ENTRIES,
  partition: EVERYWHERE,
  key: new KeyWriter().text(key).finish(),
})

const discardedAddress = (relation: RelationId): RowAddress => ({
  relation: DISCARDED,
  partition: EVERYWHERE,
  key: new KeyWriter().double(relation).finish(),
})

/** A relation whose rows are to be deleted. */
export interface Discarded {
  readonly relation: RelationId
  readonly everywhere: boolean
}

interface Cached {
  readonly address: RowAddress
  readonly definition: string
  readonly entry: CatalogEntry
}

/**
 * The objects of one database, read and written inside the caller's transactions: a read
 * puts the entry's row into the read set, so a statement commits only if its tables are still what they were.
 * Decoded entries are kept, and are the same object as long as the definition is the same; a read costs one
 * local `get`, because the catalog lives on every node.
 */
export class Catalog {
  readonly #cache = new Map<string, Cached>()

  /** Under which key an entry stands. */
  keyOf(entry: Pick<CatalogEntry, 'kind' | 'schema' | 'name'>): string {
    return entry.kind === 'schema' ? schemaKey(entry.name) : catalogKey(entry.schema, entry.name)
  }

  /** The entry under that key as this transaction sees it. */
  async entry(transaction: Transaction, key: string): Promise<CatalogEntry | null> {
    const address = this.#cache.get(key)?.address ?? entryAddress(key)
    return this.#found(key, address, await transaction.get(address))
  }

  /** The same without a promise; undefined: it is not at hand. */
  entryNow(transaction: Transaction, key: string): CatalogEntry | null | undefined {
    const address = this.#cache.get(key)?.address ?? entryAddress(key)
    const row = transaction.getNow?.(address)
    return row === undefined ? undefined : this.#found(key, address, row)
  }

  #found(key: string, address: RowAddress, row: Row | null): CatalogEntry | null {
    if (row !== null) return this.#decode(key, address, row)
    this.#cache.delete(key)
    return null
  }

  #decode(key: string, address: RowAddress, row: Row): CatalogEntry {
    const definition = row[1]
    assert(typeof definition === 'string', 'catalog row without a definition')
    const cached = this.#cache.get(key)
    // Compared by text, not by version: a transaction that was rolled back may have used the same number.
    if (cached?.definition === definition) return cached.entry
    return this.#keep(decodeEntry(definition), definition, address)
  }

  #keep(entry: CatalogEntry, definition: string, address = entryAddress(this.keyOf(entry))): CatalogEntry {
    this.#cache.set(this.keyOf(entry), { address, definition, entry })
    return entry
  }

  /** All entries, sorted by name and schema. */
  async entries(transaction: Transaction): Promise<readonly CatalogEntry[]> {
    const entries: CatalogEntry[] = []
    const known = new Map([...this.#cache.values()].map((cached) => [cached.definition, cached.entry]))
    const relations = localOf(transaction) === null ? [ENTRIES] : [ENTRIES, LOCAL_ENTRIES]
    for (const relation of relations) {
      const request = { relation, range: {}, partitions: [EVERYWHERE], columns: [1] }
      for await (const batch of transaction.scan(request))
        for (const definition of batch.columns[0] ?? []) {
          assert(typeof definition === 'string', 'catalog row without a definition')
          entries.push(known.get(definition) ?? this.#keep(decodeEntry(definition), definition))
        }
    }
    const order = ({ name, schema }: CatalogEntry): string => `${name}\u0000${schema}`
    return entries.sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0))
  }

  /** A number that no relation, no object and no version of this database ever had. */
  async draw(transaction: Transaction): Promise<number> {
    const row = await transaction.get(counterAddress)
    const next = row === null ? FIRST_FREE : row[0]
    assert(typeof next === 'number', 'catalog counter without a number')
    transaction.put(counterAddress, [next + 1])
    return next
  }

  /** Writes an entry, new or changed. The caller has read it before. */
  put(transaction: Transaction, entry: CatalogEntry): void {
    transaction.put(entryAddress(this.keyOf(entry)), [1, encodeEntry(entry)])
  }

  delete(transaction: Transaction, key: string): void {
    transaction.delete(entryAddress(key))
  }

  /** Leaves a relation that nothing names any more to be swept. */
  discard(transaction: Transaction, { relation, everywhere }: Discarded): void {
    transaction.put(discardedAddress(relation), [relation, everywhere])
  }

  /** Relations to be swept, the oldest first. */
  async discarded(transaction: Transaction): Promise<readonly Discarded[]> {
    const found: Discarded[] = []
    const request = {
      relation: DISCARDED,
      range: {},
      partitions: [EVERYWHERE],
      columns: [0, 1],
      ordered: true,
    }
    for await (const { columns, length } of transaction.scan(request))
      for (let i = 0; i < length; i++)
        found.push({ relation: relationId(Number(columns[0]?.[i])), everywhere: columns[1]?.[i] === true })
    return found
  }

  /** The session's own tables. */
  ownTables(store: LocalStore): readonly TableSchema[] {
    const found: TableSchema[] = []
    const request = { relation: LOCAL_ENTRIES, range: {}, columns: [1] }
    for (const { columns } of store.scan(request))
      for (const definition of columns[0] ?? []) {
        const entry = decodeEntry(String(definition))
        if (entry.kind === 'table') found.push(entry)
      }
    return found
  }

  /** Takes a table of a session out of its store, after a commit. */
  forgetOwn(store: LocalStore, table: TableSchema): void {
    for (const name of [table, table.primaryKey, ...table.indexes].flatMap((one) => one?.name ?? []))
      store.delete(LOCAL_ENTRIES, entryAddress(catalogKey(table.schema, name)).key)
  }

  /** The relation is empty. */
  forget(transaction: Transaction, relation: RelationId): void {
    transaction.delete(discardedAddress(relation))
  }
}
