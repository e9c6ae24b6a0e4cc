import type { NodeId, PartitionId, RelationId, Version } from '../ids.ts'
import type { CallOptions } from '../network/transport.ts'
import type { Key } from '../values/value.ts'

export interface VerifyOptions extends Pick<CallOptions, 'signal'> {
  /** Default: all. */
  readonly partitions?: readonly PartitionId[]
  /** False: differences are told and nothing is done about them. Default true. */
  readonly mend?: boolean
  /** Whose copy counts where as many holders have one thing as another; nobody can tell otherwise. */
  readonly trust?: NodeId
  /** Rows that a holder reads for it in a second at most, so that others get their turn. */
  readonly rowsPerSecond?: number
  /** Called after each partition. */
  readonly onProgress?: (progress: { readonly done: number; readonly partitions: number }) => void
}

/** Replicas of one partition that did not hold the same at one version. */
export interface Divergence {
  readonly partition: PartitionId
  readonly version: Version
  /** Holders by what they hold, the largest group first; one that cannot read its copy is a group of its own. */
  readonly groups: readonly (readonly NodeId[])[]
  /** Which of the groups has what counts; null when nobody can tell. */
  readonly right: number | null
  /** Some of the rows that differ, at most 100, sorted. */
  readonly rows: readonly { readonly relation: RelationId; readonly key: Key }[]
  /** Nodes whose copies were made anew from those that count, or are being made. */
  readonly mended: readonly NodeId[]
}

export interface VerifyReport {
  readonly database: string
  /** Partitions of which at least two copies were compared. */
  readonly compared: readonly PartitionId[]
  /** Rows that were compared, each counted once, however many copies it has. */
  readonly rows: number
  /** Partitions that could not be compared, and why: one copy only, or fewer than two holders answered. */
  readonly skipped: readonly { readonly partition: PartitionId; readonly why: string }[]
  readonly divergences: readonly Divergence[]
}
