import type { ClusterId, LineageId, LogIndex, NodeId, NodeRole, Term } from '@cluster/core'

/** A position in the log together with the term of the entry there; 0/0 is "before everything". */
export interface LogPosition {
  readonly index: LogIndex
  readonly term: Term
}

/** Who takes part. Every list is sorted by id and no node is in two of them. */
export interface Configuration {
  /** They vote and make quorums. */
  readonly voters: readonly NodeId[]
  /** They get every entry and count in no quorum. */
  readonly learners: readonly NodeId[]
  /** They stopped and mean to come back; nothing is sent to them. */
  readonly away: readonly NodeId[]
  /** True while no second voter ever joined. */
  readonly provisional: boolean
  /**
   * The disk with which each node was let in. Votes and copies of that node count only from this disk: a node
   * that comes back with an empty or another one, or that renounced its vote, is a stranger of the same name.
   * A node that is not named here counts with any disk.
   */
  readonly disks?: Readonly<Record<string, string>>
  /**
   * The voters before, while more than one of them comes or goes at once: until that is committed every decision
   * needs a majority of these and one of `voters`. The leader's next configuration is without them.
   */
  readonly outgoing?: readonly NodeId[]
  /**
   * Those of the members that hold no data: their word makes a quorum, and not a copy. Absent when there are none.
   */
  readonly witnesses?: readonly NodeId[]
  /** The voters, longest serving first. */
  readonly seniors?: readonly NodeId[]
}

/** What is to become of one node. */
export type MemberChange =
  /** A new, an away or a demoted node starts to learn. */
  | {
      readonly type: 'addLearner'
      readonly node: NodeId
      readonly disk?: string
      /** It holds no data. */
      readonly witness?: true
    }
  /** A learner that has caught up becomes a voter. */
  | { readonly type: 'promote'; readonly node: NodeId }
  /** A voter becomes a learner. */
  | { readonly type: 'demote'; readonly node: NodeId }
  /** A voter or learner stopped and means to come back. */
  | { readonly type: 'away'; readonly node: NodeId }
  /** A voter, learner or away node leaves the group for good. */
  | { readonly type: 'remove'; readonly node: NodeId }

/** One agreed step of membership: one node, or several together. */
export type ConfigurationChange =
  | MemberChange
  | { readonly type: 'several'; readonly changes: readonly MemberChange[] }

interface EntryHead extends LogPosition {
  /** Log time in milliseconds, never going back along the log. */
  readonly time: number
  /** The leader's wall clock, milliseconds since 1970. */
  readonly wall: number
}

/** One record of the log. Entries are never changed once made, and their bytes are never copied. */
export type Entry = EntryHead &
  (
    | { readonly kind: 'command'; readonly data: Uint8Array }
    /** The first entry of a leader. */
    | { readonly kind: 'noop' }
    /** In force on every node from the moment it is in its log. */
    | { readonly kind: 'configuration'; readonly configuration: Configuration }
  )

/** A lineage that came before, and the last position that it shares with the one that followed it. */
export interface Ancestor extends LogPosition {
  readonly lineage: LineageId
  /** Who went on from there without a quorum. */
  readonly by: NodeId
  /** Which of the voters there had served longest; null when that is not known. */
  readonly senior: NodeId | null
}

/** Which history a node belongs to. */
export interface Lineage {
  readonly cluster: ClusterId
  readonly lineage: LineageId
  /** Oldest first; empty for a cluster that never took a step without a quorum. */
  readonly ancestry: readonly Ancestor[]
}

/** What must survive a crash beside the log; small and rarely written. */
export interface HardState {
  /** Null before the node formed or joined a group. */
  readonly history: Lineage | null
  readonly term: Term
  /** Whom this node voted for in `term`. */
  readonly votedFor: NodeId | null
  /** True when this very node minted the current lineage: it went on alone. */
  readonly alone: boolean
  /** The newest configuration known to be committed is at this index; the log reaches at least to it. */
  readonly committed: LogIndex
  /**
   * True from founding a group or going on alone until the first entry of that office is applied. Only then may
   * `committed` be one above the log's end: a crash came between the two, and the entry is written anew.
   */
  readonly founding: boolean
}

/** What a snapshot stands for; kept beside its bytes. */
export interface SnapshotMeta extends LogPosition {
  /** Log time of the entry at `index`. */
  readonly time: number
  /** The configuration in force at `index`, and the index of its entry. */
  readonly configuration: Configuration
  readonly configurationIndex: LogIndex
  readonly history: Lineage
}

