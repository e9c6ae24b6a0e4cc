import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The user that servers run as which refuse to run as root; null: this process's own. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/** Finds a user by name; null when this process is not root and so cannot become anybody else. */
export async function userFor(name: string): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((one) => one.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new Error(`there is no user ${name}`)
  return { uid: Number(uid), gid: Number(gid) }
}

/** Servers of one peer in a temporary folder; none is left behind, however the benchmark ends. */
export class Servers {
  readonly folder: string
  readonly user: ServerUser | null
  readonly #running = new Map<string, ChildProcess>()

  private constructor(folder: string, user: ServerUser | null) {
    this.folder = folder
    this.user = user
    process.on('exit', this.#killAll)
  }

  static async inFolder(name: string, user: ServerUser | null): Promise<Servers> {
    const folder = await mkdtemp(join(tmpdir(), `cluster-bench-${name}-`))
    if (user !== null) await chown(folder, user.uid, user.gid)
    return new Servers(folder, user)
  }

  get pids(): readonly number[] {
    return [...this.#running.values()].flatMap(({ pid }) => pid ?? [])
  }

  #options(stdio: SpawnOptions['stdio'], user: ServerUser | null): SpawnOptions {
    return { stdio, cwd: this.folder, ...(user ?? {}) }
  }

  /** Stops what was started, and takes the folder away, when getting ready fails. */
  async orStop(ready: Promise<void>): Promise<void> {
    try {
      await ready
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  start(name: string, program: string, args: readonly string[]): void {
    this.#running.set(name, spawn(program, [...args], this.#options('ignore', this.user)))
  }

  /**
   * Runs a program to its end and gives what it wrote.
   * @param user whom it runs as: the servers' user, or null for this process's own
   */
  async run(program: string, args: readonly string[], user = this.user): Promise<string> {
    const child = spawn(program, [...args], this.#options(['ignore', 'pipe', 'pipe'], user))
    const output: [string, string] = ['', '']
    child.stdout?.on('data', (data) => (output[0] += String(data)))
    child.stderr?.on('data', (data) => (output[1] += String(data)))
    const [code] = (await once(child, 'close')) as [number | null]
    if (code !== 0) throw new Error(`${program} ended with ${code}: ${output[1].slice(-2_000)}`)
    return output[0]
  }

  /** kill −9 of all servers with everything that they started, and waits for the end. */
  async killAll(): Promise<void> {
    const children = [...this.#running.values()].filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    )
    this.#running.clear()
    const helpers = (await Promise.all(children.map(({ pid }) => childrenOf(pid ?? 0)))).flat()
    for (const child of children) child.kill('SIGKILL')
    for (const pid of helpers) kill(pid)
    await Promise.all(
      children.map((child) =>
        child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null,
      ),
    )
  }

  readonly #killAll = (): void => {
    for (const child of this.#running.values()) child.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    process.removeListener('exit', this.#killAll)
    await this.killAll()
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It went with its parent.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Processes that a process has started and that are still there; Linux only. */
async function childrenOf(parent: number): Promise<number[]> {
  const pids: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8')
      const [, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(ppid) === parent) pids.push(Number(name))
    } catch {
      // It ended meanwhile.
    }
  }
  return pids
}
