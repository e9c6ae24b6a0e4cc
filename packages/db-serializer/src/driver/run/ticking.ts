import type { Cancel, Clock } from '@cluster/core'
import type { RaftView } from '../../machine/raft/types.ts'
import { isSettled } from '../group/group-view.ts'

export interface TickingPorts {
  readonly clock: Clock
  readonly maxVoters: number
  /** Null while there is none to act upon. */
  view(): RaftView | null
  /** True while somebody waits for something here. */
  isBusy(): boolean
  tick(): void
}

/** Between two ticks while something waits. */
const BUSY_MS = 10
/** Between two ticks of a node at rest, at most. */
const REST_MS = 1_000

/** When the log looks at the clock: often while something waits, else hardly ever, as every look wakes the process. */
export class Ticking {
  readonly #ports: TickingPorts
  #cancel: Cancel | null = null
  #at = Number.POSITIVE_INFINITY
  #resting = false

  constructor(ports: TickingPorts) {
    this.#ports = ports
  }

  /** Arms the next tick anew. */
  arm(): void {
    this.stop()
    const { clock } = this.#ports
    const now = clock.now()
    this.#resting = this.#isAtRest()
    const at = Math.min(now + (this.#resting ? REST_MS : BUSY_MS), this.#wakeAt())
    const delayMs = Math.max(1, at - now)
    this.#at = now + delayMs
    this.#cancel = clock.after(delayMs, () => {
      this.#cancel = null
      this.#ports.tick()
    })
  }

  /** Something happened: the next tick may be due earlier. Cheap: call it after every event. */
  stir(): void {
    if (this.#cancel === null) return
    if (this.#wakeAt() < this.#at - 1 || (this.#resting && !this.#isAtRest())) this.arm()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#resting = false
    this.#at = Number.POSITIVE_INFINITY
  }

  #isAtRest(): boolean {
    const view = this.#ports.view()
    return view !== null && isSettled(view, this.#ports.maxVoters) && !this.#ports.isBusy()
  }

  /** When the machine has something to do by itself. */
  #wakeAt(): number {
    return this.#ports.view()?.wakeAt ?? Number.POSITIVE_INFINITY
  }
}
