import type { ErrorDetail } from '../errors.ts'
import type { Cancel } from '../host/clock.ts'
import type { ClusterId, LineageId, LogIndex, NodeId, Term } from '../ids.ts'
import type { CallOptions } from '../network/transport.ts'
import type { ClusterVersion } from './cluster-version.ts'

/** One committed command, as every node sees it. */
export interface LogEntry {
  readonly index: LogIndex
  /** Log time in milliseconds: never goes back, set by the leader. Leases and TTLs use it. */
  readonly time: number
  /** The leader's wall clock, milliseconds since 1970; for SQL's `now()`. */
  readonly wall: number
  /** The node that submitted it. */
  readonly origin: NodeId
  readonly command: Uint8Array
}

/**
 * A replicated state machine. All methods are synchronous and deterministic: no clock, chance or I/O. What
 * `apply` throws stops the node, unless it is returned as a result.
 */
export interface StateMachine {
  /** Stable across nodes and releases. */
  readonly name: string
  /** Applies one entry; the bytes returned go to the submitter (and are kept for its retries), at most 4 KiB. */
  apply(entry: LogEntry): Uint8Array
  /** The whole state after the last applied entry. Everything waits for it: a machine with much state has `pieces`. */
  snapshot(): Uint8Array
  /** Replaces the whole state by the snapshot taken at `index`; null and 0 mean the empty state. */
  restore(snapshot: Uint8Array | null, index: LogIndex): void
  /**
   * The newest index that this machine has made durable by means of its own: after a restart it needs no
   * entry up to it, given a snapshot of its small state at or before it. A machine that lives in snapshots alone
   * returns `Infinity`. The log is cut only behind the lowest of these and of the snapshot.
   */
  durableIndex(): number
  /**
   * True while the state holds nothing that a user would miss (tables without rows are nothing). A group whose
   * machines are all empty may give itself up into another group of the same name; `restore(null, 0)` follows
   * then on every node. A machine without this method counts as empty until the first command of the group.
   */
  empty?(): boolean
  /** Present when the machine gives and takes large states in pieces; `snapshot` is not called then, nor `restore` with bytes. */
  readonly pieces?: StatePieces
  /** Present when the machine takes part in bundles. */
  readonly bundles?: BundleSupport
}

/** How a machine gives and takes a large state, without holding everybody up and without a second copy of it. */
export interface StatePieces {
  /**
   * The state after the last applied entry, in pieces, each the work of a few milliseconds at most. They are asked for one
   * by one in later turns while further entries are applied, and all show the state of this call. `return` is called when
   * no more are wanted.
   */
  save(): Iterator<Uint8Array>
  /** Begins to take the state of `index`; whatever was begun before and not done is void. */
  load(index: LogIndex): StateLoading
}

export interface StateLoading {
  /** The next piece, in the order of `save`, but cut and joined anew. The bytes are the machine's to keep. */
  piece(bytes: Uint8Array): void
  /** All pieces came: from here on they are the whole state. */
  done(): void
}

/**
 * How a machine takes part in bundles: what is applied between `begin` and `rollback` leaves nothing behind, and nobody
 * is told of what is applied before `commit`. All synchronous and deterministic, like `apply`; `begin` is never nested.
 */
export interface BundleSupport {
  /** Whether the condition, in the machine's own encoding, holds for the state after the last applied entry. */
  check(condition: Uint8Array): boolean
  /** From here on everything applied is provisional. Commands see what provisional ones before them did. */
  begin(): void
  commit(): void
  rollback(): void
  /** Whether this result of a provisional command means that the bundle must not be adopted. Without it none does. */
  refuses?(result: Uint8Array): boolean
}

/** Something that must be true of the state of a machine where a bundle is applied; in the machine's own encoding. */
export interface BundleCondition {
  readonly machine: string
  readonly condition: Uint8Array
}

/** Commands for one or several machines that take effect together, at one index, or not at all. */
export interface Bundle {
  /** Applied in this order, at least one, at most 64. A machine may be named more than once. */
  readonly commands: readonly { readonly machine: string; readonly command: Uint8Array }[]
  /** All of them must hold before the first command, or nothing happens; at most 64. */
  readonly requires?: readonly BundleCondition[]
}

