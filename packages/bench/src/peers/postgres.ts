import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts, pause } from '../ports.ts'
import { type KvAnswer, type KvLoad, ROWS_LOADED, TEXT_LENGTH } from '../workers/kv-worker-protocol.ts'
import { type Absent, absent } from './peer.ts'
import { type PgbenchLoad, pgbench } from './pgbench.ts'
import { Servers, userFor } from './servers.ts'

const START_MS_MAX = 30_000
/** Where Debian puts the servers of each version. */
const INSTALLED = '/usr/lib/postgresql'

export interface PostgresInstallation {
  readonly version: string
  readonly bin: string
}

/** What is there to measure with, or what is missing. */
export async function findPostgres(): Promise<PostgresInstallation | Absent> {
  let versions: string[] = []
  try {
    versions = await readdir(INSTALLED)
  } catch {
    // Nothing is installed there.
  }
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0]
  if (newest === undefined) return absent('postgres', `there is no PostgreSQL in ${INSTALLED}`)
  const bin = join(INSTALLED, newest, 'bin')
  const programs = await readdir(bin)
  const missing = ['postgres', 'initdb', 'pg_basebackup', 'psql', 'pgbench'].find(
    (one) => !programs.includes(one),
  )
  if (missing !== undefined) return absent('postgres', `${bin} has no ${missing}`)
  return { version: newest, bin }
}

const INSERT = `INSERT INTO kv (id, value) VALUES (:client_id::bigint * 1000000000 + :base + :n, repeat('x', ${TEXT_LENGTH}));`

/** What pgbench runs again and again; `:n` counts within a client, `:base` tells runs apart. */
const scripts: Readonly<Record<KvLoad['kind'], string>> = {
  insert: `\\set n :n + 1\n${INSERT}\n`,
  update: `\\set id random(1, ${ROWS_LOADED})\nUPDATE kv SET value = repeat('x', ${TEXT_LENGTH}) WHERE id = :id;\n`,
  transaction: `BEGIN;\n${`\\set n :n + 1\n${INSERT}\n`.repeat(5)}COMMIT;\n`,
  counter: 'UPDATE counters SET n = n + 1 WHERE id = 1;\n',
  read: `\\set id random(1, ${ROWS_LOADED})\nSELECT value FROM kv WHERE id = :id;\n`,
  readAway: `\\set id random(1, ${ROWS_LOADED})\nSELECT value FROM kv WHERE id = :id;\n`,
}

/** A primary whose commits wait for one of its standbys, if it has any, on loopback; pgbench is the client. */
export class Postgres {
  readonly version: string
  readonly #bin: string
  readonly #servers: Servers
  readonly #ports: readonly number[]
  #runs = 0

  private constructor({ version, bin }: PostgresInstallation, servers: Servers, ports: readonly number[]) {
    this.version = version
    this.#bin = bin
    this.#servers = servers
    this.#ports = ports
  }

  /** @param standbys of which a commit waits for one */
  static async start(installation: PostgresInstallation, standbys = 2): Promise<Postgres> {
    const servers = await Servers.inFolder('postgres', await userFor('postgres'))
    const postgres = new Postgres(installation, servers, await freePorts(1 + standbys))
    await servers.orStop(postgres.#prepare())
    return postgres
  }

  /** Where clients connect. */
  get port(): number {
    return this.#ports[0] ?? 0
  }

  /** For the files of scripts. */
  get folder(): string {
    return this.#servers.folder
  }

  get serverPids(): readonly number[] {
    return this.#servers.pids
  }

  #program(name: string): string {
    return join(this.#bin, name)
  }

  #data(i: number): string {
    return join(this.#servers.folder, i === 0 ? 'primary' : `standby${i}`)
  }

  #connection(i: number): string[] {
    return ['-h', '127.0.0.1', '-p', String(this.#ports[i]), '-U', 'bench']
  }

  #startServer(i: number): void {
    const settings = [
      `port=${this.#ports[i]}`,
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${this.#servers.folder}`,
      'max_connections=100',
      'shared_buffers=256MB',
      ...(this.#ports.length === 1 ? [] : ['synchronous_standby_names=ANY 1 (*)']),
      'synchronous_commit=on',
    ]
    const options = settings.flatMap((setting) => ['-c', setting])
    this.#servers.start(`server ${i}`, this.#program('postgres'), ['-D', this.#data(i), ...options])
  }

  async #prepare(): Promise<void> {
    const { run } = { run: this.#servers.run.bind(this.#servers) }
    await run(this.#program('initdb'), ['-D', this.#data(0), '-A', 'trust', '-U', 'bench', '-E', 'UTF8'])
    this.#startServer(0)
    await this.#answers()
    const standbys = this.#ports.length - 1
    for (let i = 1; i <= standbys; i++) {
      const copy = ['-D', this.#data(i), '-R', '-X', 'stream', '-c', 'fast']
      await run(this.#program('pg_basebackup'), [...this.#connection(0), ...copy])
      this.#startServer(i)
    }
    await this.#until(`SELECT count(*) = ${standbys} FROM pg_stat_replication WHERE state = 'streaming'`)
    await this.ask(
      'CREATE TABLE kv (id bigint PRIMARY KEY, value text NOT NULL);' +
        'CREATE TABLE counters (id integer PRIMARY KEY, n integer NOT NULL); INSERT INTO counters VALUES (1, 0);' +
        `INSERT INTO kv SELECT g, repeat('x', ${TEXT_LENGTH}) FROM generate_series(1, ${ROWS_LOADED}) g;` +
        'ANALYZE',
    )
  }

  async #answers(): Promise<void> {
    await this.#until('SELECT true')
  }

  async #until(condition: string): Promise<void> {
    const deadline = performance.now() + START_MS_MAX
    for (;;) {
      try {
        if ((await this.ask(condition)).trim() === 't') return
      } catch (error) {
        if (performance.now() > deadline) throw error
      }
      if (performance.now() > deadline) throw new Error(`PostgreSQL did not get there: ${condition}`)
      await pause(50)
    }
  }

  /** Runs SQL on the primary; gives the rows as bare text. */
  ask(sql: string): Promise<string> {
    return this.#servers.run(this.#program('psql'), [...this.#connection(0), '-d', 'postgres', '-qAtc', sql])
  }

  async load({ kind, callers, warmUpMs, measuredMs }: KvLoad): Promise<KvAnswer> {
    const script = join(this.#servers.folder, `${kind}.sql`)
    await writeFile(script, scripts[kind])
    const variables = { n: 0, base: ++this.#runs * 10_000_000 + ROWS_LOADED }
    return this.pgbench({ file: script, callers, warmUpMs, measuredMs, variables, again: false })
  }

  pgbench(load: PgbenchLoad): Promise<KvAnswer> {
    return pgbench(this.#servers, this.#program('pgbench'), [...this.#connection(0), 'postgres'], load)
  }

  /** Kills all servers −9 and starts them again. */
  async crash(): Promise<void> {
    await this.#servers.killAll()
    for (const i of this.#ports.keys()) this.#startServer(i)
    await this.#answers()
  }

  stop(): Promise<void> {
    return this.#servers.stop()
  }
}
