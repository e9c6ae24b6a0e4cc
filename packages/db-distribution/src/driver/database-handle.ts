import {
  type AlterOptions,
  type ArchiveOptions,
  type BackupInfo,
  type BackupOptions,
  type CallOptions,
  type Cancel,
  type ChangeFeed,
  type ChangesOptions,
  type Database,
  type DatabaseEvents,
  type DatabaseOptions,
  type DatabaseStatus,
  type Disk,
  dataMembers,
  hash32,
  type Key,
  type KeyRange,
  logIndex,
  type NodeId,
  type PartitionId,
  partitionId,
  type RelationId,
  type ReplicaInfo,
  type RiskReport,
  type RowBatch,
  type StructureNode,
  type Transaction,
  type TransactionOptions,
  type VerifyOptions,
  type VerifyReport,
  type Version,
} from '@cluster/core'
import { stopped } from '../errors.ts'
import { encodeAlter } from '../machine/commands.ts'
import { isEverywhere } from '../machine/placement.ts'
import { decodeResult } from '../machine/results.ts'
import type { DatabaseRecord } from '../machine/state.ts'
import { databaseOptions, givenOptions } from '../options.ts'
import type { Auditor } from './audit/auditor.ts'
import { BackupWriter } from './backup/backup-writer.ts'
import { ChangeArchiver } from './backup/change-archive.ts'
import type { Computer } from './compute/computer.ts'
import type { Context } from './context.ts'
import { type FeedParts, PartitionedFeed } from './feed/change-feed.ts'
import { forgetChanges, keepChanges } from './feed/keeping.ts'
import { MACHINE_NAME } from './names.ts'
import type { Reader } from './read/reader.ts'
import type { Replicas } from './replica/replicas.ts'
import { riskReports } from './risks.ts'
import type { Beginnings } from './transaction/beginnings.ts'
import type { Committer } from './transaction/committer.ts'
import { OptimisticTransaction } from './transaction/transaction.ts'
import { LOSSES_BEFORE_TURN, type LostAttempt, type Turn, type Turns } from './transaction/turns.ts'
import type { Upkeep } from './upkeep.ts'

/** The parts of the driver that a database works with. */
export interface DatabaseParts {
  readonly context: Context
  readonly replicas: Replicas
  readonly beginnings: Beginnings
  readonly turns: Turns
  readonly reader: Reader
  /** Null: this node computes no fragments. */
  readonly computer: Computer | null
  readonly committer: Committer
  readonly upkeep: Upkeep
  readonly auditor: Auditor
}

/** One database, seen from this node. See `Database` of core. */
export class DatabaseHandle implements Database {
  readonly name: string
  readonly #parts: DatabaseParts
  #last: DatabaseRecord

  constructor(record: DatabaseRecord, parts: DatabaseParts) {
    this.name = record.name
    this.#last = record
    this.#parts = parts
  }

