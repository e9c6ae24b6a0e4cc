import type { Clock } from '@cluster/core'

/** Time that stands still but for waits, which pass at once: for what must not depend on time. */
export class StillClock implements Clock {
  #now = 0
  /** How often `turn` was called. */
  turns = 0

  now(): number {
    return this.#now
  }

  /** 2024-01-02 03:04:05 UTC and what was waited since. */
  wall(): number {
    return 1_704_164_645_000 + this.#now
  }

  after(delayMs: number, run: () => void): () => void {
    let cancelled = false
    void Promise.resolve().then(() => {
      if (cancelled) return
      this.#now += delayMs
      run()
    })
    return () => {
      cancelled = true
    }
  }

  async turn(): Promise<void> {
    this.turns++
  }
}
