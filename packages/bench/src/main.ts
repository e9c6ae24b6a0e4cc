import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type Report, reportJson, reportText } from './report.ts'
import type { SuiteOptions } from './suite.ts'
import { growth } from './suites/growth.ts'
import { kv } from './suites/kv.ts'
import { log } from './suites/log.ts'
import { objects } from './suites/objects.ts'
import { pgwire } from './suites/pgwire.ts'
import { smoke } from './suites/smoke.ts'
import { sql } from './suites/sql.ts'
import { storage } from './suites/storage.ts'
import { tpch } from './suites/tpch.ts'

/** Rows of a table unless somebody says otherwise. */
const TABLE_ROWS = 1_000_000
const given = (option: string): boolean =>
  process.argv.some((argument) => argument.split('=')[0] === `--${option}`)

const SUITES: Readonly<Record<string, (options: SuiteOptions) => Promise<Report>>> = {
  growth,
  kv: (options) => kv({ ...options, rows: given('rows') ? options.rows : TABLE_ROWS }),
  log,
  objects,
  pgwire,
  smoke: ({ progress }) => smoke(progress),
  sql: (options) => sql({ ...options, rows: given('rows') ? options.rows : TABLE_ROWS }),
  storage,
  tpch,
}

const HELP = `usage: npm run bench -- --suite <suite> [options]

suites
  smoke   start-up, commits, point reads and fail-over of three processes on this machine
  growth  messages and bytes a commit in simulated clusters of 3 to 100 nodes
  kv      rows by key: writes, transactions, a hot row, reads, a large table; knows the peers postgres and galera
  log     the ordered log alone: appends, linearizable reads, fail-over, a long log; knows the peer etcd
  objects locks: uncontended, many on one, many of many; containers; knows the peers etcd and redis
  sql     one node's SQL: scans, groups, joins, look-ups, planning; three nodes; knows the peers postgres and sqlite
  pgwire  clients of PostgreSQL's protocol: pgbench, connections, a large result; knows the peers postgres and galera
  storage the storage engines without a cluster: load, reads, checkpoints, copies, restart
  tpch    the 22 queries of TPC-H, compared and timed; knows the peer postgres

options
  --peers <a,b>         measure beside these; one that is not installed is reported and makes exit code 2
  --parts <a,b>         of the suite log: append, read, fail-over, idle, long-log; of kv: insert, update, transaction,
                        counter, read, readAway, large-table; of sql: filter, group, join, sort,
                        point, range, plan, spread; of objects: locks, put, get, local, queue, counter,
                        topic, join; of tpch: numbers of queries; of growth: numbers
                        of nodes (default: all)
  --runs <n>            runs of which the median is taken (default 3)
  --warm-up-ms <n>      before each run (default 700)
  --measured-ms <n>     of each run (default 2000)
  --fail-overs <n>      repetitions of a killed leader (default 20)
  --log-mib <n>         size of the long log (default 128)
  --state-mib <n>       size of the state whose snapshot is taken (default 16)
  --rows <n>            rows of the partition of the suite storage (default 200000), of a table of the suites kv and sql (1000000)
  --scale <n>           of the suite tpch (default 0.1)
  --json <file>         write the figures for programs, too`

const { values } = parseArgs({
  options: {
    suite: { type: 'string' },
    peers: { type: 'string', default: '' },
    parts: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    'warm-up-ms': { type: 'string', default: '700' },
    'measured-ms': { type: 'string', default: '2000' },
    'fail-overs': { type: 'string', default: '20' },
    'log-mib': { type: 'string', default: '128' },
    'state-mib': { type: 'string', default: '16' },
    rows: { type: 'string', default: '200000' },
    scale: { type: 'string', default: '0.1' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const suite = SUITES[values.suite ?? '']
if (values.help || !suite) {
  console.log(HELP)
  process.exit(values.help ? 0 : 2)
}
const names = (list: string): string[] => list.split(',').filter((name) => name !== '')
const MIB = 1024 * 1024
const report = await suite({
  peers: names(values.peers),
  parts: names(values.parts),
  runs: Number(values.runs),
  warmUpMs: Number(values['warm-up-ms']),
  measuredMs: Number(values['measured-ms']),
  failOvers: Number(values['fail-overs']),
  logBytes: Number(values['log-mib']) * MIB,
  stateBytes: Number(values['state-mib']) * MIB,
  rows: Number(values.rows),
  scale: Number(values.scale),
  progress: (text) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text} …` : ''),
})
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
console.log(reportText(report))
if (values.json !== undefined) await writeFile(values.json, `${reportJson(report)}\n`)
if ((report.absent ?? []).length > 0) process.exitCode = 2
