import type { Cancel, Clock } from '@cluster/core'
import type { Process } from './process.ts'

/** How a node's clock differs from the world's. */
export interface ClockFaults {
  /** Added to the wall clock, milliseconds. */
  skewMs: number
  /** Milliseconds of this clock in one of the world; 1 is a perfect clock. */
  rate: number
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
    return this.#base + this.#process.timeline.now * this.#faults.rate
  }

  wall(): number {
    return Math.floor(EPOCH_WALL + this.#process.timeline.now + this.#faults.skewMs)
  }

  after(delayMs: number, run: () => void): Cancel {
    // A hair longer, so that rounding never lets a timer fire early on the clock of the node.
    return this.#process.later(Math.max(0, delayMs) / this.#faults.rate + 1e-6, run)
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#process.later(TURN_MS, resolve)
    })
  }
}
