import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Job, JobResult } from './worker.ts'

/** A seed that takes longer than this by the wall clock hangs. */
const HANG_MS = 180_000

export interface PoolOptions {
  readonly workers: number
  /** Plants this bug in every worker. */
  readonly mutation: string | null
}

/** Worker processes that play one seed at a time each. */
export class Pool {
  readonly #options: PoolOptions
  readonly #children = new Set<ChildProcess>()
  #closed = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /**
   * Plays jobs until there is none left.
   * @param next the next job, or null
   * @param done called with every result, in the order in which they come
   */
  async run(next: () => Job | null, done: (job: Job, result: JobResult) => void): Promise<void> {
    const lanes = Array.from({ length: this.#options.workers }, () => this.#lane(next, done))
    await Promise.all(lanes)
  }

  /** Ends all workers at once. */
  close(): void {
    this.#closed = true
    for (const child of this.#children) child.kill('SIGKILL')
  }

  async #lane(next: () => Job | null, done: (job: Job, result: JobResult) => void): Promise<void> {
    let child: ChildProcess | null = null
    for (let job = next(); job !== null && !this.#closed; job = next()) {
      child ??= this.#start()
      const result = await this.#play(child, job)
      if (this.#closed) return
      done(job, result)
      if (!child.connected) child = null
    }
    if (child) {
      this.#children.delete(child)
      child.disconnect()
    }
  }

  #start(): ChildProcess {
    const env = { ...process.env }
    if (this.#options.mutation === null) delete env['SIM_MUTATION']
    else env['SIM_MUTATION'] = this.#options.mutation
    const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), [], {
      execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'],
      env,
      serialization: 'advanced',
    })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  #play(child: ChildProcess, job: Job): Promise<JobResult> {
    return new Promise((resolve) => {
      const finish = (result: JobResult): void => {
        clearTimeout(timer)
        child.off('message', finish)
        child.off('exit', onExit)
        resolve(result)
      }
      const onExit = (code: number | null, signal: string | null): void =>
        finish({ error: `the worker ended by itself (${signal ?? `code ${code}`})` })
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        finish({ error: `no result after ${HANG_MS / 1_000} s: something loops` })
      }, HANG_MS)
      child.on('message', finish)
      child.once('exit', onExit)
      child.send(job)
    })
  }
}
