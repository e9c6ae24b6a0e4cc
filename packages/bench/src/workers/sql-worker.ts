import { readFile } from 'node:fs/promises'
import { type ClusterDatabase, openCluster } from '@cluster/node'
import { answerCalls } from '@cluster/testkit'
import { median } from '../latency.ts'
import { type QueryLoad, runLoad } from '../query-load.ts'
import { loadTpch } from '../tpch/load.ts'
import type { MovedAnswer, PlanningAnswer, PlanningLoad } from './sql-worker-protocol.ts'
import type { WorkerOptions, WorkerStatus } from './worker-protocol.ts'

/** A node with the callers inside, in a process of its own, for the suites sql and tpch. */
const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions
const cluster = await openCluster({
  ...options,
  listen: [options.listen],
  mdns: false,
  alone: options.seeds.length === 0,
})

let opened: Promise<ClusterDatabase> | null = null

function database(): Promise<ClusterDatabase> {
  opened ??= cluster.database('sql', { redundancy: 1 })
  return opened
}

async function execute(texts: readonly string[]): Promise<void> {
  const db = await database()
  for (const text of texts) await db.query(text)
}

/** All rows of a query, as text. */
async function rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
  const session = (await database()).session()
  try {
    const { columns, rows: found } = await session.query(sql)
    return found.map((row) =>
      row.map((value, i) => {
        const column = columns[i]
        return value === null || column === undefined ? null : session.format(column.type, value)
      }),
    )
  } finally {
    session.close()
  }
}

async function query(load: QueryLoad) {
  const db = await database()
  return runLoad(load, (values) => db.query(load.sql, values))
}

async function planning({ sql, runs, warmUps }: PlanningLoad): Promise<PlanningAnswer> {
  const session = (await database()).session()
  try {
    await session.query('BEGIN READ ONLY')
    const timed = async (text: string): Promise<number> => {
      const startedAt = performance.now()
      await session.prepare(text)
      return performance.now() - startedAt
    }
    const first: number[] = []
    const cold: number[] = []
    const cached: number[] = []
    for (let run = 0; run < runs; run++) first.push(await timed(`${sql} /* first ${run} */`))
    for (let run = 0; run < warmUps; run++) await timed(`${sql} /* warm-up ${run} */`)
    for (let run = 0; run < runs; run++) cold.push(await timed(`${sql} /* ${run} */`))
    await timed(sql)
    for (let run = 0; run < runs; run++) cached.push(await timed(sql))
    return { first: median(first), cold: median(cold), cached: median(cached) }
  } finally {
    session.close()
  }
}

/** Bytes that this process has read so far; Linux tells. */
async function bytesRead(): Promise<number> {
  return Number(/^rchar: (\d+)$/m.exec(await readFile('/proc/self/io', 'utf8'))?.[1] ?? Number.NaN)
}

async function moved({ sql, values }: { readonly sql: string; readonly values: readonly number[] }) {
  const db = await database()
  await db.query(sql, values)
  const before = await bytesRead()
  const { rowCount } = await db.query(sql, values)
  const bytes = (await bytesRead()) - before
  const { rows: explained } = await db.query(`EXPLAIN ANALYZE ${sql}`, values)
  const answers = Number(/in (\d+) bytes from other nodes/.exec(String(explained.at(-1)?.[0]))?.[1] ?? 0)
  return { bytes, rows: rowCount, answers } satisfies MovedAnswer
}

answerCalls({
  ready: async () => {
    await cluster.ready()
    await database()
  },
  async status(): Promise<WorkerStatus> {
    const { leader, voters } = cluster.group()
    const { underReplicated } = (await database()).storage.status()
    return { id: cluster.id, leader, voters: voters.length, underReplicated: underReplicated.length }
  },
  execute,
  loadTpch: async ({ scale }: { readonly scale: number }) => loadTpch(await database(), scale),
  rows,
  query,
  planning,
  moved,
  stop: () => cluster.stop(),
})
