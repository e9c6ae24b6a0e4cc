import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A program and its arguments, perhaps behind others that prepare its place (`ip netns exec …`). */
export interface ProgramCommand {
  readonly program: string
  readonly args: readonly string[]
}

interface Request {
  readonly number: number
  readonly operation: string
  readonly argument: unknown
}

type Report =
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly error: string }
  | { readonly event: string; readonly data: unknown }

const CALL_MS_MAX = 20_000

/** A real process that answers calls over IPC; the other half is `answerCalls`. */
export class CalledProcess {
  readonly label: string
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  readonly #exited: Promise<unknown>
  #number = 0
  #dead = false

  /** @param onEvent what the process emits by itself */
  constructor(label: string, command: ProgramCommand, onEvent: (event: string, data: unknown) => void) {
    this.label = label
    this.#child = spawn(command.program, [...command.args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (report: Report) => this.#report(report, onEvent))
    this.#exited = once(this.#child, 'exit')
    this.#child.on('exit', () => {
      this.#dead = true
      for (const { reject } of this.#waiting.values()) reject(new Error(`${label} is gone`))
      this.#waiting.clear()
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get dead(): boolean {
    return this.#dead
  }

  /** Rejects with the text of the error that the operation met, and when the process is gone or silent. */
  async call<T>(operation: string, argument: unknown = null, timeoutMs = CALL_MS_MAX): Promise<T> {
    if (this.#dead) throw new Error(`${this.label} is gone`)
    const number = ++this.#number
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      this.#child.send({ number, operation, argument } satisfies Request)
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${this.label} did not answer "${operation}" in time`)),
        timeoutMs,
      )
    })
    try {
      return (await Promise.race([answer, late])) as T
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(number)
    }
  }

  /** kill −9, and proof that the process is gone. */
  async kill(): Promise<void> {
    if (!this.#dead) process.kill(this.pid, 'SIGKILL')
    await this.#exited
    try {
      process.kill(this.pid, 0)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return
      throw error
    }
    throw new Error(`process ${this.pid} of ${this.label} is still there after kill -9`)
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    process.kill(this.pid, name)
  }

  /** Calls `stop` and waits for the end; a process that does not stop in `withinMs` is killed. */
  async stop(withinMs = 5000): Promise<void> {
    if (this.#dead) return
    try {
      await this.call('stop', null, withinMs)
      if (this.#child.connected) this.#child.disconnect()
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), withinMs)
      await this.#exited
      clearTimeout(timer)
    } catch {
      // It cannot stop by itself any more.
      await this.kill()
    }
  }

  #report(report: Report, onEvent: (event: string, data: unknown) => void): void {
    if ('event' in report) {
      onEvent(report.event, report.data)
      return
    }
    const waiting = this.#waiting.get(report.number)
    if ('error' in report) waiting?.reject(new Error(`${this.label}: ${report.error}`))
    else waiting?.resolve(report.result)
  }
}

/**
 * Serves the calls of a `CalledProcess` in this process; it ends when the caller is gone.
 * @returns sends an event to the caller
 */
export function answerCalls(
  operations: Readonly<Record<string, (argument: never) => Promise<unknown>>>,
): (event: string, data: unknown) => void {
  const send = (report: Report): void => {
    if (process.connected) process.send?.(report)
  }
  process.on('message', ({ number, operation, argument }: Request) => {
    const run = operations[operation]
    if (!run) {
      send({ number, error: `there is no operation ${operation}` })
      return
    }
    run(argument as never).then(
      (result) => send({ number, result: result ?? null }),
      (error: unknown) =>
        send({ number, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
  process.on('disconnect', () => process.exit(0))
  return (event, data) => send({ event, data })
}
