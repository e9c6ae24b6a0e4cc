import { isMapStore } from '@cluster/container'
import {
  type Cancel,
  type Clock,
  ClusterError,
  type Containers,
  type Database,
  type DatabaseOptions,
  type Databases,
  EventHub,
  errorCode,
  type Locks,
  type Logger,
  type NodeId,
  type Random,
  type RestoreOptions,
  type RestoreReport,
  type StructureNode,
  type Transport,
} from '@cluster/core'
import {
  type Barrier,
  barrier,
  type Election,
  election,
  type Latch,
  latch,
  type NamedLock,
  namedLock,
  type ReadWriteLock,
  readWriteLock,
  type Semaphore,
  semaphore,
} from '@cluster/mutex'
import type { TemporaryFiles } from '@cluster/sql'
import type {
  Cluster,
  ClusterDatabase,
  ClusterEvents,
  PostgresService,
  ReadyOptions,
  ServePostgresOptions,
} from './cluster.ts'
import { openDatabase } from './cluster-database.ts'
import type { ComposedNode } from './compose.ts'
import type { DataFolder } from './driver/data-folder.ts'
import { nodeDisk } from './driver/node-disk.ts'
import type { NodeErrorDetail } from './errors.ts'
import { servePostgres } from './serve-postgres.ts'
import { ObjectsOfNode } from './shared-objects.ts'

interface Parts {
  readonly name: string
  readonly folder: DataFolder
  readonly transport: Transport
  readonly node: ComposedNode
  /** Where statements put rows that are too many for memory. */
  readonly temporary: TemporaryFiles
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** How the log says that a deadline passed: it names what it had of the way into the group. */
const TIME_IS_UP: ReadonlySet<string | null> = new Set(['DEADLINE', 'LOG_NO_GROUP', 'LOG_NO_QUORUM'])

/** A node of the real platform behind the `Cluster` interface. */
export class NodeCluster extends ObjectsOfNode implements Cluster {
  readonly id: NodeId
  readonly name: string
  readonly folder: string
  readonly fresh: boolean
  protected readonly shared: Containers | null
  readonly #parts: Parts
  readonly #events = new EventHub<ClusterEvents>()
  readonly #databases = new Map<string, Promise<ClusterDatabase>>()
  readonly #services = new Set<PostgresService>()
  #waitingFor: string | null = null
  #stopping: Promise<void> | null = null

  constructor(parts: Parts) {
    super()
    this.shared = parts.node.containers
    this.#parts = parts
    this.id = parts.transport.self
    this.name = parts.name
    this.folder = parts.folder.path
    this.fresh = parts.folder.fresh
  }

