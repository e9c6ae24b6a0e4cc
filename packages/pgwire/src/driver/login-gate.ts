import type { Cancel, Clock } from '@cluster/core'
import { delay } from '@cluster/core'

/** The first wrong password of an address is answered after this time, each further one after twice the time. */
const FIRST_DELAY_MS = 100
const DELAY_MS_MAX = 5_000
/** An address that gave no wrong password for so long is as good as new. */
const FORGIVEN_MS = 60_000
/** Addresses that are remembered; of more the one that failed longest ago is forgotten. */
const ADDRESSES_MAX = 1_024

interface Failures {
  readonly count: number
  readonly lastMs: number
}

/**
 * Keeps wrong passwords in bulk from being cheap: answers get later with each one of an address, and an address has only
 * so many logins under way.
 */
export class LoginGate {
  readonly #loginsMax: number
  readonly #clock: Clock
  readonly #under = new Map<string, number>()
  /** The one that failed longest ago first. */
  readonly #failures = new Map<string, Failures>()

  constructor(loginsMax: number, clock: Clock) {
    this.#loginsMax = loginsMax
    this.#clock = clock
  }

  /** @returns to be called when the login is over; null: there are too many of that address already */
  enter(address: string): Cancel | null {
    const under = this.#under.get(address) ?? 0
    if (under >= this.#loginsMax) return null
    this.#under.set(address, under + 1)
    let left = false
    return () => {
      if (left) return
      left = true
      const now = (this.#under.get(address) ?? 1) - 1
      if (now > 0) this.#under.set(address, now)
      else this.#under.delete(address)
    }
  }

  /** The password was right. */
  passed(address: string): void {
    this.#failures.delete(address)
  }

  /** The password was wrong. Resolves when the client may be told. */
  async failed(address: string): Promise<void> {
    const nowMs = this.#clock.now()
    const before = this.#failures.get(address)
    const recent = before !== undefined && nowMs - before.lastMs < FORGIVEN_MS
    const count = recent ? before.count + 1 : 1
    this.#failures.delete(address)
    this.#failures.set(address, { count, lastMs: nowMs })
    if (this.#failures.size > ADDRESSES_MAX) {
      const [oldest] = this.#failures.keys()
      if (oldest !== undefined) this.#failures.delete(oldest)
    }
    await delay(this.#clock, Math.min(FIRST_DELAY_MS * 2 ** Math.min(count - 1, 16), DELAY_MS_MAX))
  }
}
