import {
  assert,
  type Database,
  type DatabaseOptions,
  EVERYWHERE,
  type Locks,
  type NodeId,
} from '@cluster/core'
import { type ComposedNode, composeNode, type NodeOptions } from '@cluster/node'
import { staticDiscovery } from '@cluster/p2p'
import { formatValue, type SqlEngine, type SqlResult, sqlEngine, sqlstateOf } from '@cluster/sql'
import { modelDatabases, type NodePorts, type Program, type SimNode, World } from '@cluster/testkit'
import type { ClusterDatabase } from '../../src/cluster.ts'
import { openDatabase } from '../../src/cluster-database.ts'

const PATIENCE_MS = 60_000
const NAME = 'shop'

interface App {
  readonly node: ComposedNode
  readonly ports: NodePorts
  /** Null until it was opened. */
  database: ClusterDatabase | null
}

export interface SqlClusterOptions extends DatabaseOptions {
  readonly nodes?: number
  readonly seed?: number | string
  /** How the nodes serve their databases. */
  readonly databases?: NodeOptions['databases']
  readonly locks?: NodeOptions['locks']
}

/** A node that runs SQL, and how it is asked. */
export interface SqlNode {
  readonly id: NodeId
  readonly sim: SimNode<App>
  readonly database: ClusterDatabase
  readonly locks: Locks
  /** Waits in virtual time. */
  query(text: string, parameters?: Parameters<ClusterDatabase['query']>[1]): Promise<SqlResult>
  execute(text: string): Promise<readonly SqlResult[]>
  /** Rows as a shell shows them. */
  rows(text: string): Promise<readonly string[]>
}

/** Several whole nodes in virtual time, each with SQL on one database of the cluster. */
export class SqlCluster {
  readonly world: World
  readonly nodes: readonly SqlNode[]
  readonly #options: DatabaseOptions

  private constructor(world: World, nodes: readonly SqlNode[], options: DatabaseOptions) {
    this.world = world
    this.nodes = nodes
    this.#options = options
  }

  static async form({
    nodes = 3,
    seed = 1,
    databases = {},
    locks = {},
    ...options
  }: SqlClusterOptions = {}): Promise<SqlCluster> {
    const world = new World({ seed: `sql ${seed}` })
    const names = Array.from({ length: nodes }, (_, i) => `n${i + 1}`)
    const program: Program<App> = {
      async start(ports) {
        const addresses = names.map((name) => world.network.addressOf(name))
        const node = composeNode(
          { start: ports.start, expect: nodes, databases, locks },
          { ...ports, discoveries: [staticDiscovery(addresses)] },
        )
        await node.start()
        return { node, ports, database: null }
      },
      stop: ({ node }) => node.stop('away'),
    }
    const sims = names.map((name) => world.node(name, program))
    const cluster = new SqlCluster(
      world,
      sims.map((sim) => sqlNode(world, sim)),
      { partitions: 8, ...options },
    )
    await world.settle(Promise.all(sims.map((sim) => sim.start())), PATIENCE_MS)
    // The one that forms the group waits until the others vote; before that it may decide alone.
    await cluster.settle(Promise.all(sims.map((sim) => sim.app?.node.log.ready())))
    for (const sim of sims) await cluster.open(sim)
    await cluster.repaired()
    return cluster
  }

  /** Opens the database on a node that has just started. */
  async open({ app }: SimNode<App>): Promise<void> {
    assert(app !== null, 'the node runs')
    const { node, ports } = app
    assert(node.databases !== null, 'the node holds data')
    const storage = await this.settle(
      node.databases.open(NAME, { ...this.#options, deadlineMs: PATIENCE_MS }),
    )
    const { clock, random } = ports
    const { databases, peers, locks } = node
    app.database = openDatabase(storage, { clock, random, databases, peers, locks, temporary: null })
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.world.settle(promise, PATIENCE_MS)
  }

  /** The node that holds the fewest of the partitions. */
  get poorest(): SqlNode {
    const [first] = [...this.nodes].sort((a, b) => share(a) - share(b))
    assert(first !== undefined, 'there are nodes')
    return first
  }

  node(at: number): SqlNode {
    const node = this.nodes[at]
    assert(node !== undefined, `there is a node ${at}`)
    return node
  }

  others(node: SqlNode): readonly SqlNode[] {
    return this.nodes.filter((other) => other !== node)
  }

  /** Lets time pass until every row has its copies and no copy moves any more, as those who run see it. */
  async repaired(): Promise<void> {
    const whole = (): boolean =>
      this.nodes.every(({ sim }) => {
        if (sim.app?.database == null) return !sim.running
        const { replicas, underReplicated, unavailable, options } = statusOf(sim)
        const missing = underReplicated.length + unavailable.length
        const hashed = replicas.filter(({ partition }) => partition !== EVERYWHERE)
        const copies = Math.min(Number(options.redundancy), this.running.length) * options.partitions
        return missing === 0 && hashed.length === copies && replicas.every(({ complete }) => complete)
      })
    const reached = await this.world.until(whole, PATIENCE_MS)
    assert(reached, 'every row has its copies in time')
  }

  get running(): readonly SqlNode[] {
    return this.nodes.filter(({ sim }) => sim.running)
  }

  /** Runs statements on a database that is one process without a network, for comparison. */
  async model(): Promise<SqlEngine> {
    const { sim } = this.node(0)
    assert(sim.app !== null, 'the node runs')
    const { clock, random } = sim.app.ports
    const { redundancy = 2, partitions = 8 } = this.#options
    return sqlEngine()({
      database: await modelDatabases().open(NAME, { redundancy, partitions }),
      clock,
      random,
    })
  }
}

const statusOf = ({ app }: SimNode<App>): ReturnType<Database['status']> => {
  assert(app?.database, 'the database is open')
  return app.database.storage.status()
}

/** Partitions that a node holds. */
export function share({ id, sim }: SqlNode): number {
  return statusOf(sim).replicas.filter(({ partition, node }) => node === id && partition !== EVERYWHERE)
    .length
}

function sqlNode(world: World, sim: SimNode<App>): SqlNode {
  const opened = (): ClusterDatabase => {
    const database = sim.app?.database
    assert(database, `the database is open on ${sim.id}`)
    return database
  }
  const node: SqlNode = {
    id: sim.id,
    sim,
    get database() {
      return opened()
    },
    get locks() {
      const locks = sim.app?.node.locks
      assert(locks, `there are locks on ${sim.id}`)
      return locks
    },
    query: (text, parameters) => world.settle(opened().query(text, parameters), PATIENCE_MS),
    execute: (text) => world.settle(opened().execute(text), PATIENCE_MS),
    rows: async (text) => textOf(await node.query(text)),
  }
  return node
}

/** Rows as text. */
export function textOf({ columns, rows }: Pick<SqlResult, 'columns' | 'rows'>): string[] {
  return rows.map((row) =>
    row
      .map((value, i) => {
        const type = columns[i]?.type
        return value === null || type === undefined ? 'NULL' : formatValue(type, value)
      })
      .join('|'),
  )
}

/** How a statement that must fail failed. */
export async function failure(
  work: Promise<unknown>,
): Promise<{ readonly sqlstate: string | null; readonly message: string; readonly outcome: string | null }> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const outcome = 'outcome' in error && typeof error.outcome === 'string' ? error.outcome : null
    return { sqlstate: sqlstateOf(error), message: error.message, outcome }
  }
  throw new Error('it did not fail')
}
