import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wire } from '@cluster/testkit'
import { Fleet } from '../fleet.ts'
import { Histogram } from '../histogram.ts'
import { type Contender, interleave, type Measured } from '../interleave.ts'
import { median } from '../latency.ts'
import { measuredRow } from '../measured-row.ts'
import { findGalera, Galera } from '../peers/galera.ts'
import { type Absent, absent, isAbsent } from '../peers/peer.ts'
import { pgbench } from '../peers/pgbench.ts'
import { findPostgres, Postgres } from '../peers/postgres.ts'
import { Servers } from '../peers/servers.ts'
import type { Report, Row, Target } from '../report.ts'
import type { SuiteOptions } from '../suite.ts'
import type { KvAnswer } from '../workers/kv-worker-protocol.ts'
import { countRows, firstRowMs, residentBytes } from './pgwire/connections.ts'
import { type CopyStand, copies } from './pgwire/copies.ts'

const CALLERS = [1, 16, 64]
const CALL_MS_MAX = 120_000
/** As many as there are callers at most, so that they do not all wait for one row; each has ten tellers. */
const BRANCHES = 64
const ACCOUNTS = 100_000
const ROWS_A_LOAD = 5_000
/** PostgreSQL of this bench admits 100. */
const CONNECTIONS = { ours: 5_000, theirs: 50 } as const
const FIRST_ROWS = 100
const LARGE_ROWS = 1_000_000
const VARIABLES = { accounts: ACCOUNTS, branches: BRANCHES }

const SETS = `\\set aid random(1, :accounts)
\\set bid random(1, :branches)
\\set tid random(1, 10 * :branches)
\\set delta random(-5000, 5000)
`
const CHANGE = `UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
`
const HISTORY = `INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);
`

interface Part {
  readonly name: 'select' | 'simple' | 'tpcb'
  readonly what: string
  readonly script: string
}

/** pgbench's own scripts, with fewer accounts a branch. */
const PARTS: readonly Part[] = [
  {
    name: 'select',
    what: 'pgbench -S',
    script: '\\set aid random(1, :accounts)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n',
  },
  { name: 'simple', what: 'pgbench -N', script: `${SETS}BEGIN;\n${CHANGE}${HISTORY}END;\n` },
  {
    name: 'tpcb',
    what: 'pgbench TPC-B',
    script: `${SETS}BEGIN;
${CHANGE}UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
${HISTORY}END;
`,
  },
]

const TABLES = [
  'CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88))',
  'CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84))',
  'CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84))',
  'CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))',
  `INSERT INTO pgbench_branches SELECT g, 0, '' FROM generate_series(1, ${BRANCHES}) g`,
  `INSERT INTO pgbench_tellers SELECT g, 1 + (g - 1) / 10, 0, '' FROM generate_series(1, ${10 * BRANCHES}) g`,
]

/** One that speaks PostgreSQL's protocol and is measured. */
interface Stand {
  readonly who: string
  readonly peer: string | null
  readonly durability: string
  readonly pids: readonly number[]
  readonly ports: readonly number[]
  run(file: string, callers: number, options: SuiteOptions): Promise<KvAnswer>
}

