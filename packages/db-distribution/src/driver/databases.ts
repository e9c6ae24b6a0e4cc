import {
  assert,
  type CallOptions,
  type Cancel,
  type Database,
  type DatabaseEvents,
  type DatabaseOptions,
  type Databases,
  type Describable,
  type Disk,
  dataMembers,
  EVERYWHERE,
  joinBytes,
  type LogEntry,
  type LogIndex,
  logIndex,
  type NodeId,
  type RestoreOptions,
  type RestoreReport,
  type RiskReport,
  randomId,
  type StateMachine,
  type StructureNode,
  VERSION_OF,
} from '@cluster/core'
import { stopped, unavailable, versionTooLow } from '../errors.ts'
import { encodeCreate, encodeDrop } from '../machine/commands.ts'
import { DatabasesMachine, type Effect } from '../machine/machine.ts'
import { decodeResult, encodeResult } from '../machine/results.ts'
import type { DatabaseRecord } from '../machine/state.ts'
import { compareOptions, type DatabasesOptions, databaseOptions, givenOptions, settings } from '../options.ts'
import { AuditServer } from './audit/audit-server.ts'
import { AUDIT_SERVICE } from './audit/audit-wire.ts'
import { Auditor } from './audit/auditor.ts'
import { AuditRounds } from './audit/rounds.ts'
import { openBackup } from './backup/backup-files.ts'
import { Restorer, targetOf } from './backup/restorer.ts'
import { type CompleteOptions, whenComplete } from './completeness.ts'
import { Computer } from './compute/computer.ts'
import { Context, type DatabasesPorts } from './context.ts'
import { Controller } from './controller.ts'
import { DatabaseHandle, type DatabaseParts } from './database-handle.ts'
import { MACHINE_NAME } from './names.ts'
import { Reader } from './read/reader.ts'
import { Server } from './read/server.ts'
import { PINS_SERVICE } from './replica/pins.ts'
import { Replicas } from './replica/replicas.ts'
import { riskReports } from './risks.ts'
import { SelfDescription } from './self-description.ts'
import { Beginnings } from './transaction/beginnings.ts'
import { Committer } from './transaction/committer.ts'
import { OutcomeReader } from './transaction/outcome-reader.ts'
import { Turns } from './transaction/turns.ts'
import { Upkeep } from './upkeep.ts'
import { SERVICE } from './wire.ts'

/** The databases of a node, and what its composer does with them. */
export interface NodeDatabases extends Databases, Describable {
  /** Begins to hold partitions and to serve. Before or after the log starts. */
  start(): Promise<void>
  /** Writes everything to disk and ends; before the log stops. */
  stop(): Promise<void>
  /** Writes every partition of this node to disk, so that the log can be cut behind it. */
  checkpoint(): Promise<void>
  /**
   * Resolves when this node serves everything that it is to hold, and nothing is about to move. It answers correctly before
   * that, too, by asking others. @throws ABORTED, STOPPED
   */
  complete(options?: CompleteOptions): Promise<void>
  /** Events of all databases. */
  on<Type extends 'tookOver' | 'placement' | 'dropped'>(
    type: Type,
    listener: (event: DatabaseEvents[Type]) => void,
  ): Cancel
}

/** Makes the databases of a node: attaches their machine to the log and serves other nodes. */
export function databases(options: DatabasesOptions = {}): (ports: DatabasesPorts) => NodeDatabases {
  return (ports) => new Node(options, ports)
}

class Node implements NodeDatabases {
  readonly #context: Context
  readonly #replicas: Replicas
  readonly #controller: Controller
  readonly #upkeep: Upkeep
  readonly #audits: AuditRounds
  readonly #description: SelfDescription
  readonly #parts: DatabaseParts
  readonly #handles = new Map<string, DatabaseHandle>()
  readonly #cancels: Cancel[] = []
  #started = false

