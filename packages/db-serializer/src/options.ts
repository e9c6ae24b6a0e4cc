import { assert, CLUSTER_VERSION, type ClusterVersion, type NodeId } from '@cluster/core'
import type { KeepRule } from './machine/group/history-choice.ts'
import type { RaftOptions } from './machine/raft/types.ts'

export interface OrderedLogOptions {
  /** How long a fresh node listens for others before it decides. Default 400. */
  readonly formMs?: number
  /** Forms a new group only once so many fresh nodes are there, this one included. Default: any number. */
  readonly expect?: number
  /**
   * A fresh node forms a group of its own at once, without listening, and the group never gives itself up for
   * another. Default false.
   */
  readonly alone?: boolean
  /** At most this many members vote, 1 … 15; the others learn. Default 5. */
  readonly maxVoters?: number
  /** A member that is silent this long, without proof of death, is given up. Default 10,000. */
  readonly graceMs?: number
  /** A member that stopped and does not come back for this long is given up. Default 600,000. */
  readonly awayMs?: number
  /** Time between two signs of life of the leader. Default 100, less when `electionMs` asks for it. */
  readonly heartbeatMs?: number
  /** Silence of the leader before an election. Default 300, at least three heartbeats. */
  readonly electionMs?: number
  /**
   * A witness: it votes when there is an even number of other voters, holds no data, never founds a group and leads only
   * until another voter can. Default false.
   */
  readonly witness?: boolean
  /** The newest cluster version that the program supports, all its layers together. Default `CLUSTER_VERSION`. */
  readonly supports?: ClusterVersion
  /** How long a submission or a barrier may take when the caller names no deadline, and a second more for each MiB. Default 10,000. */
  readonly deadlineMs?: number
  /** A snapshot is taken after so many bytes of log. Default 8 MiB. */
  readonly snapshotBytes?: number
  /** A snapshot is taken after so many entries. Default 20,000. */
  readonly snapshotEntries?: number
  /** Entries kept behind a snapshot for followers that lag a little. Default 1,000. */
  readonly tailEntries?: number
  /** A file of the log that has grown to this is followed by another one; only whole files are cut off. Default 16 MiB. */
  readonly segmentBytesMax?: number
  /** Largest command. Default 64 MiB. */
  readonly commandBytesMax?: number
  /** Longer commands travel in parts of at most this and 256 KiB, between which others' commands find their place. Default 1 MiB. */
  readonly entryBytesMax?: number
  /**
   * Lets the leader answer barriers by a lease of so many milliseconds, without asking a quorum; at most `electionMs`, 0
   * for never, which is the default. It asks of all nodes that their monotonic clocks differ in rate by less than a
   * tenth and go on while the machine sleeps: not for laptops and virtual machines that are suspended.
   */
  readonly leaseMs?: number
  /** Goes on alone when the other one of two voters is proved dead. Default true. */
  readonly deathProof?: boolean
  /**
   * What the last two voters do when one is silent and nothing proves it dead. `majority`, the default: writes wait for
   * it. `last-standing`: the one that had all goes on alone after `lastStandingMs`; if both do, the histories part.
   */
  readonly quorum?: 'majority' | 'last-standing'
  /**
   * Which history is kept when two nodes both went on alone and meet again: that of the one that voted longer, or the
   * one with more entries since they parted; both nodes must have the same rule. The other one's writes are kept in a file
   * beside its log. Default: none, the operator decides.
   */
  readonly keep?: KeepRule
  /** Silence of the other voter before `last-standing` goes on. Default 5,000. */
  readonly lastStandingMs?: number
  /** The operator's word at the start: goes on alone, if this is one of the last two voters and the other one is away. Default false. */
  readonly continueAlone?: boolean
  /**
   * The operator's word at the start: a history in which this node went on alone is kept aside, and the node comes back
   * with a fresh copy of the other one. Default false.
   */
  readonly giveUpHistory?: boolean
  /**
   * The operator's word at the start: most of the voters are lost for good. This node goes on from what it has, unless another
   * survivor has more; what only the lost ones had is gone. Default false.
   */
  readonly recoverFromSurvivors?: boolean
  /**
   * The operator's word: this node goes into the cluster of that id. A log of another cluster is kept aside, with
   * every command in it in a file. Default: none.
   */
  readonly adopt?: string
  /**
   * The operator's word: a damaged log is kept aside and the node asks for a fresh copy even when it may be the only
   * one that holds what was acknowledged last. Default false.
   */
  readonly giveUpDamaged?: boolean
}

export type ResolvedOptions = Omit<Required<OrderedLogOptions>, 'expect' | 'keep' | 'adopt'> & {
  readonly adopt?: string
  readonly expect: number | null
  readonly keep: KeepRule | null
}

export function resolveOptions(options: OrderedLogOptions): ResolvedOptions {
  const resolved: ResolvedOptions = {
    formMs: options.formMs ?? 400,
    expect: options.expect ?? null,
    alone: options.alone ?? false,
    maxVoters: options.maxVoters ?? 5,
    graceMs: options.graceMs ?? 10_000,
    awayMs: options.awayMs ?? 600_000,
    heartbeatMs: options.heartbeatMs ?? Math.min(100, Math.floor((options.electionMs ?? 300) / 3)),
    electionMs: options.electionMs ?? 300,
    supports: options.supports ?? CLUSTER_VERSION,
    witness: options.witness ?? false,
    deadlineMs: options.deadlineMs ?? 10_000,
    snapshotBytes: options.snapshotBytes ?? 8 * 1024 * 1024,
    snapshotEntries: options.snapshotEntries ?? 20_000,
    tailEntries: options.tailEntries ?? 1_000,
    segmentBytesMax: options.segmentBytesMax ?? 16 * 1024 * 1024,
    commandBytesMax: options.commandBytesMax ?? 64 * 1024 * 1024,
    entryBytesMax: options.entryBytesMax ?? 1024 * 1024,
    leaseMs: options.leaseMs ?? 0,
    deathProof: options.deathProof ?? true,
    quorum: options.quorum ?? 'majority',
    keep: options.keep ?? null,
    lastStandingMs: options.lastStandingMs ?? 5_000,
    continueAlone: options.continueAlone ?? false,
    giveUpHistory: options.giveUpHistory ?? false,
    recoverFromSurvivors: options.recoverFromSurvivors ?? false,
    ...(options.adopt === undefined ? {} : { adopt: options.adopt }),
    giveUpDamaged: options.giveUpDamaged ?? false,
  }
  assert(resolved.maxVoters >= 1 && resolved.maxVoters <= 15, 'maxVoters must be from 1 to 15')
  assert(resolved.electionMs >= 3 * resolved.heartbeatMs, 'electionMs must be at least three heartbeats')
  assert(
    resolved.leaseMs >= 0 && resolved.leaseMs <= resolved.electionMs,
    'leaseMs must be at most electionMs',
  )
  assert(
    resolved.entryBytesMax >= 1 && resolved.entryBytesMax <= 3 * 1024 * 1024,
    'entryBytesMax must be from 1 to 3 MiB',
  )
  assert(resolved.expect === null || resolved.expect >= 1, 'expect must be at least 1')
  return resolved
}

/** What of the options is for the machine. */
export function raftOptions(
  { heartbeatMs, electionMs, leaseMs }: ResolvedOptions,
  self: NodeId,
  disk: string,
): RaftOptions {
  return { self, disk, heartbeatMs, electionTimeoutMs: electionMs, leaseMs }
}
