import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ClusterDatabase, join } from '@cluster/node'
import { type Rows, readAirports, readFlights } from './datasets.ts'
import { ProgressBar } from './progress-bar.ts'

// Three nodes on this machine: this process loads the data, another one answers questions about them.

const ROWS_A_STATEMENT = 250
const STATEMENTS_AT_ONCE = 4
const FIRST_PORT = 21_000 + (process.pid % 20_000)
const NEIGHBOUR = fileURLToPath(new URL('./neighbour.ts', import.meta.url))

const folder = await mkdtemp(path(tmpdir(), 'cluster-airports-'))
const addresses = [0, 1, 2].map((i) => `127.0.0.1:${FIRST_PORT + i}`)
const optionsOf = (i: number) => ({
  data: path(folder, String(i)),
  listen: addresses.slice(i, i + 1),
  seeds: addresses,
})

const neighbours = [1, 2].map((i) => fork(NEIGHBOUR, [JSON.stringify(optionsOf(i))]))
try {
  const [cluster] = await Promise.all([
    join({ name: 'airports', mdns: false, ...optionsOf(0) }),
    ...neighbours.map((neighbour) => told(neighbour, 'ready')),
  ])
  console.log('three nodes are up')
  const database = await cluster.database('travel', { redundancy: 2 })
  await database.sql`CREATE TABLE airports (iata text PRIMARY KEY, name text NOT NULL, city text, state text, country text,
    latitude double precision NOT NULL, longitude double precision NOT NULL)`
  await database.sql`CREATE TABLE flights (id integer PRIMARY KEY, departure timestamp NOT NULL, delay integer NOT NULL,
    distance integer NOT NULL, origin text NOT NULL, destination text NOT NULL)`
  await load(database, 'airports', await readAirports())
  await load(database, 'flights', await readFlights())
  const [, answering] = neighbours
  const answered = answering ? told(answering, 'answered') : Promise.resolve()
  answering?.send('answer')
  await answered
  await Promise.all(neighbours.map(stop))
  await cluster.stop()
} finally {
  for (const neighbour of neighbours) neighbour.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
}

/** Inserts the rows, many a statement and some statements at a time. */
async function load(database: ClusterDatabase, table: 'airports' | 'flights', rows: Rows): Promise<void> {
  const bar = new ProgressBar(`loading ${table}`, rows.length)
  let next = 0
  const loader = async (): Promise<void> => {
    while (next < rows.length) {
      const batch = rows.slice(next, next + ROWS_A_STATEMENT)
      next += batch.length
      const width = batch[0]?.length ?? 0
      const values = batch.map(
        (_, r) => `(${Array.from({ length: width }, (__, c) => `$${r * width + c + 1}`).join(', ')})`,
      )
      await database.query(`INSERT INTO ${table} VALUES ${values.join(', ')}`, batch.flat())
      bar.advance(batch.length)
    }
  }
  await Promise.all(Array.from({ length: STATEMENTS_AT_ONCE }, loader))
  bar.done()
}

/** Resolves when the neighbour says it; rejects when it ends before. */
async function told(neighbour: ChildProcess, word: string): Promise<void> {
  for (;;) {
    const [message] = await Promise.race([
      once(neighbour, 'message'),
      once(neighbour, 'exit').then(() => [null]),
    ])
    if (message === word) return
    if (message === null) throw new Error(`a neighbour ended before it was ${word}`)
  }
}

async function stop(neighbour: ChildProcess): Promise<void> {
  const gone = once(neighbour, 'exit')
  neighbour.send('stop')
  await gone
}
