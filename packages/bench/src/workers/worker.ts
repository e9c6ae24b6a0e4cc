import { type ClusterDatabase, openCluster } from '@cluster/node'
import { answerCalls } from '@cluster/testkit'
import { summarize } from '../latency.ts'
import type { Load, LoadResult, WorkerOptions, WorkerStatus } from './worker-protocol.ts'

/** A node under load, in a process of its own. */
const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions
const cluster = await openCluster({ ...options, listen: [options.listen], mdns: false })
let opened: Promise<ClusterDatabase> | null = null
let ticking: { stop: boolean; readonly gapMs: Promise<number> } | null = null
let nextId = 0

function database(): Promise<ClusterDatabase> {
  opened ??= cluster.database('bench', { redundancy: 2 })
  return opened
}

const filler = 'x'.repeat(100)

async function load({ kind, callers, warmUpMs, measuredMs, rows }: Load): Promise<LoadResult> {
  const db = await database()
  nextId = Math.max(nextId, rows)
  const from = performance.now() + warmUpMs
  const until = from + measuredMs
  const latencies: number[] = []
  let random = 12_345
  const one = (): Promise<unknown> => {
    if (kind === 'insert') return db.query('INSERT INTO kv (id, value) VALUES ($1, $2)', [++nextId, filler])
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
    return db.query('SELECT value FROM kv WHERE id = $1', [1 + (random % rows)])
  }
  const caller = async (): Promise<void> => {
    for (;;) {
      const startedAt = performance.now()
      if (startedAt >= until) return
      await one()
      const doneAt = performance.now()
      if (startedAt >= from) latencies.push(doneAt - startedAt)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return summarize(Float64Array.from(latencies), performance.now() - from)
}

/** Writes without a pause; the gap is the longest time between two acknowledgements. */
async function tick(state: { stop: boolean }): Promise<number> {
  const db = await database()
  let gapMs = 0
  let last = performance.now()
  while (!state.stop) {
    await db.query('INSERT INTO kv (id, value) VALUES ($1, $2)', [++nextId, filler])
    const now = performance.now()
    gapMs = Math.max(gapMs, now - last)
    last = now
  }
  return gapMs
}

answerCalls({
  ready: async () => {
    await cluster.ready()
    await database()
  },
  sql: async (text: string) => (await (await database()).query(text, [])).rows,
  async status(): Promise<WorkerStatus> {
    const { leader, voters } = cluster.group()
    const { underReplicated } = (await database()).storage.status()
    return { id: cluster.id, leader, voters: voters.length, underReplicated: underReplicated.length }
  },
  load,
  async startTicking(firstId: number) {
    nextId = Math.max(nextId, firstId)
    const state = { stop: false }
    ticking = Object.assign(state, { gapMs: tick(state) })
  },
  async stopTicking() {
    if (ticking === null) throw new Error('nothing ticks')
    ticking.stop = true
    return await ticking.gapMs
  },
  stop: () => cluster.stop(),
})
