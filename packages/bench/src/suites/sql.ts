import { fileURLToPath } from 'node:url'
import { CalledProcess } from '@cluster/testkit'
import { Fleet } from '../fleet.ts'
import { median } from '../latency.ts'
import { type Absent, absent, isAbsent } from '../peers/peer.ts'
import { findPostgres } from '../peers/postgres.ts'
import { PostgresSingle } from '../peers/postgres-single.ts'
import { type Cores, withCores } from '../processor.ts'
import type { QueryAnswer, QueryLoad } from '../query-load.ts'
import type { Report, Row } from '../report.ts'
import {
  INDEX,
  insertText,
  loads,
  parts,
  type SqlPart,
  sqliteInsertText,
  TABLES,
  TEN_TABLES,
  TYPICAL,
} from '../sql-suite-data.ts'
import type { SuiteOptions } from '../suite.ts'
import type { MovedAnswer, PlanningAnswer } from '../workers/sql-worker-protocol.ts'

const CALL_MS_MAX = 600_000
const PLANNING_RUNS = 200
/** Statements planned before a process that is new no more is measured. */
const PLANNING_WARM_UPS = 1_000
const COLD_MS_MAX = 0.3
const CACHED_MS_MAX = 0.005
const NODES = 3
/** Over the network there need not be a million rows to see what moves. */
const SPREAD_ROWS_MAX = 100_000

/** Who answers queries. */
interface Engine {
  readonly who: string
  readonly peer: string | null
  readonly servers: readonly number[]
  query(load: QueryLoad): Promise<QueryAnswer>
}