/** The answer to a submission: the entry was committed and applied on this node. */
export interface Applied {
  readonly index: LogIndex
  /** What the machine's `apply` returned. */
  readonly result: Uint8Array
  /** Lineage the entry was committed in. */
  readonly lineage: LineageId
  /** Voters known to have it durably, this node's knowledge at the time. */
  readonly durableOn: number
  /**
   * True when this node, or the one that leads it, went on without the other voter and no second one votes again yet: if
   * the other one went on too, one of both histories will have to go, this entry perhaps with it.
   */
  readonly alone: boolean
}

/** The answer to a bundle: the entry was committed, and judged alike on every node. */
export interface AppliedBundle extends Omit<Applied, 'result'> {
  /** False: no command had any effect, because of what `unmet` or `refused` names. */
  readonly adopted: boolean
  /** Position of the first condition that did not hold; null when all did. */
  readonly unmet: number | null
  /** Position of the command that refused; null when none did. */
  readonly refused: number | null
  /** One for each command when adopted; only that of the command that refused, when one did. Together at most 4 KiB. */
  readonly results: readonly Uint8Array[]
}

export type NodeRole = 'leader' | 'follower' | 'candidate' | 'learner' | 'outsider'

/** The group as this node's newest configuration has it. */
export interface GroupView {
  /** Null before the group formed or was joined. */
  readonly cluster: ClusterId | null
  readonly lineage: LineageId | null
  /** The lineages that came before, oldest first, each with the last index that this history shares with it. */
  readonly ancestry: readonly { readonly lineage: LineageId; readonly index: LogIndex }[]
  readonly term: Term
  readonly role: NodeRole
  readonly leader: NodeId | null
  /** Sorted by id. */
  readonly voters: readonly NodeId[]
  /** Sorted by id. */
  readonly learners: readonly NodeId[]
  /** Those of the voters and learners that hold no data, sorted by id. */
  readonly witnesses: readonly NodeId[]
  /** Members that stopped and mean to come back, sorted by id. */
  readonly away: readonly NodeId[]
  readonly commitIndex: LogIndex
  readonly appliedIndex: LogIndex
  /** True while no second voter ever joined: the group may still dissolve into another. */
  readonly provisional: boolean
  /** True when the last step was taken without a quorum (proof of death, `alone`). */
  readonly alone: boolean
  /** What every member's program supports, as far as applied here; 0 before the first member said so. Never goes back. */
  readonly version: ClusterVersion
}

export interface OrderedLogEvents {
  /** Anything in the group view but the indexes changed. */
  readonly group: GroupView
  /** A member left the group for good: it was dead too long, was proved dead, or left. */
  readonly removed: { readonly node: NodeId; readonly reason: 'dead' | 'left' }
  /** A snapshot of another node replaced this node's state. */
  readonly snapshotInstalled: { readonly index: LogIndex }
  /**
   * Another node of this cluster has a history that parted from the one here: both went on alone. Neither side takes
   * writes (LOG_FORKED_HISTORY) until the nodes of one of them are started with the word to give theirs up.
   */
  readonly forked: { readonly peer: NodeId; readonly mine: LineageId; readonly theirs: LineageId }
  /**
   * A node of another cluster of the same name, with data, as this one has. The two stay apart; the nodes of one of
   * them can be told to go into the other.
   */
  readonly met: { readonly cluster: string; readonly peer: NodeId }
  /** What the log waits for, for people ("waiting for a quorum: node X and Y"); null when nothing. */
  readonly waiting: { readonly for: string | null }
  /** The node cannot go on (damaged disk, broken invariant); it has stopped applying and voting. */
  readonly failed: { readonly error: unknown }
}

export interface SubmitOptions extends CallOptions {
  /** Makes retries by the caller safe: the same key applies once. By default every call is a new one. */
  readonly idempotencyKey?: string
}

