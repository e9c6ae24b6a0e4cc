import { execFile } from 'node:child_process'
import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Histogram } from '../histogram.ts'
import { freePorts, pause } from '../ports.ts'
import { type KvAnswer, type KvLoad, ROWS_LOADED, TEXT_LENGTH } from '../workers/kv-worker-protocol.ts'
import { builtClient } from './built-client.ts'
import { type Absent, absent } from './peer.ts'
import { Servers, userFor } from './servers.ts'

const run = promisify(execFile)
const SOURCE = fileURLToPath(new URL('../../peers/galera-client/main.c', import.meta.url))
const PROVIDER = '/usr/lib/galera/libgalera_smm.so'
const SERVER = '/usr/sbin/mariadbd'
const MEMBERS = 3
const START_MS_MAX = 60_000
/** Ids of one run begin this far behind those of the run before. */
const IDS_A_RUN = 1_000_000_000

export interface GaleraInstallation {
  readonly version: string
  readonly client: string
}

/** What is there to measure with, or what is missing. Builds the client at its first use. */
export async function findGalera(): Promise<GaleraInstallation | Absent> {
  try {
    await access(PROVIDER)
    const { stdout } = await run(SERVER, ['--version'])
    const version = /Ver (\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? 'unknown'
    return { version, client: await buildClient() }
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'MariaDB with Galera is not installed'
        : String(error)
    return absent('galera', why)
  }
}

const buildClient = (): Promise<string> =>
  builtClient('galera', SOURCE, (program) =>
    run('gcc', ['-O2', '-o', program, SOURCE, '-lmariadb', '-lpthread']),
  )

/** How many rows the tables of pgbench have. */
export interface PgbenchTables {
  readonly accounts: number
  /** Each has ten tellers. */
  readonly branches: number
}

type LoadTimes = Pick<KvLoad, 'callers' | 'warmUpMs' | 'measuredMs'>

/** Three MariaDB servers with Galera, each flushing its log at every commit, on loopback. */
export class Galera {
  readonly version: string
  readonly #client: string
  readonly #servers: Servers
  /** For SQL, for the group, and for what joins. */
  readonly #ports: readonly number[]
  #runs = 0

  private constructor({ version, client }: GaleraInstallation, servers: Servers, ports: readonly number[]) {
    this.version = version
    this.#client = client
    this.#servers = servers
    this.#ports = ports
  }

  static async start(installation: GaleraInstallation): Promise<Galera> {
    const servers = await Servers.inFolder('galera', await userFor('mysql'))
    const galera = new Galera(installation, servers, await freePorts(3 * MEMBERS))
    await servers.orStop(galera.#prepare())
    return galera
  }

  get serverPids(): readonly number[] {
    return this.#servers.pids
  }

  #port(i: number, use: 'sql' | 'group' | 'join'): number {
    return this.#ports[i + MEMBERS * ['sql', 'group', 'join'].indexOf(use)] ?? 0
  }

  async #startServer(i: number, first: boolean): Promise<void> {
    const data = join(this.#servers.folder, `m${i}`)
    const group = Array.from({ length: MEMBERS }, (_, m) => `127.0.0.1:${this.#port(m, 'group')}`).join(',')
    const settings = join(this.#servers.folder, `m${i}.cnf`)
    const lines = [
      '[mysqld]',
      `datadir=${data}`,
      `port=${this.#port(i, 'sql')}`,
      'bind-address=127.0.0.1',
      `socket=${data}.sock`,
      `pid-file=${data}.pid`,
      `log-error=${data}.log`,
      'skip-grant-tables',
      'skip-networking=0',
      'binlog_format=ROW',
      'default_storage_engine=InnoDB',
      'innodb_autoinc_lock_mode=2',
      'innodb_flush_log_at_trx_commit=1',
      'innodb_buffer_pool_size=256M',
      'max_connections=200',
      'wsrep_on=ON',
      `wsrep_provider=${PROVIDER}`,
      'wsrep_cluster_name=bench',
      `wsrep_cluster_address=gcomm://${first ? '' : group}`,
      `wsrep_node_name=m${i}`,
      'wsrep_node_address=127.0.0.1',
      'wsrep_sst_method=rsync',
      `wsrep_sst_receive_address=127.0.0.1:${this.#port(i, 'join')}`,
      `wsrep_provider_options="base_port=${this.#port(i, 'group')};gmcast.listen_addr=tcp://127.0.0.1:${this.#port(i, 'group')};ist.recv_addr=127.0.0.1"`,
    ]
    await writeFile(settings, `${lines.join('\n')}\n`)
    this.#servers.start(`m${i}`, SERVER, [`--defaults-file=${settings}`])
  }

  async #prepare(): Promise<void> {
    for (let i = 0; i < MEMBERS; i++) {
      const data = `--datadir=${join(this.#servers.folder, `m${i}`)}`
      await this.#servers.run('mariadb-install-db', [
        '--no-defaults',
        data,
        '--auth-root-authentication-method=normal',
      ])
    }
    for (let i = 0; i < MEMBERS; i++) {
      await this.#startServer(i, i === 0)
      await this.#synced(i)
    }
    await this.ask(
      'CREATE DATABASE bench; USE bench; CREATE TABLE kv (id bigint PRIMARY KEY, value text NOT NULL);' +
        'CREATE TABLE counters (id integer PRIMARY KEY, n integer NOT NULL); INSERT INTO counters VALUES (1, 0);' +
        `INSERT INTO kv SELECT seq, repeat('x', ${TEXT_LENGTH}) FROM seq_1_to_${ROWS_LOADED}`,
    )
  }

  async #synced(i: number): Promise<void> {
    const deadline = performance.now() + START_MS_MAX
    for (;;) {
      try {
        if ((await this.ask("SHOW STATUS LIKE 'wsrep_local_state_comment'", i)).includes('Synced')) return
      } catch (error) {
        if (performance.now() > deadline) throw error
      }
      if (performance.now() > deadline)
        throw new Error(`member ${i} of Galera did not start; see ${this.#servers.folder}`)
      await pause(200)
    }
  }

  /** Runs SQL on a member; gives the rows as bare text. */
  ask(sql: string, member = 0): Promise<string> {
    const connection = ['-h', '127.0.0.1', '-P', String(this.#port(member, 'sql')), '-u', 'root']
    return this.#servers.run('mariadb', ['--no-defaults', ...connection, '-N', '-e', sql])
  }

  /** @param spread callers are spread over all members; else all are on one */
  load({ kind, callers, warmUpMs, measuredMs }: KvLoad, spread: boolean): Promise<KvAnswer> {
    const firstId = ++this.#runs * IDS_A_RUN
    const times = { callers, warmUpMs, measuredMs }
    return this.#run(kind, times, [firstId, ROWS_LOADED], spread)
  }

  /** Makes the tables of pgbench. */
  async loadPgbench({ accounts, branches }: PgbenchTables): Promise<void> {
    await this.ask(
      `USE bench; CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
       CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
       CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
       CREATE TABLE pgbench_history (id bigint AUTO_INCREMENT PRIMARY KEY, tid int, bid int, aid int, delta int,
         mtime timestamp, filler char(22));
       INSERT INTO pgbench_branches SELECT seq, 0, '' FROM seq_1_to_${branches};
       INSERT INTO pgbench_tellers SELECT seq, 1 + (seq - 1) DIV 10, 0, '' FROM seq_1_to_${10 * branches};
       INSERT INTO pgbench_accounts SELECT seq, 1 + seq % ${branches}, 0, '' FROM seq_1_to_${accounts}`,
    )
  }

  /** Runs one of pgbench's scripts. @param spread callers are spread over all members; else all are on one */
  pgbench(
    script: 'select' | 'simple' | 'tpcb',
    times: LoadTimes,
    { accounts, branches }: PgbenchTables,
    spread: boolean,
  ): Promise<KvAnswer> {
    return this.#run(script, times, [branches, accounts], spread)
  }

  /** From connecting to the first row, one after another. */
  firstRows(measuredMs: number): Promise<KvAnswer> {
    return this.#run('first-row', { callers: 1, warmUpMs: 0, measuredMs }, [0, 1], false)
  }

  /** One result of so many rows; its time is that of the one operation. */
  rows(count: number): Promise<KvAnswer> {
    return this.#run('rows', { callers: 1, warmUpMs: 0, measuredMs: 1 }, [0, count], false)
  }

  async #run(
    kind: string,
    { callers, warmUpMs, measuredMs }: LoadTimes,
    sizes: readonly [firstId: number, rows: number],
    spread: boolean,
  ): Promise<KvAnswer> {
    const ports = Array.from({ length: spread ? MEMBERS : 1 }, (_, i) => String(this.#port(i, 'sql')))
    const args = [kind, ...[callers, warmUpMs, measuredMs, ...sizes].map(String), ...ports]
    const output = await this.#servers.run(this.#client, args, null)
    const histogram = new Histogram()
    let failed = 0
    for (const line of output.split('\n')) {
      if (line.startsWith('done ')) failed = Number(line.slice(5))
      else if (line !== '') histogram.record(Number(line))
    }
    return { operations: histogram.total, wallMs: measuredMs, buckets: histogram.buckets(), failed }
  }

  stop(): Promise<void> {
    return this.#servers.stop()
  }
}
