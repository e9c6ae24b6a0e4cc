import { Fleet } from '../fleet.ts'
import { type Contender, interleave, type Measured } from '../interleave.ts'
import { measuredRow } from '../measured-row.ts'
import { findGalera, Galera } from '../peers/galera.ts'
import { type Absent, absent, isAbsent } from '../peers/peer.ts'
import { findPostgres, Postgres } from '../peers/postgres.ts'
import type { Report, Row, Target } from '../report.ts'
import type { SuiteOptions } from '../suite.ts'
import type { KvAcknowledged, KvAnswer, KvKind, KvLoad } from '../workers/kv-worker-protocol.ts'
import { largeTable } from './kv/large-table.ts'

const NODES = 3
const CALLERS = [1, 16, 64]
const CALL_MS_MAX = 120_000
const OURS = 'fsync on 2 of 3, rows on 2, Noise'

interface Part {
  readonly kind: KvKind
  readonly what: string
  /** What the best peer's throughput at 64 callers is multiplied by; null: nothing is asked. */
  readonly times: number | null
}

const PARTS: readonly Part[] = [
  { kind: 'insert', what: 'INSERT of one row', times: 2 },
  { kind: 'update', what: 'UPDATE of one row by key', times: 2 },
  { kind: 'transaction', what: 'transaction of 5 INSERTs, one by one', times: 2 },
  { kind: 'counter', what: 'increment of one hot row', times: 5 },
  { kind: 'read', what: 'SELECT by key, linearizable', times: 5 },
  { kind: 'readAway', what: 'SELECT by key of a row that other nodes hold', times: 1 },
]

interface Stage {
  readonly fleet: Fleet
  readonly postgres: Postgres | null
  readonly galera: Galera | null
}

/** Rows by key: writes, transactions, a hot row and reads, beside PostgreSQL with synchronous standbys and Galera. */
export async function kv(options: SuiteOptions): Promise<Report> {
  const chosen = (part: string): boolean => options.parts.length === 0 || options.parts.includes(part)
  const parts = PARTS.filter(({ kind }) => chosen(kind))
  const report = parts.length > 0 ? await throughput(parts, options) : { rows: [], absent: [] }
  return {
    suite: 'kv',
    durability: 'three servers as processes of their own, every commit fsynced on two of them',
    rows: [...report.rows, ...(chosen('large-table') ? await largeTable(options) : [])],
    absent: report.absent,
  }
}

async function throughput(
  parts: readonly Part[],
  options: SuiteOptions,
): Promise<{ readonly rows: readonly Row[]; readonly absent: readonly Absent[] }> {
  const missing: Absent[] = []
  const wanted = async <Found extends object>(name: string, find: () => Promise<Found | Absent>) => {
    if (!options.peers.includes(name)) return null
    const found = await find()
    if (!isAbsent(found)) return found as Found
    missing.push(found)
    return null
  }
  const postgresHere = await wanted('postgres', findPostgres)
  const galeraHere = await wanted('galera', findGalera)
  for (const peer of options.peers)
    if (peer !== 'postgres' && peer !== 'galera') missing.push(absent(peer, 'this suite does not know it'))
  let postgres: Postgres | null = null
  let galera: Galera | null = null
  let fleet: Fleet | null = null
  const rows: Row[] = []
  try {
    options.progress('starting the nodes')
    fleet = await Fleet.start(NODES, 'kv-worker.ts')
    await Promise.all(fleet.workers.map((worker) => worker.call('ready', null, CALL_MS_MAX)))
    await fleet.settled()
    await fleet.worker(0).call('prepare', null, CALL_MS_MAX)
    await fleet.settled()
    if (postgresHere) {
      options.progress('starting PostgreSQL')
      postgres = await Postgres.start(postgresHere)
    }
    if (galeraHere) {
      options.progress('starting Galera')
      galera = await Galera.start(galeraHere)
    }
    const stage: Stage = { fleet, postgres, galera }
    for (const part of parts)
      for (const callers of CALLERS) rows.push(...(await measure(stage, part, callers, options)))
    rows.push(await readBack(fleet, options))
  } finally {
    await fleet?.stop()
    await postgres?.stop()
    await galera?.stop()
  }
  return { rows, absent: missing }
}