/** What the disk holds at start. */
export interface Recovered {
  /** Null on an empty disk. */
  readonly hardState: HardState | null
  readonly snapshot: SnapshotMeta | null
  /** Consecutive; the first has an index of at most `snapshot.index + 1` (1 without a snapshot). */
  readonly entries: readonly Entry[]
}

export interface RaftOptions {
  readonly self: NodeId
  /** Names the disk under this log, anew for each that is empty; default none. */
  readonly disk?: string
  /** Silence of the leader before an election, drawn anew each time from 1 … 2 times this; default 300. */
  readonly electionTimeoutMs?: number
  /** Time between two signs of life of the leader; default 50, at most a third of `electionTimeoutMs`. */
  readonly heartbeatMs?: number
  /**
   * While nothing happens signs of life are so many times rarer, and silence counts after as much longer; 1 for never.
   * Default 3.
   */
  readonly restFactor?: number
  /** After the link to the leader closed, the n-th voter by id waits up to n + 1 times this; default 4. */
  readonly closedLinkDelayMs?: number
  /** Payload bytes in one append message (a single larger entry travels alone); default 256 KiB. */
  readonly appendBytesMax?: number
  /** Unacknowledged payload bytes on the way to one follower; default 4 MiB. */
  readonly inflightBytesMax?: number
  /** Unacknowledged append messages on the way to one follower; default 128. */
  readonly inflightMessagesMax?: number
  /** Payload bytes of entries not yet committed; past it proposals are dropped as `busy`; default 64 MiB. */
  readonly uncommittedBytesMax?: number
  /** Reads waiting at once; more fail as `busy`; default 65 536. */
  readonly readsMax?: number
  /**
   * Leases of the leader, in milliseconds by each node's own clock; 0, the default, for none. At most
   * `electionTimeoutMs`. See `lease.ts` for what it asks of clocks.
   */
  readonly leaseMs?: number
  /** A learner may lag the commit index by this many entries and still be promoted; default 1000. */
  readonly promoteLagMax?: number
}

/** The caller's own handle for a request; it comes back in the effect that answers it. Unique among the open ones. */
export type Ref = number

/**
 * What comes in. `from` is the authenticated sender. The driver's duties:
 * - `tick` at least every few milliseconds (a fifth of the heartbeat), and first after the start;
 * - `linkUp` and `linkDown` in order with the messages of that link; none of a link's messages after its `linkDown`;
 * - `persisted` once per `persist` effect or once for the last of a merged batch; it covers all tickets up to it.
 */
