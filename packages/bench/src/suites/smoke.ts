import { Fleet } from '../fleet.ts'
import { median } from '../latency.ts'
import type { Report, Row } from '../report.ts'
import type { Load, LoadResult } from '../workers/worker-protocol.ts'

const NODES = 3
const START_RUNS = 3
const FAILOVERS = 5
const WARM_UP_MS = 500
const MEASURED_MS = 2000

/** The first look at speed: start-up, commits, point reads and fail-over of three processes on this machine. */
export async function smoke(progress: (text: string) => void): Promise<Report> {
  const rows: Row[] = []
  const starts: number[] = []
  for (let run = 0; run < START_RUNS; run++) {
    progress(`start ${run + 1} of ${START_RUNS}`)
    starts.push(await startToFirstRow())
  }
  rows.push({
    what: 'start of three fresh processes to the first committed row',
    value: median(starts),
    unit: 'ms',
    note: `median of ${START_RUNS}; ${starts.map((ms) => Math.round(ms)).join(', ')}`,
  })
  const fleet = await Fleet.start(NODES)
  try {
    await Promise.all(fleet.workers.map((worker) => worker.call('ready', null, 30_000)))
    await fleet.worker(0).call('sql', 'CREATE TABLE kv (id integer PRIMARY KEY, value text NOT NULL)')
    await fleet.settled()
    const at = { warmUpMs: WARM_UP_MS, measuredMs: MEASURED_MS }
    for (const callers of [1, 64]) {
      progress(`commits with ${callers} writers`)
      rows.push(
        await measure(fleet, `single-row INSERT, ${callers === 1 ? '1 writer' : `${callers} writers`}`, {
          kind: 'insert',
          callers,
          rows: 0,
          ...at,
        }),
      )
    }
    const stored =
      (await fleet.worker(0).call<number[][]>('sql', 'SELECT count(*)::integer FROM kv'))[0]?.[0] ?? 0
    for (const callers of [1, 64]) {
      progress(`point reads with ${callers} readers`)
      rows.push(
        await measure(
          fleet,
          `linearizable SELECT by key of ${stored} rows, ${callers === 1 ? '1 reader' : `${callers} readers`}`,
          {
            kind: 'read',
            callers,
            rows: stored,
            ...at,
          },
        ),
      )
    }
    rows.push(await failOver(fleet, stored + 1_000_000, progress))
  } finally {
    await fleet.stop()
  }
  return {
    suite: 'smoke',
    durability: 'three processes, Noise, every commit fsynced on a majority, redundancy 2',
    rows,
  }
}

async function startToFirstRow(): Promise<number> {
  const startedAt = performance.now()
  const fleet = await Fleet.start(NODES)
  try {
    await Promise.all(fleet.workers.map((worker) => worker.call('ready', null, 30_000)))
    await fleet.worker(0).call('sql', 'CREATE TABLE kv (id integer PRIMARY KEY, value text NOT NULL)')
    await fleet.worker(0).call('sql', "INSERT INTO kv VALUES (1, 'first')")
    return performance.now() - startedAt
  } finally {
    await fleet.stop()
  }
}

async function measure(fleet: Fleet, what: string, load: Load): Promise<Row> {
  const { perSecond, p50, p99 } = await fleet.worker(0).call<LoadResult>('load', load)
  return { what, value: perSecond, unit: '/s', note: `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms` }
}

/** Kills the leader while a survivor writes without a pause; then starts it again, for the next time. */
async function failOver(fleet: Fleet, firstId: number, progress: (text: string) => void): Promise<Row> {
  const gaps: number[] = []
  for (let run = 0; run < FAILOVERS; run++) {
    progress(`fail-over ${run + 1} of ${FAILOVERS}`)
    const statuses = await fleet.settled()
    const leader = statuses.findIndex(({ id, leader: of }) => id === of)
    const victim = fleet.worker(Math.max(0, leader))
    const writer = fleet.worker((Math.max(0, leader) + 1) % NODES)
    await writer.call('startTicking', firstId + run * 1_000_000)
    // Some hundred writes first, so that the gap is measured in full flow.
    await writer.call('load', {
      kind: 'read',
      callers: 1,
      warmUpMs: 0,
      measuredMs: 300,
      rows: 1,
    } satisfies Load)
    await victim.kill()
    await writer.call('load', {
      kind: 'read',
      callers: 1,
      warmUpMs: 0,
      measuredMs: 700,
      rows: 1,
    } satisfies Load)
    gaps.push(await writer.call<number>('stopTicking'))
    fleet.restart(Math.max(0, leader))
    await fleet.worker(Math.max(0, leader)).call('ready', null, 30_000)
  }
  return {
    what: 'leader killed −9: longest time without an acknowledged write',
    value: median(gaps),
    unit: 'ms',
    note: `median of ${FAILOVERS}; ${gaps.map((ms) => Math.round(ms)).join(', ')}`,
  }
}
