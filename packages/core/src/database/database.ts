import type { ClusterError, ErrorDetail } from '../errors.ts'
import type { Cancel } from '../host/clock.ts'
import type { Disk } from '../host/disk.ts'
import type { LineageId, NodeId, PartitionId, RelationId, Version } from '../ids.ts'
import type { Bundle, BundleCondition } from '../log/ordered-log.ts'
import type { CallOptions } from '../network/transport.ts'
import type { Key, KeyRange, Row } from '../values/value.ts'
import type { Addition } from './addition.ts'
import type { ArchiveOptions, BackupInfo, BackupOptions, RestoreOptions, RestoreReport } from './backup.ts'
import type { ChangeFeed, ChangesOptions } from './changes.ts'
import type { AlterOptions, DatabaseOptions } from './database-options.ts'
import type { FragmentReads } from './fragment.ts'
import type { RiskReport } from './risk.ts'
import type { ProgramOutcome, RowProgram } from './row-program.ts'
import type { RowBatch, ScanRequest } from './storage.ts'
import type { VerifyOptions, VerifyReport } from './verify.ts'

/** Where a row lives: the partition comes from `Database.partitionOf`, or is `EVERYWHERE`. */
export interface RowAddress {
  readonly relation: RelationId
  readonly partition: PartitionId
  readonly key: Key
}

/** `deadlineMs` and `signal` are for the call of `begin` and for every read; `lifetimeMs` is for all of it. */
export interface TransactionOptions extends CallOptions {
  readonly readOnly?: boolean
  /**
   * Begins at once, at what this node has applied, without asking whether there is something newer. A commit that
   * writes is certified as ever. Whatever else the caller learns from it (rows shown to a user, a row count of zero, an
   * error) counts only once `validate`, or `commit`, has proved it; until then it may be out of date.
   */
  readonly optimistic?: boolean
  /** Reads at this very version, which the caller has from a receipt or another transaction; read only. */
  readonly atVersion?: Version
  /**
   * Reads what may be out of date, without asking the leader, and says so by its `version`; read only. `local`: what this
   * node has, however old. `maxMs`: no older than that, else the leader is asked.
   */
  readonly staleness?: 'local' | { readonly maxMs: number }
  /** The transaction that lost its race and is run again by this one: after several losses in a row others have to wait. */
  readonly retryOf?: Transaction
  /** The whole transaction must end within this time of `begin`, else reads and the commit fail with DEADLINE. */
  readonly lifetimeMs?: number
}

export interface CommitOptions extends CallOptions {
  /**
   * Makes a commit whose outcome is unknown safe to try again: of all commits with one key at most one takes effect, and
   * the later ones are answered as it was. One that was refused (DB_CONFLICT) leaves the key to the next attempt.
   */
  readonly idempotencyKey?: string
  /**
   * All of them must hold at the very index of the commit, or nothing is written (DB_FENCED): the fences of locks, say. A
   * transaction without writes commits nothing, so they are not asked then.
   */
  readonly requires?: readonly BundleCondition[]
  /**
   * Commands and conditions of other machines: they and the commit happen at one index, or nothing of both does
   * (DB_ALONG_REFUSED). A transaction without writes takes them along, too, and what it has read is judged.
   */
  readonly along?: Bundle
}

/** Tells what an acknowledged commit is worth. */
export interface CommitReceipt {
  readonly version: Version
  readonly lineage: LineageId
  /** Fewest complete copies among the partitions written; null when nothing was written. */
  readonly copies: number | null
  /** True when that is less than the redundancy asked for. */
  readonly underReplicated: boolean
  /** Voters known to have fsynced it. */
  readonly durableOn: number
}

/** The receipt of a program, and what came of it. A program that failed has a version, but changed nothing. */
export interface ExecuteReceipt extends CommitReceipt {
  readonly outcome: ProgramOutcome
}

export interface TransactionScan extends Omit<ScanRequest, 'version'> {
  /** The partitions to read; every hash partition when absent. */
  readonly partitions?: readonly PartitionId[]
  /** True: batches come merged in key order over all partitions. False: in any order, faster. */
  readonly ordered?: boolean
}

/** Rows that entries in a range point to. */
export interface FollowedScan {
  /** The first value of each row of this relation is the key of a row in `rows`, in the same partition. */
  readonly entries: RelationId
  readonly range: KeyRange
  readonly rows: RelationId
  /** Column positions wanted of `rows`, in this order. */
  readonly columns: readonly number[]
  /** The partitions to read; every hash partition when absent. */
  readonly partitions?: readonly PartitionId[]
  /** At most this many rows in all. */
  readonly limit?: number
}

