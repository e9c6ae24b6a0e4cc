import type { DatabaseOptions, NodeId, PartitionId, RelationId } from '@cluster/core'
import type { KeptChanges } from './kept-changes.ts'

/** One replica as the log has it. */
export interface ReplicaRecord {
  readonly node: NodeId
  /** True once it has everything; only complete replicas serve and give copies. */
  readonly complete: boolean
  /** Index of the entry that assigned (or re-assigned) it; names this very assignment. */
  readonly since: number
  /** The node whose place it takes: one that is gone, or that is relieved; null for an additional copy. */
  readonly replaces: NodeId | null
  /** What the node said last: its copy survives a restart with everything up to this index. */
  readonly durable: number
}

/** One partition as the log has it. */
export interface PartitionRecord {
  readonly id: PartitionId
  /** Grows with every change of `replicas`; plans are made against one epoch. */
  readonly epoch: number
  /** Sorted by node. */
  readonly replicas: readonly ReplicaRecord[]
  /** Index of the newest commit that wrote to it; 0 when nothing ever did. A copy at or past it has everything. */
  readonly lastWrite: number
  /** Every relation ever written here. */
  readonly relations: ReadonlySet<RelationId>
  /** True once it has had as many complete copies as were asked for. */
  readonly settled: boolean
}

/** One database as the log has it. */
export interface DatabaseRecord {
  /** The index of the entry that made it. */
  readonly id: number
  readonly name: string
  /** Random; names its stores on disk, so that those of another cluster never pass for them. */
  readonly uid: string
  readonly options: Required<DatabaseOptions>
  /** By partition id: 0 is EVERYWHERE, then 1 … partitions. */
  readonly partitions: readonly PartitionRecord[]
  /** Every relation ever written, in order of first writes. */
  readonly relations: ReadonlySet<RelationId>
  readonly kept: KeptChanges
}

/** The relations with those that were written now; the same set when there is nothing new. */
export function withRelations(
  relations: ReadonlySet<RelationId>,
  written: readonly RelationId[],
): ReadonlySet<RelationId> {
  let next: Set<RelationId> | null = null
  for (let i = 0; i < written.length; i++) {
    const relation = written[i] as RelationId
    if (relations.has(relation)) continue
    next ??= new Set(relations)
    next.add(relation)
  }
  return next ?? relations
}

/** The replica of a partition on a node, or undefined. */
export function replicaOn(partition: PartitionRecord, node: NodeId): ReplicaRecord | undefined {
  return partition.replicas.find((replica) => replica.node === node)
}

/**
 * The newest index up to which no replica needs the log to come back whole after a restart; infinite when all
 * have everything on disk. One that is being copied needs it from its assignment on: else the log could be cut
 * between its copy and the entry that calls it complete.
 * @param lagMax a replica further behind than so many entries is copied anew instead, unless it is the last
 */
export function neededIndex(database: DatabaseRecord, applied: number, lagMax: number): number {
  let needed = Number.POSITIVE_INFINITY
  for (const { replicas, lastWrite } of database.partitions) {
    let newest = -1
    for (const { complete, durable } of replicas) if (complete && durable > newest) newest = durable
    for (const { complete, durable, since } of replicas) {
      const held = complete ? durable : since
      if (held >= lastWrite || held >= needed) continue
      if ((complete && held === newest) || applied - held <= lagMax) needed = held
    }
  }
  return needed
}

/** How many replicas are complete by the record. */
export function completeCount(partition: PartitionRecord): number {
  let count = 0
  for (const replica of partition.replicas) if (replica.complete) count++
  return count
}
