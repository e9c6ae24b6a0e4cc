import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { type Cluster, type ClusterDatabase, openCluster } from '@cluster/node'
import type { Storage } from './arguments.ts'

/** How long nodes may take to find each other. */
const READY_MS = 60_000

/** What the database is for a node. */
export interface Holding {
  /** Hash partitions that the node holds, of `partitions`. */
  readonly held: number
  readonly partitions: number
}

/** Nodes of this process, as an application starts them: TCP on the loopback, files in a temporary folder. */
export class Fleet {
  readonly #folder: string
  readonly #nodes: readonly Cluster[]
  readonly #partitions: number
  #databases = 0

  private constructor(folder: string, nodes: readonly Cluster[], partitions: number) {
    this.#folder = folder
    this.#nodes = nodes
    this.#partitions = partitions
  }

  static async start(count: number, partitions: number, storage: Storage): Promise<Fleet> {
    const folder = await mkdtemp(joinPath(tmpdir(), 'cluster-slt-'))
    const nodes: Cluster[] = []
    try {
      const options = { name: 'slt', listen: ['127.0.0.1:0'], mdns: false, storage }
      const first = await openCluster({
        ...options,
        data: joinPath(folder, '1'),
        ...(count === 1 ? { alone: true } : { expect: count }),
      })
      nodes.push(first)
      const address = first.addresses()[0]
      for (let n = 2; n <= count; n++) {
        if (address === undefined) throw new Error('the first node does not listen')
        const seeds = [String(address).replace(/^\/ip4\/(.+)\/tcp\/(\d+)$/, '$1:$2')]
        nodes.push(await openCluster({ ...options, data: joinPath(folder, String(n)), seeds, expect: count }))
      }
      await Promise.all(nodes.map((node) => node.ready({ timeoutMs: READY_MS })))
      return new Fleet(folder, nodes, partitions)
    } catch (error) {
      await stopAll(folder, nodes)
      throw error
    }
  }

  /** A fresh database, asked at the node that holds least of it. */
  async database(): Promise<{
    readonly database: ClusterDatabase
    readonly holding: Holding
    readonly rowsFromOthers: () => number
  }> {
    const name = `slt-${++this.#databases}`
    const options = { redundancy: 1, partitions: this.#partitions }
    const handles: { readonly node: Cluster; readonly database: ClusterDatabase; readonly held: number }[] =
      []
    for (const node of this.#nodes) {
      const database = await node.database(name, options)
      const held = database.storage
        .status()
        .replicas.filter(({ partition, node: holder }) => partition > 0 && holder === node.id).length
      handles.push({ node, database, held })
    }
    const [poorest] = handles.sort((a, b) => a.held - b.held)
    if (poorest === undefined) throw new Error('a fleet has at least one node')
    const before = rowsFromOthers(poorest.node)
    return {
      database: poorest.database,
      holding: { held: poorest.held, partitions: this.#partitions },
      rowsFromOthers: () => rowsFromOthers(poorest.node) - before,
    }
  }

  async stop(): Promise<void> {
    await stopAll(this.#folder, this.#nodes)
  }
}

/** Rows that the databases of a node have got from other nodes so far. */
function rowsFromOthers(node: Cluster): number {
  const databases = node.structure().children.find(({ kind }) => kind === 'databases')
  const rows = databases?.facts['rows from others']
  if (typeof rows !== 'number') throw new Error('the structure of a node does not tell how many rows it got')
  return rows
}

async function stopAll(folder: string, nodes: readonly Cluster[]): Promise<void> {
  for (const node of [...nodes].reverse()) await node.stop()
  await rm(folder, { recursive: true, force: true })
}
