import { chown, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts, pause } from '../ports.ts'
import { answerOf, type QueryAnswer, type QueryLoad } from '../query-load.ts'
import type { PostgresInstallation } from './postgres.ts'
import { Servers, userFor } from './servers.ts'

const START_MS_MAX = 30_000
/** pgbench counts whole seconds. */
const SECOND_MS = 1_000

/** One server with room to work and its usual parallelism, reached through a socket; pgbench is the client that measures. */
export class PostgresSingle {
  readonly version: string
  readonly #bin: string
  readonly #servers: Servers
  readonly #port: number
  #runs = 0

  private constructor({ version, bin }: PostgresInstallation, servers: Servers, port: number) {
    this.version = version
    this.#bin = bin
    this.#servers = servers
    this.#port = port
  }

  static async start(installation: PostgresInstallation): Promise<PostgresSingle> {
    const servers = await Servers.inFolder('postgres-single', await userFor('postgres'))
    const [port = 0] = await freePorts(1)
    const postgres = new PostgresSingle(installation, servers, port)
    await servers.orStop(postgres.#prepare())
    return postgres
  }

  get serverPids(): readonly number[] {
    return this.#servers.pids
  }

  #program(name: string): string {
    return join(this.#bin, name)
  }

  #connection(): string[] {
    return ['-h', this.#servers.folder, '-p', String(this.#port), '-U', 'bench', '-d', 'postgres']
  }

  async #prepare(): Promise<void> {
    const data = join(this.#servers.folder, 'data')
    const init = ['-D', data, '-A', 'trust', '-U', 'bench', '-E', 'UTF8', '--no-locale']
    await this.#servers.run(this.#program('initdb'), init)
    const settings = [
      `port=${this.#port}`,
      'listen_addresses=',
      `unix_socket_directories=${this.#servers.folder}`,
      'shared_buffers=1GB',
      'work_mem=64MB',
      'max_wal_size=4GB',
      // Its compiler costs more than it gains for queries as short as these.
      'jit=off',
      'join_collapse_limit=12',
      'from_collapse_limit=12',
    ]
    const options = settings.flatMap((setting) => ['-c', setting])
    this.#servers.start('server', this.#program('postgres'), ['-D', data, ...options])
    const deadline = performance.now() + START_MS_MAX
    for (;;) {
      try {
        await this.ask('SELECT 1')
        return
      } catch (error) {
        if (performance.now() > deadline) throw error
      }
      await pause(50)
    }
  }

  /** Runs SQL; gives the rows as text, a line each, with `|` between the values and `\N` for NULL. */
  async ask(sql: string): Promise<string> {
    const args = [...this.#connection(), '-v', 'ON_ERROR_STOP=1', '-qAt', '-P', 'null=\\N', '-c', sql]
    return this.#servers.run(this.#program('psql'), args)
  }

  /** Loads rows of text into a table, by COPY. */
  async load(table: string, rows: Iterable<readonly (number | string)[]>): Promise<void> {
    const file = join(this.#servers.folder, `${table}.tbl`)
    const lines: string[] = []
    for (const row of rows) lines.push(row.join('|'))
    await writeFile(file, `${lines.join('\n')}\n`)
    const { user } = this.#servers
    if (user !== null) await chown(file, user.uid, user.gid)
    await this.ask(`COPY ${table} FROM '${file}' WITH (DELIMITER '|')`)
    await rm(file)
  }

  /** One caller with a prepared statement, by pgbench. */
  async query({ sql, parameters, warmUpMs, measuredMs }: QueryLoad): Promise<QueryAnswer> {
    const { folder } = this.#servers
    const name = `query-${++this.#runs}`
    const sets =
      parameters === null
        ? ''
        : `\\set a random(${parameters.from}, ${parameters.to})\n\\set b :a + ${parameters.span ?? 0}\n`
    const text = sql.replaceAll('$1', ':a').replaceAll('$2', ':b').replace(/\s+/g, ' ')
    const script = join(folder, `${name}.sql`)
    await writeFile(script, `${sets}${text};\n`)
    const run = ['-n', '-M', 'prepared', '-f', script, '-c', '1', '-l', '--log-prefix', name]
    const seconds = Math.max(1, Math.ceil((warmUpMs + measuredMs) / SECOND_MS))
    await this.#servers.run(this.#program('pgbench'), [...run, '-T', String(seconds), ...this.#connection()])
    const micros: number[] = []
    for (const log of (await readdir(folder)).filter(
      (file) => file.startsWith(`${name}.`) && file !== `${name}.sql`,
    )) {
      for (const line of (await readFile(join(folder, log), 'utf8')).split('\n')) {
        const latency = Number(line.split(' ')[2])
        if (line !== '' && Number.isFinite(latency)) micros.push(latency)
      }
      await rm(join(folder, log))
    }
    await rm(script)
    // The share of the warming up, but never everything.
    const skipped = Math.min(
      micros.length - 1,
      Math.floor((micros.length * warmUpMs) / (seconds * SECOND_MS)),
    )
    return answerOf(micros.slice(Math.max(0, skipped)).map((value) => value / 1_000))
  }

  stop(): Promise<void> {
    return this.#servers.stop()
  }
}
