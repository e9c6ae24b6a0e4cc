import type { FaultKind, OperationCounts } from '@cluster/testkit'

export type SuiteName = 'serializer' | 'distribution'

/** What happened in the cluster, counted. */
export interface Happenings {
  /** Terms that got a leader. */
  elections: number
  restarts: number
  /** Snapshots of another node that replaced a node's state. */
  snapshots: number
  /** Changes of the voters and learners. */
  membershipChanges: number
  /** Members taken out of the group for good. */
  removals: number
  deathProofs: number
  /** Steps without a quorum, on proof of death. */
  aloneSteps: number
  /** Runs of kills down to the last node, each when the one before is repaired. */
  declines: number
  /** Partitions that a node took over. */
  takeOvers: number
  /** Frames that never arrived, and frames that overtook others. */
  framesLost: number
  framesReordered: number
  linksBroken: number
  /** Power losses that lost bytes. */
  lossyPowerLosses: number
  /** Crashes in the middle of a write. */
  tornWrites: number
  slowSyncs: number
  /** Writes that found a full disk. */
  refusedWrites: number
  /** Bits of durable files that flipped. */
  flippedBits: number
  /** Disks that were replaced by empty ones. */
  newDisks: number
  /** Votes that were given up because of a damaged log. */
  renunciations: number
}

/** The outcome of one seed. */
export interface SeedReport {
  readonly suite: SuiteName
  readonly seed: number
  /** Null when all held. */
  readonly problem: string | null
  /** Digest of everything that happened; equal for equal seeds and programs. */
  readonly hash: string
  readonly nodes: number
  readonly virtualMs: number
  readonly events: number
  readonly operations: OperationCounts
  readonly errors: Readonly<Record<string, number>>
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  readonly happenings: Happenings
  /** The last lines of the trace, of a failed seed. */
  readonly tail: readonly string[]
}
