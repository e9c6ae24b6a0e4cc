import type { Cancel, LogLevel } from '@cluster/core'
import { eachTurn } from '../real/turns.ts'
import { EventQueue } from './event-queue.ts'
import { calmNetwork, SimNetwork } from './network.ts'
import { calmDisk } from './sim-disk.ts'
import { type Program, SimNode } from './sim-node.ts'
import { SimRandom } from './sim-random.ts'
import { Trace } from './trace.ts'

export interface WorldOptions {
  /** Everything that is left to chance follows from it. */
  readonly seed: number | string
  /** Lines of lower levels are not kept. Default `info`. */
  readonly logLevel?: LogLevel
  /** Lines kept of each kind. Default 2,000. */
  readonly traceLinesMax?: number
}

/** More events at one virtual time than this mean a loop without waiting. */
const EVENTS_AT_ONCE_MAX = 200_000

/**
 * A whole cluster in one process and in virtual time. One seed decides everything: delays, losses, faults and
 * the chance that programs draw. Events run one at a time in the order of (time, sequence); after each, all
 * promise callbacks run before the next.
 */
export class World {
  readonly seed: number | string
  readonly random: SimRandom
  readonly trace: Trace
  readonly network: SimNetwork
  readonly logLevel: LogLevel
  readonly #queue = new EventQueue()
  readonly #nodes: SimNode<unknown>[] = []
  #now = 0
  #events = 0
  #failure: { readonly error: unknown } | null = null
  #running = false

  constructor({ seed, logLevel = 'info', traceLinesMax = 2_000 }: WorldOptions) {
    this.seed = seed
    this.logLevel = logLevel
    this.random = new SimRandom(seed)
    this.trace = new Trace(() => this.#now, traceLinesMax)
    this.network = new SimNetwork(this, this.random.fork('network'))
  }

  /** Virtual milliseconds since the world began. */
  get now(): number {
    return this.#now
  }

  /** Events run so far. */
  get events(): number {
    return this.#events
  }

  /** Adds a machine. Names sort as text and are unique. */
  node<App>(name: string, program: Program<App>): SimNode<App> {
    const node = new SimNode(this, name, program)
    this.#nodes.push(node as SimNode<unknown>)
    return node
  }

  /** All machines in the order they were added. */
  get nodes(): readonly SimNode<unknown>[] {
    return this.#nodes
  }

  /** Runs `run` in an event of its own, `delayMs` of virtual time from now. */
  schedule(delayMs: number, run: () => void): Cancel {
    const event = this.#queue.schedule(this.#now + Math.max(0, delayMs), run)
    return () => {
      event.run = null
    }
  }

  /** Resolves after so much virtual time; for the workload, which is no process. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(delayMs, resolve)
    })
  }

  /** Makes the run fail with this error. */
  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  /** Ends partitions, slow and full disks and a lossy network. Crashed nodes stay down: start them. */
  heal(): void {
    this.trace.note('', 'heal')
    Object.assign(this.network.faults, calmNetwork)
    this.network.mend()
    for (const node of this.#nodes) Object.assign(node.disk.faults, calmDisk)
  }

  /**
   * Lets `virtualMs` pass.
   * @param check called after every event; what it throws ends the run
   * @throws the first error of an event, of `check` or given to `fail`
   */
  async run(virtualMs: number, check: () => void = () => {}): Promise<void> {
    await this.#drive(this.#now + virtualMs, check, () => false)
  }

  /** Lets time pass until `done` holds; false when it does not within `virtualMs`. */
  async until(done: () => boolean, virtualMs: number, check: () => void = () => {}): Promise<boolean> {
    return this.#drive(this.#now + virtualMs, check, done)
  }

  /** Lets time pass until the promise settles. @throws when it does not within `virtualMs` */
  async settle<T>(promise: Promise<T>, virtualMs: number, check: () => void = () => {}): Promise<T> {
    let settled = false
    const done = (): void => {
      settled = true
    }
    promise.then(done, done)
    if (!(await this.until(() => settled, virtualMs, check)))
      throw new Error(`nothing settled within ${virtualMs} virtual ms`)
    return promise
  }

  async #drive(end: number, check: () => void, done: () => boolean): Promise<boolean> {
    if (this.#running) throw new Error('the world runs already; await the first run')
    this.#running = true
    let reached = false
    let atOnce = 0
    try {
      await eachTurn(() => {
        if (this.#failure) throw this.#failure.error
        check()
        if (done()) {
          reached = true
          return false
        }
        const event = this.#nextEvent()
        if (event === undefined || event.time > end) {
          this.#now = end
          return false
        }
        this.#queue.pop()
        if (event.time > this.#now) atOnce = 0
        else if (++atOnce > EVENTS_AT_ONCE_MAX)
          throw new Error(`virtual time stands still at ${this.#now} ms: something loops without waiting`)
        this.#now = event.time
        this.#events++
        this.trace.mix(event.sequence)
        event.run?.()
        return true
      })
    } finally {
      this.#running = false
    }
    return reached
  }

  #nextEvent(): ReturnType<EventQueue['peek']> {
    let event = this.#queue.peek()
    while (event?.run === null) {
      this.#queue.pop()
      event = this.#queue.peek()
    }
    return event
  }
}
