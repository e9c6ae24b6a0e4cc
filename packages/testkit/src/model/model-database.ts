import {
  type AlterOptions,
  type ArchiveOptions,
  type BackupInfo,
  type BackupOptions,
  type ChangeFeed,
  type ChangesOptions,
  ClusterError,
  type CommitReceipt,
  type Database,
  type DatabaseEvents,
  type DatabaseOptions,
  type DatabaseStatus,
  type Databases,
  type Disk,
  EVERYWHERE,
  EventHub,
  type ExecuteReceipt,
  hash32,
  inRange,
  type Key,
  type KeyRange,
  lineageId,
  logIndex,
  type NodeId,
  nodeId,
  type PartitionId,
  PROGRAM_ROWS_MAX,
  partitionId,
  type RelationId,
  type ReplicaInfo,
  type RiskReport,
  type Row,
  type RowBatch,
  type RowProgram,
  type Transaction,
  type TransactionOptions,
  type VerifyOptions,
  type VerifyReport,
  type Version,
} from '@cluster/core'
import { addedTo } from './model-addition.ts'
import { readModelBackup, restoreModel, writeModelBackup, writeModelChanges } from './model-backup.ts'
import { ModelFeed, nextCommit } from './model-feed.ts'
import { complete, fail, given } from './model-options.ts'
import { runModelProgram } from './model-program.ts'
import { ModelStore, type Write } from './model-store.ts'
import { batches, ModelTransaction } from './model-transaction.ts'

export interface ModelDatabasesOptions {
  /** How many versions behind the newest an optimistic or stale transaction begins, as a node that lags does. Default 0. */
  readonly lag?: () => number
  /** The nodes that replicas are recorded for; the first is "this" node. All data are in this process. Default one. */
  readonly nodes?: readonly NodeId[]
}

/** The model's own handle for tests: makes the next calls fail. */
export interface ModelDatabases extends Databases {
  /**
   * The next call of that kind, on any database, rejects with what `fault` makes. A commit that fails with
   * `applied` true has happened nevertheless: that is what an unknown outcome means.
   */
  failNext(call: 'begin' | 'commit', fault: () => Error, options?: { readonly applied?: boolean }): void
}

interface Fault {
  readonly call: 'begin' | 'commit'
  readonly make: () => Error
  readonly applied: boolean
}

interface ModelParts {
  readonly nodes: readonly NodeId[]
  readonly takeFault: (call: Fault['call']) => Fault | null
  readonly lag: () => number
}

class ModelDatabase implements Database {
  readonly name: string
  options: Required<DatabaseOptions>
  readonly store = new ModelStore()
  readonly hashPartitions: readonly PartitionId[]
  readonly #hub = new EventHub<DatabaseEvents>()
  readonly #nodes: readonly NodeId[]
  readonly #takeFault: (call: Fault['call']) => Fault | null
  readonly #lag: () => number
  #floor = 0
  #dropped = false
  readonly #keyed = new Map<string, CommitReceipt>()
  readonly #kept = new Map<RelationId | 'all', Version>()
  /** The receipt of the last commit that took effect although its caller was told otherwise. */
  #lost: CommitReceipt | null = null

  constructor(name: string, options: Required<DatabaseOptions>, { nodes, takeFault, lag }: ModelParts) {
    this.name = name
    this.options = options
    this.#nodes = nodes
    this.#takeFault = takeFault
    this.#lag = lag
    this.hashPartitions = Array.from({ length: options.partitions }, (_, i) => partitionId(i + 1))
  }

  partitionOf(distributionKey: Key): PartitionId {
    return partitionId(1 + (hash32(distributionKey) % this.options.partitions))
  }

  /** Its rows are gone. */
  drop(): void {
    this.#dropped = true
    this.#hub.emit('dropped', { database: this.name })
  }

  #check(): void {
    if (this.#dropped)
      throw fail({ code: 'DB_DROPPED', outcome: 'rejected' }, `The database ${this.name} was dropped.`)
  }

