import type { FaultKind, OperationCounts } from '@cluster/testkit'

export type SuiteName = 'serializer' | 'distribution' | 'objects' | 'locks'

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
  /** Raised versions of a cluster whose nodes were upgraded one after another. */
  upgrades: number
  /** Terms that a witness led. */
  witnessTerms: number
  /** Nodes that joined in the place of one that left. */
  newcomers: number
  deathProofs: number
  /** Steps without a quorum: on proof of death, or on silence by the policy of the last one standing. */
  aloneSteps: number
  /** Nodes that found out that their history has parted from another's. */
  forks: number
  /** Runs of kills down to the last node, each when the one before is repaired. */
  declines: number
  /** Losses of more disks than the redundancy covers, at the end. */
  lossesBeyond: number
  /** Partitions that a node took over. */
  takeOvers: number
  /** Bundles that were adopted, and that were not. */
  bundles: number
  bundlesRefused: number
  /** Operations tried again under the same key. */
  repeated: number
  /** Frames that never arrived, that overtook others, and that arrived twice. */
  framesLost: number
  framesReordered: number
  framesDuplicated: number
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

export const nothingHappened: Happenings = {
  elections: 0,
  restarts: 0,
  snapshots: 0,
  membershipChanges: 0,
  removals: 0,
  upgrades: 0,
  witnessTerms: 0,
  newcomers: 0,
  deathProofs: 0,
  aloneSteps: 0,
  forks: 0,
  declines: 0,
  lossesBeyond: 0,
  takeOvers: 0,
  bundles: 0,
  bundlesRefused: 0,
  repeated: 0,
  framesLost: 0,
  framesReordered: 0,
  framesDuplicated: 0,
  linksBroken: 0,
  lossyPowerLosses: 0,
  tornWrites: 0,
  slowSyncs: 0,
  refusedWrites: 0,
  flippedBits: 0,
  newDisks: 0,
  renunciations: 0,
}

/** The outcome of one seed. */
export interface SeedReport {
  readonly suite: SuiteName
  readonly seed: number
  /** Null when all held. */
  readonly problem: string | null
  /** Why the seed does not count although all held: the storm was too short, or too little was done; null when it counts. */
  readonly tooLittle: string | null
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
