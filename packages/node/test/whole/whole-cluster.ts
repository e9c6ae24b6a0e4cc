import {
  type Database,
  type DatabaseOptions,
  type Key,
  KeyWriter,
  type RelationId,
  type Row,
  type RowAddress,
  relationId,
  type Value,
} from '@cluster/core'
import { type ComposedNode, composeNode, type NodeOptions } from '@cluster/node'
import { staticDiscovery } from '@cluster/p2p'
import { type SimNode, World } from '@cluster/testkit'

export const ITEMS = relationId(16)
export const PATIENCE_MS = 120_000

const key = (value: number): Key => new KeyWriter().double(value).finish()

export function item(database: Database, value: number, relation: RelationId = ITEMS): RowAddress {
  return { relation, partition: database.partitionOf(key(value)), key: key(value) }
}

/** Options of each life of each node. */
export type OptionsOf = (name: string, start: number) => Omit<NodeOptions, 'start'>

/** Whole nodes, as `@cluster/node` puts them together, in one simulated world. */
export class WholeCluster {
  readonly world: World
  readonly nodes = new Map<string, SimNode<ComposedNode>>()

  constructor(seed: number | string, names: readonly string[], optionsOf: OptionsOf = () => ({})) {
    this.world = new World({ seed, logLevel: 'info' })
    const { world } = this
    for (const name of names) {
      const node = world.node<ComposedNode>(name, {
        async start(ports) {
          const addresses = names.map((each) => world.network.addressOf(each))
          const composed = composeNode(
            { start: ports.start, expect: names.length, ...optionsOf(name, ports.start) },
            { ...ports, discoveries: [staticDiscovery(addresses)] },
          )
          composed.log.on('failed', ({ error }) => world.fail(error))
          await composed.start()
          return composed
        },
        stop: (composed, reason) => composed.stop(reason),
      })
      this.nodes.set(name, node)
    }
  }

  node(name: string): SimNode<ComposedNode> {
    const node = this.nodes.get(name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }

  app(name: string): ComposedNode {
    const { app } = this.node(name)
    if (app === null) throw new Error(`${name} does not run`)
    return app
  }

  get running(): ComposedNode[] {
    return [...this.nodes.values()].flatMap(({ app }) => app ?? [])
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.world.settle(promise, PATIENCE_MS)
  }

  async until(what: string, done: () => boolean, withinMs = PATIENCE_MS): Promise<void> {
    if (await this.world.until(done, withinMs)) return
    throw new Error(`${what} did not come about\n${this.world.trace.tail(60).join('\n')}`)
  }

  /** Starts nodes; resolves when all that run are members of one group. */
  async start(...names: readonly string[]): Promise<void> {
    for (const name of names) this.launch(name)
    await this.until('one group', () => {
      const apps = this.running
      return (
        apps.length > 0 &&
        names.every((name) => this.node(name).app !== null) &&
        apps.every(({ log }) => {
          const { leader, voters, learners } = log.group()
          return leader !== null && voters.length + learners.length >= apps.length
        })
      )
    })
  }

  launch(name: string): void {
    this.node(name)
      .start()
      .catch((error: unknown) => this.world.fail(error))
  }

  open(name: string, options: DatabaseOptions = {}): Promise<Database> {
    const { databases } = this.app(name)
    if (databases === null) throw new Error(`${name} holds no data`)
    return this.settle(databases.open('shop', { ...options, deadlineMs: 30_000 }))
  }

  /** Resolves when every partition has all its copies, as one node sees it. */
  async whole(name: string): Promise<void> {
    const database = await this.open(name)
    await this.until('all copies', () => {
      const { underReplicated, unavailable, replicas } = database.status()
      return underReplicated.length + unavailable.length === 0 && replicas.every(({ complete }) => complete)
    })
  }

  /** Writes numbered rows in one transaction. */
  async write(name: string, rows: readonly (readonly [number, ...Value[]])[]): Promise<void> {
    const database = await this.open(name)
    const work = async (): Promise<void> => {
      const transaction = await database.begin()
      for (const row of rows) transaction.put(item(database, row[0]), row)
      await transaction.commit()
    }
    await this.settle(work())
  }

  async read(name: string): Promise<Row[]> {
    return this.settle(readAll(await this.open(name)))
  }
}

export async function readAll(database: Database, relation: RelationId = ITEMS): Promise<Row[]> {
  const transaction = await database.begin({ readOnly: true, deadlineMs: 10_000 })
  const rows: Row[] = []
  try {
    for await (const batch of transaction.scan({ relation, range: {}, ordered: true }))
      for (let i = 0; i < batch.length; i++) rows.push(batch.columns.map((column) => column[i] as Value))
  } finally {
    transaction.rollback()
  }
  return rows
}
