import type { Clock } from '@cluster/core'
import type { RaftView } from '../../machine/raft/types.ts'

/** How long the former of a group holds itself back until those that promised themselves to it vote. */
const GATHERING_MS = 3_000

/** When this node counts as being in a group, and who waits for that. */
export class Readiness {
  readonly #clock: Clock
  #gathering: { readonly voters: number; readonly until: number } | null = null
  #waiters: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * The group was formed here with so many voters to come. Until they vote a write would be on one disk only, so
   * `ready` waits for them, but not for ever.
   */
  gather(voters: number): void {
    this.#gathering = { voters, until: this.#clock.now() + GATHERING_MS }
  }

  reset(): void {
    this.#gathering = null
  }

  isIn(view: RaftView | null): boolean {
    const configuration = view?.configuration
    if (!configuration || view.leader === null) return false
    const { voters, learners } = configuration
    if (!voters.includes(view.self) && !learners.includes(view.self)) return false
    if (this.#gathering === null) return true
    const done = voters.length >= this.#gathering.voters || this.#clock.now() >= this.#gathering.until
    if (done) this.#gathering = null
    return done
  }

  /** Calls `ready` once the node is in. */
  whenIn(view: RaftView | null, ready: () => void): void {
    if (this.isIn(view)) ready()
    else this.#waiters.push(ready)
  }

  wake(view: RaftView | null): void {
    if (this.#waiters.length === 0 || !this.isIn(view)) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const ready of waiters) ready()
  }
}
