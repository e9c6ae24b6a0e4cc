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

/** Logins of one address. */
interface Logins {
  under: number
  /** Called with true when it is their turn, with false when they are turned away. */
  readonly waiting: Set<(turn: boolean) => void>
}

/**
 * Keeps wrong passwords in bulk from being cheap: answers get later with each one of an address. An address has only so
 * many logins under way; more wait for their turn, and are turned away when it is known for wrong passwords.
 */
export class LoginGate {
  readonly #loginsMax: number
  readonly #clock: Clock
  readonly #logins = new Map<string, Logins>()
  /** The one that failed longest ago first. */
  readonly #failures = new Map<string, Failures>()

  constructor(loginsMax: number, clock: Clock) {
    this.#loginsMax = loginsMax
    this.#clock = clock
  }

  /**
   * Waits for the turn of a login.
   * @param gone aborted when the client no longer waits
   * @returns to be called when the login is over; null: it is turned away
   */
  async enter(address: string, gone: AbortSignal): Promise<Cancel | null> {
    const logins = this.#logins.get(address) ?? { under: 0, waiting: new Set() }
    this.#logins.set(address, logins)
    if (logins.under >= this.#loginsMax) {
      if (this.#recent(address) !== null || gone.aborted) return null
      if (!(await this.#turn(logins, gone))) return null
    } else logins.under++
    let left = false
    return () => {
      if (left) return
      left = true
      this.#leave(address, logins)
    }
  }

  /** The password was right. */
  passed(address: string): void {
    this.#failures.delete(address)
  }

  /** The password was wrong. Resolves when the client may be told. */
  async failed(address: string): Promise<void> {
    const count = (this.#recent(address)?.count ?? 0) + 1
    this.#failures.delete(address)
    this.#failures.set(address, { count, lastMs: this.#clock.now() })
    if (this.#failures.size > ADDRESSES_MAX) {
      const [oldest] = this.#failures.keys()
      if (oldest !== undefined) this.#failures.delete(oldest)
    }
    for (const turn of this.#logins.get(address)?.waiting ?? []) turn(false)
    await delay(this.#clock, Math.min(FIRST_DELAY_MS * 2 ** Math.min(count - 1, 16), DELAY_MS_MAX))
  }

  /** Wrong passwords that are not forgiven yet. */
  #recent(address: string): Failures | null {
    const failures = this.#failures.get(address)
    return failures !== undefined && this.#clock.now() - failures.lastMs < FORGIVEN_MS ? failures : null
  }

  /** Whoever leaves gives its place to the one that waits longest. */
  #turn({ waiting }: Logins, gone: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const turn = (mine: boolean): void => {
        waiting.delete(turn)
        gone.removeEventListener('abort', onGone)
        resolve(mine)
      }
      const onGone = (): void => turn(false)
      waiting.add(turn)
      gone.addEventListener('abort', onGone)
    })
  }

  #leave(address: string, logins: Logins): void {
    const [next] = logins.waiting
    if (next !== undefined) next(true)
    else if (--logins.under === 0) this.#logins.delete(address)
  }
}
