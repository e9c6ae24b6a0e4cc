import {
  type Clock,
  ClusterError,
  type Database,
  type Databases,
  EVERYWHERE,
  type Locks,
  type Member,
  type Peers,
  partitionId,
  type Random,
  type Row,
  relationId,
} from '@cluster/core'
import { decodeBinary, encodeBinary } from '@cluster/pgwire'
import { type BinaryValues, sqlEngine, TEXT, type TemporaryFiles, type VirtualTable } from '@cluster/sql'
import type { ClusterDatabase } from './cluster.ts'
import { nodeDisk } from './driver/node-disk.ts'
import type { NodeErrorDetail } from './errors.ts'
import { exportSql } from './transfer/export-sql.ts'

interface Ports {
  readonly clock: Clock
  readonly random: Random
  readonly peers: Peers
  readonly databases: Pick<Databases, 'open' | 'drop' | 'list'>
  /** Null: there are no locks. */
  readonly locks: Locks | null
  /** Where statements put rows that are too many for memory; null: nowhere. */
  readonly temporary: TemporaryFiles | null
}

/** Puts SQL on a database of the layer below. */
export function openDatabase(
  storage: Database,
  { clock, random, peers, databases, locks, temporary }: Ports,
): ClusterDatabase {
  const engine = sqlEngine()({
    database: storage,
    clock,
    random,
    virtualTables: [members(peers)],
    binary,
    databases,
    ...(locks === null ? {} : { locks }),
    ...(temporary === null ? {} : { temporary }),
  })
  return {
    name: storage.name,
    storage,
    sql: engine.sql,
    query: engine.query,
    execute: engine.execute,
    stream: engine.stream,
    copyFrom: engine.copyFrom,
    copyTo: engine.copyTo,
    transaction: engine.transaction,
    session: (options) => engine.session(options),
    fenced: (fence) => engine.fenced(fence),
    role: (name) => engine.role(name),
    listen: (channel, options) => engine.listen(channel, options),
    backup: (folder, options) => storage.backup(nodeDisk(folder), options),
    archive: (folder, options) => storage.archive(nodeDisk(folder), options),
    exportSql: (options = {}) => exportSql(engine.session(), options),
    async storedRows(table) {
      const { rows } = await engine.query('SELECT relation FROM cluster_tables WHERE table_name = $1', [
        table,
      ])
      const relation = rows[0]?.[0]
      if (typeof relation !== 'number') throw noSuchTable(table)
      const found: Row[] = []
      for (
        let partition = EVERYWHERE;
        partition <= storage.options.partitions;
        partition = partitionId(partition + 1)
      ) {
        for (const batch of storage.localScan(relationId(relation), partition)) {
          for (let i = 0; i < batch.length; i++) found.push(batch.columns.map((column) => column[i] ?? null))
        }
      }
      return found
    },
  }
}

/** Values as the protocol sends them in binary, which is as COPY writes them. */
const binary: BinaryValues = {
  encode: (oid, value, text) => encodeBinary(oid, value, { text }),
  decode: decodeBinary,
}

const members = (peers: Peers): VirtualTable => ({
  name: 'cluster_members',
  columns: [
    { name: 'node', type: TEXT },
    { name: 'state', type: TEXT },
    { name: 'address', type: TEXT },
  ],
  rows: () => peers.members().map(({ id, state, addresses }: Member) => [id, state, addresses[0] ?? null]),
})

function noSuchTable(table: string): ClusterError<NodeErrorDetail> {
  return new ClusterError<NodeErrorDetail>(
    { code: 'OPTION_INVALID', outcome: 'rejected', option: 'table', given: table },
    `there is no table "${table}"; information_schema.tables lists them`,
  )
}
