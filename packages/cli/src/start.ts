import {
  type Cluster,
  type ClusterDatabase,
  openCluster,
  parseAddresses,
  type ServePostgresOptions,
} from '@cluster/node'
import { certificate } from './certificate.ts'
import { openHistory } from './history.ts'
import { announce } from './notices.ts'
import type { StartOptions } from './options.ts'
import { membersText } from './report.ts'
import { metaCommands } from './shell/meta-commands.ts'
import { runScript } from './shell/script.ts'
import { openShellSession } from './shell/session.ts'
import { Shell } from './shell/shell.ts'
import { drawTree } from './shell/tree.ts'

const stdout = (line: string): void => void process.stdout.write(`${line}\n`)
const stderr = (line: string): void => void process.stderr.write(`${line}\n`)

/** Where notices go: above the prompt while there is one. */
let say = stdout

/**
 * Runs a node until a signal, the end of the shell or of the piped input. Sets the exit code. What is left then (a
 * pending read of standard input) must not keep the process.
 */
export async function start(options: StartOptions, task: NodeTask | null = null): Promise<void> {
  const interactive =
    task === null && options.shell && process.stdin.isTTY === true && process.stdout.isTTY === true
  const piped = task === null && options.shell && process.stdin.isTTY !== true
  // Piped output is for programs: what the node tells people goes to the other stream.
  const aside = piped || task !== null
  say = aside ? stderr : stdout
  // Slips in what concerns clients are told before there is a node.
  const clients = task === null ? await clientsOf(options) : null
  const cluster = await openCluster({
    name: options.name,
    ...(options.data === undefined ? {} : { data: options.data }),
    ...(options.listen === undefined ? {} : { listen: options.listen }),
    ...(options.seed === undefined ? {} : { seeds: options.seed }),
    ...(options.expect === undefined ? {} : { expect: options.expect }),
    ...(options.alone === undefined ? {} : { alone: options.alone }),
    ...(options.witness === undefined ? {} : { witness: options.witness }),
    ...(options.quorum === undefined ? {} : { quorum: options.quorum }),
    ...(options.keep === undefined ? {} : { keep: options.keep }),
    ...(options.storage === undefined ? {} : { storage: options.storage }),
    ...(options.secret === undefined ? {} : { secret: options.secret }),
    ...(options.giveUpDamaged === undefined ? {} : { giveUpDamaged: options.giveUpDamaged }),
    ...(options.continueAlone === undefined ? {} : { continueAlone: options.continueAlone }),
    ...(options.recoverFromSurvivors === undefined
      ? {}
      : { recoverFromSurvivors: options.recoverFromSurvivors }),
    ...(options.adopt === undefined ? {} : { adopt: options.adopt }),
    adoptWithoutExport: !options.export,
    ...(options.giveUpHistory === undefined ? {} : { giveUpHistory: options.giveUpHistory }),
    mdns: options.mdns,
    logLevel: options.log,
    log: stderr,
  })
  const ending = stopOnSignal(cluster)
  cluster.on('failed', ({ error }) => {
    stderr(`cluster: this node cannot go on: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(1)
  })
  banner(cluster, options)
  announce(cluster, (line) => say(line))
  try {
    await Promise.race([cluster.ready(), ending.asked])
    if (!ending.signal.aborted) {
      say(`\nmembers\n${membersText(cluster)}\n`)
      const { signal, asked } = ending
      const code = await serve(cluster, options, { interactive, piped, signal, asked, task, clients })
      if (code !== 0) process.exitCode = code
    }
  } catch (error) {
    // What was under way when the signal came fails because the node stops; that is no news.
    if (!ending.signal.aborted) throw error
  } finally {
    say = aside ? stderr : stdout
    await cluster.stop()
  }
}

interface ServeMode {
  readonly interactive: boolean
  readonly piped: boolean
  readonly signal: AbortSignal
  readonly asked: Promise<void>
  /** What is to be done in place of the shell. */
  readonly task: NodeTask | null
  /** Null: clients are not served. */
  readonly clients: ServePostgresOptions | null
}

/** Something to do with the database of a node; the node stops afterwards. @returns the exit code */
export type NodeTask = (database: ClusterDatabase, signal: AbortSignal) => Promise<number>

async function serve(
  cluster: Cluster,
  options: StartOptions,
  { interactive, piped, signal, asked, task, clients }: ServeMode,
): Promise<number> {
  if (options.witness === true) {
    say('a witness votes and holds no data; it has no prompt, and serves until a signal comes')
    await asked
    return 0
  }
  const opened = openDatabase(cluster, options)
  const database = await Promise.race([opened, asked])
  if (!database) return 0
  if (task !== null) {
    const code = await Promise.race([task(database, signal), asked])
    return typeof code === 'number' ? code : 1
  }
  say(`structure\n${drawTree(cluster.structure())}\n`)
  if (clients !== null) await openForClients(cluster, options, clients)
  const session = openShellSession(database)
  const meta = metaCommands(cluster, session, database)
  if (interactive) {
    const history = await openHistory(stderr)
    const shell = new Shell({
      input: process.stdin,
      output: process.stdout,
      session,
      meta,
      history: history.lines,
      onHistory: (lines) => history.save(lines),
    })
    say = (line) => shell.notice(line)
    signal.addEventListener('abort', () => shell.close())
    await shell.run()
    return 0
  }
  if (piped) {
    const script = runScript({
      input: process.stdin,
      output: process.stdout,
      errors: process.stderr,
      session,
      meta,
      signal,
    })
    const code = await Promise.race([script, asked])
    if (typeof code === 'number') return code
  }
  // No terminal and no input: the node serves the others.
  await asked
  return 0
}

/**
 * How clients of PostgreSQL's protocol are served; null: not at all.
 * @throws OPTION_INVALID for what is no address, and for files that cannot be read
 */
async function clientsOf(options: StartOptions): Promise<ServePostgresOptions | null> {
  const { postgres, postgresConnections, postgresPasswords = false } = options
  if (postgres === false) return null
  const tls = await certificate(options)
  return {
    ...(postgres === undefined ? {} : hostAndPort(postgres)),
    ...(tls === null ? {} : { tls }),
    ...(postgresConnections === undefined ? {} : { connectionsMax: postgresConnections }),
    localPasswords: postgresPasswords,
  }
}

/** Tells how psql and other clients get to the database. A port that is not free is no reason to stop. */
async function openForClients(
  cluster: Cluster,
  { postgres, database }: StartOptions,
  clients: ServePostgresOptions,
): Promise<void> {
  try {
    const service = await cluster.servePostgres(clients)
    say(`clients connect with\n  psql ${service.url(database)}\n`)
  } catch (error) {
    if (postgres !== undefined) throw error
    say(
      `clients of PostgreSQL's protocol are not served: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

function hostAndPort(text: string): { readonly host: string; readonly port: number } {
  const [address] = parseAddresses(text, 'postgres', 5432)
  const found = /^\/(?:ip4|ip6|dns)\/([^/]+)\/tcp\/(\d+)/.exec(address ?? '')
  const [, host = '127.0.0.1', port = '5432'] = found ?? []
  return { host, port: Number(port) }
}

/** Opens the shell's database, or makes it; one that exists keeps its redundancy. */
async function openDatabase(cluster: Cluster, { database, redundancy }: StartOptions) {
  return await cluster.database(database, redundancy === undefined ? {} : { redundancy })
}

function banner(cluster: Cluster, { name, secret }: StartOptions): void {
  say(`cluster "${name}", node ${cluster.id}`)
  say(`data in ${cluster.folder}${cluster.fresh ? ' (new)' : ''}`)
  for (const address of cluster.addresses()) say(`listening on ${address}`)
  if (secret === undefined) {
    say('no --secret: any node of this name on a private network may join; public addresses are not served')
  }
}

/**
 * A first signal asks for a clean stop, a second one ends the process at once. So does the end of whoever reads
 * what is printed (`… | head`, a closed terminal): nobody is there to tell, but the node must not just break off.
 */
function stopOnSignal(cluster: Cluster): { readonly signal: AbortSignal; readonly asked: Promise<void> } {
  const controller = new AbortController()
  const asked = new Promise<void>((resolve) => {
    const onSignal = (): void => {
      if (controller.signal.aborted) process.exit(130)
      controller.abort()
      say(`stopping ${cluster.id.slice(-8)} …`)
      resolve()
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
    process.on('SIGHUP', onSignal)
    process.stdout.on('error', () => {
      process.exitCode = 1
      controller.abort()
      resolve()
    })
    // Without this a notice that nobody reads would end the process.
    process.stderr.on('error', () => {})
  })
  return { signal: controller.signal, asked }
}
