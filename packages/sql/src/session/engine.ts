import type {
  BundleCondition,
  Clock,
  Database,
  Describable,
  Locks,
  Random,
  StructureNode,
  Transaction,
} from '@cluster/core'
import { AccessStore } from '../access/access-store.ts'
import { type RoleInfo, roleInfo } from '../access/role-info.ts'
import { Catalog } from '../catalog/catalog.ts'
import { clusterTables } from '../catalog/tables/cluster.ts'
import { catalogTables } from '../catalog/tables/index.ts'
import { lockTables } from '../catalog/tables/locks.ts'
import { databaseTable } from '../catalog/tables/pg-database.ts'
import type { VirtualTable } from '../catalog/virtual-table.ts'
import type { BinaryValues } from '../copy/values.ts'
import { rowKeyMaker } from '../executor/rows/row-keys.ts'
import type { TemporaryFiles } from '../executor/spill/temporary-files.ts'
import { NotificationHub } from '../notify/hub.ts'
import { ChannelListening, type Listening, type ListenOptions } from '../notify/listening.ts'
import { Outbox } from '../notify/outbox.ts'
import { AccessRunner } from './access-runner.ts'
import { isSerializationFailure } from './errors.ts'
import { conditionsOf, type Fence, type SqlTransactionOptions } from './locks/fences.ts'
import { Lru } from './lru.ts'
import type { SessionPorts } from './ports.ts'
import { KeyChecks } from './run/key-checks.ts'
import { Planner } from './run/planner.ts'
import { mayBeOptimistic, retrying, retryOf } from './run/retrying.ts'
import { StatementRunner } from './run/runner.ts'
import { SequencePools } from './sequences.ts'
import { SqlSession } from './session.ts'
import type { OtherDatabases } from './statements/databases.ts'
import type { Item } from './statements/statements.ts'
import { Sweeper } from './sweeper.ts'
import type { Session, SessionOptions, SqlRunner } from './types.ts'

export interface SqlEngineOptions {
  /** What one statement may keep in memory, by a rough estimate. More is refused. Default 256 MiB. */
  readonly memoryBytesMax?: number
  /**
   * From here on a statement writes to `temporary` what it keeps, in bytes: `work_mem` of new sessions. Default: a quarter of
   * `memoryBytesMax`. More than half of that counts as half.
   */
  readonly workBytes?: number
  /** Plans kept by the text of their statements. Default 500. */
  readonly plansMax?: number
  /** How often a transaction that lost a race is run again before 40001 comes out. Default 20. */
  readonly retriesMax?: number
  /** False: every query is run as it is written, without indexes; for comparing results. Default true. */
  readonly optimize?: boolean
  /** The role that owns the database and may do everything; sessions are its own unless they say whose. Default `cluster`. */
  readonly user?: string
}

export interface SqlEnginePorts {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  /** Tables whose rows the composer makes, such as the members of the cluster. */
  readonly virtualTables?: readonly VirtualTable[]
  /** The binary form of values, for COPY in binary format; without it that is refused (0A000). */
  readonly binary?: BinaryValues
  /** The databases of the cluster, for CREATE DATABASE and DROP DATABASE. Without them these are refused. */
  readonly databases?: OtherDatabases
  /** Where rows go that are too many for memory. Without it a statement that keeps more than it may is refused. */
  readonly temporary?: TemporaryFiles
  /** The locks of the cluster. Without them functions that use locks are refused. */
  readonly locks?: Locks
}

/** Runs `work` as one transaction; options may come before it. */
export interface SqlTransaction {
  <T>(work: (session: SqlRunner) => Promise<T>): Promise<T>
  <T>(options: SqlTransactionOptions, work: (session: SqlRunner) => Promise<T>): Promise<T>
}

/** SQL over one database, on this node. */
export interface SqlEngine extends SqlRunner, Describable {
  /** A connection of its own, with its transactions. Close it when done. */
  session(options?: SessionOptions): Session
  /** What has to be known to let somebody in by that name; null: there is no such role. */
  role(name: string): Promise<RoleInfo | null>
  /** Listens to a channel, on which NOTIFY is said on any node. @throws 22023 for a name that no channel has */
  listen(channel: string, options?: ListenOptions): Listening
  /**
   * Deletes what dropped and emptied tables have left, to the end. It happens by itself after such statements; this is for
   * whoever wants to wait for it.
   * @returns how many tables and indexes were swept
   */
  sweep(): Promise<number>
  /**
   * Runs `work` as one transaction: commits when it returns, rolls back when it throws, and runs it again when
   * another transaction was faster. So `work` must do nothing that cannot be done twice.
   * @throws 40001 when it lost every time, 55L01 when a fence fell, and what `work` throws
   */
  transaction: SqlTransaction
  /** The same for who has a lock: everything that it commits depends on it. */
  fenced(fence: Fence | readonly Fence[]): SqlEngine
}

