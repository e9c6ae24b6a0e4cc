import { parseArgs } from 'node:util'
import { clusterServers } from './clients/cluster-servers.ts'
import { postgresServers } from './clients/postgres-servers.ts'
import { ALL, type CaseReport, installPackages, missing, runClient } from './clients/programs.ts'
import { Absent, type ClientServers, SECURED } from './clients/servers.ts'

const HELP = `usage: npm run clients -- [options]

Runs drivers, ORMs and tools of PostgreSQL against three nodes, each in a process of its own, on loopback.

  --against <what>   cluster (default), or postgres: the same cases against PostgreSQL itself
  --only <a,b>       only these of: ${ALL.map(({ name }) => name).join(', ')}
  --nodes <n>        nodes of the cluster (default 3)
  --timeout <s>      for one client (default 300)

Exit code 1 when a case failed, 2 when something that is needed is not there.`

const TEXT_MAX = 4_000

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      against: { type: 'string', default: 'cluster' },
      only: { type: 'string', default: '' },
      nodes: { type: 'string', default: '3' },
      timeout: { type: 'string', default: '300' },
      help: { type: 'boolean', default: false },
    },
  })
  const only = values.only.split(',').filter((name) => name !== '')
  const nodes = Number(values.nodes)
  const seconds = Number(values.timeout)
  const unknown = only.find((name) => !ALL.some((client) => client.name === name))
  const wrong =
    unknown !== undefined ||
    !['cluster', 'postgres'].includes(values.against) ||
    !(nodes >= 1) ||
    !(seconds > 0)
  if (values.help || wrong) {
    if (unknown !== undefined) console.error(`there is no client named ${unknown}`)
    console.log(HELP)
    return values.help ? 0 : 2
  }
  const clients = ALL.filter(({ name }) => only.length === 0 || only.includes(name))
  await installPackages()
  const servers = values.against === 'postgres' ? await postgresServers() : await clusterServers(nodes)
  const reports: CaseReport[] = []
  const absent: string[] = []
  try {
    console.log(`against ${servers.title}`)
    for (const [i, client] of clients.entries()) {
      const lack = await missing(client)
      if (lack === null) reports.push(...(await play(servers, client, i, seconds * 1000)))
      else absent.push(lack)
    }
  } finally {
    await servers.stop()
  }
  summarize(servers.title, clients, reports)
  for (const lack of absent) console.log(`absent: ${lack}`)
  if (reports.some(({ ok }) => !ok)) return 1
  return absent.length > 0 ? 2 : 0
}

/** Clients take turns with the nodes, so that every node serves some. */
async function play(
  servers: ClientServers,
  client: (typeof ALL)[number],
  turn: number,
  timeoutMs: number,
): Promise<readonly CaseReport[]> {
  const urls = await servers.database(`client_${client.name.replaceAll('-', '_')}`)
  const first = turn % urls.length
  const reports: CaseReport[] = []
  const secured = { user: SECURED, port: await servers.secured() }
  await runClient(client, [...urls.slice(first), ...urls.slice(0, first)], secured, timeoutMs, (report) => {
    reports.push(report)
    console.log(
      `${report.ok ? 'pass' : 'FAIL'}  ${report.client}: ${report.name} (${Math.round(report.ms)} ms)`,
    )
    if (report.error !== undefined) console.log(report.error.slice(0, TEXT_MAX).replace(/^/gm, '        '))
  })
  return reports
}

function summarize(title: string, clients: typeof ALL, reports: readonly CaseReport[]): void {
  console.log(
    `\n${'client'.padEnd(12)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'seconds'.padStart(9)}`,
  )
  const line = (name: string, of: readonly CaseReport[]): void => {
    const passed = of.filter(({ ok }) => ok).length
    const ms = of.reduce((sum, one) => sum + one.ms, 0)
    console.log(
      `${name.padEnd(12)}${String(passed).padStart(8)}${String(of.length - passed).padStart(8)}${(ms / 1000).toFixed(1).padStart(9)}`,
    )
  }
  for (const { name } of clients)
    line(
      name,
      reports.filter(({ client }) => client === name),
    )
  line('all', reports)
  console.log(`against ${title}`)
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof Absent)) throw error
  console.error(`absent: ${error.message}`)
  process.exitCode = 2
}
