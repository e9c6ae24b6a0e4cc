import { type Cluster, type ClusterDatabase, openCluster } from '@cluster/node'
import type { Call, Report, Request, Status, Tick } from './protocol.ts'

/** A node of the scene: an ordinary program that uses the cluster, and does what the stage asks over IPC. */
const { name, data, listen, seeds, redundancy } = JSON.parse(process.argv[2] ?? '{}') as {
  name: string
  data: string
  listen: string[] | null
  seeds: string[]
  redundancy: number
}

const send = (report: Report): void => void process.send?.(report)

const cluster: Cluster = await openCluster({
  name,
  data,
  ...(listen === null ? {} : { listen }),
  seeds,
  discovery: seeds.length > 0 ? 'none' : 'mdns',
})
cluster.on('tookOver', (event) => send({ event: 'tookOver', data: event }))
cluster.on('waiting', ({ for: what }) => what !== null && send({ event: 'notice', data: what }))
cluster.on('failed', ({ error }) => {
  send({ event: 'notice', data: `failed: ${String(error)}` })
  process.exit(1)
})

let opened: ClusterDatabase | null = null
let ticking: { stop: boolean; readonly done: Promise<readonly Tick[]> } | null = null

async function database(): Promise<ClusterDatabase> {
  opened ??= await cluster.database('shop', { redundancy })
  return opened
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
    await new Promise((resolve) => {
      setTimeout(resolve, Math.max(0, everyMs - (doneAt - askedAt)))
    })
  }
  return ticks
}

async function answer(call: Call): Promise<unknown> {
  switch (call.op) {
    case 'ready':
      await cluster.ready()
      await database()
      return { id: cluster.id, addresses: cluster.addresses() }
    case 'status': {
      const group = cluster.group()
      const status = opened?.storage.status()
      return {
        id: cluster.id,
        leader: group.leader,
        voters: group.voters.length,
        alive: cluster.members().filter((member) => member.state === 'alive').length,
        underReplicated: status?.underReplicated.length ?? 0,
        unavailable: status?.unavailable.length ?? 0,
      } satisfies Status
    }
    case 'sql':
      return (await (await database()).query(call.text, call.params ?? [])).rows
    case 'storedRows':
      return (await database()).storedRows(call.table)
    case 'startTicking': {
      const state = { stop: false }
      ticking = Object.assign(state, { done: tick(call.everyMs, state) })
      return null
    }
    case 'stopTicking':
      if (ticking === null) return []
      ticking.stop = true
      return await ticking.done
    case 'stop':
      await cluster.stop()
      return null
  }
}

process.on('message', (request: Request) => {
  answer(request).then(
    (result) => {
      send({ number: request.number, result })
      if (request.op === 'stop') process.disconnect()
    },
    (error: unknown) => send({ number: request.number, error: String(error) }),
  )
})
// Without the stage the actor has nothing to do.
process.on('disconnect', () => process.exit(0))
