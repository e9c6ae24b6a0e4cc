import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { type AttackReport, SimRandom, wire, wireAttack } from '@cluster/testkit'
import { clusterServers } from '../clients/cluster-servers.ts'
import type { ClientServers } from '../clients/servers.ts'

export const usage = `npm run fuzz -- --suite pgwire [options]
  --attacks <n>       clients that do something bad (default 2000)
  --seed <n>          which ones, in which order (default: a random one, printed)
  --at-once <n>       of them at a time (default 16)
  --connections <n>   connections opened at once at the end (default 600)
  --memory-mib <n>    what the server may have grown by afterwards (default 256)`

const STARTUP = { user: 'cluster', database: 'fuzz' }
const STATEMENTS = [
  'SELECT 1',
  "SELECT 'x', NULL, 2.5, ARRAY[1,2]",
  'SELECT * FROM t WHERE id = $1',
  'INSERT INTO t VALUES ($1, $2) ON CONFLICT DO NOTHING',
  'UPDATE t SET v = v WHERE id = 1',
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  'SELECT 1/0',
  'SELEC',
  '',
  ';;',
  "SET application_name = 'fuzz'",
  'SELECT g FROM generate_series(1, 3000) g',
  'SELECT 1; SELECT 2',
]
const LARGE = "SELECT g, repeat('x', 200) FROM generate_series(1, 3000000) g"
const CLOSE_MS_MAX = 20_000
const ANSWER_MS_MAX = 10_000
const MIB = 1024 * 1024

/** Attacks a served node from another process. @returns 1 when it misbehaved */
export async function run(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      attacks: { type: 'string', default: '2000' },
      seed: { type: 'string' },
      'at-once': { type: 'string', default: '16' },
      connections: { type: 'string', default: '600' },
      'memory-mib': { type: 'string', default: '256' },
    },
  })
  const seed = values.seed === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(values.seed)
  const servers = await clusterServers(1)
  try {
    const [url = ''] = await servers.database(STARTUP.database)
    const problems = await attack(servers, Number(new URL(url).port), {
      seed,
      attacks: Number(values.attacks),
      atOnce: Number(values['at-once']),
      connections: Number(values.connections),
      growthMax: Number(values['memory-mib']) * MIB,
    })
    for (const problem of problems.slice(0, 20)) console.log(`FAIL  ${problem}`)
    console.log(
      problems.length === 0 ? 'held' : `${problems.length} problems; --seed ${seed} chooses the same attacks`,
    )
    return problems.length === 0 ? 0 : 1
  } finally {
    await servers.stop()
  }
}

interface Plan {
  readonly seed: number
  readonly attacks: number
  readonly atOnce: number
  readonly connections: number
  readonly growthMax: number
}

async function attack(servers: ClientServers, port: number, plan: Plan): Promise<string[]> {
  const problems: string[] = []
  const bystander = await Bystander.start(port)
  // What was compiled and cached once is no growth.
  for (const text of STATEMENTS) await bystander.ask(text === '' ? 'SELECT 1' : text)
  await attacks(port, { ...plan, attacks: 50 }, problems)
  const before = await residentBytes(servers)
  const counts = await attacks(port, plan, problems)
  const kinds = [...counts].sort().map(([kind, count]) => `${kind} ${count}`)
  console.log(`seed ${plan.seed}, ${plan.attacks} attacks: ${kinds.join(', ')}`)
  problems.push(...(await crowd(port, plan.connections)))
  const grown = (await residentBytes(servers)) - before
  const { asked, slowestMs, problem } = await bystander.stop()
  console.log(
    `another client asked ${asked} times meanwhile; the slowest answer took ${Math.round(slowestMs)} ms`,
  )
  console.log(`the server grew by ${Math.round(grown / MIB)} MiB`)
  if (problem !== null) problems.push(`another client was disturbed: ${problem}`)
  if (slowestMs > ANSWER_MS_MAX) problems.push(`another client waited ${slowestMs} ms for an answer`)
  if (grown > plan.growthMax) problems.push(`the server grew by ${Math.round(grown / MIB)} MiB`)
  return problems
}

