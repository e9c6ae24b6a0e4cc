import type { NodeId, PartitionId, RelationId } from '../ids.ts'

/** A partition that nodes would take away with them, or whose copies they would make fewer. */
export interface PartitionRisk {
  readonly partition: PartitionId
  /** The relations with rows in it, sorted. */
  readonly relations: readonly RelationId[]
  /** Complete copies that would still answer. */
  readonly copies: number
  /** Nodes with complete copies that would not answer: whoever comes back of them brings the partition back. Sorted. */
  readonly waitingFor: readonly NodeId[]
}

/** What would become of a database if some nodes went now. */
export interface RiskReport {
  readonly database: string
  /** The nodes that would go, sorted. */
  readonly nodes: readonly NodeId[]
  /** Every complete copy is on these nodes: the rows are gone if they do not come back. */
  readonly lost: readonly PartitionRisk[]
  /** No complete copy would answer; there are others, on nodes that do not answer now either. */
  readonly paused: readonly PartitionRisk[]
  /** They would go on with fewer copies than were asked for; new ones are made if there are nodes for them. */
  readonly reduced: readonly PartitionRisk[]
  /** True when too few voters would answer: all writes of the cluster pause, whatever is left of the rows. */
  readonly writesPause: boolean
}