/** One total order of commands. */
export interface OrderedLog {
  readonly self: NodeId
  /** Attaches a machine; before `start` only. */
  attach(machine: StateMachine): void
  /** Recovers from disk, then forms or joins the group in the background. */
  start(): Promise<void>
  /** Resolves when this node is in a group and has applied what the leader had when it was asked. */
  ready(options?: CallOptions): Promise<void>
  /**
   * Submits a command to the machine of that name. Retries by itself while the leader changes, and never
   * applies twice. @throws OUTCOME_UNKNOWN, DEADLINE (rejected: never sent), LOG_NO_QUORUM, STOPPED
   */
  submit(machine: string, command: Uint8Array, options?: SubmitOptions): Promise<Applied>
  /**
   * Submits several commands as one entry. A condition that does not hold is an answer, no error. Everything else is as
   * for `submit`. @throws also LOG_NO_BUNDLES, LOG_VERSION_TOO_LOW while a member runs a program that knows no bundles,
   * and LOG_COMMAND_TOO_LARGE for results of more than 4 KiB together
   */
  submitBundle(bundle: Bundle, options?: SubmitOptions): Promise<AppliedBundle>
  /**
   * Linearization point of a read: resolves with an index that covers everything acknowledged anywhere before
   * the call. It need not be applied here yet.
   */
  barrier(options?: CallOptions): Promise<LogIndex>
  /**
   * The operator's word that the other one of the last two voters will not come back, or not with writes of its own: this
   * node goes on alone. Resolves when it does; what it acknowledges is marked `alone`. @throws LOG_ALONE_REFUSED
   */
  continueAlone(): Promise<void>
  appliedIndex(): LogIndex
  /** Resolves once this node has applied `index`. */
  applied(index: LogIndex, options?: CallOptions): Promise<void>
  group(): GroupView
  on<Type extends keyof OrderedLogEvents>(
    type: Type,
    listener: (event: OrderedLogEvents[Type]) => void,
  ): Cancel
  /** Hands over leadership, leaves the voters (`away`) or the group (`left`), flushes and stops. */
  stop(reason: 'away' | 'left'): Promise<void>
}

export type LogErrorDetail =
  | ({ readonly code: 'LOG_NO_QUORUM'; readonly waitingFor: readonly NodeId[] } & ErrorDetail)
  | ({ readonly code: 'LOG_NO_GROUP' } & ErrorDetail)
  | ({
      readonly code: 'LOG_FORKED_HISTORY'
      readonly mine: LineageId
      readonly theirs: LineageId
    } & ErrorDetail)
  /** It is not one of the last two voters, or the other one is there (`reason` in one word). */
  | ({ readonly code: 'LOG_ALONE_REFUSED'; readonly reason: string } & ErrorDetail)
  | ({
      readonly code: 'LOG_COMMAND_TOO_LARGE'
      readonly bytes: number
      readonly bytesMax: number
    } & ErrorDetail)
  | ({ readonly code: 'LOG_DAMAGED'; readonly path: string; readonly offset: number } & ErrorDetail)
  | ({ readonly code: 'LOG_UNKNOWN_MACHINE'; readonly machine: string } & ErrorDetail)
  /** The machine takes no part in bundles. */
  | ({ readonly code: 'LOG_NO_BUNDLES'; readonly machine: string } & ErrorDetail)
  /** Not every member's program supports it yet; `behind` are those that do not. */
  | ({
      readonly code: 'LOG_VERSION_TOO_LOW'
      readonly version: ClusterVersion
      readonly needs: ClusterVersion
      readonly behind: readonly NodeId[]
    } & ErrorDetail)
  /** The folder is that of a witness, or of a node that holds data, and the node was started as the other. */
  | ({ readonly code: 'LOG_ROLE_DIFFERS'; readonly witness: boolean } & ErrorDetail)
  /** The cluster has gone on to a version that this program does not know. */
  | ({
      readonly code: 'LOG_PROGRAM_TOO_OLD'
      readonly supports: ClusterVersion
      readonly needs: ClusterVersion
    } & ErrorDetail)
