import { Fleet } from '../../fleet.ts'
import { Histogram } from '../../histogram.ts'
import { residentBytes } from '../../processor.ts'
import type { Row } from '../../report.ts'
import type { SuiteOptions } from '../../suite.ts'
import type { KvAnswer, KvFill, KvLoad } from '../../workers/kv-worker-protocol.ts'

const NODES = 3
const COPIES = 2
const CALL_MS_MAX = 1_200_000
const CALLERS = 16
const WINDOW_MS = 500
const QUIET_MS = 4_000
const POLL_MS = 20
const WAIT_MS_MAX = 600_000
const DURABILITY = 'fsync on 2 of 3, rows on 2, Noise'

const count = (rows: number): string => rows.toLocaleString('en-US')
const seconds = (ms: number): string => (ms / 1000).toFixed(1)

/** A large table: what loading it takes, what it holds in memory, a restart with it, and a death. */
export async function largeTable({ rows, progress }: SuiteOptions): Promise<Row[]> {
  progress('starting the nodes')
  const fleet = await Fleet.start(NODES, 'kv-worker.ts')
  try {
    await Promise.all(fleet.workers.map((worker) => worker.call('ready', null, CALL_MS_MAX)))
    await fleet.settled()
    await fleet.worker(0).call('prepare', null, CALL_MS_MAX)
    await fleet.settled()
    return [
      ...(await load(fleet, rows, progress)),
      await restart(fleet, rows, progress),
      ...(await death(fleet, rows, progress)),
    ]
  } finally {
    await fleet.stop()
  }
}

const resident = async (fleet: Fleet): Promise<number> => {
  const each = await Promise.all(fleet.workers.map(({ pid }) => residentBytes(pid)))
  return each.reduce((sum, bytes) => sum + bytes, 0)
}

async function load(fleet: Fleet, rows: number, progress: (text: string) => void): Promise<Row[]> {
  progress(`loading ${count(rows)} rows`)
  const before = await resident(fleet)
  const startedAt = performance.now()
  await fleet.worker(0).call('fill', { rows } satisfies KvFill, CALL_MS_MAX)
  const ms = performance.now() - startedAt
  await fleet.settled()
  const held = (await resident(fleet)) - before
  return [
    {
      what: `load ${count(rows)} rows of 100 characters`,
      who: 'ours',
      value: rows / (ms / 1000),
      unit: 'rows/s',
      durability: DURABILITY,
      note: `${seconds(ms)} s; INSERT … SELECT of 500 rows each, 4 callers in one node`,
    },
    {
      what: `memory that a copy of a row holds, of ${count(rows)} rows`,
      who: 'ours',
      value: held / rows / COPIES,
      unit: 'bytes',
      durability: DURABILITY,
      note: `${COPIES} copies and the log; all processes together hold ${Math.round(held / 1024 / 1024)} MiB more than before`,
    },
  ]
}

/** A clean stop and a start: its rows are there, and it catches up with what was written meanwhile. */
async function restart(fleet: Fleet, rows: number, progress: (text: string) => void): Promise<Row> {
  progress(`restarting a node with ${count(rows)} rows`)
  await fleet.worker(1).stop(CALL_MS_MAX)
  const startedAt = performance.now()
  fleet.restart(1)
  await fleet.worker(1).call('ready', null, CALL_MS_MAX)
  const ready = performance.now() - startedAt
  await fleet.worker(1).call('complete', null, CALL_MS_MAX)
  const complete = performance.now() - startedAt
  await fleet.settled()
  return {
    what: `restart of a node, ${count(rows)} rows on three nodes`,
    who: 'ours',
    value: complete,
    unit: 'ms',
    durability: DURABILITY,
    note: `until all of its copies serve; it answers after ${Math.round(ready)} ms`,
  }
}

/** Kills a node that does not lead while callers update rows, and waits until every row has its copies again. */
async function death(fleet: Fleet, rows: number, progress: (text: string) => void): Promise<Row[]> {
  const statuses = await fleet.settled()
  const victim = [2, 1].find((at) => statuses[at]?.id !== statuses[0]?.leader) ?? 2
  const update = (measuredMs: number): Promise<KvAnswer> =>
    fleet
      .worker(0)
      .call<KvAnswer>(
        'load',
        { kind: 'update', callers: CALLERS, warmUpMs: 0, measuredMs } satisfies KvLoad,
        CALL_MS_MAX,
      )
  progress('updates while nothing else happens')
  await update(QUIET_MS / 2)
  const quiet = Histogram.of((await update(QUIET_MS)).buckets)
  progress('killing a node')
  await fleet.worker(victim).kill()
  const startedAt = performance.now()
  let repairedMs = Number.NaN
  const repaired = untilRepaired(fleet).then(() => {
    repairedMs = performance.now() - startedAt
  })
  const busy = new Histogram()
  do busy.add((await update(WINDOW_MS)).buckets)
  while (Number.isNaN(repairedMs))
  await repaired
  const [before, during] = [quiet.quantile(0.99) / 1000, busy.quantile(0.99) / 1000]
  return [
    {
      what: `every row has its copies again after a death, ${count(rows)} rows`,
      who: 'ours',
      value: repairedMs,
      unit: 'ms',
      durability: DURABILITY,
      note: `about ${count(Math.round((rows * COPIES) / NODES))} rows are copied while ${CALLERS} callers update others`,
    },
    {
      what: `UPDATE of one row by key, ${CALLERS} callers, while copies are made anew`,
      who: 'ours',
      value: during,
      unit: 'ms',
      durability: DURABILITY,
      target: { text: 'p99 at most 2× the quiet one', reached: during <= 2 * before },
      note: `p99 of ${count(busy.total)}; ${before.toFixed(1)} ms of ${count(quiet.total)} before`,
    },
  ]
}

async function untilRepaired(fleet: Fleet): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX
  for (;;) {
    const { underReplicated, voters } = await fleet
      .worker(0)
      .call<{ underReplicated: number; voters: number }>('status', null, CALL_MS_MAX)
    if (voters === NODES - 1 && underReplicated === 0) return
    if (performance.now() > deadline) throw new Error('the copies were not made again in time')
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS)
    })
  }
}
