import {
  assert,
  type Database,
  type Key,
  type Row,
  type RowAddress,
  type Transaction,
  type Value,
} from '@cluster/core'
import { keyTypes } from '../../binder/write/stored-index.ts'
import { layoutOf } from '../../catalog/row-layout.ts'
import type { IndexSchema, KeyConstraint, TableSchema } from '../../catalog/schema.ts'
import { indexKeyOf } from '../../compile/index-program.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { quoteIdentifier } from '../../syntax/keywords.ts'
import { formatValue } from '../../types/format.ts'
import type { SqlType } from '../../types/type.ts'
import { readRows } from '../read-rows.ts'
import { partitionOfRow, primaryKeyOf } from '../rows/row-keys.ts'
import { DeferredWrites } from './deferred-writes.ts'
import { addressOf, type IndexEntry, indexEntryOf } from './index-entries.ts'
import type { StoredRow, WrittenRow } from './key-work.ts'

export type { StoredRow, WrittenRow } from './key-work.ts'

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
  /** Told of every row that was written. */
  readonly onChange?: ((change: WrittenRow) => void) | null
}

/** A row on its way to where it will be. */
interface Moved extends StoredRow {
  /** Its entries in the indexes, and those it had. */
  readonly now: readonly (IndexEntry | null)[]
  readonly was: readonly (IndexEntry | null)[] | null
  readonly oldKey: Key | null
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
  readonly #onChange: ((change: WrittenRow) => void) | null
  /** Entries that were read, were not there, and have not been written since. */
  readonly #free = new Set<string>()
  readonly #doubtful: { readonly address: RowAddress; readonly rowKey: Key }[] = []

  constructor({ database, transaction, table, makeRowKey, onChange = null }: TableWriterOptions) {
    this.#onChange = onChange
    this.#database = database
    this.#transaction = transaction
    this.#table = table
    this.#makeRowKey = makeRowKey
  }

  /** @throws 23505 when a key is taken, 23502 when a value is missing */
  async insert(rows: readonly Row[]): Promise<void> {
    const stored = rows.map((row) => this.#fresh(primaryKeyOf(this.#table, row) ?? this.#makeRowKey(), row))
    await this.#write(stored)
    for (const one of stored) this.#note(null, one)
  }

  /** True for a row that another part of the statement has written. */
  isTaken(key: Key): boolean {
    return this.#transaction instanceof DeferredWrites && this.#transaction.isTaken(this.#rowAddress(key))
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
      claims.push(claimOf(addressOf(index, entry), index, row))
    }
    return claims
  }