/** Clients of PostgreSQL's protocol: pgbench, connections, a large result. */
export async function pgwire(options: SuiteOptions): Promise<Report> {
  const missing: Absent[] = []
  const found = await findPostgres()
  // pgbench is the client of all, ours too.
  if (isAbsent(found)) return { suite: 'pgwire', durability: '', rows: [], absent: [found] }
  for (const peer of options.peers)
    if (peer !== 'postgres' && peer !== 'galera') missing.push(absent(peer, 'this suite does not know it'))
  const stops: (() => Promise<void>)[] = []
  const rows: Row[] = []
  try {
    const scripts = await mkdtemp(join(tmpdir(), 'cluster-bench-scripts-'))
    // PostgreSQL's client runs as its user.
    await chmod(scripts, 0o755)
    stops.push(() => rm(scripts, { recursive: true, force: true }))
    const program = join(found.bin, 'pgbench')
    const stands: Stand[] = []
    for (const count of [3, 1]) {
      options.progress(`starting ${count} of ours`)
      const fleet = await Fleet.start(count, 'pgwire-worker.ts')
      stops.push(() => fleet.stop())
      stands.push(await ours(fleet, count, program, stops))
    }
    if (options.peers.includes('postgres'))
      for (const standbys of [2, 0]) {
        options.progress('starting PostgreSQL')
        const postgres = await Postgres.start(found, standbys)
        stops.push(() => postgres.stop())
        stands.push(theirs(postgres, standbys))
      }
    let galera: Galera | null = null
    if (options.peers.includes('galera')) {
      const here = await findGalera()
      if (isAbsent(here)) missing.push(here)
      else {
        options.progress('starting Galera')
        const started = await Galera.start(here)
        stops.push(() => started.stop())
        await started.loadPgbench(VARIABLES)
        galera = started
      }
    }
    for (const stand of stands) await load(stand, options)
    const wanted = (name: string): boolean => options.parts.length === 0 || options.parts.includes(name)
    for (const part of PARTS.filter(({ name }) => wanted(name))) {
      const file = join(scripts, `${part.name}.sql`)
      await writeFile(file, part.script)
      for (const callers of CALLERS)
        rows.push(...(await measure(stands, galera, part, file, callers, options)))
    }
    if (wanted('connections')) rows.push(...(await connections(stands, galera, options)))
    if (wanted('large')) rows.push(...(await large(stands, galera, options)))
    if (wanted('copy')) rows.push(...(await copies(copyStands(stands), options)))
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
  return {
    suite: 'pgwire',
    durability: 'every commit fsynced; clients in other processes, on loopback, without encryption',
    rows,
    absent: missing,
  }
}

async function ours(
  fleet: Fleet,
  count: number,
  program: string,
  stops: (() => Promise<void>)[],
): Promise<Stand> {
  const ports = await Promise.all(
    fleet.workers.map((worker) => worker.call<number>('ready', null, CALL_MS_MAX)),
  )
  await fleet.settled()
  const servers = await Servers.inFolder('pgbench', null)
  stops.push(() => servers.stop())
  const [port = 0] = ports
  const connection = ['-h', '127.0.0.1', '-p', String(port), '-U', 'cluster', 'bench']
  return {
    who: count === 1 ? 'ours, one node' : `ours, ${count} nodes, clients at one`,
    peer: null,
    durability: count === 1 ? 'fsync' : 'fsync on 2 of 3, rows on 2, Noise',
    pids: fleet.workers.map(({ pid }) => pid),
    ports,
    run: (file, callers, { warmUpMs, measuredMs }) =>
      pgbench(servers, program, connection, {
        file,
        callers,
        warmUpMs,
        measuredMs,
        variables: VARIABLES,
        again: true,
      }),
  }
}

const theirs = (postgres: Postgres, standbys: number): Stand => ({
  who: `PostgreSQL ${postgres.version}${standbys === 0 ? ' alone' : `, ${standbys} standbys`}`,
  peer: standbys === 0 ? 'postgres alone' : 'postgres',
  durability: standbys === 0 ? 'fsync' : 'fsync on the primary and 1 of 2 standbys',
  pids: postgres.serverPids,
  ports: [postgres.port],
  run: (file, callers, { warmUpMs, measuredMs }) =>
    postgres.pgbench({ file, callers, warmUpMs, measuredMs, variables: VARIABLES, again: true }),
})

const startupOf = ({ peer }: Stand): Record<string, string> =>
  peer === null ? { user: 'cluster', database: 'bench' } : { user: 'bench', database: 'postgres' }

async function load(stand: Stand, { progress }: SuiteOptions): Promise<void> {
  progress(`loading ${stand.who}`)
  const client = await wire.WireClient.ready(stand.ports[0] ?? 0, startupOf(stand))
  const ask = async (text: string): Promise<void> => {
    client.send(wire.query(text))
    const error = (await client.untilReady()).find((line) => line.startsWith('error'))
    if (error !== undefined) throw new Error(`${stand.who}: ${error}`)
  }
  for (const text of TABLES) await ask(text)
  for (let from = 1; from <= ACCOUNTS; from += ROWS_A_LOAD)
    await ask(
      `INSERT INTO pgbench_accounts SELECT g, 1 + g % ${BRANCHES}, 0, '' FROM generate_series(${from}, ${from + ROWS_A_LOAD - 1}) g`,
    )
  client.close()
}

async function measure(
  stands: readonly Stand[],
  galera: Galera | null,
  { name, what }: Part,
  file: string,
  callers: number,
  options: SuiteOptions,
): Promise<Row[]> {
  const { warmUpMs, measuredMs } = options
  const contenders = stands.map((stand): Contender => {
    const { who, peer, durability, pids } = stand
    return {
      who,
      peer,
      durability,
      servers: pids,
      client: [process.pid],
      run: () => stand.run(file, callers, options),
    }
  })
  // Its better figure counts: spread callers certify against each other, on one member they wait in line.
  if (galera !== null)
    for (const spread of callers > 1 ? [true, false] : [false])
      contenders.push({
        who: `Galera ${galera.version}, its own protocol, ${spread ? 'callers on all' : 'callers on one'}`,
        peer: 'galera',
        durability: 'fsync on the own node, certified on all',
        servers: galera.serverPids,
        client: [process.pid],
        run: () => galera.pgbench(name, { callers, warmUpMs, measuredMs }, VARIABLES, spread),
      })
  const title = `${what}, ${callers} ${callers === 1 ? 'client' : 'clients'}`
  const measured = await interleave(contenders, options.runs, (who, run) =>
    options.progress(`${title}: ${who}, run ${run + 1}`),
  )
  return measured.map((one, i): Row => {
    // A peer that got nothing done in so short a time tells nothing.
    // Of a peer that is measured in two ways the better figure counts.
    const peers = measured
      .filter(({ contender, perSecond }) => contender.peer !== null && perSecond > 0)
      .sort((a, b) => a.perSecond - b.perSecond)
    const target = i === 0 && callers === 64 ? targetOf(name, one, peers) : null
    return measuredRow(one, { what: title, peers, target, unit: 'tps' })
  })
}

function targetOf(name: Part['name'], own: Measured, peers: readonly Measured[]): Target | null {
  const held = name === 'select' ? 'postgres alone' : 'postgres'
  const peer = peers.find(({ contender }) => contender.peer === held)
  if (peer === undefined) return null
  const times = name === 'select' ? 1 : 2
  return {
    text: name === 'select' ? 'level with PostgreSQL' : '2× PostgreSQL with standbys',
    reached: own.perSecond >= times * peer.perSecond,
  }
}

/** Whom a suite of COPY is run against. */
const copyStands = (stands: readonly Stand[]): CopyStand[] =>
  stands.map((stand) => ({
    who: stand.who,
    port: stand.ports[0] ?? 0,
    startup: startupOf(stand),
  }))

async function connections(
  stands: readonly Stand[],
  galera: Galera | null,
  { progress, runs, measuredMs }: SuiteOptions,
): Promise<Row[]> {
  const rows: Row[] = []
  if (galera !== null) {
    const { operations, buckets } = await galera.firstRows(measuredMs)
    rows.push({
      what: 'from connecting to the first row',
      who: `Galera ${galera.version}, its own protocol`,
      value: Histogram.of(buckets).quantile(0.5) / 1000,
      unit: 'ms',
      durability: '',
      note: `median of ${operations}, one after another`,
    })
  }
  for (const stand of stands) {
    const port = stand.ports[0] ?? 0
    const startup = startupOf(stand)
    progress(`connections: ${stand.who}`)
    const times: number[] = []
    for (let i = 0; i < FIRST_ROWS * runs; i++) times.push(await firstRowMs(port, startup))
    rows.push({
      what: 'from connecting to the first row',
      who: stand.who,
      value: median(times),
      unit: 'ms',
      durability: '',
      note: `median of ${times.length}, one after another`,
    })
    const before = await residentBytes(stand.pids)
    const count = stand.peer === null ? CONNECTIONS.ours : CONNECTIONS.theirs
    const clients: wire.WireClient[] = []
    for (let i = 0; i < count; i++) {
      const client = await wire.WireClient.ready(port, startup)
      client.send(wire.query('SELECT abalance FROM pgbench_accounts WHERE aid = 1'))
      await client.untilReady()
      clients.push(client)
    }
    const after = await residentBytes(stand.pids)
    for (const client of clients) client.close()
    rows.push({
      what: 'memory of a connection that has asked one thing',
      who: stand.who,
      value: (after - before) / count / 1024,
      unit: 'KiB',
      durability: '',
      note: `${count} connections; shared pages counted once`,
    })
  }
  return rows
}

async function large(
  stands: readonly Stand[],
  galera: Galera | null,
  { progress, runs }: SuiteOptions,
): Promise<Row[]> {
  const rows: Row[] = []
  const add = (who: string, speeds: readonly number[]): void => {
    rows.push({
      what: 'rows of a SELECT of 1,000,000',
      who,
      value: median([...speeds]),
      unit: 'rows/s',
      durability: '',
      note: `runs ${speeds.map((speed) => Math.round(speed).toLocaleString('en-US')).join('; ')}; rows of a number and a text`,
    })
  }
  if (galera !== null) {
    progress('a large result: Galera')
    const speeds: number[] = []
    for (let run = 0; run < runs; run++) {
      const { buckets } = await galera.rows(LARGE_ROWS)
      speeds.push((LARGE_ROWS / Histogram.of(buckets).quantile(0.5)) * 1_000_000)
    }
    add(`Galera ${galera.version}, its own protocol`, speeds)
  }
  const text = `SELECT g, 'a text of about thirty characters' AS t FROM generate_series(1, ${LARGE_ROWS}) g`
  for (const stand of stands) {
    progress(`a large result: ${stand.who}`)
    const speeds: number[] = []
    for (let run = 0; run < runs; run++) {
      const start = performance.now()
      const count = await countRows(stand.ports[0] ?? 0, startupOf(stand), text)
      if (count !== LARGE_ROWS) throw new Error(`${stand.who} gave ${count} rows of ${LARGE_ROWS}`)
      speeds.push((count / (performance.now() - start)) * 1000)
    }
    add(stand.who, speeds)
  }
  return rows
}
