import type { Cancel } from '@cluster/core'
import type { Timeline } from './parties.ts'

/**
 * One life of a node's program. Everything that the world does for it goes through `later`, so that nothing of
 * a dead process runs any more.
 */
export class Process {
  readonly timeline: Timeline
  readonly node: string
  /** 1 for the first start of the node, and so on. */
  readonly start: number
  #alive = true
  #awakeAt = 0

  constructor(timeline: Timeline, node: string, start: number) {
    this.timeline = timeline
    this.node = node
    this.start = start
  }

  get alive(): boolean {
    return this.#alive
  }

  end(): void {
    this.#alive = false
  }

  /** Nothing of this process runs for so long, as when its event loop is blocked or the platform stopped it. */
  stall(ms: number): void {
    this.#awakeAt = Math.max(this.#awakeAt, this.timeline.now + ms)
  }

  /** How long the present stall lasts still; 0 without one. */
  get stalledMs(): number {
    return Math.max(0, this.#awakeAt - this.timeline.now)
  }

  /** Schedules `run` in this process; it does not run once the process is dead. */
  later(delayMs: number, run: () => void): Cancel {
    if (!this.#alive) return () => {}
    let cancel: Cancel = () => {}
    const wait = (ms: number): void => {
      cancel = this.timeline.schedule(ms, () => {
        if (!this.#alive) return
        // What comes due in a stall runs after it, in the same order.
        if (this.stalledMs > 0) wait(this.stalledMs)
        else run()
      })
    }
    wait(delayMs)
    return () => cancel()
  }

  /** Answers after `delayMs` with what `work` gives then; never, if the process dies before. */
  soon<T>(delayMs: number, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.later(delayMs, () => {
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      })
    })
  }
}