/** Makes the SQL engine of a database: options first, then the ports it stands on. */
export function sqlEngine(options: SqlEngineOptions = {}): (ports: SqlEnginePorts) => SqlEngine {
  const { memoryBytesMax = 256 * 1024 * 1024, plansMax = 500, retriesMax = 20 } = options
  const { workBytes = memoryBytesMax / 4 } = options
  const { optimize = true, user = 'cluster' } = options
  return (given) => {
    const { database, clock, random, virtualTables = [], binary, temporary } = given
    const { locks = null, databases = null } = given
    const catalog = new Catalog()
    const virtual = new Map(
      [
        ...clusterTables(database, catalog),
        ...catalogTables,
        databaseTable(() => databases?.list() ?? [database.name]),
        ...(locks === null ? [] : lockTables(locks)),
        ...virtualTables,
      ].map((table) => [table.name, table]),
    )
    const makeRowKey = rowKeyMaker(() => clock.wall(), random.bytes(8))
    const planner = new Planner({ database, catalog, virtualTables: virtual, makeRowKey, optimize, plansMax })
    const sweeper = new Sweeper({ database, catalog, clock, random })
    const hub = new NotificationHub(database)
    const store = new AccessStore(user, random)
    const access = new AccessRunner({
      store,
      catalog,
      database: database.name,
      databases,
      random,
      bootstrap: user,
    })
    const runner = new StatementRunner({
      database,
      catalog,
      planner,
      clock,
      random,
      memoryBytesMax,
      workBytes,
      temporary: temporary ?? null,
      access,
      outbox: new Outbox(),
      reserved: (name) => virtual.has(name),
      databaseNames: () => databases?.list() ?? [database.name],
      virtualTables: virtual,
      binary: binary ?? null,
      sequences: new SequencePools({ database, catalog, clock, random }),
      sweeper,
      keyChecks: new KeyChecks({ database, catalog, makeRowKey }),
    })
    const parsed = new Lru<string, readonly Item[]>(plansMax)
    const ports = { database, runner, clock, random, locks, parsed, retriesMax, user, hub, workBytes }
    return new Engine(ports, sweeper, store)
  }
}

class Engine implements SqlEngine {
  readonly #ports: SessionPorts
  readonly #sweeper: Sweeper
  readonly #store: AccessStore

  readonly #fences: readonly BundleCondition[]

  constructor(
    ports: SessionPorts,
    sweeper: Sweeper,
    store: AccessStore,
    fences: readonly BundleCondition[] = [],
  ) {
    this.#ports = ports
    this.#sweeper = sweeper
    this.#store = store
    this.#fences = fences
  }

  session(options: SessionOptions = {}): Session {
    return new SqlSession(this.#ports, options, {}, this.#fences)
  }

  fenced(fence: Fence | readonly Fence[]): SqlEngine {
    return new Engine(this.#ports, this.#sweeper, this.#store, [...this.#fences, ...conditionsOf(fence)])
  }

  async role(name: string): Promise<RoleInfo | null> {
    const transaction = await this.#ports.database.begin({ readOnly: true })
    try {
      return roleInfo(await this.#store.load(transaction), name)
    } finally {
      transaction.rollback()
    }
  }

  listen(channel: string, options: ListenOptions = {}): Listening {
    return new ChannelListening(this.#ports.hub, channel, options)
  }

  // Every call has a session of its own, so calls do not wait for each other.

  readonly sql: SqlRunner['sql'] = (texts, ...values) =>
    this.#alone((session) => session.sql(texts, ...values))

  readonly query: SqlRunner['query'] = (text, parameters, options) =>
    this.#alone((session) => session.query(text, parameters, options))

  readonly execute: SqlRunner['execute'] = (text, parameters, options) =>
    this.#alone((session) => session.execute(text, parameters, options))

  readonly stream: SqlRunner['stream'] = (text, parameters, options) =>
    this.session().stream(text, parameters, options)

  readonly copyFrom: SqlRunner['copyFrom'] = (text, source, options) =>
    this.#alone((session) => session.copyFrom(text, source, options))

  readonly copyTo: SqlRunner['copyTo'] = (text, options) => this.session().copyTo(text, options)

  /** A transaction that the text leaves open ends with it. */
  async #alone<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = this.session()
    try {
      return await work(session)
    } finally {
      session.close()
    }
  }

  readonly transaction: SqlTransaction = <T>(
    first: SqlTransactionOptions | ((session: SqlRunner) => Promise<T>),
    second?: (session: SqlRunner) => Promise<T>,
  ): Promise<T> => {
    if (typeof first === 'function') return this.#transaction(this.#fences, first)
    if (second === undefined) throw new TypeError('a transaction needs the work that it is to do')
    return this.#transaction([...this.#fences, ...conditionsOf(first.fence)], second)
  }

  #transaction<T>(fences: readonly BundleCondition[], work: (session: SqlRunner) => Promise<T>): Promise<T> {
    let lost: Transaction | null = null
    return retrying(this.#ports, async (retry) => {
      const beginning = { optimistic: mayBeOptimistic(retry), ...retryOf(lost) }
      const session = new SqlSession(this.#ports, {}, beginning, fences)
      try {
        await session.query('BEGIN')
        const value = await work(session)
        await session.query('COMMIT')
        return value
      } catch (error) {
        // Whatever made the work throw, it may have been something out of date.
        if (!isSerializationFailure(error)) await session.prove()
        throw error
      } finally {
        lost = session.lastTransaction
        session.close()
      }
    })
  }

  #sweepFacts(): { readonly sweep?: string } {
    const { failure } = this.#sweeper
    return failure === null ? {} : { sweep: `ended early: ${failure}` }
  }

  sweep(): Promise<number> {
    return this.#sweeper.sweep()
  }

  describe(): StructureNode {
    const { name } = this.#ports.database
    return { kind: 'sql', name, facts: { dialect: 'postgresql', ...this.#sweepFacts() }, children: [] }
  }
}
