import type { Database, Transaction, Value } from '@cluster/core'
import type { SqlType } from '../types/type.ts'
import type { CatalogImage } from './image.ts'
import type { SequenceSchema } from './schema.ts'
import type { SequenceState } from './sequence-state.ts'

export interface VirtualColumn {
  readonly name: string
  readonly type: SqlType
}

/** What a virtual table may read to make its rows. */
export interface VirtualContext {
  readonly database: Database
  /** The transaction of the statement that reads the table. */
  readonly transaction: Transaction
  /** The catalog as that transaction sees it. */
  readonly catalog: CatalogImage
  /** What a sequence has given out last; `stored` is what is written of it. */
  readonly given: (sequence: SequenceSchema, stored: SequenceState) => SequenceState
  /** The settings of the session. */
  readonly settings: () => readonly (readonly [name: string, value: string])[]
}

/** A table whose rows are made when it is read, such as the members of the cluster. Read only. */
export interface VirtualTable {
  /** `information_schema.tables` for one in a schema of its own; else it is found in `pg_catalog`. */
  readonly name: string
  readonly columns: readonly VirtualColumn[]
  /** Only superusers may read it. */
  readonly secret?: boolean
  /** All rows, each with one value a column. Called once a scan. */
  rows(context: VirtualContext): readonly (readonly Value[])[] | Promise<readonly (readonly Value[])[]>
}