  constructor(options: DatabasesOptions, ports: DatabasesPorts) {
    const context = new Context(ports, settings(options), new DatabasesMachine(options.window))
    this.#context = context
    this.#replicas = new Replicas(context)
    this.#controller = new Controller(context)
    this.#upkeep = new Upkeep(context, this.#replicas)
    this.#description = new SelfDescription(context)
    const reader = new Reader(context, this.#replicas)
    const audits = new AuditServer(context, this.#replicas)
    const auditor = new Auditor(context, audits)
    this.#audits = new AuditRounds(context, auditor)
    this.#parts = {
      context,
      replicas: this.#replicas,
      beginnings: new Beginnings(ports),
      turns: new Turns(context),
      reader,
      computer:
        ports.fragments === undefined ? null : new Computer(context, this.#replicas, reader, ports.fragments),
      committer: new Committer(context, new OutcomeReader(context, this.#replicas, reader)),
      upkeep: this.#upkeep,
      auditor,
    }
    ports.log.attach(this.#stateMachine())
    ports.peers.serve(PINS_SERVICE, this.#upkeep.pins.handlers())
    ports.peers.serve(AUDIT_SERVICE, audits.handlers())
    ports.peers.serve(SERVICE, new Server(context, this.#replicas).handlers())
  }

  /** Connects the pure machine to the log and the stores. */
  #stateMachine(): StateMachine {
    const { machine } = this.#context
    const restore = (snapshot: Uint8Array | null, index: LogIndex): void => {
      machine.restore(snapshot, index)
      this.#replicas.restored()
    }
    return {
      name: MACHINE_NAME,
      apply: (entry: LogEntry): Uint8Array => {
        const { result, effects } = machine.apply(entry.index, entry.command, entry.time)
        this.#follow(effects)
        return encodeResult(result)
      },
      bundles: {
        // Databases have no conditions: what a commit depends on is in the commit.
        check: () => false,
        begin: () => machine.beginBundle(),
        commit: () => this.#follow(machine.adoptBundle()),
        rollback: () => machine.dropBundle(),
        refuses: (result) => decodeResult(result).type !== 'done',
      },
      snapshot: () => machine.snapshot(),
      restore,
      pieces: {
        save: () => machine.pieces(),
        load: (index) => {
          const pieces: Uint8Array[] = []
          return { piece: (bytes) => void pieces.push(bytes), done: () => restore(joinBytes(pieces), index) }
        },
      },
      empty: () => machine.empty,
      durableIndex: () => {
        const durable = this.#replicas.durableIndex()
        if (durable < machine.index) this.#upkeep.ask()
        return durable
      },
    }
  }

  /** Tells the parts of this node what the command at the machine's index changed. */
  #follow(effects: readonly Effect[]): void {
    const index = logIndex(this.#context.machine.index)
    for (const effect of effects) {
      this.#replicas.follow(index, effect)
      if (effect.type === 'committed') {
        const { database, relations } = effect
        this.#context.emit(database.name, 'commit', { version: index, relations })
      } else if (effect.type === 'turned') this.#context.changed.ring()
      else this.#controller.poke()
      if (effect.type === 'dropped') {
        const { name } = effect.database
        this.#context.emit(name, 'dropped', { database: name })
        this.#context.silence(name)
      }
    }
  }

  async start(): Promise<void> {
    assert(!this.#started, 'the databases of a node start once')
    this.#started = true
    const { ports } = this.#context
    const look = (): void => {
      this.#context.changed.ring()
      this.#controller.poke()
      this.#description.look()
    }
    this.#cancels.push(
      ports.log.on('group', look),
      ports.log.on('removed', look),
      ports.log.on('snapshotInstalled', look),
      ports.peers.on('member', look),
    )
    await this.#replicas.start()
    this.#upkeep.start()
    this.#audits.start()
    look()
  }

  async stop(): Promise<void> {
    if (this.#context.stopped) return
    for (const cancel of this.#cancels) cancel()
    this.#controller.stop()
    this.#upkeep.stop()
    this.#audits.stop()
    this.#description.stop()
    this.#context.stopping.abort()
    this.#context.changed.ring()
    await this.#replicas.stop()
  }

  checkpoint(): Promise<void> {
    return this.#upkeep.checkpointAll()
  }

  complete(options: CompleteOptions = {}): Promise<void> {
    return whenComplete(this.#context, this.#replicas, options)
  }

  async open(name: string, options: DatabaseOptions & CallOptions = {}): Promise<Database> {
    if (this.#context.stopped || !this.#started) throw stopped()
    const { ports, settings: limits, machine } = this.#context
    const wanted = databaseOptions(name, options)
    const call: CallOptions = {
      deadlineMs: options.deadlineMs ?? limits.unavailableMs,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }
    if (machine.database(name) === null) {
      // Somebody may have made it without this node knowing yet.
      await ports.log.applied(await ports.log.barrier(call), call)
      if (machine.database(name) === null) await this.#create(name, wanted, call)
    }
    const record = machine.database(name)
    assert(record !== null, 'a database is known where its creation was applied')
    compareOptions(name, record.options, options)
    await this.#usable(record, call)
    return this.#handle(record)
  }

  /** Submits the creation; if another node was faster, its database is the one. */
  async #create(name: string, options: Required<DatabaseOptions>, call: CallOptions): Promise<void> {
    const { ports, self } = this.#context
    const living = dataMembers(ports.log.group()).filter((node) => this.#context.isLiving(node))
    const candidates: readonly NodeId[] = living.length > 0 ? living : [self]
    await ports.log.submit(
      MACHINE_NAME,
      encodeCreate({ name, uid: randomId(ports.random), options, candidates }),
      call,
    )
  }

  /** Waits until the partition with the catalogs can be read from somebody. */
  async #usable(record: DatabaseRecord, { deadlineMs = 0, signal }: CallOptions): Promise<void> {
    const { ports, changed, machine, self } = this.#context
    const deadline = ports.clock.now() + deadlineMs
    for (;;) {
      this.#context.check(record)
      const partition = machine.databaseById(record.id)?.partitions[EVERYWHERE]
      const holders = partition === undefined ? [] : this.#context.livingHolders(partition)
      const others = holders.some((node) => node !== self)
      if (others || this.#replicas.serving(record.id, EVERYWHERE) !== null) return
      const left = deadline - ports.clock.now()
      if (left <= 0) {
        const waitingFor = (partition?.replicas ?? []).map((replica) => replica.node)
        throw unavailable(record.name, [EVERYWHERE], waitingFor)
      }
      await changed.next(ports.clock, left, signal)
      if (this.#context.stopped) throw stopped()
    }
  }

  #handle(record: DatabaseRecord): DatabaseHandle {
    let handle = this.#handles.get(record.name)
    if (handle === undefined || handle.dropped) {
      handle = new DatabaseHandle(record, this.#parts)
      this.#handles.set(record.name, handle)
    }
    return handle
  }

  async drop(name: string, options: CallOptions = {}): Promise<boolean> {
    if (this.#context.stopped || !this.#started) throw stopped()
    const { ports, settings: limits, machine } = this.#context
    const { version } = ports.log.group()
    if (version < VERSION_OF.dropping) throw versionTooLow(version, VERSION_OF.dropping)
    const call = { deadlineMs: limits.unavailableMs, ...options }
    // Somebody may have made it without this node knowing yet.
    await ports.log.applied(await ports.log.barrier(call), call)
    const record = machine.database(name)
    if (record === null) return false
    const { result } = await ports.log.submit(MACHINE_NAME, encodeDrop({ database: record.id }), call)
    return decodeResult(result).type === 'done'
  }

  list(): readonly string[] {
    return this.#context.machine.databases().map((database) => database.name)
  }

  async restore(name: string, folder: Disk, options: RestoreOptions = {}): Promise<RestoreReport> {
    const info = await openBackup(folder)
    const target = await targetOf(info, folder, options)
    const { redundancy, partitions, minCopies } = { ...info.options, ...givenOptions(options) }
    const call = options.signal ? { signal: options.signal } : {}
    const database = await this.open(name, { redundancy, partitions, minCopies, ...call })
    const relations = this.#context.machine.database(name)?.relations ?? new Set()
    const { clock, random } = this.#context.ports
    return new Restorer({ database, relations, clock, random }, folder, info, target, options).run()
  }

  explainRisk(nodes?: readonly NodeId[]): readonly RiskReport[] {
    const databases = this.#context.machine.databases()
    return databases.flatMap((database) => riskReports(this.#context, database, nodes))
  }

  on<Type extends 'tookOver' | 'placement' | 'dropped'>(
    type: Type,
    listener: (event: DatabaseEvents[Type]) => void,
  ): Cancel {
    return this.#context.hub.on(type, listener)
  }

  describe(): StructureNode {
    const records = this.#context.machine.databases()
    return {
      kind: 'databases',
      name: this.#context.self,
      facts: {
        count: records.length,
        'rows from others': this.#context.rowsFromOthers,
        'bytes from others': this.#context.bytesFromOthers,
      },
      children: records.map((record) => this.#handle(record).describe()),
    }
  }
}
