import type { Key, Row, Value } from '@cluster/core'
import type { TableSchema } from '../../catalog/schema.ts'
import type { Batch, Frame } from '../../compile/batch.ts'

/** A row as it stands in the table. */
export interface StoredRow {
  readonly key: Key
  readonly row: Row
}

/** What became of one row; null: it was not there before, or is not there any more. */
export interface WrittenRow {
  readonly table: TableSchema
  readonly old: StoredRow | null
  readonly now: StoredRow | null
}

/** A condition that rows meet: of the table, or of a domain. */
export interface NamedCheck {
  readonly name: string
  readonly domain: string | null
  /** True: the name is a view's, through which the row was written. */
  readonly view?: boolean
}

/** Gives the position of the first check that a row breaks, for each row; −1: none. */
export type CheckRows = (batch: Batch, frame: Frame) => readonly number[]

export interface RowChecks {
  readonly checks: readonly NamedCheck[]
  readonly find: CheckRows
}

/** A table that foreign keys lead to, with what a changed row of it needs. */
export interface CompiledRelated {
  readonly key: string
  readonly table: TableSchema
  /** Computes generated columns; null: it has none. */
  readonly complete: ((batch: Batch, frame: Frame) => Batch) | null
  readonly checks: RowChecks | null
  readonly defaults: (frame: Frame) => readonly Value[]
}

/** What a statement has to see to when its rows are written: their foreign keys. */
export class KeyWork {
  readonly written: WrittenRow[] = []
  readonly tables = new Map<string, CompiledRelated>()

  /** @returns who wants to know of the rows */
  begin(related: readonly CompiledRelated[]): (change: WrittenRow) => void {
    for (const table of related) this.tables.set(table.key, table)
    return (change) => {
      this.written.push(change)
    }
  }
}
