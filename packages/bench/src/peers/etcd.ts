import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LoadAnswer } from '../closed-loop.ts'
import { freePorts, pause } from '../ports.ts'
import { builtClient } from './built-client.ts'
import { type Absent, absent } from './peer.ts'

const run = promisify(execFile)
const SOURCE = fileURLToPath(new URL('../../peers/etcd-client/main.go', import.meta.url))
/** Where Debian's packages keep the sources of Go libraries. */
const GO_PATH = '/usr/share/gocode'
const MEMBERS = 3
const START_MS_MAX = 20_000

/** What is asked of the client process; see its source. */
export interface EtcdRequest {
  readonly op: 'put' | 'get' | 'lock' | 'tick' | 'gap' | 'held'
  readonly callers?: number
  readonly warmUpMs?: number
  readonly measuredMs?: number
  readonly bytes?: number
  readonly keys?: number
}

interface EtcdAnswer extends LoadAnswer {
  readonly gapMs: number
  readonly held: number
  readonly error?: string
}

interface EtcdInstallation {
  readonly version: string
  readonly client: string
}

/** What is there to measure with, or what is missing. Builds the client at its first use. */
export async function findEtcd(): Promise<EtcdInstallation | Absent> {
  let version: string
  try {
    const { stdout } = await run('etcd', ['--version'])
    version = /etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'unknown'
  } catch {
    return absent('etcd', 'the program etcd is not installed')
  }
  try {
    return { version, client: await buildClient() }
  } catch (error) {
    return absent('etcd', `its client cannot be built: ${error instanceof Error ? error.message : error}`)
  }
}

const buildClient = (): Promise<string> =>
  builtClient('etcd', SOURCE, async (program, folder) => {
    await access(join(GO_PATH, 'src/go.etcd.io/etcd/clientv3'))
    const env = {
      ...process.env,
      GO111MODULE: 'off',
      GOPATH: GO_PATH,
      GOFLAGS: '',
      GOCACHE: join(folder, 'go-build'),
    }
    await run('go', ['build', '-o', program, SOURCE], { env })
  })

/** Three etcd servers with their defaults (fsync on), and the client, each a process of its own. */
export class Etcd {
  readonly version: string
  readonly #folder: string
  readonly #servers: (ChildProcess | null)[] = []
  readonly #endpoints: readonly string[]
  readonly #arguments: readonly (readonly string[])[]
  #client: ChildProcess | null = null
  readonly #program: string
  #answers: ((line: string) => void)[] = []

  private constructor(folder: string, { version, client }: EtcdInstallation, ports: readonly number[]) {
    this.version = version
    this.#folder = folder
    this.#program = client
    const url = (port: number | undefined): string => `http://127.0.0.1:${port}`
    this.#endpoints = ports.slice(0, MEMBERS).map(url)
    const peers = ports.slice(MEMBERS).map(url)
    const initial = peers.map((peer, i) => `m${i}=${peer}`).join(',')
    this.#arguments = this.#endpoints.map((endpoint, i) => [
      ...['--name', `m${i}`, '--data-dir', join(folder, `m${i}`)],
      ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
      ...['--listen-peer-urls', peers[i] ?? '', '--initial-advertise-peer-urls', peers[i] ?? ''],
      ...['--initial-cluster', initial, '--initial-cluster-state', 'new', '--initial-cluster-token', folder],
      ...['--logger', 'zap', '--log-level', 'error', '--log-outputs', join(folder, `m${i}.log`)],
    ])
  }

  static async start(installation: EtcdInstallation): Promise<Etcd> {
    const folder = await mkdtemp(join(tmpdir(), 'cluster-bench-etcd-'))
    const etcd = new Etcd(folder, installation, await freePorts(2 * MEMBERS))
    try {
      for (let i = 0; i < MEMBERS; i++) etcd.startServer(i)
      await etcd.ready()
      const client = spawn(etcd.#program, etcd.#endpoints, {
        // Its library complains of every member that is away; what counts comes with the answers.
        stdio: ['pipe', 'pipe', 'ignore'],
      })
      etcd.#client = client
      createInterface({ input: client.stdout }).on('line', (line) => etcd.#answers.shift()?.(line))
      client.on('exit', () => {
        for (const answer of etcd.#answers.splice(0)) answer('{"error":"the client ended"}')
      })
    } catch (error) {
      await etcd.stop()
      throw error
    }
    return etcd
  }

  get serverPids(): readonly number[] {
    return this.#servers.flatMap((server) => server?.pid ?? [])
  }

  get clientPids(): readonly number[] {
    return this.#client?.pid === undefined ? [] : [this.#client.pid]
  }

  startServer(i: number): void {
    this.#servers[i] = spawn('etcd', [...(this.#arguments[i] ?? [])], { stdio: 'ignore' })
    if (i === 0) process.removeListener('exit', this.#killAll).on('exit', this.#killAll)
  }

  async killServer(i: number): Promise<void> {
    await end(this.#servers[i] ?? null)
    this.#servers[i] = null
  }

  /** Polls until every member says that it is healthy. */
  async ready(): Promise<void> {
    const deadline = performance.now() + START_MS_MAX
    const healthy = async (endpoint: string): Promise<boolean> => {
      try {
        return (await fetch(`${endpoint}/health`)).ok
      } catch {
        return false
      }
    }
    while (!(await Promise.all(this.#endpoints.map(healthy))).every(Boolean)) {
      if (performance.now() > deadline)
        throw new Error(`etcd did not start; its output is in ${this.#folder}`)
      await pause(50)
    }
  }

  /** Position of the member that leads. */
  async leader(): Promise<number> {
    for (const [i, endpoint] of this.#endpoints.entries()) {
      const reply = await fetch(`${endpoint}/v3/maintenance/status`, { method: 'POST', body: '{}' })
      const status = (await reply.json()) as { leader?: string; header?: { member_id?: string } }
      if (status.leader !== undefined && status.leader === status.header?.member_id) return i
    }
    throw new Error('no etcd member leads')
  }

  async ask(request: EtcdRequest): Promise<EtcdAnswer> {
    const line = await new Promise<string>((resolve) => {
      this.#answers.push(resolve)
      this.#client?.stdin?.write(`${JSON.stringify(request)}\n`)
    })
    const answer = JSON.parse(line) as EtcdAnswer
    if (answer.error !== undefined) throw new Error(`etcd's client: ${answer.error}`)
    return answer
  }

  /** A benchmark that fails must leave no server behind. */
  readonly #killAll = (): void => {
    for (const child of [this.#client, ...this.#servers]) child?.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    process.removeListener('exit', this.#killAll)
    await end(this.#client)
    await Promise.all(this.#servers.map(end))
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** kill −9, and waits for the end. */
async function end(child: ChildProcess | null): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