export type Input =
  /** `now` on the monotonic clock, `wall` since 1970, both milliseconds; `now` never goes back. */
  | { readonly type: 'tick'; readonly now: number; readonly wall: number }
  /** `now` as in `tick`: a leader that was held up must know how late it is before it takes anything in. */
  | { readonly type: 'message'; readonly from: NodeId; readonly message: Message; readonly now?: number }
  /** Appends commands, each one entry, all or none. Answered by `accepted` or `dropped`. Batch what one turn brings. */
  | {
      readonly type: 'propose'
      readonly ref: Ref
      readonly now: number
      readonly wall: number
      readonly data: readonly Uint8Array[]
      /** The node whose commands these are, when it is another one: it waits to hear that they are committed. */
      readonly from?: NodeId
    }
  /** Answered by `accepted`, `dropped` or `changeRefused`. */
  | { readonly type: 'change'; readonly ref: Ref; readonly change: ConfigurationChange }
  /** Answered by `readReady` or `readFailed`; only a leader answers `readReady`. `now` is needed for leases only. */
  | { readonly type: 'read'; readonly ref: Ref; readonly now?: number }
  /** Hands leadership to a voter; proposals are dropped meanwhile. Ends in a role change, or `transferFailed`. */
  | { readonly type: 'transfer'; readonly to: NodeId }
  /** Everything asked for by tickets up to this one is durable and its `then` is done. */
  | { readonly type: 'persisted'; readonly ticket: number }
  /** The process of the peer that was linked last is proved dead: a lease that it held is void. */
  | { readonly type: 'peerDead'; readonly peer: NodeId }
  | { readonly type: 'linkUp'; readonly peer: NodeId }
  | { readonly type: 'linkDown'; readonly peer: NodeId }
  /** The operator says that most voters are lost for good. Answered by `recovered` or `recoverRefused`. */
  | { readonly type: 'recover'; readonly lineage: LineageId }
  /** Makes a fresh node the founder and only voter of a group. */
  | { readonly type: 'form'; readonly history: Lineage; readonly provisional: boolean }
  /** A fresh node was admitted: from now on it listens to the leader of that group. */
  | { readonly type: 'join'; readonly history: Lineage }
  /**
   * A whole snapshot came in from the leader of `term` and waits under `ref` (not yet in force). Answered by
   * a `persist` that carries it, or by `snapshotRefused`.
   */
  | {
      readonly type: 'snapshotReceived'
      readonly ref: Ref
      readonly from: NodeId
      readonly term: Term
      readonly meta: SnapshotMeta
    }
  /**
   * The stream asked for by `sendSnapshot` ended: `ok` once the peer has it all and has put in `snapshotReceived`.
   * Due for every `sendSnapshot`; `index` is the one of the snapshot that was sent.
   */
  | { readonly type: 'snapshotSent'; readonly to: NodeId; readonly index: LogIndex; readonly ok: boolean }
  /**
   * The driver saved a snapshot of its own durably (meta from `snapshotMeta`), and entries before `cutBefore`
   * (at most `snapshot.index + 1`) may go. Keep some behind it for slow followers.
   */
  | { readonly type: 'compact'; readonly snapshot: SnapshotMeta; readonly cutBefore: LogIndex }
  /**
   * The transport proved that the peer's process is dead (silence and port, DESIGN §8.2 c and d). The machine checks
   * the rest and goes on alone in the new `lineage`, or answers `aloneRefused`.
   */
  | {
      readonly type: 'goAlone'
      readonly peer: NodeId
      readonly lineage: LineageId
      /**
       * The peer said, over a link of its own, that it gave up its vote of this history for ever, and that it knew of no
       * configuration behind this index. That stands for the proof of death, whether the peer is linked or not.
       */
      readonly renounced?: { readonly disk: string; readonly configuration: number }
      /** The operator's word stands for the proof of death, and for what was said over the link. */
      readonly word?: true
    }

export type AloneRefusal =
  | 'noGroup'
  /** The newest configuration in the log, or one since the newest committed, is not {self, peer} in its voters. */
  | 'notLastTwo'
  /** Over the link that broke, the two had not acknowledged each other as caught-up voters of this term and configuration. */
  | 'notAcknowledged'
  /** The vote that was given up is not the one that counts, or its owner knew of a later configuration. */
  | 'notRenounced'
  /** The link to the peer is up. */
  | 'linkUp'
  /** The other one may hold a lease. */
  | 'leaseHeld'
  /** This node holds no data. */
  | 'witness'

export interface RecoverRefusal {
  readonly reason:
    | 'noGroup'
    | 'witness'
    /** A quorum is in reach: an election is all that is needed. */
    | 'quorumThere'
    /** `peer` is a survivor whose log is longer: it should go on instead. */
    | 'notNewest'
  readonly peer: NodeId | null
}

export type ChangeRefusal =
  /** An earlier change is not committed. Try again after it is applied. */
  | 'changePending'
  /** The leader has not committed an entry of its own term yet. Try again soon. */
  | 'notReady'
  /** A learner lags too far, or is being sent a snapshot. */
  | 'notCaughtUp'
  /** The change makes no sense for the present configuration (unknown node, already so). */
  | 'noSuchChange'
  /** The last voter cannot go. */
  | 'lastVoter'

export type DropReason = 'notLeader' | 'busy' | 'transferring'

/** A write that must be durable before anything in `then` is done. */
export interface PersistEffect {
  readonly type: 'persist'
  /** 1, 2, 3 … in the order in which they must be written. */
  readonly ticket: number
  /** Written first and durable before the entries are written, so that no entry is ever of a newer term. */
  readonly hardState: HardState | null
  /** The snapshot that was received under `ref`: becomes this node's snapshot and replaces the whole log on disk. */
  readonly snapshot: { readonly ref: Ref; readonly meta: SnapshotMeta } | null
  /** Entries from this index on are removed, before `entries` are appended. */
  readonly truncateFrom: LogIndex | null
  readonly entries: readonly Entry[]
  readonly then: readonly AfterPersist[]
}

