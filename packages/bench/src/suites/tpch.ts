import { Fleet } from '../fleet.ts'
import { median } from '../latency.ts'
import { type Absent, absent, isAbsent } from '../peers/peer.ts'
import { findPostgres } from '../peers/postgres.ts'
import { PostgresSingle } from '../peers/postgres-single.ts'
import type { QueryAnswer, QueryLoad } from '../query-load.ts'
import type { Report, Row } from '../report.ts'
import type { SuiteOptions } from '../suite.ts'
import { sameAnswers } from '../tpch/compare.ts'
import { tpchRows } from '../tpch/generator.ts'
import { tpchQueries } from '../tpch/queries.ts'
import { PEER_INDEXES, SCHEMA } from '../tpch/schema.ts'

const CALL_MS_MAX = 3_600_000

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)

/** The 22 queries of TPC-H on rows of our own generator, results and times beside PostgreSQL's. */
export async function tpch(options: SuiteOptions): Promise<Report> {
  const { scale, runs, progress } = options
  const missing: Absent[] = []
  const rows: Row[] = []
  let fleet: Fleet | null = null
  let postgres: PostgresSingle | null = null
  try {
    for (const peer of options.peers) {
      if (peer !== 'postgres') {
        missing.push(absent(peer, 'this suite does not know it'))
        continue
      }
      const found = await findPostgres()
      if (isAbsent(found)) missing.push(found)
      else {
        progress('loading PostgreSQL')
        postgres = await PostgresSingle.start(found)
        for (const { table, sql } of SCHEMA) {
          await postgres.ask(sql)
          await postgres.load(table, tpchRows(table, scale))
        }
        for (const index of PEER_INDEXES) await postgres.ask(index)
        await postgres.ask('VACUUM ANALYZE')
      }
    }
    progress('loading our node')
    fleet = await Fleet.start(1, 'sql-worker.ts')
    const worker = fleet.worker(0)
    await worker.call('ready', null, CALL_MS_MAX)
    await worker.call('loadTpch', { scale }, CALL_MS_MAX)
    const own: number[] = []
    const others: number[] = []
    for (const { number, sql } of tpchQueries(scale)) {
      if (options.parts.length > 0 && !options.parts.includes(String(number))) continue
      progress(`query ${number}`)
      const load: QueryLoad = { sql, parameters: null, warmUpMs: 0, measuredMs: 0 }
      const answer = await worker.call<readonly (readonly (string | null)[])[]>('rows', sql, CALL_MS_MAX)
      const theirs = postgres === null ? null : await postgres.ask(sql)
      const equal = theirs === null ? null : sameAnswers(answer, theirs)
      const times: number[] = []
      const theirTimes: number[] = []
      for (let run = 0; run < runs; run++) {
        times.push((await worker.call<QueryAnswer>('query', load, CALL_MS_MAX)).p50)
        if (postgres !== null) theirTimes.push((await postgres.query(load)).p50)
      }
      own.push(median(times))
      if (postgres !== null) others.push(median(theirTimes))
      const what = `query ${number}`
      rows.push({
        what,
        who: 'ours, in the process of a node',
        value: median(times),
        unit: 'ms',
        ...(postgres === null ? {} : { ratios: { postgres: median(theirTimes) / median(times) } }),
        ...(equal === null ? {} : { target: { text: 'the same rows as PostgreSQL', reached: equal } }),
        note: `${answer.length} ${answer.length === 1 ? 'row' : 'rows'}`,
      })
      if (postgres !== null)
        rows.push({
          what,
          who: `PostgreSQL ${postgres.version}, pgbench through a socket`,
          value: median(theirTimes),
          unit: 'ms',
          note: '',
        })
    }
    if (own.length > 0) {
      const ratio = geometricMean(others) / geometricMean(own)
      rows.push({
        what: 'geometric mean',
        who: 'ours, in the process of a node',
        value: geometricMean(own),
        unit: 'ms',
        ...(postgres === null
          ? {}
          : {
              ratios: { postgres: ratio },
              target: { text: 'at least level with PostgreSQL', reached: ratio >= 1 },
            }),
        note: `of ${own.length} queries`,
      })
    }
  } finally {
    await fleet?.stop()
    await postgres?.stop()
  }
  return {
    suite: 'tpch',
    durability: `scale ${scale}, one caller, warm plans, medians of ${runs} runs; nothing is written`,
    rows,
    absent: missing,
  }
}