/**
 * An optimistic transaction: reads see one version plus its own writes; `commit` succeeds only if nothing it
 * read has changed since. One user at a time; not usable after the end.
 */
export interface Transaction {
  /** The version it reads at. */
  readonly version: Version
  /** Reads that are computed where the rows are; a database that keeps all rows here leaves them out. */
  readonly fragments?: FragmentReads | undefined
  get(address: RowAddress): Promise<Row | null>
  /**
   * As `get`, at once and without a promise, for a row that is at hand; undefined for one that has to be asked for. Throws what
   * `get` would reject with. Left out by a database that never answers so.
   */
  getNow?(address: RowAddress): Row | null | undefined
  /** Own writes show. The ranges read join the read set. */
  scan(request: TransactionScan): AsyncIterable<RowBatch>
  /**
   * The rows that entries point to, in any order and without promises. The range of the entries and each of the rows join the read
   * set. Undefined: not all of it is at hand, or the transaction has written; `scan` and `get` do then. Left out by a database
   * that never answers so.
   */
  followNow?(request: FollowedScan): Iterable<RowBatch> | undefined
  /** Inserts or replaces; the caller has read the key before if it must not exist. */
  put(address: RowAddress, row: Row): void
  delete(address: RowAddress): void
  /**
   * Adds to numbers of a row wherever they stand when the commit is applied, so that two transactions that add to the same row never
   * lose against each other; against whoever replaces, deletes or reads it they are certified as any other write. Own reads show the
   * sums as of `version`, and make the row one that was read. Left out by a database that knows only whole rows.
   * @returns `absent`: there is no such row, which is certified; `unfit`: nothing was done, as the row does not hold such numbers,
   *   they might leave the bounds of their types, or a member runs a release without additions. Read and put the row then.
   */
  add?(address: RowAddress, additions: readonly Addition[]): Promise<'added' | 'absent' | 'unfit'>
  /** Certifies that what was read under `address` has not changed, without reading it again. */
  expectUnchanged(address: RowAddress): void
  /** Undoes the writes made after the mark. Reads stay in the read set. */
  mark(): TransactionMark
  rollbackTo(mark: TransactionMark): void
  /**
   * Proves that everything read so far was the newest at some moment since `begin` was called. Costs nothing unless the
   * transaction was begun as optimistic. It goes on afterwards.
   * @throws DB_CONFLICT, DB_VERSION_GONE: what was read is out of date; run it again, not optimistic
   */
  validate(options?: CallOptions): Promise<void>
  /**
   * Without writes it proves what was read, as `validate` does.
   * @throws DB_CONFLICT (rejected: run it again), DB_FENCED, DB_UNAVAILABLE, DB_TOO_FEW_COPIES, OUTCOME_UNKNOWN
   */
  commit(options?: CommitOptions): Promise<CommitReceipt>
  /**
   * Ends it here and gives its commit as a command of a bundle, so that transactions of several databases take effect at one index:
   * one of them commits `along` with the commands of the others. What it has read is judged there. Left out by a database
   * without a log.
   * @throws as `commit` does before it submits anything: DB_UNAVAILABLE, DB_TOO_FEW_COPIES, LOG_VERSION_TOO_LOW
   */
  prepare?(options?: CallOptions): Promise<PreparedCommit>
  /**
   * Commits a program in place of writes: the rows change where the log applies it, unless what this transaction read
   * (that a table is still what it was, say) has changed. The transaction must have no writes of its own.
   * @throws LOG_VERSION_TOO_LOW (the transaction goes on) while a member runs a release that has no programs; as
   * `commit`; DB_RESULT_GONE (unknown) when it was applied and nobody who ran it answers any more
   */
  execute(program: RowProgram, options?: CommitOptions): Promise<ExecuteReceipt>
  /** Ends it without a trace. */
  rollback(): void
}

/** The commit of a transaction, as part of a bundle that somebody else submits. */
export interface PreparedCommit {
  readonly command: Bundle['commands'][number]
  /** Why the command was refused, by its result: DB_CONFLICT, DB_VERSION_GONE, DB_UNAVAILABLE, DB_TOO_FEW_COPIES … */
  refusal(result: Uint8Array): ClusterError
  /** The bundle was not adopted: gives back what the transaction had reserved. */
  release(): void
}

