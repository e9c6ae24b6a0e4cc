import type { RelationId, Value } from '@cluster/core'
import type { SqlType } from '../types/type.ts'

/** What all entries of the catalog have. Immutable: a change makes a new one with a higher `version`. */
export interface CatalogObject {
  /** The schema it is in; empty for a schema itself. */
  readonly schema: string
  /** Its own name. */
  readonly name: string
  /** Never reused, and the same after a change of name: tells objects apart for `pg_catalog`. */
  readonly oid: number
  /** Grows with every change of the definition. */
  readonly version: number
  readonly comment: string | null
}

/** A table, or a materialized view, as the catalog has it. */
export interface TableSchema extends CatalogObject {
  readonly kind: 'table'
  /** Where its rows are; never reused, so it tells tables of one name apart. */
  readonly relation: RelationId
  readonly columns: readonly ColumnSchema[]
  /** Places in stored rows that were ever given out; the next column gets this one. */
  readonly slots: number
  /** Null: rows have keys of their own that nobody sees. */
  readonly primaryKey: PrimaryKey | null
  /** Unique constraints, unique indexes and plain indexes, in the order made. */
  readonly indexes: readonly IndexSchema[]
  readonly checks: readonly CheckConstraint[]
  readonly foreignKeys: readonly ForeignKey[]
  /** Foreign keys that point here. */
  readonly referencedBy: readonly IncomingKey[]
  /** `everywhere`: every node holds every row. */
  readonly placement: 'hashed' | 'everywhere'
  /** Set for a table of one session: what COMMIT does to it. */
  readonly temporary: 'preserve rows' | 'delete rows' | 'drop' | null
  /** Set for a materialized view: the query that it holds the rows of. */
  readonly materialized: MaterializedQuery | null
}

export interface ColumnSchema {
  readonly name: string
  readonly type: SqlType
  readonly notNull: boolean
  /** The expression as printed SQL, or null. */
  readonly defaultText: string | null
  /** Where stored rows have the value; never reused within a table. */
  readonly slot: number
  /**
   * What rows that are older than the column have in it; null: NULL. While it is set, a stored NULL means this value, and
   * NULL itself is stored as `storedNull` says.
   */
  readonly missing: Value
  /** Computed from other columns by this expression whenever the row is written. */
  readonly generated: string | null
  readonly identity: 'always' | 'by default' | null
  /** The key of the sequence that belongs to the column, and goes when it goes. */
  readonly sequence: string | null
  /** The key of the domain that the column was declared with. */
  readonly domain: string | null
  readonly comment: string | null
}

/** Columns by position. */
export interface KeyConstraint {
  readonly name: string
  readonly columns: readonly number[]
}

export interface PrimaryKey extends KeyConstraint {
  /** Looked at when a statement ends, not row by row. It never waits for COMMIT. */
  readonly deferrable?: boolean
  readonly oid: number
  readonly comment: string | null
}

/** In `columns` of an index: the key is not a column but an expression. */
export const EXPRESSION = -1

export interface IndexSchema extends KeyConstraint {
  readonly oid: number
  readonly relation: RelationId
  readonly unique: boolean
  /** True: two rows with NULL in the same place are alike; absent or false: they never are. */
  readonly nullsNotDistinct?: boolean
  /**
   * Of a UNIQUE constraint that may wait for COMMIT. `unique` is false then: two rows may have one key for a while, so
   * entries are those of any other index, and what is entered is looked for when the constraint is checked.
   */
  readonly deferral?: { readonly initiallyDeferred: boolean }
  /** True when a UNIQUE constraint made it; such an index cannot be dropped by itself. */
  readonly constraint: boolean
  /** One for each of `columns`; null when all of them are plain columns, ascending with NULLs last. */
  readonly keys: readonly IndexKey[] | null
  /** The condition that rows of a partial index meet, as SQL; null: all rows. */
  readonly where: string | null
  /** False while it is being filled: writers keep it, readers do not use it yet. */
  readonly ready: boolean
  readonly comment: string | null
}

export interface IndexKey {
  /** The expression as SQL; null: a column. */
  readonly text: string | null
  readonly type: SqlType
  readonly descending: boolean
  readonly nullsFirst: boolean
}

export interface CheckConstraint {
  readonly name: string
  /** The condition as printed SQL. */
  readonly text: string
  readonly oid: number
  /** False: rows that were there when it was made have not been looked at. */
  readonly validated: boolean
  readonly comment: string | null
}

