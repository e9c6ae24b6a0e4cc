import {
  type Clock,
  type ClusterError,
  type DatabaseEvents,
  EventHub,
  type FragmentEvaluator,
  type LineageId,
  type Logger,
  type NodeId,
  type OrderedLog,
  type PartitionId,
  type Peers,
  type Random,
  type StorageEngine,
} from '@cluster/core'
import { databaseDropped, databaseGone } from '../errors.ts'
import type { History } from '../machine/lineage.ts'
import type { DatabasesMachine } from '../machine/machine.ts'
import type { DatabaseRecord, PartitionRecord } from '../machine/state.ts'
import type { Settings } from '../options.ts'
import { Bell } from './waiting.ts'

/** What the databases of a node need from the layers around them. */
export interface DatabasesPorts {
  readonly log: OrderedLog
  readonly peers: Peers
  readonly storage: StorageEngine
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Computes fragments, for this node and for others; without it whole rows travel. */
  readonly fragments?: FragmentEvaluator | undefined
}

/** What the parts of the driver share. */
export class Context {
  readonly ports: DatabasesPorts
  readonly settings: Settings
  readonly machine: DatabasesMachine
  /** Rung when placement, membership or the replicas of this node changed. */
  readonly changed = new Bell()
  /** `tookOver` and `placement` of every database. */
  readonly hub = new EventHub<DatabaseEvents>()
  readonly #hubs = new Map<string, EventHub<DatabaseEvents>>()
  /** Rows that this node has read from others, of all databases; for `describe`. */
  rowsFromOthers = 0
  /** Bytes of the messages that they came in. */
  bytesFromOthers = 0
  /** Set once the node stops; long work looks at it. */
  readonly stopping = new AbortController()

  constructor(ports: DatabasesPorts, settings: Settings, machine: DatabasesMachine) {
    this.ports = ports
    this.settings = settings
    this.machine = machine
  }

  get self(): NodeId {
    return this.ports.log.self
  }

  /** The lineage that this node writes in now; null while it belongs to no group. */
  get lineage(): LineageId | null {
    return this.ports.log.group().lineage
  }

  /** The history that this node belongs to; null while it belongs to none. */
  get history(): History | null {
    const { lineage, ancestry } = this.ports.log.group()
    return lineage === null ? null : { lineage, ancestry }
  }

  get stopped(): boolean {
    return this.stopping.signal.aborted
  }

  /** Why a database that was there is not there any more. */
  gone({ name, uid }: Pick<DatabaseRecord, 'name' | 'uid'>): ClusterError {
    return this.machine.isDropped(uid) ? databaseDropped(name) : databaseGone(name)
  }

  /** @throws DB_DROPPED */
  check(database: DatabaseRecord): void {
    if (this.machine.isDropped(database.uid)) throw databaseDropped(database.name)
  }

  /** Whoever listens to the database of that name has heard the last of it; another one of its name is not theirs. */
  silence(database: string): void {
    this.#hubs.delete(database)
  }

  eventsOf(database: string): EventHub<DatabaseEvents> {
    let hub = this.#hubs.get(database)
    if (hub === undefined) {
      hub = new EventHub()
      this.#hubs.set(database, hub)
    }
    return hub
  }

  /** Tells those who listen. Called while the log applies, so a listener that throws must not stop the node. */
  emit<Type extends keyof DatabaseEvents>(database: string, type: Type, event: DatabaseEvents[Type]): void {
    try {
      this.#hubs.get(database)?.emit(type, event)
      if (type !== 'commit') this.hub.emit(type, event)
    } catch (error) {
      this.ports.logger.log('error', 'a listener of a database failed', {
        database,
        type,
        error: String(error),
      })
    }
  }

  /** True for this node and for peers that answer. */
  isLiving(node: NodeId): boolean {
    return node === this.self || this.ports.peers.member(node)?.state === 'alive'
  }

  /** Nodes that hold the partition completely by the record and answer, sorted. */
  livingHolders(partition: PartitionRecord): NodeId[] {
    const nodes: NodeId[] = []
    for (const { node, complete } of partition.replicas) if (complete && this.isLiving(node)) nodes.push(node)
    return nodes
  }

  /** How many nodes hold the partition completely by the record and answer. */
  livingCount({ replicas }: PartitionRecord): number {
    let count = 0
    for (let i = 0; i < replicas.length; i++) {
      const replica = replicas[i]
      if (replica?.complete && this.isLiving(replica.node)) count++
    }
    return count
  }

  partition(database: number, partition: PartitionId): PartitionRecord | null {
    return this.machine.databaseById(database)?.partitions[partition] ?? null
  }
}
