import {
  type Address,
  type Clock,
  type Database,
  type DatabaseEvents,
  type DatabaseOptions,
  type FragmentEvaluator,
  type Key,
  KeyWriter,
  type NodeId,
  nodeId,
  type OrderedLog,
  type Row,
  relationId,
  type StateMachine,
  type Value,
} from '@cluster/core'
import { type ModelLog, modelLog, type NodePorts, type SimNode, World } from '@cluster/testkit'
import { type DatabasesOptions, databases, type NodeDatabases } from '../../src/index.ts'
import { LinkPeers } from './link-peers.ts'
import { ModelStorageDisk, modelStorage } from './model-storage.ts'

export const ITEMS = relationId(16)
export const key = (value: number): Key => new KeyWriter().double(value).finish()

/** What runs on one node of the test. */
export interface App {
  readonly log: OrderedLog
  readonly peers: LinkPeers
  readonly databases: NodeDatabases
  readonly tookOver: DatabaseEvents['tookOver'][]
}

export interface TestClusterOptions {
  readonly nodes: readonly string[]
  readonly seed?: number
  readonly databases?: DatabasesOptions
  /** Who computes fragments, and by what. */
  readonly fragments?: (name: string) => FragmentEvaluator | undefined
}

/** A machine of somebody else: its commands move the log on, and the databases hear nothing of them. */
class OtherMachine implements StateMachine {
  readonly name = 'other'

  apply(): Uint8Array {
    return new Uint8Array()
  }

  snapshot(): Uint8Array {
    return new Uint8Array()
  }

  restore(): void {}

  durableIndex(): number {
    return Number.POSITIVE_INFINITY
  }
}

/** Nodes with databases over the model log, in virtual time. */
export class TestCluster {
  readonly world: World
  readonly log: ModelLog
  readonly disks = new Map<string, ModelStorageDisk>()
  readonly #machines = new Map<string, StateMachine>()
  readonly #nodes = new Map<string, SimNode<App>>()

  constructor({ nodes, seed = 1, databases: options = {}, fragments = () => undefined }: TestClusterOptions) {
    this.world = new World({ seed, logLevel: 'debug' })
    const { world } = this
    const clock: Clock = {
      now: () => world.now,
      wall: () => 1_700_000_000_000 + world.now,
      after: (delayMs, run) => world.schedule(delayMs, run),
      turn: () => world.sleep(0.001),
    }
    this.log = modelLog({ clock, deliveryMs: () => 0.5 })
    const addresses = new Map<NodeId, Address>()
    for (const name of nodes) {
      const disk = new ModelStorageDisk()
      this.disks.set(name, disk)
      const node = world.node<App>(name, {
        start: (ports) => this.#start(ports, addresses, disk, options, fragments(name)),
        stop: async (app) => {
          await app.databases.stop()
          await app.log.stop('away')
          await app.peers.stop()
        },
      })
      addresses.set(node.id, world.network.addressOf(node.id))
      this.#nodes.set(name, node)
    }
  }

  async #start(
    { self, transport, clock, random, logger }: NodePorts,
    addresses: ReadonlyMap<NodeId, Address>,
    disk: ModelStorageDisk,
    options: DatabasesOptions,
    fragments: FragmentEvaluator | undefined,
  ): Promise<App> {
    const others = new Map([...addresses].filter(([id]) => id !== self))
    const peers = new LinkPeers(transport, clock, others)
    const log = this.log.node(self)
    const attach = log.attach.bind(log)
    log.attach = (machine) => {
      this.#machines.set(self, machine)
      attach(machine)
    }
    attach(new OtherMachine())
    const ports = { log, peers, storage: modelStorage(disk), clock, random, logger, fragments }
    const app: App = { log, peers, databases: databases(options)(ports), tookOver: [] }
    app.databases.on('tookOver', (event) => app.tookOver.push(event))
    await peers.start()
    await log.start()
    await app.databases.start()
    return app
  }

  async start(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.settle(this.#node(name).start())
    const running = [...this.#nodes.values()].flatMap((node) => node.app ?? [])
    const met = (app: App): boolean =>
      app.peers.members().filter(({ state }) => state === 'alive').length === running.length
    await this.until(() => running.every(met))
  }

  #node(name: string): SimNode<App> {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }

  app(name: string): App {
    const { app } = this.#node(name)
    if (app === null) throw new Error(`${name} does not run`)
    return app
  }

  /** What the databases of a node attached to the log. */
  machine(name: string): StateMachine {
    const machine = this.#machines.get(name)
    if (machine === undefined) throw new Error(`${name} was never started`)
    return machine
  }

  /** Resolves when the present process of the node ends. */
  died(name: string): Promise<void> {
    return new Promise((resolve) => {
      this.#node(name).onDeath(resolve)
    })
  }

  /** The process is gone; it stays a member of the group. */
  crash(name: string): void {
    this.#node(name).crash('kill')
    this.log.kill(name)
  }

  /** The process is gone and the group gives it up. */
  lose(name: string): void {
    this.crash(name)
    this.log.remove(name)
  }

  async stop(name: string): Promise<void> {
    await this.settle(this.#node(name).stop())
  }

  settle<T>(promise: Promise<T>, withinMs = 120_000): Promise<T> {
    return this.world.settle(promise, withinMs)
  }

  async until(done: () => boolean, withinMs = 30_000): Promise<void> {
    if (!(await this.world.until(done, withinMs)))
      throw new Error(
        `it did not come about within ${withinMs} virtual ms\n${JSON.stringify(this.describe())}`,
      )
  }

  /** How often nodes logged an event. */
  said(event: string): number {
    return this.world.trace.tail(2_000).filter((line) => line.includes(event)).length
  }

  describe(): unknown {
    return [...this.#nodes.values()].flatMap((node) =>
      node.app === null ? [] : [node.app.databases.describe()],
    )
  }

  open(name: string, options?: DatabaseOptions): Promise<Database> {
    return this.settle(this.app(name).databases.open('shop', options))
  }

  /** Writes numbered rows through a node. */
  async write(name: string, rows: readonly (readonly [number, ...Value[]])[]): Promise<void> {
    const database = await this.open(name)
    const work = async (): Promise<void> => {
      const transaction = await database.begin()
      for (const row of rows) transaction.put(address(database, row[0]), row)
      await transaction.commit()
    }
    await this.settle(work())
  }

  /** Waits until every running node has applied everything. */
  async applied(): Promise<void> {
    for (const node of this.#nodes.values()) if (node.app !== null) await this.settle(node.app.log.ready())
  }

  /** All numbered rows as a node reads them. */
  async read(name: string): Promise<Row[]> {
    const database = await this.open(name)
    return this.settle(readAll(database))
  }
}

export function address(database: Database, value: number) {
  return { relation: ITEMS, partition: database.partitionOf(key(value)), key: key(value) }
}

export async function readAll(database: Database): Promise<Row[]> {
  const transaction = await database.begin({ readOnly: true })
  const rows: Row[] = []
  for await (const batch of transaction.scan({ relation: ITEMS, range: {}, ordered: true }))
    for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => column[i] as Value))
  transaction.rollback()
  return rows
}

export const id = nodeId
