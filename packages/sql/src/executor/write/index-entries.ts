import {
  type Database,
  EVERYWHERE,
  type Key,
  KeyWriter,
  type PartitionId,
  type Row,
  type RowAddress,
} from '@cluster/core'
import { keyTypes } from '../../binder/write/stored-index.ts'
import type { IndexSchema, TableSchema } from '../../catalog/schema.ts'
import { indexKeyOf } from '../../compile/index-program.ts'
import { writeKeyValue } from '../../types/key.ts'
import { partitionOfRow } from '../rows/row-keys.ts'

/** Where an index has its entry for a row, and whether another row may have the same. */
export interface IndexEntry {
  readonly key: Key
  readonly partition: PartitionId
  /** True when another row with this very entry would break the constraint. */
  readonly exclusive: boolean
}

/**
 * An entry of a unique index without NULL, or with NULLs that count as alike, is keyed by its columns alone and lives in the partition of that key,
 * so one read tells whether it is taken. Every other entry has the row's key behind its columns and lives
 * beside the row.
 * @returns null for a row that a partial index leaves out
 */
export function indexEntryOf(
  database: Database,
  table: TableSchema,
  index: IndexSchema,
  row: Row,
  rowKey: Key,
): IndexEntry | null {
  const values = indexKeyOf(table, index)(row)
  if (values === null) return null
  const types = keyTypes(table, index)
  const writer = new KeyWriter()
  let nulls = false
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? null
    if (value === null) nulls = true
    writeKeyValue(writer, types[i] as (typeof types)[number], value)
  }
  const key = writer.finish()
  if (!index.unique || (nulls && index.nullsNotDistinct !== true))
    return { key: key + rowKey, partition: partitionOfRow(database, table, rowKey), exclusive: false }
  const partition = table.placement === 'everywhere' ? EVERYWHERE : database.partitionOf(key)
  return { key, partition, exclusive: true }
}

export const addressOf = ({ relation }: IndexSchema, { partition, key }: IndexEntry): RowAddress => ({
  relation,
  partition,
  key,
})