  /** The keys of the rows that have what is claimed, by the names of the claims. Entries are read once a statement. */
  async holders(claims: readonly Claim[]): Promise<ReadonlyMap<string, Key>> {
    const asked = [...new Map(claims.map((claim) => [claim.name, claim])).values()]
    const holders = new Map<string, Key>()
    for (let start = 0; start < asked.length; start += READS_AT_ONCE) {
      const some = asked.slice(start, start + READS_AT_ONCE)
      const found = await readRows(
        this.#transaction,
        some.map(({ address }) => address),
      )
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
      const found = await readRows(
        this.#transaction,
        some.map((key) => this.#rowAddress(key)),
      )
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
   * @param inOrder true: they may not, as in PostgreSQL, which changes one row after another
   * @throws as `insert`
   */
  async update(changes: readonly RowChange[], inOrder = false): Promise<void> {
    const moved = changes.map(({ old, row }): Moved => {
      const key = primaryKeyOf(this.#table, row) ?? old.key
      if (key !== old.key) this.#transaction.delete(this.#rowAddress(old.key))
      const was = this.#entries(old)
      const now = this.#entries({ key, row })
      const gone = was.filter((entry, i) => entry !== null && entry.key !== now[i]?.key)
      this.#deleteEntries(was, old.key, (entry) => gone.includes(entry))
      return { key, row, now, was, oldKey: old.key }
    })
    if (inOrder) this.#refuseTrades(moved)
    await this.#deleteOwn()
    await this.#write(moved)
    for (const [i, { old }] of changes.entries()) this.#note(old, moved[i] ?? null)
  }

  /**
   * A row cannot take a key that a row behind it still has. PostgreSQL goes by where rows lie, mostly in the order in which
   * they were inserted; here it is that of their keys.
   * @throws 23505
   */
  #refuseTrades(moved: readonly Moved[]): void {
    const inTurn = [...moved].sort((a, b) => ((a.oldKey ?? '') < (b.oldKey ?? '') ? -1 : 1))
    const turnOf = new Map<string, number>()
    const { primaryKey } = this.#table
    const strict = primaryKey !== null && primaryKey.deferrable !== true
    inTurn.forEach(({ oldKey, was }, turn) => {
      if (strict && oldKey !== null) turnOf.set(nameOf(this.#rowAddress(oldKey)), turn)
      this.#table.indexes.forEach((index, i) => {
        const entry = was?.[i] ?? null
        if (entry?.exclusive === true) turnOf.set(nameOf(addressOf(index, entry)), turn)
      })
    })
    inTurn.forEach((one, turn) => {
      const taken = this.#claimsOfMoved(one).find(({ name }) => (turnOf.get(name) ?? turn) > turn)
      if (taken !== undefined) throw duplicateKey(this.#table, taken)
    })
  }

  /** What must be free for a row to be where it goes. */
  #claimsOfMoved({ key, row, now, was, oldKey }: Moved): Claim[] {
    const { primaryKey, indexes } = this.#table
    const claims: Claim[] = []
    if (primaryKey !== null && oldKey !== key) claims.push(claimOf(this.#rowAddress(key), primaryKey, row))
    indexes.forEach((index, i) => {
      const entry = now[i] ?? null
      if (entry?.exclusive !== true || was?.[i]?.key === entry.key) return
      claims.push(claimOf(addressOf(index, entry), index, row))
    })
    return claims
  }

  async delete(rows: readonly StoredRow[]): Promise<void> {
    for (const stored of rows) {
      this.#transaction.delete(this.#rowAddress(stored.key))
      this.#deleteEntries(this.#entries(stored), stored.key, () => true)
      this.#note(stored, null)
    }
    await this.#deleteOwn()
  }

  #deleteEntries(
    entries: readonly (IndexEntry | null)[],
    rowKey: Key,
    chosen: (entry: IndexEntry) => boolean,
  ): void {
    this.#table.indexes.forEach((index, i) => {
      const entry = entries[i] ?? null
      if (entry === null || !chosen(entry)) return
      const address = addressOf(index, entry)
      if (index.ready || !entry.exclusive) this.#transaction.delete(address)
      else this.#doubtful.push({ address, rowKey })
    })
  }

  /** While a unique index is being filled, an entry may be that of another row with the same key. */
  async #deleteOwn(): Promise<void> {
    for (const { address, rowKey } of this.#doubtful.splice(0)) {
      const entry = await this.#transaction.get(address)
      if (entry !== null && entry[0] === rowKey) this.#transaction.delete(address)
    }
  }

  /** Adds the entries of one index for rows that are there already. @throws 23505 */
  async fillIndex(index: IndexSchema, rows: readonly StoredRow[]): Promise<void> {
    const claims: Claim[] = []
    const entries = rows.map(({ key, row }) => {
      const entry = indexEntryOf(this.#database, this.#table, index, row, key)
      if (entry?.exclusive === true) claims.push(claimOf(addressOf(index, entry), index, row))
      return entry
    })
    await this.#claim(claims)
    rows.forEach(({ key }, i) => {
      const entry = entries[i] ?? null
      if (entry !== null) this.#put(addressOf(index, entry), [key])
    })
  }

  /** Writes rows under their keys, which are those of the primary key where there is one. @throws as `insert` */
  async place(rows: readonly StoredRow[]): Promise<void> {
    await this.#write(rows.map(({ key, row }) => this.#fresh(primaryKeyOf(this.#table, row) ?? key, row)))
  }

  #fresh(key: Key, row: Row): Moved {
    return { key, row, now: this.#entries({ key, row }), was: null, oldKey: null }
  }

  /** What each index has for a row; null where it leaves it out. */
  #entries({ key, row }: StoredRow): readonly (IndexEntry | null)[] {
    return this.#table.indexes.map((index) => indexEntryOf(this.#database, this.#table, index, row, key))
  }

  #note(old: StoredRow | null, now: StoredRow | null): void {
    this.#onChange?.({ table: this.#table, old, now })
  }

  async #write(rows: readonly Moved[]): Promise<void> {
    const { indexes } = this.#table
    const claims: Claim[] = []
    for (const moved of rows) {
      this.checkNotNull(moved.row)
      claims.push(...this.#claimsOfMoved(moved))
    }
    await this.#claim(claims)
    const { toStored } = layoutOf(this.#table)
    for (const { key, row, now, was, oldKey } of rows) {
      this.#put(this.#rowAddress(key), toStored(row))
      indexes.forEach((index, i) => {
        const entry = now[i] ?? null
        if (entry !== null && (oldKey !== key || was?.[i]?.key !== entry.key))
          this.#put(addressOf(index, entry), [key])
      })
    }
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
      const found = await readRows(
        this.#transaction,
        some.map(({ address }) => address),
      )
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

const print = ({ columns }: TableSchema, position: number, value: Value): string =>
  printAs(columns[position]?.type, value)

const printAs = (type: SqlType | undefined, value: Value): string =>
  value === null || type === undefined ? 'null' : formatValue(type, value)

/** 23505 */
export function duplicateKey(table: TableSchema, { constraint, row }: Pick<Claim, 'constraint' | 'row'>) {
  const index = 'relation' in constraint ? (constraint as IndexSchema) : null
  const names = constraint.columns.map((position, i) => {
    const text = index?.keys?.[i]?.text ?? null
    if (text === null) return quoteIdentifier(table.columns[position]?.name ?? '')
    return /^\w+\(/.test(text) ? text : `(${text})`
  })
  const types = index === null ? null : keyTypes(table, index)
  const found = index === null ? null : indexKeyOf(table, index)(row)
  const values = constraint.columns.map((position, i) =>
    found === null ? print(table, position, row[position] ?? null) : printAs(types?.[i], found[i] ?? null),
  )
  return sqlError(
    SQLSTATE.uniqueViolation,
    `duplicate key value violates unique constraint "${constraint.name}"`,
    {
      detail: `Key (${names.join(', ')})=(${values.join(', ')}) already exists.`,
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