async function attacks(
  port: number,
  { seed, attacks: count, atOnce }: Plan,
  problems: string[],
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  let next = 0
  const one = async (): Promise<void> => {
    while (next < count) {
      const number = next++
      const random = new SimRandom(seed + number)
      const report: AttackReport = await wireAttack({
        port,
        random,
        startup: STARTUP,
        statements: STATEMENTS,
        large: LARGE,
        closeMsMax: CLOSE_MS_MAX,
      })
      counts.set(report.kind, (counts.get(report.kind) ?? 0) + 1)
      if (report.problem !== null)
        problems.push(`attack ${seed + number} (${report.kind}): ${report.problem}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return counts
}

/** More clients than are let in: each is served or told why not. */
async function crowd(port: number, count: number): Promise<string[]> {
  const sockets: Socket[] = []
  let served = 0
  let refused = 0
  let silent = 0
  await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<void>((resolve) => {
          const socket = connect(port, '127.0.0.1', () => socket.write(wire.startup(STARTUP)))
          sockets.push(socket)
          let text = ''
          const timer = setTimeout(() => {
            silent++
            resolve()
          }, CLOSE_MS_MAX)
          const done = (): void => {
            clearTimeout(timer)
            resolve()
          }
          socket.on('error', () => {})
          socket.on('data', (bytes) => {
            text += bytes.toString('latin1')
            if (text.includes('53300')) refused++
            else if (text.includes('Z\0\0\0\x05I')) served++
            else return
            done()
          })
          socket.once('close', done)
        }),
    ),
  )
  for (const socket of sockets) socket.destroy()
  console.log(
    `${count} connections at once: ${served} served, ${refused} refused, ${count - served - refused} closed or silent`,
  )
  return silent > 0 || served === 0
    ? [`${silent} of ${count} connections got no answer, ${served} were served`]
    : []
}

/** A client that means well and asks again and again. */
class Bystander {
  readonly #client: wire.WireClient
  #done: Promise<void> = Promise.resolve()
  #stopped = false
  #asked = 0
  #slowestMs = 0
  #problem: string | null = null

  private constructor(client: wire.WireClient) {
    this.#client = client
  }

  static async start(port: number): Promise<Bystander> {
    const client = await wire.WireClient.ready(port, STARTUP)
    const bystander = new Bystander(client)
    await bystander.ask('CREATE TABLE t (id int PRIMARY KEY, v text)')
    await bystander.ask("INSERT INTO t VALUES (1, 'one')")
    bystander.#done = bystander.#loop(await wire.WireClient.ready(port, STARTUP))
    return bystander
  }

  ask(text: string): Promise<string[]> {
    this.#client.send(wire.query(text))
    return this.#client.untilReady()
  }

  async #loop(client: wire.WireClient): Promise<void> {
    const wanted = ['columns v:25', 'row one', 'complete SELECT 1', 'ready I']
    while (!this.#stopped && this.#problem === null) {
      const start = performance.now()
      client.send(wire.query('SELECT v FROM t WHERE id = 1'))
      const lines = await client.untilReady()
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - start)
      this.#asked++
      if (JSON.stringify(lines) !== JSON.stringify(wanted)) this.#problem = lines.join(', ')
      await new Promise((resolve) => {
        setTimeout(resolve, 5)
      })
    }
    client.close()
  }

  async stop(): Promise<{
    readonly asked: number
    readonly slowestMs: number
    readonly problem: string | null
  }> {
    this.#stopped = true
    await this.#done
    this.#client.close()
    return { asked: this.#asked, slowestMs: this.#slowestMs, problem: this.#problem }
  }
}

async function residentBytes({ pids }: ClientServers): Promise<number> {
  let bytes = 0
  for (const pid of pids()) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    bytes += Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
  }
  return bytes
}