function contenders({ fleet, postgres, galera }: Stage, load: KvLoad, failed: number[]): Contender[] {
  const counted = async (at: number, answer: Promise<KvAnswer>): Promise<KvAnswer> => {
    const result = await answer
    failed[at] = (failed[at] ?? 0) + result.failed
    return result
  }
  const all: Contender[] = []
  const add = (contender: Omit<Contender, 'run'>, run: () => Promise<KvAnswer>): void => {
    const at = all.length
    all.push({ ...contender, run: () => counted(at, run()) })
  }
  const servers = fleet.workers.map(({ pid }) => pid)
  add({ who: 'ours, callers in one of the nodes', peer: null, durability: OURS, servers, client: [] }, () =>
    fleet.worker(0).call<KvAnswer>('load', load, CALL_MS_MAX),
  )
  if (postgres)
    add(
      {
        who: `PostgreSQL ${postgres.version}, pgbench`,
        peer: 'postgres',
        durability: 'fsync on the primary and 1 of 2 standbys',
        servers: postgres.serverPids,
        client: [process.pid],
      },
      () => postgres.load(load),
    )
  if (galera)
    for (const spread of load.callers === 1 ? [false] : [false, true])
      add(
        {
          who: `Galera ${galera.version}, callers on ${spread ? 'all nodes' : 'one node'}`,
          peer: 'galera',
          durability: 'fsync on the own node, certified on all',
          servers: galera.serverPids,
          client: [process.pid],
        },
        () => galera.load(load, spread),
      )
  return all
}

async function measure(stage: Stage, part: Part, callers: number, options: SuiteOptions): Promise<Row[]> {
  const { warmUpMs, measuredMs } = options
  const failed: number[] = []
  const load: KvLoad = { kind: part.kind, callers, warmUpMs, measuredMs }
  const what = `${part.what}, ${callers} ${callers === 1 ? 'caller' : 'callers'}`
  const measured = await interleave(contenders(stage, load, failed), options.runs, (who, run) =>
    options.progress(`${what}: ${who}, run ${run + 1}`),
  )
  const peers = measured.filter(({ contender }) => contender.peer !== null)
  return measured.map((one, i): Row => {
    const own = one.contender.peer === null
    const target = own ? targetOf(part, callers, one, peers) : null
    const remark = failed[i] ? `; lost races ${failed[i]}` : ''
    return measuredRow(one, { what, peers, target, remark })
  })
}

/** Against the best figure of each peer. */
function targetOf(
  { kind, times }: Part,
  callers: number,
  own: Measured,
  peers: readonly Measured[],
): Target | null {
  if (peers.length === 0) return null
  const writes = kind === 'insert' || kind === 'update' || kind === 'transaction'
  if (callers === 1 && writes) {
    const least = Math.min(...peers.map(({ p50 }) => p50))
    return { text: 'p50 not above the better peer’s', reached: own.p50 <= least }
  }
  if (callers !== 64 || times === null) return null
  const best = Math.max(...peers.map(({ perSecond }) => perSecond))
  return { text: `at least ${times}× the better peer`, reached: own.perSecond >= times * best }
}

/** Kills all three servers −9, starts them again, and looks for everything that was acknowledged. */
async function readBack(fleet: Fleet, { progress }: SuiteOptions): Promise<Row> {
  progress('reading back after kill −9 of all nodes')
  const acknowledged = await fleet.worker(0).call<KvAcknowledged>('acknowledged', null, CALL_MS_MAX)
  await Promise.all(fleet.workers.map((worker) => worker.kill()))
  for (let i = 0; i < NODES; i++) fleet.restart(i)
  await Promise.all(fleet.workers.map((worker) => worker.call('ready', null, CALL_MS_MAX)))
  await fleet.settled()
  const { rows, counter } = await fleet
    .worker(1)
    .call<{ rows: number; counter: number }>('held', acknowledged, CALL_MS_MAX)
  const count = acknowledged.ids.reduce((sum, [first, last]) => sum + last - first + 1, 0)
  const lost = count - rows + Math.max(0, acknowledged.increments - counter)
  return {
    what: 'acknowledged rows and increments lost when all nodes were killed −9',
    who: 'ours',
    value: lost,
    unit: 'lost',
    durability: OURS,
    target: { text: 'none', reached: lost === 0 },
    note: `${rows.toLocaleString('en-US')} of ${count.toLocaleString('en-US')} rows found again, the counter at ${counter} after ${acknowledged.increments}`,
  }
}
