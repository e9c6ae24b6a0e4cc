import type {
  Address,
  ArchiveOptions,
  BackupInfo,
  BackupOptions,
  Cancel,
  Database,
  DatabaseEvents,
  DatabaseOptions,
  GroupView,
  Locks,
  Member,
  NodeId,
  OrderedLogEvents,
  PeersEvents,
  RestoreOptions,
  RestoreReport,
  Row,
  StructureNode,
} from '@cluster/core'
import type { Completeness } from '@cluster/db-distribution'
import type { Barrier, Election, Latch, NamedLock, ReadWriteLock, Semaphore } from '@cluster/mutex'
import type { Fence, SqlEngine } from '@cluster/sql'
import type { SharedObjects } from './shared-objects.ts'
import type { ExportOptions } from './transfer/export-sql.ts'

export interface ClusterEvents {
  readonly member: PeersEvents['member']
  readonly deathProved: PeersEvents['deathProved']
  readonly refused: PeersEvents['refused']
  readonly turnedAway: PeersEvents['turnedAway']
  readonly group: OrderedLogEvents['group']
  readonly removed: OrderedLogEvents['removed']
  /** Two nodes both went on alone, and met: nothing is written until one history is given up. */
  readonly forked: OrderedLogEvents['forked']
  /** Another cluster of this name has data, too. */
  readonly met: OrderedLogEvents['met']
  /** What the node waits for, for people; null when nothing. */
  readonly waiting: OrderedLogEvents['waiting']
  readonly tookOver: DatabaseEvents['tookOver']
  /** The node cannot go on and has stopped; nothing that was acknowledged is lost. */
  readonly failed: { readonly error: unknown }
}

export interface ServePostgresOptions {
  /**
   * Default 127.0.0.1: clients of this machine, without a password. On any other address those of other machines need the
   * password of their role.
   */
  readonly host?: string
  /** Default 5432, or any free one when that is taken; 0 for any free one. */
  readonly port?: number
  /** Certificate and key in PEM, for encrypted connections. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Clients of this machine need the password of their role, too. Default false. */
  readonly localPasswords?: boolean
  /** Connections at once; more are refused (53300). `max_connections` tells it. Default 500. */
  readonly connectionsMax?: number
}

/** Where clients of PostgreSQL's protocol connect. */
export interface PostgresService {
  readonly host: string
  readonly port: number
  /** What clients take for a database: `postgresql://cluster@127.0.0.1:5432/main`. */
  url(database: string): string
  close(): Promise<void>
}

export interface ReadyOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Waits, without a bound, until this node also holds its share of all databases. It answers correctly before that, too. */
  readonly complete?: boolean
  /** How far it is with that. */
  readonly onProgress?: (progress: Completeness) => void
}