/** What a `persist` may hold back until it is durable. */
export type AfterPersist =
  | SendEffect
  /** Replace the state of the state machines by the snapshot received under `ref`; later `apply`s follow it. */
  | { readonly type: 'restore'; readonly ref: Ref; readonly meta: SnapshotMeta }

export interface SendEffect {
  readonly type: 'send'
  readonly to: NodeId
  readonly message: Message
}

/**
 * What goes out, to be done in order. The driver's duties:
 * - writes run in the order of tickets, neighbours may be merged into one sync (the last hard state counts); a crash
 *   may lose writes that are not durable, and nothing else;
 * - `then` runs after its write is durable and before `persisted` is put in; other effects do not wait;
 * - messages may be lost, doubled, delayed and reordered, never changed;
 * - refs of proposals that were `accepted` are settled by `apply`: same index and term means committed, same index
 *   with another term, or a snapshot restored over it with no such entry, means it is not known what became of it.
 */
export type Effect =
  | PersistEffect
  | SendEffect
  /** Committed and locally durable entries, each once and in order; noops and configurations included. */
  | { readonly type: 'apply'; readonly entries: readonly Entry[] }
  /** The entries are in the leader's log from `index` on, one for each datum (one for a change). */
  | { readonly type: 'accepted'; readonly ref: Ref; readonly index: LogIndex; readonly term: Term }
  /** Not in any log and never will be. */
  | {
      readonly type: 'dropped'
      readonly ref: Ref
      readonly reason: DropReason
      readonly leader: NodeId | null
    }
  | { readonly type: 'changeRefused'; readonly ref: Ref; readonly reason: ChangeRefusal }
  /** Everything acknowledged before the read came in is at or before `index`. */
  | { readonly type: 'readReady'; readonly ref: Ref; readonly index: LogIndex }
  | {
      readonly type: 'readFailed'
      readonly ref: Ref
      readonly reason: DropReason
      readonly leader: NodeId | null
    }
  /** Role, leader or term is another one now. */
  | { readonly type: 'role'; readonly role: NodeRole; readonly leader: NodeId | null; readonly term: Term }
  /** The newest configuration in the log is another one now; it may not be committed yet. */
  | { readonly type: 'configuration'; readonly configuration: Configuration; readonly index: LogIndex }
  /**
   * Stream the newest snapshot (at least of index `atLeast`) to the follower, then put in `snapshotSent`. A `witness` gets
   * it without data.
   */
  | {
      readonly type: 'sendSnapshot'
      readonly to: NodeId
      readonly atLeast: LogIndex
      readonly term: Term
      readonly witness: boolean
    }
  | { readonly type: 'snapshotRefused'; readonly ref: Ref }
  | { readonly type: 'transferFailed'; readonly to: NodeId }
  /** The node belongs to another lineage now; it follows from a `persist` of the same step. */
  | { readonly type: 'lineage'; readonly history: Lineage; readonly alone: boolean }
  /** The peer's history and mine have parted and neither is a continuation of the other that may be adopted. */
  | { readonly type: 'forked'; readonly from: NodeId; readonly mine: Lineage; readonly theirs: Lineage }
  | { readonly type: 'aloneRefused'; readonly peer: NodeId; readonly reason: AloneRefusal }
  /** This node goes on from survivors: what was acknowledged behind `last` in the lineage before may be lost. */
  | { readonly type: 'recovered'; readonly last: LogPosition }
  | ({ readonly type: 'recoverRefused' } & RecoverRefusal)

interface MessageHead {
  /** The sender's lineage; a foreign one never matches anything. */
  readonly lineage: LineageId
  /** The sender's term; for `preVote`, the term it would campaign in. */
  readonly term: Term
}

export interface PreVoteMessage extends MessageHead {
  readonly type: 'preVote'
  readonly last: LogPosition
}

/** What counts only from the disk with which its sender was let in. */
interface ReplyHead extends MessageHead {
  readonly disk?: string
}

export interface PreVoteReplyMessage extends ReplyHead {
  readonly type: 'preVoteReply'
  /** With `granted` the `term` is the one asked for, else the sender's own. */
  readonly granted: boolean
  /** The last that the sender knows to be committed: one who waits for a voter that left can learn of its leave. */
  readonly commit: LogPosition
}

