import { assert, ClusterError, type PartitionId, type PartitionStore, type Version } from '@cluster/core'
import type { CommitCommand, CommitPart } from '../../machine/commands.ts'
import type { KeptChanges } from '../../machine/kept-changes.ts'
import type { Effect } from '../../machine/machine.ts'
import { type DatabaseRecord, neededIndex, replicaOn } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import { Gate, Queues } from '../waiting.ts'
import { fetchCopy } from './copy.ts'
import { FormerStores } from './former-stores.ts'
import { LocalReplica } from './local-replica.ts'
import { LogReadiness } from './log-readiness.ts'
import { ReplicaReports } from './replica-reports.ts'
import { StoreFinder } from './store-finder.ts'
import { parseStoreName, slotName, storesOf } from './store-names.ts'

/**
 * The partitions on this node: opens them, copies them from others, writes commits into them, and drops them,
 * as the record of replicas asks.
 */
export class Replicas {
  readonly #context: Context
  readonly #byDatabase = new Map<number, (LocalReplica | undefined)[]>()
  readonly #former: FormerStores
  readonly #disk = new Queues()
  readonly #copies: Gate
  readonly #readiness: LogReadiness
  readonly #reports: ReplicaReports
  readonly #stores: StoreFinder

  constructor(context: Context) {
    this.#context = context
    this.#copies = new Gate(context.settings.copiesAtOnce)
    this.#former = new FormerStores(context, {
      disk: this.#disk,
      inUse: (name) => [...this.all()].some((replica) => replica.name === name),
      replica: (database, partition) => this.get(database, partition.id),
    })
    this.#stores = new StoreFinder(context, this.#former)
    this.#readiness = new LogReadiness(context)
    this.#reports = new ReplicaReports(context, this, this.#readiness)
  }

  /** Looks for what earlier runs left on disk. */
  async start(): Promise<void> {
    for (const name of await this.#context.ports.storage.list()) {
      const slot = parseStoreName(name)?.slot ?? name
      if (!this.#slots().has(slot)) this.#former.add(name)
    }
    void this.#readiness.reached().then((ready) => {
      if (ready) this.#lookAtFormer()
    })
  }

  get(database: number, partition: PartitionId): LocalReplica | undefined {
    return this.#byDatabase.get(database)?.[partition]
  }

  /** Those in use. */
  #slots(): Set<string> {
    const slots = new Set<string>()
    for (const replica of this.all()) slots.add(replica.slot)
    return slots
  }

  serving(database: number, partition: PartitionId): PartitionStore | null {
    return this.get(database, partition)?.serving() ?? null
  }

  *all(): Iterable<LocalReplica> {
    for (const replicas of this.#byDatabase.values())
      for (const replica of replicas) if (replica !== undefined) yield replica
  }

  /** The newest index up to which a restart, of this node or another holder, needs no log. */
  durableIndex(): number {
    const { machine, settings } = this.#context
    let durable = Number.POSITIVE_INFINITY
    for (const replica of this.all()) durable = Math.min(durable, replica.durableIndex())
    for (const database of machine.databases())
      durable = Math.min(durable, neededIndex(database, machine.index, settings.replicaLagMax))
    return durable
  }

  /** Tells the log what is on disk here, so that it can be cut on all nodes. */
  reportDurable(): Promise<void> {
    return this.#reports.reportDurable()
  }

  /** Follows what a command changed; synchronous, in the order of the log. */
  follow(index: number, effect: Effect): void {
    switch (effect.type) {
      case 'committed': {
        const local = this.#byDatabase.get(effect.database.id)
        if (local === undefined) return
        const { parts, type } = effect.commit
        const { kept } = effect.database
        for (const part of parts) this.#write(local[part.partition], index as Version, part, type, kept)
        return
      }
      case 'created':
        this.#reconcile(effect.database)
        return
      case 'placed':
        for (const database of effect.databases) this.#reconcile(database)
        return
      case 'dropped':
        for (const replica of this.#byDatabase.get(effect.database.id) ?? []) this.#retire(replica)
        this.#byDatabase.delete(effect.database.id)
        this.#lookAtFormer()
        return
      case 'completed':
        // What is replayed at the start is no news.
        if (effect.node === this.#context.self && this.#readiness.now) this.#reports.tell(effect.replicas)
        return
    }
  }

  #write(
    replica: LocalReplica | undefined,
    version: Version,
    part: CommitPart,
    type: CommitCommand['type'],
    kept: KeptChanges,
  ): void {
    if (replica === undefined) return
    const { phase } = replica
    const written = replica.write(version, part, type, kept)
    if (written.type === 'written') return
    const { partition } = part
    const event =
      written.type === 'lost'
        ? 'a program cannot be run here as others can; the copy is replaced'
        : 'rows of a commit cannot be read and are left out'
    this.#context.ports.logger.log('error', event, { partition, version, error: String(written.error) })
    if (phase === 'ready' && replica.phase === 'missing') void this.#bringUp(replica)
  }

  /** The whole state was replaced by a snapshot. */
  restored(): void {
    const { machine } = this.#context
    for (const replica of [...this.all()]) {
      const { database, partition, slot } = replica
      const record = machine.databaseById(database)
      const lastWrite = record?.partitions[partition]?.lastWrite
      // Another cluster's database may have the same number.
      if (record === null || lastWrite === undefined || slotName(record.uid, partition) !== slot)
        this.#retire(replica)
      else this.#jump(replica, lastWrite)
    }
    for (const database of machine.databases()) this.#reconcile(database)
  }

  #jump(replica: LocalReplica, lastWrite: number): void {
    const { phase } = replica
    replica.jumped(lastWrite)
    if (phase === 'ready' && replica.phase === 'missing') void this.#bringUp(replica)
  }

  /** Makes the local replicas of a database those that the record says. */
  #reconcile(database: DatabaseRecord): void {
    const { self, settings } = this.#context
    let local = this.#byDatabase.get(database.id)
    for (const partition of database.partitions) {
      const record = replicaOn(partition, self)
      const replica = local?.[partition.id]
      if (record === undefined) {
        this.#retire(replica)
        continue
      }
      if (replica !== undefined) {
        replica.recorded = record.complete
        continue
      }
      const fresh = new LocalReplica(
        database,
        partition.id,
        partition.lastWrite,
        settings.copyQueueBytesMax,
        () => this.#context.lineage,
        settings.changes,
      )
      fresh.recorded = record.complete
      if (local === undefined) {
        local = []
        this.#byDatabase.set(database.id, local)
      }
      local[partition.id] = fresh
      this.#former.claim(fresh.slot)
      void this.#bringUp(fresh)
    }
    this.#lookAtFormer()
    this.#reports.announce()
    this.#context.changed.ring()
    this.#context.emit(database.name, 'placement', { database: database.name })
  }

  #retire(replica: LocalReplica | undefined): void {
    if (replica === undefined) return
    const { store, slot, name, database, partition } = replica
    const { phase } = replica
    replica.retire()
    const local = this.#byDatabase.get(database)
    if (local !== undefined) delete local[partition]
    // One that is still looked for on disk is not known by its name yet.
    if (phase === 'opening') void this.#disk.run(slot, () => this.#leaveAll(slot))
    else this.#former.add(name)
    if (store === null) return
    void this.#disk
      .run(slot, async () => {
        // Kept as it is, so that it can be taken back if the new holders do not get everything.
        await store.checkpoint()
        await store.close()
      })
      .then(
        () => this.#lookAtFormer(),
        (error: unknown) => this.#warn('could not close a former replica', name, error),
      )
  }

  /** What is on disk in a slot that is not in use. */
  async #leaveAll(slot: string): Promise<void> {
    try {
      const names = await this.#context.ports.storage.list()
      if (this.#slots().has(slot)) return
      for (const name of storesOf(slot, names)) this.#former.add(name)
    } catch (error) {
      this.#warn('could not look for former replicas', slot, error)
    }
  }

  #lookAtFormer(): void {
    // Replay is not over yet: what is assigned here may only be known later.
    if (this.#readiness.now) this.#former.look()
  }

  /** Opens the replica's store, and copies it when there is none that has everything. Never rejects. */
  async #bringUp(replica: LocalReplica): Promise<void> {
    for (let attempt = 0; replica.phase !== 'ready' && replica.phase !== 'retired'; attempt++) {
      if (this.#context.stopped) return
      try {
        if (replica.phase === 'opening') await this.#open(replica)
        else if (await this.#readiness.reached()) await this.#replace(replica)
      } catch (error) {
        if (this.#context.stopped) return
        this.#warn('could not bring up a replica', replica.name, error)
      }
      // Read through a function: the phase changed while this waited.
      const phase = ((): string => replica.phase)()
      if (phase !== 'ready' && phase !== 'retired' && phase !== 'missing')
        await this.#readiness.pause(attempt)
      else if (phase === 'missing' && attempt > 0) await this.#readiness.pause(attempt)
    }
    this.#lookAtFormer()
    this.#reports.announce()
    this.#context.changed.ring()
  }

  async #open(replica: LocalReplica): Promise<void> {
    const { ports } = this.#context
    await this.#disk.run(replica.slot, async () => {
      const { history } = this.#context
      // It can only be told apart what is on disk by a node that belongs to something.
      if (replica.phase !== 'opening' || history === null) return
      const { name, store } = await this.#stores.find(replica.slot, history)
      replica.name = name
      if (((): string => replica.phase)() !== 'opening') {
        await store.close()
        return
      }
      if (replica.adopt(store)) return
      replica.phase = 'missing'
      // A store that was never written is no copy, so there is nothing to tell.
      if (store.appliedVersion() > 0)
        ports.logger.log('warn', 'the copy on disk is behind and is replaced', {
          store: replica.name,
          version: store.appliedVersion(),
          needed: replica.baseline,
        })
      await store.close()
    })
  }

  /** Gets a new copy; first tells the log when it still counts on this one. */
  async #replace(replica: LocalReplica): Promise<void> {
    const { self, ports, machine } = this.#context
    const { database, partition, slot, name } = replica
    const record = this.#context.partition(database, partition)
    const mine = record === null ? undefined : replicaOn(record, self)
    if (record === null || mine === undefined) return
    if (mine.complete) {
      ports.logger.log('warn', 'lost a replica', { database, partition })
      await this.#reports.lost({ database, partition, since: mine.since })
      return
    }
    await this.#copies.run(() =>
      this.#disk.run(slot, async () => {
        // Another one may have brought it up meanwhile: a copy in service is not thrown away.
        const phase = ((): string => replica.phase)()
        if (phase === 'retired' || phase === 'ready' || this.#context.stopped) return
        const { store: stale } = replica
        replica.store = null
        await stale?.close()
        replica.phase = 'copying'
        replica.restartQueue(Math.max(mine.since, machine.index))
        const { generation } = replica
        const copy = await fetchCopy(this.#context, database, partition, replica.baseline as Version, name)
        if (copy === null) {
          replica.phase = ((): string => replica.phase)() === 'retired' ? 'retired' : 'missing'
          return
        }
        const usable = replica.phase === 'copying' && replica.generation === generation
        if (usable && replica.adopt(copy.store, true)) {
          replica.source = copy.source
          // The log may have been cut behind the copy meanwhile, so what was queued is on disk before anybody counts on it.
          await copy.store.checkpoint()
          return
        }
        await copy.store.close()
        if (replica.phase === 'copying') replica.phase = 'missing'
      }),
    )
  }

  /**
   * Gives up a copy that is not what others hold, and gets another. False when it is another copy by now, or nobody else
   * has one.
   */
  mend(database: number, partition: PartitionId, since: number): boolean {
    const replica = this.get(database, partition)
    const record = this.#context.partition(database, partition)
    const mine = record === null ? undefined : replicaOn(record, this.#context.self)
    if (replica?.phase !== 'ready' || record === null || mine?.since !== since || !mine.complete) return false
    if (!this.#context.livingHolders(record).some((node) => node !== this.#context.self)) return false
    replica.condemn()
    void this.#bringUp(replica)
    return true
  }

  /** Writes one replica's changes to disk. @throws what the disk reports */
  async checkpoint(replica: LocalReplica): Promise<void> {
    await this.#disk.run(replica.slot, async () => {
      if (!replica.dirty || replica.store === null) return
      replica.bytesSince = 0
      await replica.store.checkpoint()
    })
    this.#reports.announce()
  }

  /** Writes everything to disk and closes the stores. Later writes are left to the replay after the restart. */
  async stop(): Promise<void> {
    assert(this.#context.stopped, 'the context is told first that the node stops')
    const open = [...this.all()]
    for (const replica of open) replica.close()
    const results = await Promise.allSettled(
      open.map((replica) =>
        this.#disk.run(replica.slot, async () => {
          if (replica.store === null) return
          await replica.store.checkpoint()
          await replica.store.close()
        }),
      ),
    )
    await this.#disk.idle()
    for (const result of results)
      if (result.status === 'rejected')
        this.#warn('could not write a partition to disk at the end', '', result.reason)
  }

  #warn(event: string, store: string, error: unknown): void {
    const level = error instanceof ClusterError ? 'warn' : 'error'
    this.#context.ports.logger.log(level, event, { store, error: String(error) })
  }
}