/** The speed of the executor and the optimizer, with plans that are warm, beside PostgreSQL and SQLite on the same rows. */
export async function sql(options: SuiteOptions): Promise<Report> {
  const missing: Absent[] = []
  const stops: (() => Promise<void>)[] = []
  const rows: Row[] = []
  const wanted = (name: string): boolean => options.parts.length === 0 || options.parts.includes(name)
  try {
    const { worker, engine } = await startOurs(options, stops)
    const engines: Engine[] = [engine]
    let sqlite: CalledProcess | null = null
    for (const peer of options.peers) {
      if (peer === 'postgres') {
        const found = await findPostgres()
        if (isAbsent(found)) missing.push(found)
        else engines.push(await startPostgres(await PostgresSingle.start(found), options, stops))
      } else if (peer === 'sqlite') {
        const started = await startSqlite(options, stops)
        sqlite = started.worker
        engines.push(started.engine)
      } else missing.push(absent(peer, 'this suite does not know it'))
    }
    for (const part of parts(options.rows))
      if (wanted(part.name)) rows.push(...(await measure(engines, part, options)))
    if (wanted('plan')) rows.push(...(await planning(worker, sqlite, engines, options)))
    if (wanted('spread')) rows.push(...(await spread(options)))
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
  return {
    suite: 'sql',
    durability: `${options.rows.toLocaleString('en-US')} rows in memory, one caller, warm plans, medians of ${options.runs} runs; nothing is written`,
    rows,
    absent: missing,
  }
}

async function startOurs({ rows, progress }: SuiteOptions, stops: (() => Promise<void>)[]) {
  progress('loading our node')
  const fleet = await Fleet.start(1, 'sql-worker.ts')
  stops.push(() => fleet.stop())
  const worker = fleet.worker(0)
  await worker.call('ready', null, CALL_MS_MAX)
  await worker.call('execute', [...TABLES, ...loads(rows).map(insertText), INDEX], CALL_MS_MAX)
  const engine: Engine = {
    who: 'ours, in the process of a node',
    peer: null,
    servers: [worker.pid],
    query: (load) => worker.call('query', load, CALL_MS_MAX),
  }
  return { worker, engine }
}

async function startPostgres(
  postgres: PostgresSingle,
  { rows, progress }: SuiteOptions,
  stops: (() => Promise<void>)[],
): Promise<Engine> {
  stops.push(() => postgres.stop())
  progress('loading PostgreSQL')
  for (const text of [...TABLES, ...loads(rows).map(insertText), INDEX, 'VACUUM ANALYZE'])
    await postgres.ask(text)
  return {
    who: `PostgreSQL ${postgres.version}, pgbench through a socket`,
    peer: 'postgres',
    servers: postgres.serverPids,
    query: (load) => postgres.query(load),
  }
}

async function startSqlite({ rows, progress }: SuiteOptions, stops: (() => Promise<void>)[]) {
  progress('loading SQLite')
  const program = fileURLToPath(new URL('../workers/sqlite-worker.ts', import.meta.url))
  const args = ['--conditions=source', '--disable-warning=ExperimentalWarning', program]
  const worker = new CalledProcess('SQLite', { program: process.execPath, args }, () => {})
  stops.push(() => worker.stop())
  await worker.call(
    'execute',
    [...TABLES, ...loads(rows).map(sqliteInsertText), INDEX, 'ANALYZE'],
    CALL_MS_MAX,
  )
  const engine: Engine = {
    who: `SQLite ${await worker.call<string>('version')}, in memory, node:sqlite`,
    peer: 'sqlite',
    servers: [worker.pid],
    query: (load) => worker.call('query', load, CALL_MS_MAX),
  }
  return { worker, engine }
}

interface Figure {
  readonly p50: number
  readonly p99: number
  readonly times: number
  readonly cores: Cores
}

/** All engines in turn, again and again, and the medians. */
async function measure(engines: readonly Engine[], part: SqlPart, options: SuiteOptions): Promise<Row[]> {
  const all = engines.map((): Figure[] => [])
  const { sql: text, parameters, what, times } = part
  const load = { sql: text, parameters, warmUpMs: options.warmUpMs, measuredMs: options.measuredMs }
  for (let run = 0; run < options.runs; run++)
    for (const [i, engine] of engines.entries()) {
      options.progress(`${what}: ${engine.who}, run ${run + 1}`)
      const { result, cores } = await withCores({ servers: engine.servers, client: [] }, () =>
        engine.query(load),
      )
      all[i]?.push({ ...result, cores })
    }
  const medians = all.map((figures) => median(figures.map(({ p50 }) => p50)))
  const own = medians[0] ?? Number.NaN
  const peers = engines.flatMap(({ peer }, i) =>
    peer === null ? [] : [[peer, medians[i] ?? Number.NaN] as const],
  )
  const small = Math.min(...medians) < 0.1
  const best = Math.min(...peers.map(([, p50]) => p50))
  return engines.map((engine, i): Row => {
    const figures = all[i] ?? []
    const middle = (of: (figure: Figure) => number): number => median(figures.map(of))
    const isOwn = engine.peer === null && peers.length > 0
    return {
      what,
      who: engine.who,
      value: (medians[i] ?? Number.NaN) * (small ? 1_000 : 1),
      unit: small ? 'µs' : 'ms',
      p99: middle(({ p99 }) => p99),
      cores: {
        servers: middle(({ cores }) => cores.servers),
        client: 0,
        others: middle(({ cores }) => cores.others),
      },
      ...(isOwn ? { ratios: Object.fromEntries(peers.map(([peer, p50]) => [peer, p50 / own])) } : {}),
      ...(isOwn
        ? {
            target: {
              text: times === 1 ? 'faster than both' : `${times}× as fast as the better`,
              reached: best / own >= times && own < best,
            },
          }
        : {}),
      note: `${Math.round(middle(({ times: count }) => count)).toLocaleString('en-US')} times a run`,
    }
  })
}

/** Planning: a typical statement new and known, and a join of ten tables. */
async function planning(
  ours: CalledProcess,
  sqlite: CalledProcess | null,
  engines: readonly Engine[],
  options: SuiteOptions,
): Promise<Row[]> {
  options.progress('planning')
  const ask = (worker: CalledProcess, text: string) =>
    worker.call<PlanningAnswer>(
      'planning',
      { sql: text, runs: PLANNING_RUNS, warmUps: PLANNING_WARM_UPS },
      CALL_MS_MAX,
    )
  const typical = await ask(ours, TYPICAL)
  const ten = await ask(ours, TEN_TABLES)
  const row = (what: string, value: number, target: Row['target']): Row => ({
    what,
    who: 'ours, in the process of a node',
    value: value * 1_000,
    unit: 'µs',
    ...(target ? { target } : {}),
    note: `median of ${PLANNING_RUNS}`,
  })
  const coldTarget = (value: number) => ({
    text: `at most ${COLD_MS_MAX * 1_000} µs`,
    reached: value <= COLD_MS_MAX,
  })
  const rows = [
    row('parse and plan, a new statement', typical.cold, coldTarget(typical.cold)),
    row('the same, among the first of a process', typical.first, coldTarget(typical.first)),
    row('find the plan of a known statement', typical.cached, {
      text: `at most ${CACHED_MS_MAX * 1_000} µs`,
      reached: typical.cached <= CACHED_MS_MAX,
    }),
  ]
  const others: Row[] = []
  const times: number[] = []
  for (const { peer, who, query } of engines) {
    let value: number
    if (peer === 'sqlite' && sqlite !== null) value = (await ask(sqlite, TEN_TABLES)).cold
    else if (peer === 'postgres')
      value = (
        await query({
          sql: `EXPLAIN ${TEN_TABLES}`,
          parameters: null,
          warmUpMs: 0,
          measuredMs: options.measuredMs,
        })
      ).p50
    else continue
    times.push(value)
    others.push({
      what: 'parse and plan a join of ten tables',
      who,
      value: value * 1_000,
      unit: 'µs',
      note: '',
    })
  }
  const target =
    times.length === 0
      ? undefined
      : { text: 'faster than both', reached: times.every((time) => ten.cold < time) }
  return [...rows, row('parse and plan a join of ten tables', ten.cold, target), ...others]
}

/** The same queries at one of three nodes that each hold a third, and what they make the nodes send. */
async function spread(options: SuiteOptions): Promise<Row[]> {
  const count = Math.min(options.rows, SPREAD_ROWS_MAX)
  options.progress('loading three nodes')
  const fleet = await Fleet.start(NODES, 'sql-worker.ts')
  try {
    await Promise.all(fleet.workers.map((worker) => worker.call('ready', null, CALL_MS_MAX)))
    await fleet.settled()
    const asked = fleet.worker(1)
    await fleet.worker(0).call('execute', [...TABLES, ...loads(count).map(insertText), INDEX], CALL_MS_MAX)
    await fleet.settled()
    const rows: Row[] = []
    for (const { what, sql: text, parameters, needed } of parts(count)) {
      options.progress(`three nodes: ${what}`)
      const values =
        parameters === null
          ? []
          : [parameters.from, ...(parameters.span === null ? [] : [parameters.from + parameters.span])]
      const { bytes, answers } = await asked.call<MovedAnswer>('moved', { sql: text, values }, CALL_MS_MAX)
      const load: QueryLoad = { sql: text, parameters, warmUpMs: 200, measuredMs: options.measuredMs }
      const { p50 } = await asked.call<QueryAnswer>('query', load, CALL_MS_MAX)
      rows.push({
        what: `three nodes, ${count.toLocaleString('en-US')} rows: ${what}`,
        who: 'ours, asked at one of them',
        value: p50,
        unit: 'ms',
        note: `${answers.toLocaleString('en-US')} bytes of answers, needed about ${needed.toLocaleString('en-US')}; ${bytes.toLocaleString('en-US')} read in all`,
      })
    }
    return rows
  } finally {
    await fleet.stop()
  }
}