  async start(): Promise<void> {
    const { node } = this.#parts
    node.peers.on('member', (event) => this.#events.emit('member', event))
    node.peers.on('deathProved', (event) => this.#events.emit('deathProved', event))
    node.peers.on('refused', (event) => this.#events.emit('refused', event))
    node.peers.on('turnedAway', (event) => this.#events.emit('turnedAway', event))
    node.log.on('group', (event) => this.#events.emit('group', event))
    node.log.on('removed', (event) => this.#events.emit('removed', event))
    node.log.on('forked', (event) => this.#events.emit('forked', event))
    node.log.on('met', (event) => this.#events.emit('met', event))
    node.log.on('waiting', (event) => {
      this.#waitingFor = event.for
      this.#events.emit('waiting', event)
    })
    node.log.on('failed', (event) => this.#events.emit('failed', event))
    node.peers.on('failed', (event) => this.#events.emit('failed', event))
    node.databases?.on('tookOver', (event) => this.#events.emit('tookOver', event))
    node.databases?.on('dropped', ({ database }) => this.#databases.delete(database))
    await node.start()
  }

  addresses() {
    return this.#parts.transport.addresses()
  }

  members() {
    return this.#parts.node.peers.members()
  }

  group() {
    return this.#parts.node.log.group()
  }

  waitingFor(): string | null {
    return this.#waitingFor
  }

  structure(): StructureNode {
    return this.#parts.node.structure()
  }

  on<Type extends keyof ClusterEvents>(type: Type, listener: (event: ClusterEvents[Type]) => void): Cancel {
    return this.#events.on(type, listener)
  }

  async ready({ timeoutMs, signal, complete = false, onProgress }: ReadyOptions = {}): Promise<void> {
    try {
      await this.#parts.node.log.ready({
        ...(timeoutMs === undefined ? {} : { deadlineMs: timeoutMs }),
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (error) {
      if (timeoutMs === undefined || !TIME_IS_UP.has(errorCode(error))) throw error
      const waitingFor = this.#waitingFor
      throw new ClusterError<NodeErrorDetail>(
        { code: 'JOIN_TIMEOUT', outcome: 'rejected', waitingFor },
        `not in the cluster "${this.name}" after ${timeoutMs} ms: ${waitingFor ?? 'no other node was found'}; start the nodes it waits for, or allow more time`,
        { cause: error },
      )
    }
    if (complete)
      await this.#parts.node.databases?.complete({
        ...(signal && { signal }),
        ...(onProgress && { onProgress }),
      })
  }

  database(name: string, options: DatabaseOptions = {}): Promise<ClusterDatabase> {
    const known = this.#databases.get(name)
    const { databases } = this.#parts.node
    if (databases === null) return Promise.reject(isWitness(name))
    if (isMapStore(name)) return Promise.reject(isReserved(name))
    // The layer below compares the options with those of the database.
    const opening = Promise.resolve(known).then(async (open) => {
      const storage = await databases.open(name, options)
      return open ?? this.#open(storage, databases)
    })
    if (!known) {
      this.#databases.set(name, opening)
      opening.catch(() => {
        if (this.#databases.get(name) === opening) this.#databases.delete(name)
      })
    }
    return opening
  }

  databases(): readonly string[] {
    const { databases } = this.#parts.node
    if (databases === null) throw isWitness('', 'a list of databases')
    return named(databases).list()
  }

  async dropDatabase(name: string): Promise<boolean> {
    const { databases } = this.#parts.node
    if (databases === null) throw isWitness(name)
    if (isMapStore(name)) throw isReserved(name)
    return databases.drop(name)
  }

  get locks(): Locks {
    const { locks } = this.#parts.node
    if (locks === null) throw isWitness('', 'a lock')
    return locks
  }

  mutex(name: string): NamedLock {
    return namedLock(this.locks, name)
  }

  readWriteLock(name: string): ReadWriteLock {
    return readWriteLock(this.locks, name)
  }

  semaphore(name: string, permits: number): Semaphore {
    return semaphore(this.locks, name, permits)
  }

  barrier(name: string, parties: number): Barrier {
    return barrier(this.locks, name, parties)
  }

  latch(name: string): Latch {
    return latch(this.locks, name)
  }

  election(name: string): Election {
    return election(this.locks, name)
  }

  async restore(
    name: string,
    folder: string,
    options: Omit<RestoreOptions, 'partitions' | 'distributionKey'> = {},
  ): Promise<RestoreReport> {
    const { databases } = this.#parts.node
    if (databases === null) throw isWitness(name)
    if (isMapStore(name)) throw isReserved(name)
    return databases.restore(name, nodeDisk(folder), options)
  }

  async servePostgres(options: ServePostgresOptions = {}): Promise<PostgresService> {
    const { clock, random, logger, node } = this.#parts
    const { databases } = node
    if (databases === null) throw isWitness('of clients')
    const service = await servePostgres(options, {
      clock,
      random,
      logger: logger.child({ layer: 'pgwire' }),
      names: () => this.databases(),
      open: (name) => this.database(name),
    })
    this.#services.add(service)
    return service
  }

  async stop(): Promise<void> {
    await this.#end('away')
  }

  async leave(): Promise<void> {
    await this.#end('left')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #open(storage: Database, databases: Databases): ClusterDatabase {
    const { clock, random, node, temporary } = this.#parts
    const { peers, locks } = node
    return openDatabase(storage, { clock, random, databases: named(databases), peers, locks, temporary })
  }

  #end(reason: 'away' | 'left'): Promise<void> {
    this.#stopping ??= this.#stop(reason).finally(() => this.#parts.folder.release())
    return this.#stopping
  }

  async #stop(reason: 'away' | 'left'): Promise<void> {
    await Promise.all([...this.#services].map((service) => service.close()))
    await this.#parts.node.stop(reason)
  }
}

/** The databases that are for people: those of distributed maps are not shown, made or dropped by statements. */
const named = (databases: Databases): Pick<Databases, 'open' | 'drop' | 'list'> => ({
  open: async (name, options) => {
    if (isMapStore(name)) throw isReserved(name)
    return databases.open(name, options)
  },
  drop: async (name, options) => {
    if (isMapStore(name)) throw isReserved(name)
    return databases.drop(name, options)
  },
  list: () => databases.list().filter((name) => !isMapStore(name)),
})

function isReserved(name: string): ClusterError {
  return new ClusterError<NodeErrorDetail>(
    { code: 'OPTION_INVALID', outcome: 'rejected', option: 'name', given: name },
    `the database "${name}" holds the entries of distributed maps; use another name for yours`,
  )
}

function isWitness(database: string, what = `the database "${database}"`): ClusterError {
  return new ClusterError<NodeErrorDetail>(
    { code: 'NODE_IS_WITNESS', outcome: 'rejected', database },
    `this node is a witness: it votes and holds no data, so ${what} cannot be used here; use it on another node`,
  )
}
