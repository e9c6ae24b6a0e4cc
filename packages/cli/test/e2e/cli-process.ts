import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as breath } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Far more than anything takes, so that a failing test shows what was said instead of running out of time. */
const SAID_MS_MAX = 40_000
/** For `jest.setTimeout`: what a test with several processes may take on a busy machine. */
export const TEST_MS_MAX = 90_000

const POLL_MS = 25

export interface CliOptions {
  /** `none` gives an input without a character, `open` one that `write` feeds, any other text is piped in. */
  readonly input?: string
  readonly folder?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface CliExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The command line in a process of its own, and what it says. */
export class CliProcess {
  stdout = ''
  stderr = ''
  readonly exited: Promise<CliExit>
  readonly #child: ChildProcess
  readonly #watchers = new Set<() => void>()
  #exit: CliExit | null = null

  constructor(program: string, args: readonly string[], { input = 'none', folder, env = {} }: CliOptions) {
    const { CLUSTER_SECRET: _, ...inherited } = process.env
    this.#child = spawn(program, [...args], {
      cwd: folder,
      stdio: [input === 'none' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: { ...inherited, HOME: folder, NO_COLOR: '1', ...env },
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#look()
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#look()
    })
    // A process that ends early closes its input; what it said tells the test why.
    this.#child.stdin?.on('error', () => {})
    if (input !== 'none' && input !== 'open') this.#child.stdin?.end(input)
    this.exited = once(this.#child, 'close').then(([code, signal]) => {
      this.#exit = { code, signal }
      this.#look()
      return this.#exit
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get output(): string {
    return `${this.stdout}\n-- standard error --\n${this.stderr}`
  }

  /** Waits until one of its streams holds the text. Rejects with all of the output when it ends without. */
  async said(what: string | RegExp): Promise<string> {
    const found = (): string | null => match(this.stdout, what) ?? match(this.stderr, what)
    return await this.#until(found, () => `does not say ${what}`)
  }

  /** Waits until standard output holds the text so many times. */
  async saidTimes(what: string, times: number): Promise<void> {
    const count = (): number => this.stdout.split(what).length - 1
    await this.#until(
      () => (count() >= times ? what : null),
      () => `says "${what}" ${count()} times instead of ${times}`,
    )
  }

  /** The address it listens on, as `host:port`. */
  async address(): Promise<string> {
    const line = await this.said(/listening on \/ip4\/127\.0\.0\.1\/tcp\/\d+/)
    return `127.0.0.1:${line.slice(line.lastIndexOf('/') + 1)}`
  }

  /** Resolves when the node is in the cluster and has opened the database. */
  async serving(): Promise<this> {
    await this.said(/structure\np2p/)
    return this
  }

  write(text: string): void {
    this.#child.stdin?.write(text)
  }

  /** Runs statements on the open input and gives what standard output says to them, up to a mark behind them. */
  async run(statements: string): Promise<string> {
    const from = this.stdout.length
    const mark = `mark ${randomInt(1e9)}`
    this.write(`${statements}\nselect '${mark}' as mark;\n`)
    const all = await this.#until(
      () => (this.stdout.indexOf(mark, from) < 0 ? null : this.stdout.slice(from)),
      () => `does not answer ${statements}`,
    )
    return all.slice(0, all.indexOf('mark')).trimEnd()
  }

  /** Asks again and again until the answer looks as wanted, with a breath between for the node's own work. */
  async runUntil(statements: string, isWanted: (answer: string) => boolean): Promise<void> {
    const late = performance.now() + SAID_MS_MAX
    for (;;) {
      const answer = await this.run(statements)
      if (isWanted(answer)) return
      if (performance.now() > late) throw new Error(`"${statements}" ends with:\n${answer}\n${this.stderr}`)
      await breath(POLL_MS)
    }
  }

  /** Waits until so many nodes vote and every row has all of its copies. */
  async settled(voters: number): Promise<void> {
    await this.runUntil('\\members', (answer) => answer.match(/\b(leader|voter)\b/g)?.length === voters)
    await this.runUntil(
      'select count(*) as bad from cluster_partitions where under_replicated or not available;',
      (answer) => /^ *0$/m.test(answer),
    )
  }

  /** Closes this end of its standard output. */
  stopReading(): void {
    this.#child.stdout?.destroy()
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** A clean stop by a signal. @returns milliseconds from the signal to the end */
  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    const from = performance.now()
    this.signal(name)
    await this.exited
    return performance.now() - from
  }

  async kill(): Promise<void> {
    if (this.#exit === null) this.#child.kill('SIGKILL')
    await this.exited
  }

  #look(): void {
    for (const watcher of this.#watchers) watcher()
  }

  #until(found: () => string | null, otherwise: () => string): Promise<string> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
      }
      const fail = (why: string): void => {
        end()
        reject(new Error(`the process ${why}; it said:\n${this.output}`))
      }
      const look = (): void => {
        const text = found()
        if (text !== null) {
          end()
          resolve(text)
        } else if (this.#exit !== null) fail(`${otherwise()} and ended with ${this.#exit.code}`)
      }
      const timer = setTimeout(() => fail(`${otherwise()} in time`), SAID_MS_MAX)
      this.#watchers.add(look)
      look()
    })
  }
}

function match(text: string, what: string | RegExp): string | null {
  if (typeof what === 'string') return text.includes(what) ? what : null
  return what.exec(text)?.[0] ?? null
}

/** Processes in a temporary folder; `stop` ends every one that is left and removes the folder. */
export class CliPlace {
  readonly folder: string
  readonly #processes: CliProcess[] = []

  private constructor(folder: string) {
    this.folder = folder
  }

  static async open(): Promise<CliPlace> {
    return new CliPlace(await mkdtemp(join(tmpdir(), 'cluster-cli-')))
  }

  /** The command line with exactly these arguments. */
  cli(args: readonly string[], options: CliOptions = {}): CliProcess {
    const all = ['--conditions=source', '--disable-warning=ExperimentalWarning', MAIN, ...args]
    return this.program(process.execPath, all, options)
  }

  /** A node on loopback that multicasts nothing; alone unless `args` name a seed. */
  node(args: readonly string[] = [], options: CliOptions = {}): CliProcess {
    const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0']
    const alone = args.includes('--seed') || args.includes('--expect') ? [] : ['--alone']
    return this.cli(['--no-mdns', ...listen, ...alone, ...args], options)
  }

  /** Export or import, by a node on loopback that is alone. */
  transfer(args: readonly string[], options: CliOptions = {}): CliProcess {
    return this.cli([...args, '--no-mdns', '--listen', '127.0.0.1:0', '--alone'], options)
  }

  program(program: string, args: readonly string[], options: CliOptions = {}): CliProcess {
    const started = new CliProcess(program, args, { folder: this.folder, ...options })
    this.#processes.push(started)
    return started
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.kill()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

/**
 * Ports that nobody listens on, below those that the system gives to connections, so that a node can be started
 * again on the same one.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = randomInt(15_000, 32_000)
    if (!ports.includes(port) && (await isFree(port))) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
