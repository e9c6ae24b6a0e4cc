import {
  assert,
  below,
  type LineageId,
  type LogIndex,
  logIndex,
  type NodeId,
  type NodeRole,
  nodeId,
  type Random,
  type Term,
  term,
} from '@cluster/core'
import { ConfigurationLog, countsWith, isWitness } from './configuration.ts'
import { Links } from './links.ts'
import { LogTail } from './log-tail.ts'
import { Outbox } from './outbox.ts'
import type { Progress } from './progress.ts'
import type { Quorums } from './quorum.ts'
import type {
  Entry,
  HardState,
  Lineage,
  LogPosition,
  Message,
  RaftOptions,
  Recovered,
  Ref,
  SnapshotMeta,
} from './types.ts'

export type Settings = Required<Omit<RaftOptions, 'disk'>> & { readonly disk?: string }

export function settingsOf(options: RaftOptions): Settings {
  const settings: Settings = {
    electionTimeoutMs: 300,
    heartbeatMs: 50,
    restFactor: 3,
    closedLinkDelayMs: 4,
    appendBytesMax: 256 * 1024,
    inflightBytesMax: 4 * 1024 * 1024,
    inflightMessagesMax: 128,
    uncommittedBytesMax: 64 * 1024 * 1024,
    readsMax: 65_536,
    promoteLagMax: 1000,
    leaseMs: 0,
    ...options,
  }
  assert(
    settings.heartbeatMs > 0 && settings.heartbeatMs * 3 <= settings.electionTimeoutMs,
    'heartbeatMs must be at most a third of electionTimeoutMs',
  )
  assert(
    settings.leaseMs >= 0 && settings.leaseMs <= settings.electionTimeoutMs,
    'leaseMs must be at most electionTimeoutMs',
  )
  return settings
}

export const NOWHERE: LogPosition = { index: logIndex(0), term: term(0) }

/** What a voter promised. */
export interface Lease {
  /** Null for what an earlier process of this node may have promised to whomever. */
  readonly to: NodeId | null
  readonly until: number
}

/** What only a leader has; made anew at each election. */
export interface Office {
  /** One for each voter and learner but the leader, and for leaving ones until their leave is committed. */
  readonly progress: Map<NodeId, Progress>
  /** The first entry of this office. */
  readonly firstIndex: LogIndex
  /** `now` and log time when the office began. */
  readonly startNow: number
  readonly startTime: number
  heartbeatAt: number
  /** Signs of life are rare now; when something happened last, and when that ended a rest. */
  rests: boolean
  stirredAt: number
  wokenAt: number
  /** The newest round of messages; a reply that carries it was sent later than it began. */
  round: number
  /** When rounds that ask for a lease began; the newest last. */
  readonly asked: { readonly round: number; readonly at: number }[]
  /** Somebody was asked to take over: this office holds no lease any more. */
  leaseOver: boolean
  /** Reads that wait for the next round. */
  waitingReads: Ref[]
  /** Reads that the present round will answer. */
  openReads: { readonly round: number; readonly index: LogIndex; readonly refs: readonly Ref[] } | null
  transfer: { readonly to: NodeId; readonly deadline: number; sent: boolean } | null
  uncommittedBytes: number
}

/**
 * - `preCandidate`: asks whether it could win, without disturbing anyone;
 * - `candidate`: campaigns in a term of its own.
 */
export type Post = 'follower' | 'preCandidate' | 'candidate' | 'leader'

/** Everything a node knows, and the few operations that all parts of the protocol share. */
export class State {
  readonly self: NodeId
  readonly settings: Settings
  readonly random: Random
  readonly log: LogTail
  readonly configurations: ConfigurationLog
  readonly links = new Links()
  readonly out = new Outbox()

  hard: HardState
  snapshot: SnapshotMeta | null
  now = 0
  wall = 0
  post: Post = 'follower'
  leader: NodeId | null = null
  /** When the leader was last heard. */
  leaderHeardAt = Number.NEGATIVE_INFINITY
  /** The leader said that its signs of life are rare for now. */
  leaderRests = false
  electionAt = 0
  /** The leader whose link closed, and how many elections were hurried by that; null when there is no suspicion. */
  suspicion: { readonly of: NodeId; readonly tries: number } | null = null
  commitIndex: LogIndex
  appliedIndex: LogIndex
  durableIndex: LogIndex
  votes = new Map<NodeId, boolean>()
  /** The write that makes this candidate's own vote durable. */
  ownVoteTicket: number | null = null
  /** The campaign was asked for by the leader. */
  campaignByTransfer = false
  office: Office | null = null
  lease: Lease | null = null
  /** The end of the log of each that asked for votes, when it last did. */
  readonly campaigned = new Map<NodeId, LogPosition>()
  /** On a witness: up to here every voter with data has the log, by the word of a leader. */
  everywhere: LogIndex = logIndex(0)
  /** `now` is the time of the input under way. */
  exactNow = false
  /** The lineage of each peer for which a fork was told already. */
  readonly toldForks = new Map<NodeId, LineageId>()

