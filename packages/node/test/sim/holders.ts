import {
  type Database,
  type DatabaseStatus,
  EVERYWHERE,
  type NodeId,
  type PartitionId,
  partitionId,
  type Value,
} from '@cluster/core'
import { PARTITIONS } from './database-app.ts'
import { RELATIONS } from './database-loads.ts'

/** What a database still has to repair; null when it is as redundant as it should be. */
export function statusText({ underReplicated, unavailable, replicas }: DatabaseStatus): string | null {
  const of = (partitions: readonly PartitionId[]): string =>
    replicas
      .filter(({ partition }) => partitions.includes(partition))
      .map(({ partition, node, complete }) => `${partition} on ${node}${complete ? '' : ' (incomplete)'}`)
      .join(', ')
  if (unavailable.length > 0) return `unavailable: ${unavailable} (${of(unavailable)})`
  if (underReplicated.length > 0) return `under-replicated: ${underReplicated} (${of(underReplicated)})`
  const copying = replicas.filter(({ complete }) => !complete)
  return copying.length > 0 ? `${copying.length} replicas are being copied` : null
}

/** Null when all holders of all partitions hold the same, and there are enough of them. Else what differs. */
export function compareHolders(
  databases: ReadonlyMap<NodeId, Database>,
  redundancy: number | 'all',
  partitions = PARTITIONS,
): string | null {
  const [first] = databases.values()
  if (first === undefined) return 'no node has the database open'
  const copies = Math.min(redundancy === 'all' ? databases.size : redundancy, databases.size)
  for (let partition = 1; partition <= partitions; partition++) {
    const holders = first.holders(partitionId(partition))
    if (holders.length < copies) return `partition ${partition} has only the holders ${holders}`
    const difference = comparePartition(databases, holders, partitionId(partition))
    if (difference !== null) return difference
  }
  return comparePartition(databases, first.holders(EVERYWHERE), EVERYWHERE)
}

/** Bytes are the same whatever kind of array they are in. */
const textOf = (value: Value | undefined): string =>
  value instanceof Uint8Array ? `[${[...value].join()}]` : String(value)

/** Every row that a node holds of one partition, in order, as text. */
function rowsOf(database: Database, partition: PartitionId): string {
  const lines: string[] = []
  for (const relation of RELATIONS)
    for (const batch of database.localScan(relation, partition))
      for (let i = 0; i < batch.length; i++)
        lines.push(`${relation} ${batch.keys[i]} ${batch.columns.map((column) => textOf(column[i])).join()}`)
  return lines.join('\n')
}

function comparePartition(
  databases: ReadonlyMap<NodeId, Database>,
  holders: readonly NodeId[],
  partition: PartitionId,
): string | null {
  const rows = new Map<string, NodeId>()
  for (const id of holders) {
    const database = databases.get(id)
    if (database) rows.set(rowsOf(database, partition), id)
  }
  if (rows.size <= 1) return null
  const [[a, idA], [b, idB]] = [...rows] as [[string, NodeId], [string, NodeId]]
  const only = (mine: string, other: string): string => {
    const others = new Set(other.split('\n'))
    return mine
      .split('\n')
      .filter((line) => !others.has(line))
      .slice(0, 3)
      .join('; ')
  }
  return `partition ${partition}: ${idA} alone has [${only(a, b)}], ${idB} alone has [${only(b, a)}]`
}