export interface TransactionMark {
  readonly writes: number
}

/** One replica of one partition, as the log has it. */
export interface ReplicaInfo {
  readonly partition: PartitionId
  readonly node: NodeId
  /** False while it is still being copied. */
  readonly complete: boolean
  /** Rows it holds here, if this node holds it; else null. */
  readonly rows: number | null
}

export interface DatabaseStatus {
  readonly name: string
  readonly options: Required<DatabaseOptions>
  readonly version: Version
  readonly replicas: readonly ReplicaInfo[]
  /** Partitions with fewer complete copies than there should and could be. */
  readonly underReplicated: readonly PartitionId[]
  /** Partitions without a complete copy that answers. */
  readonly unavailable: readonly PartitionId[]
}

export interface DatabaseEvents {
  /** This node became a complete holder of partitions that `from` (gone) held; `source` gave the copy. */
  readonly tookOver: {
    readonly database: string
    readonly partitions: readonly PartitionId[]
    readonly from: NodeId | null
    readonly source: NodeId | null
    readonly rows: number
  }
  readonly dropped: { readonly database: string }
  /** The record of replicas changed. */
  readonly placement: { readonly database: string }
  /** Copies of a partition differ, as this node has found by comparing them. `right`: see `Divergence`. */
  readonly diverged: {
    readonly database: string
    readonly partition: PartitionId
    readonly groups: readonly (readonly NodeId[])[]
    readonly right: number | null
  }
  readonly commit: { readonly version: Version; readonly relations: readonly RelationId[] }
}

/**
 * One database of the cluster, seen from this node. Relations with a `RelationId` below 16 are reserved for
 * catalogs; the caller hands out ids and keeps them in a catalog of its own in the partition `EVERYWHERE`.
 */
export interface Database {
  readonly name: string
  readonly options: Required<DatabaseOptions>
  /** The partition of a row by the key of its distribution columns: 1 … partitions. */
  partitionOf(distributionKey: Key): PartitionId
  /** Begins at a version that covers everything acknowledged anywhere before the call. */
  begin(options?: TransactionOptions): Promise<Transaction>
  status(): DatabaseStatus
  /**
   * Changes how many copies there are to be, while everybody goes on. Resolves when that is recorded; copies are made and
   * dropped afterwards, and `status` tells how far that is.
   * @throws DB_OPTION_INVALID
   */
  alter(options: AlterOptions, call?: CallOptions): Promise<void>
  /**
   * Follows what is committed, from any node. Holders keep the changes of relations for which that was asked for, here or by
   * `keepChanges`, so many of each partition.
   * @throws DB_CHANGES_GONE (while taking) when changes behind `from` are not kept any more, or never were; ABORTED
   */
  changes(options?: ChangesOptions): ChangeFeed
  /**
   * Holders keep the changes of these relations (of all that there are and will be, when absent) from now on.
   * @returns a version behind which every change will be told
   */
  keepChanges(relations?: readonly RelationId[], options?: CallOptions): Promise<Version>
  /** Ends what `keepChanges` began; of everything, when no relation is named. */
  forgetChanges(relations?: readonly RelationId[], options?: CallOptions): Promise<void>
  /**
   * Compares the copies of every partition, each at one version, and has wrong ones made anew from those that most holders
   * agree on. Reads go on meanwhile.
   */
  verify(options?: VerifyOptions): Promise<VerifyReport>
  /**
   * Writes all rows as they are at one version, which covers everything acknowledged before the call, to an empty folder.
   * Reads and writes go on. After an error the same call goes on with what is there, if that version is still kept; else it
   * begins anew.
   * @throws DB_UNAVAILABLE, DB_OPTION_INVALID when the folder has a finished backup, ABORTED, and what the disk reports
   */
  backup(folder: Disk, options?: BackupOptions): Promise<BackupInfo>
  /**
   * Writes what is committed after a backup beside it, until the signal says that it is enough, or an error comes. The next
   * call goes on where this one ended, from any node.
   * @throws DB_BACKUP_UNUSABLE, DB_CHANGES_GONE when a new backup is needed
   */
  archive(folder: Disk, options?: ArchiveOptions): Promise<void>
  /** What would be lost or pause if those nodes went now: one report for all of them; by default one for each member alone. */
  explainRisk(nodes?: readonly NodeId[]): readonly RiskReport[]
  /** The node that holds each row of these partitions, complete holders only, sorted. */
  holders(partition: PartitionId): readonly NodeId[]
  /** Rows of a relation held on this very node, in the partitions it holds; for status and tests. */
  localScan(relation: RelationId, partition: PartitionId, range?: KeyRange): Iterable<RowBatch>
  on<Type extends keyof DatabaseEvents>(type: Type, listener: (event: DatabaseEvents[Type]) => void): Cancel
}

