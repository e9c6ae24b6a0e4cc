import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LanHost } from '../lan/lan.ts'
import type { Call, Report } from './protocol.ts'

const ACTOR = fileURLToPath(new URL('./actor.ts', import.meta.url))
const CALL_MS_MAX = 20_000

export interface ActorOptions {
  readonly name: string
  readonly data: string
  readonly listen: readonly string[] | null
  readonly seeds: readonly string[]
  readonly redundancy: number
}

/** One node in a process of its own, and the questions put to it. */
export class Actor {
  readonly label: string
  readonly process: ChildProcess
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  #number = 0
  #dead = false

  constructor(label: string, host: LanHost | null, options: ActorOptions, notice: (text: string) => void) {
    this.label = label
    const args = [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      ACTOR,
      JSON.stringify(options),
    ]
    const command = host?.command(process.execPath, args) ?? { program: process.execPath, args }
    this.process = spawn(command.program, [...command.args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.process.on('message', (report: Report) => this.#report(report, notice))
    this.process.on('exit', () => {
      this.#dead = true
      for (const { reject } of this.#waiting.values()) reject(new Error(`${label} is gone`))
      this.#waiting.clear()
    })
  }

  get pid(): number {
    return this.process.pid ?? 0
  }

  get dead(): boolean {
    return this.#dead
  }

  async call<T>(call: Call): Promise<T> {
    const number = ++this.#number
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      this.process.send({ ...call, number })
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${this.label} did not answer "${call.op}" in time`)),
        CALL_MS_MAX,
      )
    })
    try {
      return (await Promise.race([answer, late])) as T
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(number)
    }
  }

  async sql(
    text: string,
    params: readonly (string | number)[] = [],
  ): Promise<readonly (readonly unknown[])[]> {
    return await this.call({ op: 'sql', text, params })
  }

  /** kill −9, and proof that the process is gone. */
  async kill(): Promise<void> {
    const gone = once(this.process, 'exit')
    process.kill(this.pid, 'SIGKILL')
    await gone
    try {
      process.kill(this.pid, 0)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return
      throw error
    }
    throw new Error(`process ${this.pid} of ${this.label} is still there after kill -9`)
  }

  #report(report: Report, notice: (text: string) => void): void {
    if ('event' in report) {
      if (report.event === 'notice') notice(`${this.label}: ${report.data}`)
      else {
        const { partitions, rows, from, source } = report.data
        notice(
          `${this.label} took over ${partitions.length} partitions (${rows} rows) of ${from ?? 'nobody'}, copied from ${source ?? 'nobody'}`,
        )
      }
      return
    }
    const waiting = this.#waiting.get(report.number)
    if ('error' in report) waiting?.reject(new Error(`${this.label}: ${report.error}`))
    else waiting?.resolve(report.result)
  }
}
