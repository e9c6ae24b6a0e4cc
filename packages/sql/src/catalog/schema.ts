import type { RelationId } from '@cluster/core'
import type { SqlType } from '../types/type.ts'

/** A table as the catalog has it. Immutable: a change makes a new one with a higher `version`. */
export interface TableSchema {
  readonly kind: 'table'
  readonly name: string
  /** Where its rows are; never reused, so it tells tables of one name apart. */
  readonly relation: RelationId
  /** Grows with every change of the definition. */
  readonly version: number
  readonly columns: readonly ColumnSchema[]
  /** Null: rows have keys of their own that nobody sees. */
  readonly primaryKey: KeyConstraint | null
  /** Unique constraints, unique indexes and plain indexes, in the order made. */
  readonly indexes: readonly IndexSchema[]
  readonly checks: readonly CheckConstraint[]
  /** `everywhere`: every node holds every row. */
  readonly placement: 'hashed' | 'everywhere'
}

export interface ColumnSchema {
  readonly name: string
  readonly type: SqlType
  readonly notNull: boolean
  /** The expression as printed SQL, or null. */
  readonly defaultText: string | null
}

/** Columns by position. */
export interface KeyConstraint {
  readonly name: string
  readonly columns: readonly number[]
}

export interface IndexSchema extends KeyConstraint {
  readonly relation: RelationId
  readonly unique: boolean
  /** True when a UNIQUE constraint made it; such an index cannot be dropped by itself. */
  readonly constraint: boolean
}

export interface CheckConstraint {
  readonly name: string
  /** The condition as printed SQL. */
  readonly text: string
}

export interface ViewSchema {
  readonly kind: 'view'
  readonly name: string
  readonly version: number
  /** The query as written. */
  readonly text: string
  /** Names given to its columns; fewer than the query has when the rest keep theirs. */
  readonly columns: readonly string[]
  /** Tables and views it reads, which cannot be dropped while it exists. */
  readonly uses: readonly string[]
}

/** The name of an index; its definition is its table's. */
export interface IndexEntry {
  readonly kind: 'index'
  readonly name: string
  readonly version: number
  readonly table: string
}

export type CatalogEntry = TableSchema | ViewSchema | IndexEntry
