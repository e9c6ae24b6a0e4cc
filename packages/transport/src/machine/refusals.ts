const BURST = 10
const PER_SECOND = 1

/** Lets through a few reports at once and then one a second, so that a stranger cannot flood log and listeners. */
export class RefusalGate {
  #tokens = BURST
  #at = 0
  #dropped = 0

  /** @returns how many reports were dropped since the last one that passed, or `null` when this one is dropped */
  pass(nowMs: number): number | null {
    this.#tokens = Math.min(BURST, this.#tokens + ((nowMs - this.#at) / 1000) * PER_SECOND)
    this.#at = nowMs
    if (this.#tokens < 1) {
      this.#dropped++
      return null
    }
    this.#tokens--
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }
}
