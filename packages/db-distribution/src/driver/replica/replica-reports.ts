import { ClusterError, type NodeId, type PartitionId } from '@cluster/core'
import { encodeReplicas, type ReplicaCommand, type ReplicaRef } from '../../machine/commands.ts'
import { type CommandResult, decodeResult } from '../../machine/results.ts'
import { type DatabaseRecord, replicaOn } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import { MACHINE_NAME } from '../names.ts'
import type { LocalReplica } from './local-replica.ts'
import type { LogReadiness } from './log-readiness.ts'

interface ReplicaList {
  all(): Iterable<LocalReplica>
  get(database: number, partition: PartitionId): LocalReplica | undefined
}

/** Tells the log what has become of this node's replicas, and the application what the log recorded of it. */
export class ReplicaReports {
  readonly #context: Context
  readonly #replicas: ReplicaList
  readonly #readiness: LogReadiness
  #announcing = false

  constructor(context: Context, replicas: ReplicaList, readiness: LogReadiness) {
    this.#context = context
    this.#replicas = replicas
    this.#readiness = readiness
  }

  /** Tells the log what is on disk here, so that it can be cut on all nodes. Tried again by the next one when it fails. */
  async reportDurable(): Promise<void> {
    if (this.#context.stopped || !this.#readiness.now) return
    const refs: ReplicaRef[] = []
    for (const replica of this.#replicas.all()) {
      const { database, partition, phase, recorded, store } = replica
      if (phase !== 'ready' || !recorded || store === null) continue
      const record = this.#context.partition(database, partition)
      const mine = record === null ? undefined : replicaOn(record, this.#context.self)
      if (record === null || mine === undefined || mine.durable >= record.lastWrite) continue
      const durable = store.durableVersion()
      if (durable > mine.durable) refs.push({ database, partition, since: durable })
    }
    if (refs.length === 0) return
    try {
      await this.#submit('durable', refs)
    } catch (error) {
      if (!this.#context.stopped)
        this.#warn('could not tell what is on disk', `${refs.length} replicas`, error)
    }
  }

  /** Tells the log about every replica that has everything while the log does not know. One submission at a time. */
  announce(): void {
    if (this.#announcing || this.#context.stopped || this.#unannounced().length === 0) return
    this.#announcing = true
    void this.#announceAll().finally(() => {
      this.#announcing = false
      // Something may have become ready after the last look.
      this.announce()
    })
  }

  async #announceAll(): Promise<void> {
    if (!(await this.#readiness.reached())) return
    for (let attempt = 0; !this.#context.stopped; attempt++) {
      const refs = this.#unannounced()
      if (refs.length === 0) return
      try {
        const result = await this.#submit('complete', refs)
        if (result.type === 'done') attempt = 0
        else await this.#readiness.pause(attempt)
      } catch (error) {
        if (this.#context.stopped) return
        this.#warn('could not record complete replicas', `${refs.length} replicas`, error)
        await this.#readiness.pause(attempt)
      }
    }
  }

  #unannounced(): ReplicaRef[] {
    const refs: ReplicaRef[] = []
    for (const replica of this.#replicas.all()) {
      const { phase, recorded, database, partition } = replica
      if (phase !== 'ready' || recorded || !replica.solid) continue
      const record = this.#context.partition(database, partition)
      const mine = record === null ? undefined : replicaOn(record, this.#context.self)
      if (mine !== undefined && !mine.complete) refs.push({ database, partition, since: mine.since })
    }
    return refs
  }

  /** Tells that a copy which the log counts on is gone. @throws what `submit` of the log throws */
  async lost(replica: ReplicaRef): Promise<void> {
    await this.#submit('lost', [replica])
  }

  async #submit(type: ReplicaCommand['type'], replicas: readonly ReplicaRef[]): Promise<CommandResult> {
    const { ports, self, stopping } = this.#context
    const command = encodeReplicas({ type, node: self, replicas })
    const { result } = await ports.log.submit(MACHINE_NAME, command, { signal: stopping.signal })
    return decodeResult(result)
  }

  /** Tells what this node has taken over, once the log has recorded it. */
  tell(refs: readonly ReplicaRef[]): void {
    const groups = new Map<
      string,
      { database: DatabaseRecord; from: NodeId | null; source: NodeId | null; taken: LocalReplica[] }
    >()
    const { voters, learners, away } = this.#context.ports.log.group()
    const members = [...voters, ...learners, ...away]
    for (const { database: id, partition } of refs) {
      const database = this.#context.machine.databaseById(id)
      const replica = this.#replicas.get(id, partition)
      const record = database?.partitions[partition]
      if (!database || !replica || !record) continue
      const replaces = replicaOn(record, this.#context.self)?.replaces ?? null
      // A member only hands the partition over.
      const from = replaces !== null && !members.includes(replaces) ? replaces : null
      const key = `${id} ${from} ${replica.source}`
      const group = groups.get(key) ?? { database, from, source: replica.source, taken: [] }
      group.taken.push(replica)
      groups.set(key, group)
    }
    for (const { database, from, source, taken } of groups.values()) {
      const partitions = taken.map((replica) => replica.partition)
      const rows = taken.reduce((sum, replica) => sum + replica.rows(database.relations), 0)
      const event = { database: database.name, partitions, from, source, rows }
      this.#context.ports.logger.log('info', from === null ? 'holds a new replica' : 'took over', {
        ...event,
        partitions: partitions.join(','),
      })
      this.#context.emit(database.name, 'tookOver', event)
    }
  }

  #warn(event: string, store: string, error: unknown): void {
    const level = error instanceof ClusterError ? 'warn' : 'error'
    this.#context.ports.logger.log(level, event, { store, error: String(error) })
  }
}
