import {
  type Database,
  EVERYWHERE,
  type Key,
  KeyWriter,
  type PartitionId,
  type Row,
  type Value,
} from '@cluster/core'
import type { TableSchema } from '../../catalog/schema.ts'
import { writeKeyValue } from '../../types/key.ts'

/** The key of some columns' values, in the order given. */
export function keyOfValues(table: TableSchema, columns: readonly number[], values: readonly Value[]): Key {
  const writer = new KeyWriter()
  columns.forEach((position, i) => {
    const column = table.columns[position]
    if (column !== undefined) writeKeyValue(writer, column.type, values[i] as Value)
  })
  return writer.finish()
}

const valuesOf = (row: Row, columns: readonly number[]): Value[] =>
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

/** The partitions to be read for all rows of a table; nothing: all of them. */
export const partitionsOf = (table: TableSchema): { readonly partitions?: readonly PartitionId[] } =>
  table.placement === 'everywhere' ? { partitions: [EVERYWHERE] } : {}