  async begin(options: TransactionOptions = {}): Promise<Transaction> {
    this.#check()
    if (options.signal?.aborted === true)
      throw new ClusterError({ code: 'ABORTED', outcome: 'rejected' }, 'The call was aborted.')
    const fault = this.#takeFault('begin')
    if (fault !== null) throw fault.make()
    const { atVersion, staleness, optimistic = false, readOnly = false } = options
    const old = atVersion !== undefined || staleness !== undefined
    if (
      old &&
      (options.readOnly === false || optimistic || (atVersion !== undefined && staleness !== undefined))
    )
      throw fail(
        {
          code: 'DB_OPTION_INVALID',
          outcome: 'rejected',
          option: atVersion === undefined ? 'staleness' : 'atVersion',
          given: String(atVersion ?? staleness),
        },
        'Options of begin that do not go together; leave one of them out.',
      )
    const newest = this.store.version()
    const behind = optimistic || staleness !== undefined ? this.#lag() : 0
    const version = atVersion ?? logIndex(Math.max(this.#floor, newest - behind))
    return new ModelTransaction(this, version, readOnly || old, !optimistic)
  }

  /** Commits at the next version unless something that `concerns` the transaction was written since. */
  certify(since: Version, writes: readonly Write[], concerns: (write: Write) => boolean): CommitReceipt {
    this.#check()
    const fault = this.#takeFault('commit')
    if (fault !== null && !fault.applied) throw fault.make()
    if (writes.length === 0) return this.#receipt(since, null)
    this.#checkCopies(writes)
    this.judge(since, concerns)
    const version = this.store.commit(writes.map((write) => this.#summed(write)))
    const relations = [...new Set(writes.map(({ relation }) => relation))].sort((a, b) => a - b)
    this.#hub.emit('commit', { version, relations })
    const receipt = this.#receipt(version, this.#copies(writes))
    if (fault === null) return receipt
    this.#lost = receipt
    throw fault.make()
  }

  /** What is added, on the row that is there now. @throws DB_CONFLICT when it does not fit there */
  #summed(write: Write): Write {
    if (write.additions === undefined) return write
    const stored = this.store.relation(write.relation, write.partition).at(write.key, this.store.version())
    const row = stored === null ? null : addedTo(stored, write.additions)
    if (row === null) throw this.#conflict(write)
    return { ...write, row }
  }

  /** Runs a program on the newest rows. All its rows count as written, whatever came of it. */
  execute(since: Version, program: RowProgram, concerns: (write: Write) => boolean): ExecuteReceipt {
    const { relation, partition, steps } = program
    if (steps.length < 1 || steps.length > PROGRAM_ROWS_MAX)
      throw fail(
        { code: 'DB_OPTION_INVALID', outcome: 'rejected', option: 'steps', given: String(steps.length) },
        `A program has ${steps.length} steps; it must have 1 to ${PROGRAM_ROWS_MAX}.`,
      )
    const stored = this.store.relation(relation, partition)
    const { outcome, after } = runModelProgram(program, (key) => stored.at(key, this.store.version()))
    const writes = [...after].map(([key, row]): Write => ({ relation, partition, key, row }))
    return { ...this.certify(since, writes, concerns), outcome }
  }

  /** @throws DB_CONFLICT when something that `concerns` was written after `since` */
  judge(since: Version, concerns: (write: Write) => boolean): void {
    const changed = this.store.changedSince(since, concerns)
    if (changed !== null) throw this.#conflict(changed)
  }

  #conflict({ relation }: Write): ClusterError {
    // Whoever is told has applied as much.
    this.#floor = this.store.version()
    return fail(
      { code: 'DB_CONFLICT', outcome: 'rejected', relation },
      'What the transaction read was changed by another one; run it again.',
    )
  }

  /** Commits at most once under the key; later calls are answered as the first one was. */
  once<Receipt extends CommitReceipt>(key: string, certify: () => Receipt): Receipt {
    const before = this.#keyed.get(key)
    if (before !== undefined) return before as Receipt
    this.#lost = null
    try {
      const receipt = certify()
      this.#keyed.set(key, receipt)
      return receipt
    } catch (error) {
      if (this.#lost !== null) this.#keyed.set(key, this.#lost)
      throw error
    }
  }

  #copies(writes: readonly Write[]): number {
    return Math.min(...writes.map(({ partition }) => this.holders(partition).length))
  }

  #checkCopies(writes: readonly Write[]): void {
    const copies = this.#copies(writes)
    if (copies < this.options.minCopies)
      throw fail(
        { code: 'DB_TOO_FEW_COPIES', outcome: 'rejected', copies, minCopies: this.options.minCopies },
        `Only ${copies} nodes hold the rows, minCopies asks for ${this.options.minCopies}; start more nodes.`,
      )
  }

  #receipt(version: Version, copies: number | null): CommitReceipt {
    const wanted = this.options.redundancy === 'all' ? this.#nodes.length : this.options.redundancy
    return {
      version,
      lineage: lineageId('model'),
      copies,
      underReplicated: copies !== null && copies < wanted,
      durableOn: this.#nodes.length,
    }
  }