  constructor(settings: Settings, recovered: Recovered, random: Random) {
    this.self = settings.self
    this.settings = settings
    this.random = random
    this.hard = recovered.hardState ?? {
      history: null,
      term: term(0),
      votedFor: null,
      alone: false,
      committed: logIndex(0),
      founding: false,
    }
    this.snapshot = recovered.snapshot
    const snapshotIndex = recovered.snapshot?.index ?? 0
    const first = recovered.entries[0]
    // An entry that the snapshot covers can stand as the base itself, so that what follows it can be sent.
    const inside = first !== undefined && first.index <= snapshotIndex
    assert(
      first === undefined || first.index <= snapshotIndex + 1,
      'entries between the snapshot and the log are missing',
    )
    this.log = inside
      ? new LogTail(first, first.time)
      : new LogTail(recovered.snapshot ?? NOWHERE, recovered.snapshot?.time ?? 0)
    this.configurations = new ConfigurationLog(
      recovered.snapshot === null
        ? null
        : { index: recovered.snapshot.configurationIndex, configuration: recovered.snapshot.configuration },
    )
    this.log.append(inside ? recovered.entries.slice(1) : recovered.entries)
    for (const entry of recovered.entries) if (entry.index > snapshotIndex) this.#noteConfiguration(entry)
    assert(this.log.lastIndex >= snapshotIndex, 'the log ends before the snapshot')
    assert(this.log.last.term <= this.hard.term, 'the log is of a newer term than the hard state')
    assert(
      this.hard.committed <= this.log.lastIndex + (this.hard.founding ? 1 : 0),
      'committed entries are missing at the end of the log',
    )
    this.commitIndex = logIndex(Math.max(snapshotIndex, Math.min(this.hard.committed, this.log.lastIndex)))
    this.appliedIndex = logIndex(snapshotIndex)
    this.durableIndex = this.log.lastIndex
  }

  get term(): Term {
    return this.hard.term
  }

  get history(): Lineage | null {
    return this.hard.history
  }

  /** Only for a node that has a history. */
  get lineage(): LineageId {
    assert(this.hard.history !== null, 'the node has no history yet')
    return this.hard.history.lineage
  }

  /**
   * Those whose majorities decide now, each list by its own. A configuration counts from the moment it is in the log.
   * While it is not committed and there were two voters before, the two must both agree as well: each of
   * them may rely on being in every quorum (proof of death) as long as it knows of no other configuration.
   */
  quorums(): Quorums {
    const newest = this.configurations.newest
    if (newest === null) return []
    const { voters, outgoing } = newest.configuration
    const known = Math.max(this.commitIndex, this.hard.committed)
    const before = newest.index > known ? this.configurations.previous?.configuration : undefined
    const others = outgoing ?? (before?.voters.length === 2 ? before.voters : null)
    const lists = others === null ? [voters] : [others, voters]
    const counted = [newest.configuration, before ?? null].every((configuration) =>
      countsWith(configuration, this.self, this.settings.disk),
    )
    if (counted) return lists
    // This node voted with another disk then. That voter still counts, but nobody can speak for it.
    return lists.map((list) => list.map((voter) => (voter === this.self ? nodeId(`${voter} before`) : voter)))
  }

  /**
   * True for a voter, and for one that the newest configuration leaves out as long as that is not committed: nobody
   * else may have a log that is good enough to be elected.
   */
  get mayCampaign(): boolean {
    if (this.voters().includes(this.self)) return true
    const { newestIndex, previous } = this.configurations
    if (previous === null || newestIndex <= Math.max(this.commitIndex, this.hard.committed)) return false
    const { voters, outgoing = [] } = previous.configuration
    const voted = voters.includes(this.self) || outgoing.includes(this.self)
    return voted && countsWith(previous.configuration, this.self, this.settings.disk)
  }