  /**
   * The record as it is now. A snapshot puts another object in its place; a group that gave itself up into
   * another one goes on with the database of the same name there.
   */
  get #record(): DatabaseRecord {
    const { machine } = this.#parts.context
    const record = machine.database(this.name)
    if (record === null || this.dropped) throw this.#parts.context.gone(this.#last)
    this.#last = record
    return record
  }

  /** The database was dropped, whether or not there is another one of its name by now. */
  get dropped(): boolean {
    return this.#parts.context.machine.isDropped(this.#last.uid)
  }

  get options(): Required<DatabaseOptions> {
    return (this.#parts.context.machine.database(this.name) ?? this.#last).options
  }

  partitionOf(distributionKey: Key): PartitionId {
    return partitionId(1 + (hash32(distributionKey) % this.options.partitions))
  }

  async begin(options: TransactionOptions = {}): Promise<Transaction> {
    const { context, beginnings, turns, reader, computer, committer, upkeep } = this.#parts
    if (context.stopped) throw stopped()
    const { ports, settings } = context
    const database = this.#record
    const lost = options.retryOf instanceof OptimisticTransaction ? options.retryOf.lost() : null
    const turn = await this.#turn(database, lost, options)
    const beginning =
      turn === null ? await beginnings.begin(options) : { ...turn, readOnly: false, proven: true }
    const transaction: OptimisticTransaction = new OptimisticTransaction(beginning, options, {
      database: this.#record,
      losses: lost?.losses ?? 0,
      turn,
      release: () => {
        if (turn !== null) turns.release(database, turn.reservation)
      },
      reader,
      computer,
      committer,
      clock: ports.clock,
      bytesMax: settings.transactionBytesMax,
      onUse: () => upkeep.pins.touch(transaction),
      onEnd: () => upkeep.pins.release(transaction),
    })
    upkeep.pins.add(transaction, beginning.version)
    return transaction
  }

  /** A turn for a transaction that lost too often; null for all others. */
  async #turn(
    database: DatabaseRecord,
    lost: LostAttempt | null,
    options: TransactionOptions,
  ): Promise<Turn | null> {
    if (lost === null || lost.losses < LOSSES_BEFORE_TURN || options.readOnly) return null
    return this.#parts.turns.obtain(database, lost, options)
  }

  status(): DatabaseStatus {
    const { context, replicas } = this.#parts
    const record = this.#record
    const members = this.#livingMembers()
    const infos: ReplicaInfo[] = []
    const underReplicated: PartitionId[] = []
    const unavailable: PartitionId[] = []
    for (const partition of record.partitions) {
      for (const { node, complete } of partition.replicas) {
        const local = node === context.self ? replicas.get(record.id, partition.id) : undefined
        const rows = local?.phase === 'ready' ? local.rows(record.relations) : null
        infos.push({ partition: partition.id, node, complete, rows })
      }
      const living = context.livingHolders(partition).length
      const { redundancy } = this.options
      const all = isEverywhere(this.options, partition.id)
      const wanted = all || redundancy === 'all' ? members : Math.min(redundancy, members)
      if (living < wanted) underReplicated.push(partition.id)
      if (living === 0) unavailable.push(partition.id)
    }
    return {
      name: this.name,
      options: this.options,
      version: logIndex(context.ports.log.appliedIndex()),
      replicas: infos,
      underReplicated,
      unavailable,
    }
  }

  async alter(options: AlterOptions, call: CallOptions = {}): Promise<void> {
    const { log } = this.#parts.context.ports
    await log.applied(await log.barrier(call), call)
    const { id, options: before } = this.#record
    const { redundancy, minCopies } = databaseOptions(this.name, { ...before, ...givenOptions(options) })
    const { result } = await log.submit(
      MACHINE_NAME,
      encodeAlter({ database: id, redundancy, minCopies }),
      call,
    )
    if (decodeResult(result).type !== 'done') throw this.#parts.context.gone(this.#last)
  }

  changes(options: ChangesOptions = {}): ChangeFeed {
    if (this.#parts.context.stopped) throw stopped()
    return new PartitionedFeed(this.#feedParts(), options)
  }

  #feedParts(): FeedParts {
    const { context, reader } = this.#parts
    const record = () => this.#record
    return { context, reader, record, keep: (relations, call) => this.keepChanges(relations, call) }
  }

  async backup(folder: Disk, options: BackupOptions = {}): Promise<BackupInfo> {
    const { context, replicas, upkeep } = this.#parts
    const record = () => this.#record
    const keep = () => this.keepChanges(undefined, options.signal ? { signal: options.signal } : {})
    return new BackupWriter({ context, replicas, pins: upkeep.pins, record, keep }, folder, options).run()
  }

  async archive(folder: Disk, options: ArchiveOptions = {}): Promise<void> {
    await new ChangeArchiver(this.#feedParts(), folder, options).run()
  }

  keepChanges(relations?: readonly RelationId[], options: CallOptions = {}): Promise<Version> {
    return keepChanges(this.#parts.context, () => this.#record, relations, options)
  }

  async forgetChanges(relations?: readonly RelationId[], options: CallOptions = {}): Promise<void> {
    await forgetChanges(this.#parts.context, this.#record, relations, options)
  }

  verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#parts.auditor.verify(() => this.#record, options)
  }

  explainRisk(nodes?: readonly NodeId[]): readonly RiskReport[] {
    return riskReports(this.#parts.context, this.#record, nodes)
  }

  #livingMembers(): number {
    const { context } = this.#parts
    return dataMembers(context.ports.log.group()).filter((node) => context.isLiving(node)).length
  }

  holders(partition: PartitionId): readonly NodeId[] {
    const record = this.#record.partitions[partition]
    return (record?.replicas ?? []).filter((replica) => replica.complete).map((replica) => replica.node)
  }

  localScan(relation: RelationId, partition: PartitionId, range: KeyRange = {}): Iterable<RowBatch> {
    const { context, replicas } = this.#parts
    const store = replicas.serving(this.#record.id, partition)
    if (store === null) return []
    const version = logIndex(Math.max(context.ports.log.appliedIndex(), store.appliedVersion()))
    return store.scan({ relation, range, version })
  }

  on<Type extends keyof DatabaseEvents>(type: Type, listener: (event: DatabaseEvents[Type]) => void): Cancel {
    return this.#parts.context.eventsOf(this.name).on(type, listener)
  }

  describe(): StructureNode {
    const { context } = this.#parts
    const { replicas, underReplicated, unavailable, version } = this.status()
    const here = replicas.filter((replica) => replica.node === context.self)
    return {
      kind: 'database',
      name: this.name,
      facts: {
        redundancy: this.options.redundancy,
        partitions: this.options.partitions,
        version,
        'replicas here': here.length,
        'rows here': here.reduce((sum, replica) => sum + (replica.rows ?? 0), 0),
        ...(underReplicated.length > 0 ? { 'under-replicated': underReplicated.length } : {}),
        ...(unavailable.length > 0 ? { unavailable: unavailable.length } : {}),
      },
      children: [],
    }
  }
}
