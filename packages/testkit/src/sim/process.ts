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

  /** Schedules `run` in this process; it does not run once the process is dead. */
  later(delayMs: number, run: () => void): Cancel {
    if (!this.#alive) return () => {}
    return this.timeline.schedule(delayMs, () => {
      if (this.#alive) run()
    })
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