/** One node of a cluster, and all of the cluster through it. */
export interface Cluster extends AsyncDisposable, SharedObjects {
  readonly id: NodeId
  readonly name: string
  /** The data folder. */
  readonly folder: string
  /** True when the data folder was empty at the start. */
  readonly fresh: boolean
  /** Where this node listens. */
  addresses(): readonly Address[]
  members(): readonly Member[]
  group(): GroupView
  /** What the node waits for, for people; null when nothing. Its changes are `waiting` events. */
  waitingFor(): string | null
  /** The tree of cluster objects: p2p → log → database … */
  structure(): StructureNode
  on<Type extends keyof ClusterEvents>(type: Type, listener: (event: ClusterEvents[Type]) => void): Cancel
  /** Resolves when this node is in a group and has applied what the leader had. @throws JOIN_TIMEOUT */
  ready(options?: ReadyOptions): Promise<void>
  /**
   * Opens, or makes, the database of that name.
   * @throws DB_OPTIONS_DIFFER when it exists with other options than those given, NODE_IS_WITNESS
   */
  database(name: string, options?: DatabaseOptions): Promise<ClusterDatabase>
  /** Names of the databases that are known here, sorted. @throws NODE_IS_WITNESS */
  databases(): readonly string[]
  /**
   * Ends the database of that name: its rows are gone, on every node, and cannot be had back but from a backup. Who has it open is told
   * DB_DROPPED.
   * @returns whether there was one
   * @throws NODE_IS_WITNESS, and what the log throws
   */
  dropDatabase(name: string): Promise<boolean>
  /** All locks of the cluster, by name. @throws NODE_IS_WITNESS */
  readonly locks: Locks
  /** The lock of that name, for one in the cluster at a time. @throws NODE_IS_WITNESS */
  mutex(name: string): NamedLock
  /** Many read, or one writes. @throws NODE_IS_WITNESS */
  readWriteLock(name: string): ReadWriteLock
  /** @param permits how many there are, the same for everybody who uses it at a time. @throws NODE_IS_WITNESS */
  semaphore(name: string, permits: number): Semaphore
  /** @param parties how many it waits for, the same for everybody at a time. @throws NODE_IS_WITNESS */
  barrier(name: string, parties: number): Barrier
  /** A count that goes down to zero, and who waits for that. @throws NODE_IS_WITNESS */
  latch(name: string): Latch
  /** One among those who stand for it. @throws NODE_IS_WITNESS */
  election(name: string): Election
  /**
   * Lets clients of PostgreSQL's protocol (psql, drivers, tools) use this node's databases. Ends when the node stops.
   * @throws PORT_IN_USE, ADDRESS_NOT_USABLE, NODE_IS_WITNESS
   */
  servePostgres(options?: ServePostgresOptions): Promise<PostgresService>
  /**
   * Makes a database out of a backup in a folder of this machine, in a cluster of any size. See `Databases.restore` of core.
   * @throws DB_NOT_EMPTY, DB_BACKUP_UNUSABLE, NODE_IS_WITNESS
   */
  restore(
    name: string,
    folder: string,
    options?: Omit<RestoreOptions, 'partitions' | 'distributionKey'>,
  ): Promise<RestoreReport>
  /** Stops the node cleanly; its data stay, and it is expected back. */
  stop(): Promise<void>
  /** Takes the node out of the cluster for good. */
  leave(): Promise<void>
}

/** What runs SQL under a lock. */
export type FencedDatabase = Pick<
  SqlEngine,
  'sql' | 'query' | 'execute' | 'stream' | 'copyFrom' | 'copyTo' | 'transaction' | 'session'
>

/** A database as applications use it: SQL with parameters, transactions that retry, sessions. */
export interface ClusterDatabase
  extends Pick<
    SqlEngine,
    | 'sql'
    | 'query'
    | 'execute'
    | 'stream'
    | 'copyFrom'
    | 'copyTo'
    | 'transaction'
    | 'session'
    | 'role'
    | 'listen'
  > {
  /**
   * The same database, for who has a lock: all that is written through it, sessions and transactions included, is committed
   * only while the lock is held, judged by the log where the commit comes. @throws (later) DB_FENCED, SQLSTATE 55L01
   */
  fenced(fence: Fence | readonly Fence[]): FencedDatabase
  readonly name: string
  /** The layer below: relations, replicas, status. */
  readonly storage: Database
  /** Writes everything, tables and rows, as it is at one version to an empty folder of this machine. See `Database.backup` of core. */
  backup(folder: string, options?: BackupOptions): Promise<BackupInfo>
  /** Writes what is committed after a backup beside it, until the signal ends it. See `Database.archive` of core. */
  archive(folder: string, options?: ArchiveOptions): Promise<void>
  /**
   * Writes definitions and rows, as they are at one version, as SQL that a shell of this database and PostgreSQL's psql can
   * run, in pieces of any length.
   * @throws OPTION_INVALID when there is no such table
   */
  exportSql(options?: ExportOptions): AsyncIterable<Uint8Array>
  /** Rows of a table in this node's own storage, whoever else holds them; for looking at what lives where. */
  storedRows(table: string): Promise<readonly Row[]>
}
