import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CalledProcess } from '@cluster/testkit'
import { freePorts } from './ports.ts'
import type { WorkerOptions, WorkerStatus } from './workers/worker-protocol.ts'

const WAIT_MS_MAX = 30_000

/** Fresh nodes in processes of their own, on loopback, in a temporary folder. */
export class Fleet {
  readonly workers: CalledProcess[]
  readonly #options: WorkerOptions[]
  readonly #folder: string
  readonly #program: string

  private constructor(folder: string, options: readonly WorkerOptions[], worker: string) {
    this.#folder = folder
    this.#program = fileURLToPath(new URL(`./workers/${worker}`, import.meta.url))
    this.#options = [...options]
    this.workers = options.map((_, i) => this.#spawn(i))
  }

  /**
   * Starts them all at once; does not wait for them.
   * @param worker the file, in the folder `workers`, of the program that they run
   */
  static async start(count: number, worker = 'worker.ts'): Promise<Fleet> {
    const folder = await mkdtemp(join(tmpdir(), 'cluster-bench-'))
    const ports = await freePorts(count)
    const addresses = ports.map((port) => `127.0.0.1:${port}`)
    const options = addresses.map((listen, i) => ({
      name: 'bench',
      data: join(folder, String(i)),
      listen,
      seeds: addresses.filter((address) => address !== listen),
    }))
    return new Fleet(folder, options, worker)
  }

  worker(i: number): CalledProcess {
    const worker = this.workers[i]
    if (!worker) throw new RangeError(`no worker ${i}`)
    return worker
  }

  /** Starts a killed one again with its data. */
  restart(i: number): void {
    this.workers[i] = this.#spawn(i)
  }

  /** Starts one more that has nothing yet. @returns its position */
  async add(): Promise<number> {
    const [port] = await freePorts(1)
    const at = this.#options.length
    const seeds = this.#options.map(({ listen }) => listen)
    this.#options.push({
      name: 'bench',
      data: join(this.#folder, String(at)),
      listen: `127.0.0.1:${port}`,
      seeds,
    })
    this.workers.push(this.#spawn(at))
    return at
  }

  /** Polls the living until all say that every node votes and every partition has its copies. */
  async settled(): Promise<readonly WorkerStatus[]> {
    const deadline = performance.now() + WAIT_MS_MAX
    for (;;) {
      const living = this.workers.filter((worker) => !worker.dead)
      const statuses = await Promise.all(living.map((worker) => worker.call<WorkerStatus>('status')))
      const done = ({ voters, underReplicated }: WorkerStatus): boolean =>
        voters === living.length && underReplicated === 0
      if (statuses.every(done)) return statuses
      if (performance.now() > deadline)
        throw new Error(`the nodes did not settle: ${JSON.stringify(statuses)}`)
      await new Promise((resolve) => {
        setTimeout(resolve, 20)
      })
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()))
    await rm(this.#folder, { recursive: true, force: true })
  }

  #spawn(i: number): CalledProcess {
    const args = [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      this.#program,
      JSON.stringify(this.#options[i]),
    ]
    return new CalledProcess(`node ${i + 1}`, { program: process.execPath, args }, () => {})
  }
}