export interface VoteMessage extends MessageHead {
  readonly type: 'vote'
  readonly last: LogPosition
  /** The leader itself asked for this election, so nobody needs to protect it. */
  readonly transfer: boolean
}

export interface VoteReplyMessage extends ReplyHead {
  readonly type: 'voteReply'
  readonly granted: boolean
}

/** Entries after `previous`; without entries a sign of life. */
export interface AppendMessage extends MessageHead {
  readonly type: 'append'
  readonly previous: LogPosition
  readonly entries: readonly Entry[]
  readonly commit: LogIndex
  /** Comes back in the reply; confirms reads. */
  readonly round: number
  /** Index of the newest configuration in the leader's log. */
  readonly configuration: LogIndex
  /** Over this link the receiver has acknowledged all that is committed, under this term and configuration. */
  readonly acknowledged: boolean
  /** For a witness: up to here every voter with data has the log, so that the witness need not keep it. */
  readonly everywhere?: LogIndex
  /** Nothing happens: the next sign of life comes later, see `rest.ts`. */
  readonly rest?: true
}

export interface AppendReplyMessage extends ReplyHead {
  readonly type: 'appendReply'
  readonly round: number
  /** Durable here and equal to the leader's log up to this index. Meaningless when `rejected` is there. */
  readonly match: LogIndex
  /** The entry before the sent ones differs or is missing: it was `previous`; `hint` is the highest position worth trying. */
  readonly rejected: { readonly previous: LogIndex; readonly hint: LogPosition } | null
  /** Index of the newest configuration in the follower's log. */
  readonly configuration: LogIndex
  /** Over this link the leader has said `acknowledged` under this term and configuration. */
  readonly acknowledged: boolean
  /** So long, from when it got what this answers, the sender helps nobody else into office. */
  readonly lease?: number
}

/** The leader hands over: campaign at once. */
export interface TimeoutNowMessage extends MessageHead {
  readonly type: 'timeoutNow'
}

/** The answer to a message of another lineage: what the sender belongs to. */
export interface LineageMessage extends MessageHead {
  readonly type: 'lineage'
  readonly history: Lineage
}

export type Message =
  | PreVoteMessage
  | PreVoteReplyMessage
  | VoteMessage
  | VoteReplyMessage
  | AppendMessage
  | AppendReplyMessage
  | TimeoutNowMessage
  | LineageMessage

/** How the leader sees one other node. */
export interface ProgressView {
  readonly node: NodeId
  /** Durable there up to here. */
  readonly match: LogIndex
  readonly state: 'probe' | 'replicate' | 'snapshot'
  /** `now` when it last answered in this term; null when it has not. */
  readonly heardAt: number | null
}

/** A cheap look at the machine, for drivers and people. */
export interface RaftView {
  readonly self: NodeId
  readonly role: NodeRole
  readonly term: Term
  readonly leader: NodeId | null
  readonly history: Lineage | null
  readonly alone: boolean
  /** The newest in the log; null before the node has one. */
  readonly configuration: Configuration | null
  readonly configurationIndex: LogIndex
  /** False while the newest configuration is not known to be committed. */
  readonly configurationCommitted: boolean
  /** Leader only: it has committed an entry of its own term, so reads and changes are possible. */
  readonly ready: boolean
  /** Index of the first entry in memory; `lastIndex + 1` when there is none. */
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  /** Locally durable up to here. */
  readonly durableIndex: LogIndex
  readonly commitIndex: LogIndex
  /** Handed out by `apply` up to here. */
  readonly appliedIndex: LogIndex
  readonly snapshotIndex: LogIndex
  /** On a witness: up to here nobody can need the log from it. */
  readonly everywhere: LogIndex
  /** Payload bytes of the entries in memory; cut the log when it grows large. */
  readonly logBytes: number
  /** Leader only, sorted by id, without the leader itself. */
  readonly progress: readonly ProgressView[]
  /** `now` at which the next `tick` has something to do. */
  readonly wakeAt: number
}

/**
 * One node's Raft: pure, synchronous, deterministic. `step` never throws but for broken invariants (the node
 * must stop then). Constructed as `new Raft(options, recovered, random)`.
 */
export interface RaftMachine {
  step(input: Input): readonly Effect[]
  view(): RaftView
  /** What a snapshot taken after applying `index` must carry; `index` from the snapshot's own to `appliedIndex`. */
  snapshotMeta(index: LogIndex): SnapshotMeta
}