  /** All that have a say now, sorted. */
  voters(): readonly NodeId[] {
    const quorums = this.quorums()
    const [only = []] = quorums
    return quorums.length < 2 ? only : [...new Set(quorums.flat())].sort()
  }

  /** True when what the node says on that disk counts in the newest configuration. */
  counts(node: NodeId, disk: string | undefined): boolean {
    return countsWith(this.configurations.newest?.configuration ?? null, node, disk)
  }

  /** For replies: the disk that they are said for. */
  get onDisk(): { readonly disk?: string } {
    const { disk } = this.settings
    return disk === undefined ? {} : { disk }
  }

  isVoter(node: NodeId): boolean {
    const configuration = this.configurations.newest?.configuration
    if (configuration?.voters.includes(node) !== true) return false
    return node !== this.self || countsWith(configuration, node, this.settings.disk)
  }

  /** True when the disk has not taken a write for so long that a leader here could do nothing. */
  get diskStalls(): boolean {
    return this.now - this.out.writingSince >= this.settings.electionTimeoutMs
  }

  /** True on a member that holds no data. */
  get isWitness(): boolean {
    return isWitness(this.configurations.newest?.configuration ?? null, this.self)
  }

  /** True for one that is a witness, or was one in the configuration before, which may be all that it knows. */
  isWitnessNode(node: NodeId): boolean {
    const { newest, previous } = this.configurations
    return isWitness(newest?.configuration ?? null, node) || isWitness(previous?.configuration ?? null, node)
  }

  get role(): NodeRole {
    if (this.post === 'leader') return 'leader'
    if (this.voters().includes(this.self)) return this.post === 'follower' ? 'follower' : 'candidate'
    const learner = this.configurations.newest?.configuration.learners.includes(this.self)
    return learner === true ? 'learner' : 'outsider'
  }

  changeHard(change: Partial<HardState>): void {
    this.hard = { ...this.hard, ...change }
    this.out.hardStateChanged()
  }

  appendEntries(entries: readonly Entry[]): void {
    this.log.append(entries)
    this.out.append(entries)
    for (const entry of entries) this.#noteConfiguration(entry)
  }

  truncateLogFrom(index: LogIndex): void {
    assert(index > this.commitIndex, `committed entry ${index} must not be replaced`)
    this.log.truncateFrom(index)
    this.configurations.truncateFrom(index)
    this.out.truncateFrom(index)
    if (this.durableIndex >= index) this.durableIndex = logIndex(index - 1)
  }

  /** Sends unless the link is known to be down. */
  send(to: NodeId, message: Message): void {
    if (!this.links.isDown(to)) this.out.send(to, message)
  }

  /** How long the leader may be silent. */
  get silenceMs(): number {
    const { electionTimeoutMs, restFactor } = this.settings
    return this.leaderRests && this.leader !== null ? electionTimeoutMs * restFactor : electionTimeoutMs
  }

  /**
   * Draws the time of the next election. When the link to the leader closed it comes soon: the voters take turns by
   * rank, so that two that saw it close do not split the votes, and each further try waits twice as long.
   * @param hurry false while votes are being written: that takes what a disk takes
   */
  restElection(hurry = true): void {
    const { electionTimeoutMs, closedLinkDelayMs } = this.settings
    const { silenceMs } = this
    let wait = silenceMs + below(this.random, Math.ceil(silenceMs))
    if (this.isWitness) wait += 2 * electionTimeoutMs
    if (this.suspicion !== null && hurry) {
      const { of, tries } = this.suspicion
      const unit = closedLinkDelayMs * 2 ** Math.min(tries, 10)
      const others = this.voters().filter((voter) => voter !== of)
      // A witness comes after all that have data: it leads only when none of them can.
      const rank = this.isWitness ? others.length : others.indexOf(this.self)
      const turn = Math.max(0, rank) + (tries > 0 ? 1 : 0)
      wait = Math.min(wait, unit * (turn + below(this.random, 1000) / 1000))
    }
    const voters = this.voters()
    // An only voter has nobody to wait for, and nobody to disturb.
    if (hurry && voters.length === 1 && voters[0] === this.self) wait = 0
    this.electionAt = this.now + wait
  }

  #noteConfiguration(entry: Entry): void {
    if (entry.kind !== 'configuration') return
    this.configurations.append({ index: entry.index, configuration: entry.configuration })
  }
}
