import { wire } from '@cluster/testkit'
import { residentBytes } from './memory.ts'
import type { Place } from './place.ts'

/** Connections that are being opened at a time. */
const OPENING = 100
/** Clients above the bound. */
const BEYOND = 50
/** One in so many has a transaction open, with a row and a lock. */
const EVERY = 20
/** So many of them go on asking, so many times. */
const WORKERS = 32
const QUESTIONS = 50
const RELEASE_MS_MAX = 20_000
const KIB = 1024

/** How many the server admits. */
export interface Admitted {
  readonly connections: number
  /** That are taken by others, or kept for them. */
  readonly others: number
}

/**
 * As many clients as are let in, and more: all are served, the others are told why not, and whoever else is connected
 * notices little. Then they vanish in the middle of what they do.
 * @param slowest of another client's answers since it was asked last, in milliseconds
 */
export async function crowd(
  place: Place,
  { connections, others }: Admitted,
  slowest: () => number,
): Promise<string[]> {
  const { port, startup, pids, needed } = place
  const problems: string[] = []
  const watcher = await wire.WireClient.ready(port, startup)
  const ask = async (text: string): Promise<string[]> => {
    watcher.send(wire.query(text))
    return watcher.untilReady()
  }
  await ask('CREATE TABLE crowded (id int PRIMARY KEY)')
  slowest()
  const before = { needed: await needed(), resident: await residentBytes(pids) }
  const start = performance.now()
  const clients = await open(place, connections, problems)
  const openedMs = performance.now() - start
  const each = (bytes: number): string => `${(bytes / connections / KIB).toFixed(1)} KiB`
  const resident = each((await residentBytes(pids)) - before.resident)
  const slowestMs = Math.round(slowest())
  console.log(
    `${clients.length} connections in ${(openedMs / 1000).toFixed(1)} s, each ${resident} of the system, ${each((await needed()) - before.needed)} of them needed; another client's slowest answer took ${slowestMs} ms meanwhile`,
  )
  const refused = await beyond(place, others)
  console.log(`of ${BEYOND + others} more ${refused} were refused`)
  if (refused < BEYOND) problems.push(`only ${refused} clients beyond the bound were refused`)

  for (const [i, client] of clients.entries())
    if (i % EVERY === 0)
      client.send(wire.query(`BEGIN; INSERT INTO crowded VALUES (${i}); SELECT pg_advisory_lock(${i})`))
  const holding = clients.filter((_, i) => i % EVERY === 0)
  const held = await Promise.all(holding.map((client) => client.untilReady()))
  const odd = held.find((lines) => lines.at(-1) !== 'ready T')
  if (odd !== undefined) problems.push(`a client of the crowd could not begin: ${odd.join(', ')}`)

  const workStart = performance.now()
  const workers = clients.filter((_, i) => i % EVERY === 1).slice(0, WORKERS)
  await Promise.all(workers.map((client) => work(client, problems)))
  const rate = (workers.length * QUESTIONS) / ((performance.now() - workStart) / 1000)
  console.log(
    `${workers.length} of them asked ${Math.round(rate)} times a second; another client's slowest answer took ${Math.round(slowest())} ms`,
  )

  for (const client of clients) client.close()
  problems.push(...(await released(holding.length, ask)))
  const again = await open(place, Math.min(connections, 4 * OPENING), problems)
  for (const client of again) client.close()
  watcher.close()
  return problems
}

async function open({ port, startup }: Place, count: number, problems: string[]) {
  const clients: wire.WireClient[] = []
  let begun = 0
  const one = async (): Promise<void> => {
    while (begun < count) {
      begun++
      const client = await wire.WireClient.connect(port)
      client.send(wire.startup(startup))
      const lines = await client.untilReady()
      client.send(wire.query('SELECT v FROM t WHERE id = 1'))
      const answer = lines.at(-1) === 'ready I' ? await client.untilReady() : lines
      if (answer.includes('row one')) clients.push(client)
      else problems.push(`a client of the crowd was not served: ${answer.join(', ')}`)
    }
  }
  await Promise.all(Array.from({ length: OPENING }, one))
  return clients
}

/** Clients that are one too many. @returns how many were told so */
async function beyond({ port, startup }: Place, others: number): Promise<number> {
  const clients = await Promise.all(
    Array.from({ length: BEYOND + others }, () => wire.WireClient.connect(port)),
  )
  const answers = await Promise.all(
    clients.map((client) => {
      client.send(wire.startup(startup))
      return client.untilReady()
    }),
  )
  for (const client of clients) client.close()
  return answers.filter((lines) => lines.some((line) => line.includes(' 53300 '))).length
}

async function work(client: wire.WireClient, problems: string[]): Promise<void> {
  for (let i = 0; i < QUESTIONS; i++) {
    client.send(wire.query('SELECT v FROM t WHERE id = 1'))
    const lines = await client.untilReady()
    if (lines.includes('row one')) continue
    problems.push(`a client of the crowd was answered ${lines.join(', ')}`)
    return
  }
}

/** What the vanished clients held is free, and what they began is undone. */
async function released(count: number, ask: (text: string) => Promise<string[]>): Promise<string[]> {
  const text = `SELECT count(*) FILTER (WHERE pg_try_advisory_lock(g * ${EVERY})) FROM generate_series(0, ${count - 1}) g`
  const start = performance.now()
  for (;;) {
    const [, free = ''] = await ask(text)
    await ask('SELECT pg_advisory_unlock_all()')
    const took = performance.now() - start
    if (free === `row ${count}`) {
      const [, rows = ''] = await ask('SELECT count(*) FROM crowded')
      console.log(
        `all vanished: what ${count} transactions held was free after ${(took / 1000).toFixed(1)} s`,
      )
      return rows === 'row 0' ? [] : [`rows of vanished transactions are there: ${rows}`]
    }
    if (took > RELEASE_MS_MAX) return [`of ${count} locks of vanished clients ${free} are free`]
  }
}
