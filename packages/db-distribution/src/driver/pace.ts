import { type Clock, delay } from '@cluster/core'

/** Slices in which is waited: whoever waits may have enough meanwhile. */
const SLICE_MS = 100

/** Lets work go on at a bounded speed, whoever shares in it, so that others get their turn. */
export class Pace {
  readonly #clock: Clock
  readonly #perSecond: number
  /** When all that was done so far could have been, at that speed. */
  #doneAt = 0

  /** @param perSecond of whatever is counted; infinite for no bound */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
  }

  /**
   * Counts what was done, and waits until more may be.
   * @param check called now and then meanwhile; what it throws ends the wait
   */
  async spend(amount: number, check: () => void = () => {}): Promise<void> {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return
    const mine = Math.max(this.#doneAt, this.#clock.now()) + (amount * 1_000) / this.#perSecond
    this.#doneAt = mine
    for (;;) {
      const left = mine - this.#clock.now()
      if (left < 1) return
      await delay(this.#clock, Math.min(left, SLICE_MS))
      check()
    }
  }
}