export type KeyAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default'

/** Columns by slot, so that it stays true when columns are dropped before them. */
export interface ForeignKey {
  readonly name: string
  readonly oid: number
  readonly columns: readonly number[]
  /** The key of the table it points at. */
  readonly table: string
  readonly referenced: readonly number[]
  /** The name of the primary key, unique constraint or unique index that it relies on. */
  readonly target: string
  readonly match: 'simple' | 'full'
  readonly onDelete: KeyAction
  readonly onUpdate: KeyAction
  /** Columns of ON DELETE SET NULL or SET DEFAULT, by slot. */
  readonly onDeleteColumns: readonly number[]
  readonly deferrable: boolean
  readonly initiallyDeferred: boolean
  readonly validated: boolean
  readonly comment: string | null
}

/** A foreign key as the table knows it that it points at. */
export interface IncomingKey {
  /** The key of the table that has it. */
  readonly table: string
  readonly name: string
}

/** A query in the catalog. What it names was looked up when it was made, and stays that whatever is renamed. */
export interface StoredQuery {
  /** The query as written. */
  readonly text: string
  /** Names given to its columns; fewer than the query has when the rest keep theirs. */
  readonly columns: readonly string[]
  readonly uses: readonly UsedObject[]
}

/** A table or view that a query reads, which cannot be dropped while it exists. */
export interface UsedObject {
  /** As the query writes it. */
  readonly written: string
  /** The key of the object. */
  readonly key: string
  /** The columns that it had, under the names they had; null for a view. */
  readonly columns: readonly UsedColumn[] | null
}

export interface UsedColumn {
  readonly name: string
  readonly slot: number
}

export type MaterializedQuery = StoredQuery & {
  /** False after WITH NO DATA: it cannot be read before it was refreshed. */
  readonly populated: boolean
}

export interface ViewSchema extends CatalogObject, StoredQuery {
  readonly kind: 'view'
  /** What it gives, for the catalog's tables. */
  readonly result: readonly { readonly name: string; readonly type: SqlType }[]
  readonly checkOption: 'local' | 'cascaded' | null
}

/** The name of an index; its definition is its table's. */
export interface IndexEntry extends CatalogObject {
  readonly kind: 'index'
  /** The key of the table. */
  readonly table: string
}

/** Numbers are decimal text: they have 64 bits. */
export interface SequenceSchema extends CatalogObject {
  readonly kind: 'sequence'
  readonly type: 'smallint' | 'integer' | 'bigint'
  readonly start: string
  readonly increment: string
  readonly min: string
  readonly max: string
  readonly cache: number
  readonly cycle: boolean
  /** The column it goes with; by slot. */
  readonly ownedBy: { readonly table: string; readonly slot: number } | null
  readonly temporary: boolean
}

export interface EnumSchema extends CatalogObject {
  readonly kind: 'enum'
  /** In the order of the type. */
  readonly labels: readonly EnumLabel[]
}

/** Values are kept and ordered by `place`, so a label can be added between others. */
export interface EnumLabel {
  readonly label: string
  readonly place: number
}

/** A type whose values are rows. */
export interface CompositeSchema extends CatalogObject {
  readonly kind: 'composite'
  readonly fields: readonly { readonly name: string; readonly type: SqlType }[]
}

export interface DomainSchema extends CatalogObject {
  readonly kind: 'domain'
  /** The type below all domains that it stands on. */
  readonly type: SqlType
  /** The key of the domain that it stands on, whose conditions hold as well. */
  readonly base?: string
  readonly notNull: boolean
  readonly defaultText: string | null
  readonly checks: readonly CheckConstraint[]
}

export interface SchemaEntry extends CatalogObject {
  readonly kind: 'schema'
}

export type CatalogEntry =
  | TableSchema
  | ViewSchema
  | IndexEntry
  | SequenceSchema
  | EnumSchema
  | DomainSchema
  | CompositeSchema
  | SchemaEntry

/** True for what a column can be declared with, and DROP TYPE drops. */
export const isTypeEntry = (
  entry: CatalogEntry | null,
): entry is EnumSchema | DomainSchema | CompositeSchema =>
  entry?.kind === 'enum' || entry?.kind === 'domain' || entry?.kind === 'composite'
