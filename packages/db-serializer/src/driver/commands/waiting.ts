import type { ClusterError, NodeId } from '@cluster/core'
import { deadline, noGroup, noQuorum } from '../../errors.ts'
import type { RaftView } from '../../machine/raft/types.ts'

export interface WaitingPorts {
  /** The machine as it is; null before the log runs. */
  view(): RaftView | null
  isLinked(peer: NodeId): boolean
  /** What first contact waits for. */
  contact(): string | null
  say(text: string | null): void
}

/** A group is called leaderless for people only after this long without one. */
const LEADERLESS_MS = 1_000

/** What the log waits for, in words for people. */
export class Waiting {
  readonly #ports: WaitingPorts
  #leaderlessSince: number | null = null
  #said: string | null = null

  constructor(ports: WaitingPorts) {
    this.#ports = ports
  }

  /** Voters out of reach. */
  missing(): NodeId[] {
    const view = this.#ports.view()
    const voters = view?.configuration?.voters ?? []
    return voters.filter((voter) => voter !== view?.self && !this.#ports.isLinked(voter))
  }

  /** A call waited too long and nothing of it is in any log. */
  readonly late = (afterMs: number): ClusterError => {
    const view = this.#ports.view()
    if (!view?.history) return noGroup(afterMs, this.#ports.contact())
    return view.leader === null ? noQuorum(afterMs, this.missing()) : deadline(afterMs)
  }

  tick(now: number): void {
    const view = this.#ports.view()
    if (view?.configuration && view.leader === null) this.#leaderlessSince ??= now
    else this.#leaderlessSince = null
    const leaderless = this.#leaderlessSince !== null && now - this.#leaderlessSince >= LEADERLESS_MS
    const text = this.#ports.contact() ?? (leaderless ? this.#forLeader() : null)
    if (text === this.#said) return
    this.#said = text
    this.#ports.say(text)
  }

  #forLeader(): string {
    const missing = this.missing()
    return missing.length > 0
      ? `a quorum of the voters: node ${missing.join(' and ')}`
      : 'the election of a leader'
  }
}