  status(): DatabaseStatus {
    const self = this.#nodes[0]
    const replicas: ReplicaInfo[] = [EVERYWHERE, ...this.hashPartitions].flatMap((partition) =>
      this.holders(partition).map((node) => ({
        partition,
        node,
        complete: true,
        rows: node === self ? this.store.count(partition) : null,
      })),
    )
    return {
      name: this.name,
      options: this.options,
      version: this.store.version(),
      replicas,
      underReplicated: [],
      unavailable: [],
    }
  }

  async alter(options: AlterOptions): Promise<void> {
    this.options = complete({ ...this.options, ...given(options) })
  }

  changes(options: ChangesOptions = {}): ChangeFeed {
    return new ModelFeed(options, {
      name: this.name,
      version: () => this.store.version(),
      keep: (relations) => this.#keep(relations),
      keptSince: (relations) => this.#keptSince(relations),
      changesOf: (version) => this.store.changesOf(version),
      next: (signal) => nextCommit(this.#hub, signal),
    })
  }

  async keepChanges(relations?: readonly RelationId[]): Promise<Version> {
    return this.#keep(relations)
  }

  async forgetChanges(relations?: readonly RelationId[]): Promise<void> {
    if (relations === undefined) this.#kept.clear()
    else for (const relation of relations) this.#kept.delete(relation)
  }

  #keep(relations: readonly RelationId[] | undefined): Version {
    const version = this.store.version()
    for (const relation of relations ?? ['all' as const])
      if (this.#keptSince([relation]) === null) this.#kept.set(relation, version)
    return version
  }

  /** The version behind which the changes of all of these are kept; null when those of one are not. */
  #keptSince(relations: readonly (RelationId | 'all')[] | undefined): Version | null {
    const all = this.#kept.get('all')
    let since = 0
    for (const relation of relations ?? ['all' as const]) {
      const own = this.#kept.get(relation)
      if (own === undefined && all === undefined) return null
      since = Math.max(since, Math.min(own ?? Number.POSITIVE_INFINITY, all ?? Number.POSITIVE_INFINITY))
    }
    return logIndex(since)
  }

  async backup(folder: Disk, { onProgress }: BackupOptions = {}): Promise<BackupInfo> {
    const version = this.store.version()
    const all = [EVERYWHERE, ...this.hashPartitions]
    const partitions = all.map((partition) => ({ partition, rows: this.store.rowsOf(partition, version) }))
    const info = await writeModelBackup(folder, {
      database: this.name,
      options: this.options,
      version,
      partitions,
    })
    const rows = partitions.reduce((sum, each) => sum + each.rows.length, 0)
    onProgress?.({ partitionsDone: all.length, partitions: all.length, rows, bytes: 0 })
    return info
  }

