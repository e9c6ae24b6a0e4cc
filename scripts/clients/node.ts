import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openCluster, type PostgresService } from '@cluster/node'
import { answerCalls } from '@cluster/testkit'

/** What a node of the client table is started with, as JSON in its first argument. */
export interface NodeOptions {
  readonly data: string
  readonly listen: string
  readonly seeds: readonly string[]
  /** Connections at once. */
  readonly connectionsMax?: number
}

/** What is finalized by one collection is freed by the next. */
const COLLECTIONS = 3
const COLLECT_MS = 200
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** A node that clients of PostgreSQL connect to, in a process of its own. */
const { data, listen, seeds, connectionsMax } = JSON.parse(process.argv[2] ?? '{}') as NodeOptions

const cluster = await openCluster({ name: 'clients', data, listen: [listen], seeds, mdns: false })
cluster.on('failed', ({ error }) => {
  console.error(error)
  process.exit(1)
})

let securedDoor: Promise<PostgresService> | null = null

answerCalls({
  async ready(): Promise<number> {
    await cluster.ready()
    return (await cluster.servePostgres({ port: 0, ...(connectionsMax && { connectionsMax }) })).port
  },
  /** Another door to the same databases, with encryption, at which clients of this machine need a password, too. */
  async secured(tls: { readonly cert: string; readonly key: string }): Promise<number> {
    securedDoor ??= cluster.servePostgres({ port: 0, localPasswords: true, tls })
    return (await securedDoor).port
  },
  /** Opens or makes a database; says whether all of its partitions have their copies and all nodes vote. */
  async database({ name, nodes }: { readonly name: string; readonly nodes: number }): Promise<boolean> {
    const { storage } = await cluster.database(name, { redundancy: Math.min(2, nodes) })
    return cluster.group().voters.length === nodes && storage.status().underReplicated.length === 0
  },
  /** Frees what nobody needs any more. Gives the bytes that are needed. */
  async needed(): Promise<number> {
    for (let i = 0; i < COLLECTIONS; i++) {
      collect()
      await pause(COLLECT_MS)
    }
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  },
  stop: () => cluster.stop(),
})
