import { EVERYWHERE, type Key, type PartitionId, type Row, type Transaction, type Value } from '@cluster/core'
import { layoutOf } from '../catalog/row-layout.ts'
import type { TableSchema } from '../catalog/schema.ts'
import type { StoredRow } from '../executor/write/table-writer.ts'

const partitionsOf = (table: TableSchema): { readonly partitions?: readonly PartitionId[] } =>
  table.placement === 'everywhere' ? { partitions: [EVERYWHERE] } : {}

/** All rows of a table with their keys, as the table shows them. */
export async function* rowsOf(table: TableSchema, transaction: Transaction): AsyncGenerator<StoredRow[]> {
  const { slots, read } = layoutOf(table)
  const request = { relation: table.relation, range: {}, columns: slots, ...partitionsOf(table) }
  for await (const batch of transaction.scan(request)) {
    const rows: StoredRow[] = []
    for (let i = 0; i < batch.length; i++) {
      const row: Row = batch.columns.map((column, position) => {
        const value = column[i] as Value
        const convert = read[position] ?? null
        return convert === null ? value : convert(value)
      })
      rows.push({ key: batch.keys[i] as Key, row })
    }
    yield rows
  }
}

/** True when the table has a row. */
export async function hasRows(table: TableSchema, transaction: Transaction): Promise<boolean> {
  const request = { relation: table.relation, range: {}, columns: [], limit: 1, ...partitionsOf(table) }
  for await (const batch of transaction.scan(request)) if (batch.length > 0) return true
  return false
}