  async archive(folder: Disk, { signal, onProgress }: ArchiveOptions = {}): Promise<void> {
    const { version: since } = await readModelBackup(folder)
    for (let written = since; ; ) {
      for (; written < this.store.version(); written = logIndex(written + 1)) {
        const version = logIndex(written + 1)
        await writeModelChanges(folder, version, this.store.changesOf(version))
        onProgress?.({ version, changes: version - since })
      }
      if (signal?.aborted) return
      try {
        await nextCommit(this.#hub, signal)
      } catch (error) {
        if (signal?.aborted !== true) throw error
      }
    }
  }

  /** All data are in this process, so there is one copy only. */
  async verify({ partitions, signal, onProgress }: VerifyOptions = {}): Promise<VerifyReport> {
    if (signal?.aborted === true)
      throw new ClusterError({ code: 'ABORTED', outcome: 'rejected' }, 'It was aborted.')
    const asked = partitions ?? [EVERYWHERE, ...this.hashPartitions]
    for (const done of asked.keys()) onProgress?.({ done: done + 1, partitions: asked.length })
    const why = 'the model keeps every row once'
    const skipped = asked.map((partition) => ({ partition, why }))
    return { database: this.name, compared: [], rows: 0, skipped, divergences: [] }
  }

  explainRisk(nodes?: readonly NodeId[]): readonly RiskReport[] {
    const groups = nodes === undefined ? [...this.#nodes].sort().map((node) => [node]) : [nodes]
    return groups.map((going) => this.#riskOf([...new Set(going)].sort()))
  }

  #riskOf(nodes: readonly NodeId[]): RiskReport {
    const stays = (node: NodeId): boolean => !nodes.includes(node)
    const staying = this.#nodes.filter(stays).length
    const { redundancy } = this.options
    const risks = [EVERYWHERE, ...this.hashPartitions].map((partition) => {
      const holders = this.holders(partition)
      const wanted = partition === EVERYWHERE || redundancy === 'all' ? staying : redundancy
      const copies = holders.filter(stays).length
      const waitingFor = holders.filter((node) => !stays(node))
      return { wanted, risk: { partition, relations: this.store.relationsOf(partition), copies, waitingFor } }
    })
    return {
      database: this.name,
      nodes,
      lost: risks.filter(({ risk }) => risk.copies === 0).map(({ risk }) => risk),
      paused: [],
      reduced: risks
        .filter(({ risk, wanted }) => risk.copies > 0 && risk.copies < wanted)
        .map(({ risk }) => risk),
      writesPause: staying < Math.floor(this.#nodes.length / 2) + 1,
    }
  }

  holders(partition: PartitionId): readonly NodeId[] {
    const { redundancy } = this.options
    if (partition === EVERYWHERE || redundancy === 'all') return [...this.#nodes].sort()
    const count = Math.min(redundancy, this.#nodes.length)
    return Array.from(
      { length: count },
      (_, i) => this.#nodes[(partition + i) % this.#nodes.length] as NodeId,
    ).sort()
  }

  *localScan(relation: RelationId, partition: PartitionId, range: KeyRange = {}): Iterable<RowBatch> {
    const self = this.#nodes[0]
    if (!this.holders(partition).some((node) => node === self)) return
    const stored = this.store.relation(relation, partition)
    const rows = stored
      .keys()
      .filter((key) => inRange(range, key))
      .map((key) => ({ key, row: stored.at(key, this.store.version()) }))
      .filter((entry): entry is { key: Key; row: Row } => entry.row !== null)
    yield* batches(rows, undefined)
  }

  on<Type extends keyof DatabaseEvents>(type: Type, listener: (event: DatabaseEvents[Type]) => void) {
    return this.#hub.on(type, listener)
  }
}

/**
 * The naive second version of core's databases: one process, every version of every row kept, transactions
 * certified one after another against the whole history. Correct and slow; made for the tests of what stands on
 * `Database`, and as the model that real implementations are compared with.
 */
export function modelDatabases(modelOptions: ModelDatabasesOptions = {}): ModelDatabases {
  const { nodes = [nodeId('model-1')], lag = () => 0 } = modelOptions
  const databases = new Map<string, ModelDatabase>()
  const faults: Fault[] = []
  const takeFault = (call: Fault['call']): Fault | null => {
    const at = faults.findIndex((fault) => fault.call === call)
    return at === -1 ? null : (faults.splice(at, 1)[0] ?? null)
  }
  return {
    async open(name, options = {}) {
      const existing = databases.get(name)
      if (existing === undefined) {
        const database = new ModelDatabase(name, complete(options), { nodes, takeFault, lag })
        databases.set(name, database)
        return database
      }
      const wanted = complete({ ...existing.options, ...given(options) })
      for (const option of ['redundancy', 'partitions', 'minCopies'] as const)
        if (wanted[option] !== existing.options[option])
          throw fail(
            {
              code: 'DB_OPTIONS_DIFFER',
              outcome: 'rejected',
              option,
              exists: String(existing.options[option]),
              given: String(wanted[option]),
            },
            `The database ${name} exists with ${option} ${existing.options[option]}, not ${wanted[option]}.`,
          )
      return existing
    },
    async restore(name, folder, options = {}) {
      const backup = await readModelBackup(folder)
      const database = (await this.open(name, { ...backup.options, ...given(options) })) as ModelDatabase
      if (database.store.version() > 0)
        throw fail({ code: 'DB_NOT_EMPTY', outcome: 'rejected' }, 'The database has rows; give another name.')
      return restoreModel(folder, backup, database, options)
    },
    async drop(name) {
      databases.get(name)?.drop()
      return databases.delete(name)
    },
    list: () => [...databases.keys()].sort(),
    explainRisk: (nodes) => [...databases.values()].flatMap((database) => database.explainRisk(nodes)),
    failNext(call, fault, options) {
      faults.push({ call, make: fault, applied: options?.applied ?? false })
    },
  }
}
