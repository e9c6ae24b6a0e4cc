import { type DatabaseStatus, isClusterError } from '@cluster/core'
import { type Cluster, type ClusterDatabase, openCluster } from '@cluster/node'
import { answerCalls } from '@cluster/testkit'
import type { ActorOptions, Statement, Status, Tick } from './protocol.ts'

/** A node of the scene: an ordinary program that uses the cluster, and does what the stage asks. */
const { name, data, listen, seeds, redundancy } = JSON.parse(process.argv[2] ?? '{}') as ActorOptions

const cluster: Cluster = await openCluster({
  name,
  data,
  ...(listen === null ? {} : { listen }),
  seeds,
  mdns: seeds.length === 0,
})
let opened: Promise<ClusterDatabase> | null = null
let ticking: { stop: boolean; readonly done: Promise<readonly Tick[]> } | null = null
let tickCount = 0

function database(): Promise<ClusterDatabase> {
  opened ??= cluster.database('shop', { redundancy })
  return opened
}

/** A node that formed a cluster alone may go into another one, which has no such database yet: then it is opened anew. */
async function storageStatus(): Promise<DatabaseStatus> {
  try {
    return (await database()).storage.status()
  } catch (error) {
    if (!isClusterError(error) || error.detail.code !== 'DB_UNAVAILABLE') throw error
    opened = null
    return (await database()).storage.status()
  }
}

async function tick(everyMs: number, state: { stop: boolean }): Promise<readonly Tick[]> {
  const db = await database()
  const ticks: Tick[] = []
  for (let id = 1; !state.stop; id++) {
    const askedAt = Date.now()
    let error: string | null = null
    try {
      await db.query('INSERT INTO ticks (id) VALUES ($1)', [id])
    } catch (cause) {
      error = String(cause)
    }
    const doneAt = Date.now()
    ticks.push({ id, askedAt, doneAt, error })
    tickCount = ticks.length
    await new Promise((resolve) => {
      setTimeout(resolve, Math.max(0, everyMs - (doneAt - askedAt)))
    })
  }
  return ticks
}

const emit = answerCalls({
  async ready() {
    await cluster.ready()
    await database()
    return { id: cluster.id, addresses: cluster.addresses() }
  },
  async status(): Promise<Status> {
    const group = cluster.group()
    const status = await storageStatus()
    return {
      id: cluster.id,
      leader: group.leader,
      voters: group.voters.length,
      alive: cluster.members().filter((member) => member.state === 'alive').length,
      underReplicated: status.underReplicated.length,
      unavailable: status.unavailable.length,
      ticks: tickCount,
    }
  },
  sql: async ({ text, params = [] }: Statement) => (await (await database()).query(text, params)).rows,
  /** Primary keys of the table's rows in this node's own storage. */
  storedRows: async (table: string) => (await (await database()).storedRows(table)).map((row) => row[0]),
  /** Writes a row of `ticks` every so many milliseconds, until told to stop. */
  async startTicking(everyMs: number) {
    const state = { stop: false }
    ticking = Object.assign(state, { done: tick(everyMs, state) })
  },
  async stopTicking() {
    if (ticking === null) return []
    ticking.stop = true
    return await ticking.done
  },
  stop: () => cluster.stop(),
})
cluster.on('tookOver', (event) => emit('tookOver', event))
cluster.on('waiting', ({ for: what }) => {
  if (what !== null) emit('notice', `waits for ${what.replace(/[A-Za-z0-9]{40,}/g, (id) => id.slice(-8))}`)
})
cluster.on('failed', ({ error }) => {
  console.error(error)
  process.exit(1)
})