/** All databases of the cluster. */
export interface Databases {
  /**
   * Opens, or makes, the database of that name.
   * @throws DB_OPTIONS_DIFFER when it exists with other options than those given
   */
  open(name: string, options?: DatabaseOptions & CallOptions): Promise<Database>
  /**
   * Ends the database of that name: its rows are gone, on every node, and cannot be had back but from a backup. Whoever has it open is
   * told DB_DROPPED.
   * @returns whether there was one
   * @throws LOG_VERSION_TOO_LOW, and what the log throws
   */
  drop(name: string, options?: CallOptions): Promise<boolean>
  /** Names known here, sorted. */
  list(): readonly string[]
  /**
   * Makes a database out of a backup. Nobody else may write to it meanwhile. After an error the same call goes on with what
   * is there.
   * @throws DB_NOT_EMPTY, DB_BACKUP_UNUSABLE, DB_OPTIONS_DIFFER, ABORTED
   */
  restore(name: string, folder: Disk, options?: RestoreOptions): Promise<RestoreReport>
  /** As `Database.explainRisk`, of all databases. */
  explainRisk(nodes?: readonly NodeId[]): readonly RiskReport[]
}

export type DatabaseErrorDetail =
  | ({ readonly code: 'DB_CONFLICT'; readonly relation: RelationId | null } & ErrorDetail)
  | ({ readonly code: 'DB_VERSION_GONE'; readonly version: Version } & ErrorDetail)
  /** A condition of the commit did not hold where it came in the log: the one at that position of `requires`. */
  | ({ readonly code: 'DB_FENCED'; readonly machine: string; readonly position: number } & ErrorDetail)
  /** What was to happen along with the commit could not: positions in `along` as `AppliedBundle` has them. */
  | ({
      readonly code: 'DB_ALONG_REFUSED'
      readonly unmet: number | null
      readonly refused: number | null
      readonly results: readonly Uint8Array[]
    } & ErrorDetail)
  | ({
      readonly code: 'DB_UNAVAILABLE'
      readonly partitions: readonly PartitionId[]
      readonly waitingFor: readonly NodeId[]
    } & ErrorDetail)
  | ({
      readonly code: 'DB_TOO_FEW_COPIES'
      readonly copies: number
      readonly minCopies: number
    } & ErrorDetail)
  | ({
      readonly code: 'DB_TRANSACTION_TOO_LARGE'
      readonly bytes: number
      readonly bytesMax: number
    } & ErrorDetail)
  | ({ readonly code: 'DB_TRANSACTION_ENDED' } & ErrorDetail)
  | ({ readonly code: 'DB_DROPPED' } & ErrorDetail)
  /** A holder does not compute this fragment: it does not know it, or failed in it. */
  | ({ readonly code: 'DB_FRAGMENT_REFUSED' } & ErrorDetail)
  | ({
      readonly code: 'DB_CHANGES_GONE'
      /** `retention`: they were too many; `history`: the token is of a history that was given up; `notKept`: nobody asked. */
      readonly reason: 'retention' | 'history' | 'notKept'
      /** Changes behind this version are there; null when none are. */
      readonly oldest: Version | null
    } & ErrorDetail)
  | ({
      readonly code: 'DB_BACKUP_UNUSABLE'
      readonly path: string
      /** `version`: the state that is asked for is not in it. */
      readonly reason: 'missing' | 'damaged' | 'format' | 'version'
    } & ErrorDetail)
  | ({ readonly code: 'DB_NOT_EMPTY' } & ErrorDetail)
  | ({ readonly code: 'DB_RESULT_GONE'; readonly version: Version } & ErrorDetail)
  | ({
      readonly code: 'DB_OPTIONS_DIFFER'
      readonly option: string
      readonly exists: string
      readonly given: string
    } & ErrorDetail)
  | ({ readonly code: 'DB_OPTION_INVALID'; readonly option: string; readonly given: string } & ErrorDetail)
  | ({
      readonly code: 'STORAGE_VERSION_GONE'
      readonly version: Version
      readonly oldest: Version
    } & ErrorDetail)
