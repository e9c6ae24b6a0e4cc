import { spawn } from 'node:child_process'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Where the clients' own packages and cases are. */
const CLIENTS = fileURLToPath(new URL('../../packages/pgwire/test/clients/', import.meta.url))

/** One client of the table. */
export interface Client {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  /** What must be there, and what to type when it is not. */
  readonly needs: readonly Need[]
}

interface Need {
  readonly what: string
  readonly here: () => Promise<boolean>
  readonly remedy: string
}

/** What one case came to. */
export interface CaseReport {
  readonly client: string
  readonly name: string
  readonly ok: boolean
  readonly ms: number
  readonly error?: string
}

const JDBC = '/usr/share/java/postgresql.jar'
/** Debian's own, which has Debian's packages. */
const PYTHON = '/usr/bin/python3'

const exists = async (path: string): Promise<boolean> => {
  try {
    await access(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function runs(program: string, args: readonly string[]): () => Promise<boolean> {
  return () =>
    new Promise((resolve) => {
      const child = spawn(program, [...args], { stdio: 'ignore' })
      child.once('error', () => resolve(false))
      child.once('exit', (code) => resolve(code === 0))
    })
}

const packages: Need = {
  what: 'the packages of the clients',
  here: () => exists(join(CLIENTS, 'node_modules', '.package-lock.json')),
  remedy: 'npm ci --ignore-scripts in packages/pgwire/test/clients',
}
const debian = (program: string, flag: string, name: string): Need => ({
  what: program,
  here: runs(program, [flag]),
  remedy: `scripts/install-peers ${name}`,
})
const npmClient = (name: string): Client => ({
  name,
  program: process.execPath,
  args: ['--disable-warning=ExperimentalWarning', join(CLIENTS, `${name}.ts`)],
  needs: [packages],
})
const toolClient = (name: string, program: string): Client => ({
  name,
  program: process.execPath,
  args: ['--disable-warning=ExperimentalWarning', join(CLIENTS, `${name}.ts`)],
  needs: [debian(program, '--version', 'postgres')],
})

export const ALL: readonly Client[] = [
  ...['pg', 'postgres', 'drizzle', 'kysely', 'knex', 'typeorm', 'sequelize', 'prisma', 'grafana'].map(
    npmClient,
  ),
  toolClient('psql', 'psql'),
  toolClient('pgbench', 'pgbench'),
  toolClient('pg-dump', 'pg_dump'),
  {
    name: 'psycopg2',
    program: PYTHON,
    args: [join(CLIENTS, 'psycopg.py')],
    needs: [
      {
        what: 'psycopg2',
        here: runs(PYTHON, ['-c', 'import psycopg2']),
        remedy: 'scripts/install-peers clients',
      },
    ],
  },
  {
    name: 'jdbc',
    program: 'java',
    args: ['-cp', JDBC, join(CLIENTS, 'jdbc.java')],
    needs: [
      { what: 'a Java compiler', here: runs('javac', ['-version']), remedy: 'scripts/install-peers clients' },
      { what: 'the JDBC driver', here: () => exists(JDBC), remedy: 'scripts/install-peers clients' },
    ],
  },
]

/** What is missing for a client, for people; null when nothing is. */
export async function missing(client: Client): Promise<string | null> {
  for (const { what, here, remedy } of client.needs)
    if (!(await here())) return `${client.name} needs ${what}: ${remedy}`
  return null
}

/** Installs the packages of the clients as their lock says; runs none of their scripts. */
export async function installPackages(): Promise<void> {
  if (await packages.here()) return
  console.log('installing the packages of the clients, once')
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: CLIENTS,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child.once('error', reject)
    child.once('exit', resolve)
  })
  if (code !== 0) console.error(`npm ci ended with ${code}`)
}

/**
 * Runs a client's program to its end. It says each case as a line of JSON; one that hangs, or ends without saying
 * `done`, counts as a failed case of its own.
 * @param urls of one fresh database, at every node; the first is the client's
 * @param secured another door to it, for a role that comes in by its password
 */
export async function runClient(
  client: Client,
  urls: readonly string[],
  secured: { readonly user: string; readonly port: number },
  timeoutMs: number,
  onCase: (report: CaseReport) => void,
): Promise<void> {
  const { program, args } = client
  const env = {
    ...process.env,
    CLIENT_URLS: urls.join(' '),
    CLIENT_SECURED: JSON.stringify(secured),
    PGCONNECT_TIMEOUT: '10',
    NO_COLOR: '1',
  }
  const child = spawn(program, [...args], { cwd: CLIENTS, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(String(error)))
    child.once('close', (code, signal) => resolve(`ended with ${code ?? signal}`))
  })
  let complaints = ''
  child.stderr.on('data', (text) => (complaints = `${complaints}${text}`.slice(-4_000)))
  let complete = false
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, timeoutMs)
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    if (!line.startsWith('{')) {
      complaints = `${complaints}${line}\n`.slice(-4_000)
      continue
    }
    const report = JSON.parse(line) as Partial<CaseReport> & { readonly done?: boolean }
    if (report.done === true) complete = true
    else if (report.name !== undefined)
      onCase({
        name: report.name,
        ok: report.ok === true,
        ms: report.ms ?? 0,
        client: client.name,
        ...(report.error === undefined ? {} : { error: report.error }),
      })
  }
  const how = await ended
  clearTimeout(timer)
  if (complete && !late) return
  const why = late ? `still running after ${timeoutMs} ms` : how
  onCase({ client: client.name, name: 'runs to its end', ok: false, ms: 0, error: `${why}\n${complaints}` })
}
