import type { Cancel, Clock } from '@cluster/core'
import type { Timeline } from './parties.ts'
import type { Process } from './process.ts'

/** How the clocks of a machine differ from the world's. */
export class ClockFaults {
  /** Added to the wall clock, milliseconds. */
  skewMs = 0
  readonly #timeline: Timeline
  #rate = 1
  /** When the rate was last changed, and what had passed by then on the monotonic clock. */
  #since = 0
  #passed = 0

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  /** Milliseconds of the monotonic clock in one of the world; 1 is a perfect clock. It may change at any time. */
  get rate(): number {
    return this.#rate
  }

  set rate(rate: number) {
    this.#passed = this.elapsed()
    this.#since = this.#timeline.now
    this.#rate = rate
  }

  /** What the monotonic clock counted since the world began. */
  elapsed(): number {
    return this.#passed + (this.#timeline.now - this.#since) * this.#rate
  }
}

/** Long ago enough to notice that a protocol uses the wall clock of the machine that runs the test. */
const EPOCH_WALL = Date.UTC(2020, 0, 1)
/** A turn takes this long, so that a loop of turns cannot stop virtual time. */
const TURN_MS = 0.001

/** The clock of one process: what it scheduled dies with it. */
export class SimClock implements Clock {
  readonly #process: Process
  readonly #faults: ClockFaults
  readonly #base: number

  /** @param base what the monotonic clock showed when the world began, as machines boot at different times */
  constructor(process: Process, faults: ClockFaults, base: number) {
    this.#process = process
    this.#faults = faults
    this.#base = base
  }

  now(): number {
    return this.#base + this.#faults.elapsed()
  }

  wall(): number {
    return Math.floor(EPOCH_WALL + this.#process.timeline.now + this.#faults.skewMs)
  }

  after(delayMs: number, run: () => void): Cancel {
    const due = this.#faults.elapsed() + Math.max(0, delayMs)
    let cancel: Cancel = () => {}
    const wait = (): void => {
      const { rate } = this.#faults
      // A hair longer, so that rounding never lets a timer fire early on the clock of the node.
      cancel = this.#process.later(Math.max(0, due - this.#faults.elapsed()) / rate + 1e-6, () => {
        // The clock went slower meanwhile: it is not time yet.
        if (this.#faults.rate !== rate && this.#faults.elapsed() < due) wait()
        else run()
      })
    }
    wait()
    return () => cancel()
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#process.later(TURN_MS, resolve)
    })
  }
}
