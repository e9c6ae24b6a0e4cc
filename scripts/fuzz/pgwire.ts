import { parseArgs } from 'node:util'
import { type AttackReport, SimRandom, wireAttack } from '@cluster/testkit'
import { type ClusterServers, clusterServers } from '../clients/cluster-servers.ts'
import { neverRead, vanishInCopy } from './pgwire/bad-clients.ts'
import { Bystander } from './pgwire/bystander.ts'
import { crowd } from './pgwire/crowd.ts'
import { guesses, rightPassword } from './pgwire/guesses.ts'
import { MIB, residentBytes } from './pgwire/memory.ts'

export const usage = `npm run fuzz -- --suite pgwire [options]
  --attacks <n>       clients that do something bad (default 2000)
  --seed <n>          which ones, in which order (default: a random one, printed)
  --at-once <n>       of them at a time (default 16)
  --connections <n>   connections that the server admits, all of which are used at the end (default 5000)
  --memory-mib <n>    what the server may need more than before afterwards (default 64)`

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
/** The bystander and whoever asks for the other clients. */
const OTHERS = 4

/** Attacks a served node from another process. @returns 1 when it misbehaved */
export async function run(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      attacks: { type: 'string', default: '2000' },
      seed: { type: 'string' },
      'at-once': { type: 'string', default: '16' },
      connections: { type: 'string', default: '5000' },
      'memory-mib': { type: 'string', default: '64' },
    },
  })
  const seed = values.seed === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(values.seed)
  const connections = Number(values.connections)
  const servers = await clusterServers(1, { connectionsMax: connections + OTHERS })
  try {
    const [url = ''] = await servers.database(STARTUP.database)
    const problems = await attack(servers, Number(new URL(url).port), {
      seed,
      attacks: Number(values.attacks),
      atOnce: Number(values['at-once']),
      connections,
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

async function attack(servers: ClusterServers, port: number, plan: Plan): Promise<string[]> {
  const problems: string[] = []
  const bystander = await Bystander.start(port, STARTUP)
  // What was compiled and cached once is no growth.
  for (const text of STATEMENTS) await bystander.ask(text === '' ? 'SELECT 1' : text)
  await attacks(port, { ...plan, attacks: 50 }, problems)
  const pids = servers.pids()
  const before = { needed: await servers.needed(), resident: await residentBytes(pids) }
  const place = { port, startup: STARTUP, pids, needed: () => servers.needed() }
  const admitted = { connections: plan.connections, others: OTHERS }
  problems.push(...(await crowd(place, admitted, () => bystander.slowest())))
  const counts = await attacks(port, plan, problems)
  const kinds = [...counts].sort().map(([kind, count]) => `${kind} ${count}`)
  console.log(`seed ${plan.seed}, ${plan.attacks} attacks: ${kinds.join(', ')}`)
  problems.push(...(await vanishInCopy(place)))
  problems.push(...(await neverRead(place, LARGE)))
  await bystander.ask(rightPassword(STARTUP.user))
  problems.push(...(await guesses(await servers.secured(), STARTUP)))
  const resident = (await residentBytes(pids)) - before.resident
  const grown = (await servers.needed()) - before.needed
  const { asked, slowestMs, problem } = await bystander.stop()
  console.log(
    `another client asked ${asked} times meanwhile; the slowest answer took ${Math.round(slowestMs)} ms`,
  )
  console.log(
    `the server needs ${(grown / MIB).toFixed(1)} MiB more than before, and has ${Math.round(resident / MIB)} MiB more from the system`,
  )
  if (problem !== null) problems.push(`another client was disturbed: ${problem}`)
  if (slowestMs > ANSWER_MS_MAX) problems.push(`another client waited ${slowestMs} ms for an answer`)
  if (grown > plan.growthMax) problems.push(`the server keeps ${Math.round(grown / MIB)} MiB`)
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
