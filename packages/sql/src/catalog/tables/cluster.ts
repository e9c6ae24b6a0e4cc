import { type Database, EVERYWHERE } from '@cluster/core'
import { BIGINT, BOOLEAN, INTEGER, TEXT } from '../../types/type.ts'
import type { Catalog } from '../catalog.ts'
import type { TableSchema } from '../schema.ts'
import type { VirtualTable } from '../virtual-table.ts'

/** Tables that tell about the database itself: its replicas, and where its tables are kept. */
export function clusterTables(database: Database, catalog: Catalog): readonly VirtualTable[] {
  return [replicas(database), partitions(database), relations(catalog), indexes(catalog)]
}

const replicas = (database: Database): VirtualTable => ({
  name: 'cluster_replicas',
  columns: [
    { name: 'partition', type: INTEGER },
    { name: 'node', type: TEXT },
    { name: 'complete', type: BOOLEAN },
    { name: 'rows', type: BIGINT },
  ],
  rows: () =>
    database
      .status()
      .replicas.map(({ partition, node, complete, rows }) => [
        partition,
        node,
        complete,
        rows === null ? null : BigInt(rows),
      ]),
})

const partitions = (database: Database): VirtualTable => ({
  name: 'cluster_partitions',
  columns: [
    { name: 'partition', type: INTEGER },
    { name: 'everywhere', type: BOOLEAN },
    { name: 'copies', type: INTEGER },
    { name: 'complete_copies', type: INTEGER },
    { name: 'under_replicated', type: BOOLEAN },
    { name: 'available', type: BOOLEAN },
  ],
  rows() {
    const { replicas: all, underReplicated, unavailable } = database.status()
    const ids = [...new Set(all.map(({ partition }) => partition))].sort((a, b) => a - b)
    return ids.map((partition) => {
      const copies = all.filter((replica) => replica.partition === partition)
      const complete = copies.filter((replica) => replica.complete)
      return [
        partition,
        partition === EVERYWHERE,
        copies.length,
        complete.length,
        underReplicated.includes(partition),
        !unavailable.includes(partition),
      ]
    })
  },
})

/** The relation of the layer below that holds the rows of each table. */
const relations = (catalog: Catalog): VirtualTable => ({
  name: 'cluster_tables',
  columns: [
    { name: 'table_name', type: TEXT },
    { name: 'relation', type: INTEGER },
  ],
  async rows({ transaction }) {
    const entries = await catalog.entries(transaction)
    return entries
      .filter((entry): entry is TableSchema => entry.kind === 'table')
      .map(({ name, relation }) => [name, relation])
  },
})

/** One row an index, primary keys included. */
const indexes = (catalog: Catalog): VirtualTable => ({
  name: 'cluster_indexes',
  columns: [
    { name: 'table_name', type: TEXT },
    { name: 'index_name', type: TEXT },
    { name: 'columns', type: TEXT },
    { name: 'is_unique', type: BOOLEAN },
    { name: 'is_primary', type: BOOLEAN },
  ],
  async rows({ transaction }) {
    const entries = await catalog.entries(transaction)
    return entries
      .filter((entry): entry is TableSchema => entry.kind === 'table')
      .flatMap((table) => {
        const names = (positions: readonly number[]): string =>
          positions.map((position) => table.columns[position]?.name).join(', ')
        const { primaryKey } = table
        return [
          ...(primaryKey === null
            ? []
            : [[table.name, primaryKey.name, names(primaryKey.columns), true, true]]),
          ...table.indexes.map((index) => [
            table.name,
            index.name,
            names(index.columns),
            index.unique,
            false,
          ]),
        ]
      })
  },
})
