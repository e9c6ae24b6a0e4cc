import {
  EVERYWHERE,
  type Key,
  type PartitionId,
  type RelationId,
  type Row,
  type Transaction,
  type Value,
} from '@cluster/core'
import type { TableSchema } from '../catalog/schema.ts'
import type { StoredRow } from '../executor/table-writer.ts'
import type { DdlContext } from './context.ts'

const partitionsOf = (table: TableSchema): { readonly partitions?: readonly PartitionId[] } =>
  table.placement === 'everywhere' ? { partitions: [EVERYWHERE] } : {}

/** All rows of a table with their keys. */
export async function* rowsOf(table: TableSchema, transaction: Transaction): AsyncGenerator<StoredRow[]> {
  const columns = table.columns.map((_, position) => position)
  const request = { relation: table.relation, range: {}, columns, ...partitionsOf(table) }
  for await (const batch of transaction.scan(request)) {
    const rows: StoredRow[] = []
    for (let i = 0; i < batch.length; i++) {
      const row: Row = batch.columns.map((column) => column[i] as Value)
      rows.push({ key: batch.keys[i] as Key, row })
    }
    yield rows
  }
}

/** Deletes every entry of a table and its indexes. */
export async function deleteAll(context: DdlContext, table: TableSchema): Promise<void> {
  const relations = [table.relation, ...table.indexes.map(({ relation }) => relation)]
  for (const relation of relations) await deleteRelation(context, table, relation)
}

/** Deletes every entry of one relation of a table. */
export async function deleteRelation(
  { database, transaction }: DdlContext,
  table: TableSchema,
  relation: RelationId,
): Promise<void> {
  const partitions =
    table.placement === 'everywhere'
      ? [EVERYWHERE]
      : Array.from({ length: database.options.partitions }, (_, i) => (i + 1) as PartitionId)
  for (const partition of partitions) {
    const keys: Key[] = []
    const request = { relation, range: {}, columns: [], partitions: [partition] }
    for await (const batch of transaction.scan(request)) keys.push(...batch.keys)
    for (const key of keys) transaction.delete({ relation, partition, key })
  }
}
