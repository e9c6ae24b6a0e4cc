import { type ClusterDatabase, openCluster } from '@cluster/node'
import { answerCalls } from '@cluster/testkit'
import { closedLoop, draws } from '../closed-loop.ts'
import {
  type KvAcknowledged,
  type KvAnswer,
  type KvFill,
  type KvLoad,
  ROWS_LOADED,
  TEXT_LENGTH,
} from './kv-worker-protocol.ts'
import type { WorkerOptions, WorkerStatus } from './worker-protocol.ts'

/** A node with a table of keys and texts, and with callers inside, in a process of its own. */
const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions
const cluster = await openCluster({ ...options, listen: [options.listen], mdns: false })
const text = 'x'.repeat(TEXT_LENGTH)
const LOAD_ROWS = 500
const FILLERS = 4
const FILL = 'INSERT INTO kv SELECT g, $1 FROM generate_series($2::integer, $3::integer) g'
const INSERT = 'INSERT INTO kv (id, value) VALUES ($1, $2)'

let opened: Promise<ClusterDatabase> | null = null
let nextId = ROWS_LOADED + 1
let increments = 0
let away: readonly number[] = []
const inserted: number[] = []

function database(): Promise<ClusterDatabase> {
  opened ??= cluster.database('kv', { redundancy: 2 })
  return opened
}

/** Makes the tables and their first rows. */
async function prepare(): Promise<void> {
  const db = await database()
  await db.query('CREATE TABLE kv (id integer PRIMARY KEY, value text NOT NULL)')
  await db.query('CREATE TABLE counters (id integer PRIMARY KEY, n integer NOT NULL)')
  await db.query('INSERT INTO counters VALUES (1, 0)')
  for (let from = 1; from <= ROWS_LOADED; from += LOAD_ROWS)
    await db.query(FILL, [text, from, from + LOAD_ROWS - 1])
}

/** Statements of some hundred rows, a few at a time. */
async function fill({ rows }: KvFill): Promise<void> {
  const db = await database()
  let left = rows
  const caller = async (): Promise<void> => {
    while (left > 0) {
      const count = Math.min(LOAD_ROWS, left)
      left -= count
      const from = nextId
      nextId += count
      await db.query(FILL, [text, from, from + count - 1])
    }
  }
  await Promise.all(Array.from({ length: FILLERS }, caller))
}

/** Keys of rows that this node does not hold. */
async function keysAway(): Promise<readonly number[]> {
  const db = await database()
  const { rows } = await db.query(
    "SELECT id, cluster_partition_of('kv', id)::integer FROM kv WHERE id <= $1",
    [ROWS_LOADED],
  )
  const held = new Set<number>()
  for (const { partition, node } of db.storage.status().replicas) if (node === cluster.id) held.add(partition)
  return rows.flatMap(([id, partition]) =>
    typeof id === 'number' && typeof partition === 'number' && !held.has(partition) ? [id] : [],
  )
}

function operation(db: ClusterDatabase, kind: KvLoad['kind']): () => Promise<unknown> {
  const below = draws()
  const insert = async (run: Pick<ClusterDatabase, 'query'>): Promise<number> => {
    const id = nextId++
    await run.query(INSERT, [id, text])
    return id
  }
  switch (kind) {
    case 'insert':
      return async () => inserted.push(await insert(db))
    case 'update':
      return () => db.query('UPDATE kv SET value = $2 WHERE id = $1', [1 + below(ROWS_LOADED), text])
    case 'transaction':
      return async () => {
        const ids = await db.transaction(async (session) => {
          const mine: number[] = []
          for (let i = 0; i < 5; i++) mine.push(await insert(session))
          return mine
        })
        inserted.push(...ids)
      }
    case 'counter':
      return async () => {
        await db.query('UPDATE counters SET n = n + 1 WHERE id = 1')
        increments++
      }
    case 'read':
      return () => db.query('SELECT value FROM kv WHERE id = $1', [1 + below(ROWS_LOADED)])
    case 'readAway':
      return () => db.query('SELECT value FROM kv WHERE id = $1', [away[below(away.length)] ?? 1])
  }
}

async function load({ kind, ...loop }: KvLoad): Promise<KvAnswer> {
  const db = await database()
  if (kind === 'readAway' && away.length === 0) away = await keysAway()
  const run = operation(db, kind)
  let failed = 0
  const answer = await closedLoop(loop, () => async () => {
    try {
      await run()
      return 1
    } catch {
      failed++
      return 0
    }
  })
  return { ...answer, failed }
}

function acknowledged(): KvAcknowledged {
  const ids: [number, number][] = []
  for (const id of inserted.sort((a, b) => a - b)) {
    const last = ids.at(-1)
    if (last !== undefined && last[1] === id - 1) last[1] = id
    else ids.push([id, id])
  }
  return { ids, increments }
}

/** How many of these rows are there, and how high the counter stands. */
async function held({ ids }: KvAcknowledged): Promise<{ readonly rows: number; readonly counter: number }> {
  const db = await database()
  const { rows } = await db.query('SELECT id FROM kv WHERE id > $1', [ROWS_LOADED])
  const there = new Set(rows.map(([id]) => id))
  let count = 0
  for (const [first, last] of ids) for (let id = first; id <= last; id++) if (there.has(id)) count++
  const { rows: counters } = await db.query('SELECT n FROM counters WHERE id = 1')
  return { rows: count, counter: Number(counters[0]?.[0]) }
}

answerCalls({
  ready: async () => {
    await cluster.ready()
    await database()
  },
  prepare,
  async status(): Promise<WorkerStatus> {
    const { leader, voters } = cluster.group()
    const { underReplicated } = (await database()).storage.status()
    return { id: cluster.id, leader, voters: voters.length, underReplicated: underReplicated.length }
  },
  load,
  fill,
  /** Resolves when this node holds its share of all rows. */
  complete: () => cluster.ready({ complete: true }),
  acknowledged: async () => acknowledged(),
  held,
  stop: () => cluster.stop(),
})
