import {
  type Database,
  EVERYWHERE,
  type Key,
  KeyWriter,
  type PartitionId,
  type Row,
  type Value,
} from '@cluster/core'
import type { IndexSchema, TableSchema } from '../catalog/schema.ts'
import { writeKeyValue } from '../types/key.ts'

/** The key of some columns' values, in the order given. */
export function keyOfValues(table: TableSchema, columns: readonly number[], values: readonly Value[]): Key {
  const writer = new KeyWriter()
  columns.forEach((position, i) => {
    const column = table.columns[position]
    if (column !== undefined) writeKeyValue(writer, column.type, values[i] as Value)
  })
  return writer.finish()
}

export const valuesOf = (row: Row, columns: readonly number[]): Value[] =>
  columns.map((position) => row[position] as Value)

/** The primary key of a row, which is its key in the table's relation. */
export function primaryKeyOf(table: TableSchema, row: Row): Key | null {
  if (table.primaryKey === null) return null
  const { columns } = table.primaryKey
  return keyOfValues(table, columns, valuesOf(row, columns))
}

export function partitionOfRow(database: Database, table: TableSchema, rowKey: Key): PartitionId {
  return table.placement === 'everywhere' ? EVERYWHERE : database.partitionOf(rowKey)
}

/** Where an index has its entry for a row, and whether another row may have the same. */
export interface IndexEntryAddress {
  readonly key: Key
  readonly partition: PartitionId
  /** True when another row with this very entry would break the constraint. */
  readonly exclusive: boolean
}

/**
 * An entry of a unique index without NULL is keyed by its columns alone and lives in the partition of that key,
 * so one read tells whether it is taken. Every other entry has the row's key behind its columns and lives
 * beside the row.
 */
export function indexEntryOf(
  database: Database,
  table: TableSchema,
  index: IndexSchema,
  row: Row,
  rowKey: Key,
): IndexEntryAddress {
  const values = valuesOf(row, index.columns)
  const key = keyOfValues(table, index.columns, values)
  const exclusive = index.unique && values.every((value) => value !== null)
  if (!exclusive)
    return { key: key + rowKey, partition: partitionOfRow(database, table, rowKey), exclusive: false }
  const partition = table.placement === 'everywhere' ? EVERYWHERE : database.partitionOf(key)
  return { key, partition, exclusive: true }
}

/**
 * Makes keys for rows of tables without a primary key: the time, so that rows made here later sort later, then
 * what no other engine has.
 */
export function rowKeyMaker(wall: () => number, engine: Uint8Array): () => Key {
  let counter = 0
  return () =>
    new KeyWriter()
      .int64(BigInt(Math.floor(wall())))
      .bytes(engine)
      .int64(BigInt(counter++))
      .finish()
}
