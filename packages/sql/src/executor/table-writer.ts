import {
  assert,
  type Database,
  type Key,
  type PartitionId,
  type RelationId,
  type Row,
  type RowAddress,
  type Transaction,
  type Value,
} from '@cluster/core'
import { layoutOf } from '../catalog/row-layout.ts'
import type { IndexSchema, KeyConstraint, TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import { formatValue } from '../types/format.ts'
import { indexEntryOf, partitionOfRow, primaryKeyOf, valuesOf } from './row-keys.ts'

/** A row as it stands in the table. */
export interface StoredRow {
  readonly key: Key
  readonly row: Row
}

export interface RowChange {
  readonly old: StoredRow
  readonly row: Row
}

export interface TableWriterOptions {
  readonly database: Database
  readonly transaction: Transaction
  readonly table: TableSchema
  /** Makes the key of a row without a primary key. */
  readonly makeRowKey: () => Key
}

/** Reads in flight at once. */
const READS_AT_ONCE = 256

/** One entry, of the table itself or of an index, that must be free. */
export interface Claim {
  readonly address: RowAddress
  /** Tells the entry from all others. */
  readonly name: string
  readonly constraint: KeyConstraint
  readonly row: Row
}

/**
 * Writes rows of one table with all their index entries, inside a transaction. Every entry that must be unique
 * is read first, and so certified: of two transactions that claim it, one is refused.
 */
export class TableWriter {
  readonly #database: Database
  readonly #transaction: Transaction
  readonly #table: TableSchema
  readonly #makeRowKey: () => Key
  /** Entries that were read, were not there, and have not been written since. */
  readonly #free = new Set<string>()

  constructor({ database, transaction, table, makeRowKey }: TableWriterOptions) {
    this.#database = database
    this.#transaction = transaction
    this.#table = table
    this.#makeRowKey = makeRowKey
  }

  /** @throws 23505 when a key is taken, 23502 when a value is missing */
  async insert(rows: readonly Row[]): Promise<void> {
    const stored = rows.map((row) => ({ row, key: primaryKeyOf(this.#table, row) ?? this.#makeRowKey() }))
    await this.#write(stored)
  }

  /** What a row to be inserted needs to be free under some constraints of the table, in their order. */
  claimsOf(row: Row, constraints: readonly KeyConstraint[]): readonly Claim[] {
    const claims: Claim[] = []
    for (const constraint of constraints) {
      if (constraint === this.#table.primaryKey) {
        const key = primaryKeyOf(this.#table, row)
        if (key !== null) claims.push(claimOf(this.#rowAddress(key), constraint, row))
        continue
      }
      const index = this.#table.indexes.find((one) => one === constraint)
      // What an exclusive entry's key is made of does not include the key of the row.
      const entry = index === undefined ? null : indexEntryOf(this.#database, this.#table, index, row, '')
      if (index === undefined || entry === null || !entry.exclusive) continue
      claims.push(claimOf(entryAddress(index.relation, entry.partition, entry.key), index, row))
    }
    return claims
  }

  /** The keys of the rows that have what is claimed, by the names of the claims. Entries are read once a statement. */
  async holders(claims: readonly Claim[]): Promise<ReadonlyMap<string, Key>> {
    const asked = [...new Map(claims.map((claim) => [claim.name, claim])).values()]
    const holders = new Map<string, Key>()
    for (let start = 0; start < asked.length; start += READS_AT_ONCE) {
      const some = asked.slice(start, start + READS_AT_ONCE)
      const found = await Promise.all(some.map(({ address }) => this.#transaction.get(address)))
      some.forEach(({ name, address }, i) => {
        const entry = found[i] ?? null
        if (entry === null) this.#free.add(name)
        else holders.set(name, address.relation === this.#table.relation ? address.key : (entry[0] as Key))
      })
    }
    return holders
  }

  /** The rows of keys that index entries or other reads told of. */
  async rowsAt(keys: readonly Key[]): Promise<readonly StoredRow[]> {
    const rows: StoredRow[] = []
    for (let start = 0; start < keys.length; start += READS_AT_ONCE) {
      const some = keys.slice(start, start + READS_AT_ONCE)
      const found = await Promise.all(some.map((key) => this.#transaction.get(this.#rowAddress(key))))
      some.forEach((key, i) => {
        const row = found[i] ?? null
        assert(row !== null, `an index entry of table ${this.#table.name} without its row`)
        rows.push({ key, row: layoutOf(this.#table).fromStored(row) })
      })
    }
    return rows
  }

  /**
   * All old entries go before new ones are checked, so rows may trade keys within a statement.
   * @throws as `insert`
   */
  async update(changes: readonly RowChange[]): Promise<void> {
    const moved: StoredRow[] = []
    for (const { old, row } of changes) {
      const key = primaryKeyOf(this.#table, row) ?? old.key
      if (key !== old.key) this.#transaction.delete(this.#rowAddress(old.key))
      for (const index of this.#table.indexes) {
        const before = indexEntryOf(this.#database, this.#table, index, old.row, old.key)
        const after = indexEntryOf(this.#database, this.#table, index, row, key)
        if (before.key !== after.key)
          this.#transaction.delete(entryAddress(index.relation, before.partition, before.key))
      }
      moved.push({ row, key })
    }
    await this.#write(
      moved,
      changes.map(({ old }) => old),
    )
  }

  delete(rows: readonly StoredRow[]): void {
    for (const { key, row } of rows) {
      this.#transaction.delete(this.#rowAddress(key))
      for (const index of this.#table.indexes) {
        const entry = indexEntryOf(this.#database, this.#table, index, row, key)
        this.#transaction.delete(entryAddress(index.relation, entry.partition, entry.key))
      }
    }
  }

  /** Adds the entries of one index for rows that are there already. @throws 23505 */
  async fillIndex(index: IndexSchema, rows: readonly StoredRow[]): Promise<void> {
    const claims: Claim[] = []
    for (const { key, row } of rows) {
      const entry = indexEntryOf(this.#database, this.#table, index, row, key)
      const address = entryAddress(index.relation, entry.partition, entry.key)
      if (entry.exclusive) claims.push(claimOf(address, index, row))
    }
    await this.#claim(claims)
    for (const { key, row } of rows) this.#putEntry(index, row, key)
  }

  /** Writes rows under their keys, which are those of the primary key where there is one. @throws as `insert` */
  async place(rows: readonly StoredRow[]): Promise<void> {
    await this.#write(rows.map(({ key, row }) => ({ key: primaryKeyOf(this.#table, row) ?? key, row })))
  }

  async #write(rows: readonly StoredRow[], before: readonly StoredRow[] | null = null): Promise<void> {
    const claims: Claim[] = []
    rows.forEach(({ key, row }, i) => {
      this.checkNotNull(row)
      const old = before?.[i]
      const { primaryKey } = this.#table
      if (primaryKey !== null && old?.key !== key)
        claims.push(claimOf(this.#rowAddress(key), primaryKey, row))
      for (const index of this.#table.indexes) {
        const entry = indexEntryOf(this.#database, this.#table, index, row, key)
        if (!entry.exclusive) continue
        if (old !== undefined) {
          const was = indexEntryOf(this.#database, this.#table, index, old.row, old.key)
          if (was.key === entry.key) continue
        }
        const address = entryAddress(index.relation, entry.partition, entry.key)
        claims.push(claimOf(address, index, row))
      }
    })
    await this.#claim(claims)
    rows.forEach(({ key, row }, i) => {
      this.#put(this.#rowAddress(key), layoutOf(this.#table).toStored(row))
      for (const index of this.#table.indexes) {
        const old = before?.[i]
        if (old?.key === key) {
          const was = indexEntryOf(this.#database, this.#table, index, old.row, old.key)
          const now = indexEntryOf(this.#database, this.#table, index, row, key)
          if (was.key === now.key) continue
        }
        this.#putEntry(index, row, key)
      }
    })
  }

  #putEntry(index: IndexSchema, row: Row, rowKey: Key): void {
    const entry = indexEntryOf(this.#database, this.#table, index, row, rowKey)
    this.#put(entryAddress(index.relation, entry.partition, entry.key), [rowKey])
  }

  #put(address: RowAddress, row: Row): void {
    this.#transaction.put(address, row)
    if (this.#free.size > 0) this.#free.delete(nameOf(address))
  }

  /** @throws 23505 when one of the entries exists, or two rows of this statement claim the same */
  async #claim(claims: readonly Claim[]): Promise<void> {
    const own = new Set<string>()
    for (const claim of claims) {
      if (own.has(claim.name)) throw duplicateKey(this.#table, claim)
      own.add(claim.name)
    }
    const asked = this.#free.size === 0 ? claims : claims.filter(({ name }) => !this.#free.has(name))
    for (let start = 0; start < asked.length; start += READS_AT_ONCE) {
      const some = asked.slice(start, start + READS_AT_ONCE)
      const found = await Promise.all(some.map(({ address }) => this.#transaction.get(address)))
      const taken = some.find((_, i) => found[i] !== null)
      if (taken !== undefined) throw duplicateKey(this.#table, taken)
    }
  }

  /** @throws 23502 */
  checkNotNull(row: Row): void {
    checkNotNull(this.#table, row)
  }

  #rowAddress(key: Key): RowAddress {
    const partition = partitionOfRow(this.#database, this.#table, key)
    return { relation: this.#table.relation, partition, key }
  }
}

const print = ({ columns }: TableSchema, position: number, value: Value): string => {
  const column = columns[position]
  return value === null || column === undefined ? 'null' : formatValue(column.type, value)
}

/** 23505 */
export function duplicateKey(table: TableSchema, { constraint, row }: Pick<Claim, 'constraint' | 'row'>) {
  const names = constraint.columns.map((position) => table.columns[position]?.name).join(', ')
  const values = valuesOf(row, constraint.columns)
    .map((value, i) => print(table, constraint.columns[i] as number, value))
    .join(', ')
  return sqlError(
    SQLSTATE.uniqueViolation,
    `duplicate key value violates unique constraint "${constraint.name}"`,
    {
      detail: `Key (${names})=(${values}) already exists.`,
      table: table.name,
      constraint: constraint.name,
    },
  )
}

/** @throws 23502 */
export function checkNotNull(table: TableSchema, row: Row): void {
  table.columns.forEach((column, position) => {
    if (!column.notNull || (row[position] ?? null) !== null) return
    throw sqlError(
      SQLSTATE.notNullViolation,
      `null value in column "${column.name}" of relation "${table.name}" violates not-null constraint`,
      {
        detail: `Failing row contains (${row.map((value, i) => print(table, i, value)).join(', ')}).`,
        table: table.name,
        column: column.name,
      },
    )
  })
}

const nameOf = ({ relation, partition, key }: RowAddress): string => `${relation}/${partition}/${key}`

const claimOf = (address: RowAddress, constraint: KeyConstraint, row: Row): Claim => ({
  address,
  name: nameOf(address),
  constraint,
  row,
})

const entryAddress = (relation: RelationId, partition: PartitionId, key: Key): RowAddress => ({
  relation,
  partition,
  key,
})
