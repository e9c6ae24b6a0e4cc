import { type ClusterDatabase, openCluster } from '@cluster/node'
import { answerCalls } from '@cluster/testkit'
import type { WorkerOptions, WorkerStatus } from './worker-protocol.ts'

/** A node that clients of PostgreSQL's protocol load, in a process of its own. */
const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions
const cluster = await openCluster({ ...options, listen: [options.listen], mdns: false })
/** As many as are measured, and some. */
const CONNECTIONS_MAX = 5_100
let opened: Promise<ClusterDatabase> | null = null

function database(): Promise<ClusterDatabase> {
  opened ??= cluster.database('bench', { redundancy: 2 })
  return opened
}

answerCalls({
  /** The port that clients connect to. */
  async ready(): Promise<number> {
    await cluster.ready()
    await database()
    return (await cluster.servePostgres({ port: 0, connectionsMax: CONNECTIONS_MAX })).port
  },
  async status(): Promise<WorkerStatus> {
    const { leader, voters } = cluster.group()
    const { underReplicated } = (await database()).storage.status()
    return { id: cluster.id, leader, voters: voters.length, underReplicated: underReplicated.length }
  },
  stop: () => cluster.stop(),
})
