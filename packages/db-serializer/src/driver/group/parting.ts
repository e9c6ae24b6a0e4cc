import { type Cancel, type Clock, delay, type Logger, type NodeId, type Peers } from '@cluster/core'
import type { RaftView } from '../../machine/raft/types.ts'
import { decodeWishAnswer, encodeWish, SERVICE } from '../network/wire.ts'

export interface PartingPorts {
  readonly clock: Clock
  readonly peers: Peers
  readonly logger: Logger
  view(): RaftView
  /** Calls the listener when role, leader or configuration became different. */
  onChange(listener: () => void): Cancel
  isLinked(peer: NodeId): boolean
  /** Starts to hand leadership over; the view shows what came of it. */
  transfer(to: NodeId): void
}

/** All of it takes at most this long; then the node goes without. */
const PARTING_MS = 1_000
/** Between two questions to leaders that did not grant it, and between two looks at a view that tells nothing new. */
const STEP_MS = 10

/** How a member goes: hands over its office, and has the others take it out of their configuration. */
export class Parting {
  readonly #ports: PartingPorts
  readonly #until: number

  constructor(ports: PartingPorts) {
    this.#ports = ports
    this.#until = ports.clock.now() + PARTING_MS
  }

  /** Resolves when it is done, or time is up; the group then finds out by itself. */
  async run(reason: 'away' | 'left'): Promise<void> {
    const { clock, logger } = this.#ports
    let offered: NodeId | null = null
    while (clock.now() < this.#until) {
      const view = this.#ports.view()
      if (this.#isOut(view, reason)) return
      if (view.role === 'leader') {
        const heir = this.#heir(view)
        // Nobody is there to go on: this node stays the group.
        if (heir === null) return
        if (heir !== offered && view.ready) {
          offered = heir
          this.#ports.transfer(heir)
        }
      } else if (view.leader !== null) {
        if (await this.#ask(view, view.leader, reason)) return
        await delay(clock, STEP_MS)
        continue
      }
      await this.#change()
    }
    logger.log('info', 'stopped without a word from the leader', { reason })
  }

  /** Resolves at the next change, or after a step. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        late()
        quiet()
        resolve()
      }
      const late = this.#ports.clock.after(STEP_MS, done)
      const quiet = this.#ports.onChange(done)
    })
  }

  #isOut({ self, configuration, history }: RaftView, reason: 'away' | 'left'): boolean {
    if (history === null || configuration === null) return true
    const { voters, learners, away } = configuration
    if (voters.length === 1 && voters[0] === self) return true
    const listed = voters.includes(self) || learners.includes(self)
    return !listed && (reason === 'away' || !away.includes(self))
  }

  #heir({ configuration, progress, self }: RaftView): NodeId | null {
    let heir: { readonly node: NodeId; readonly match: number } | null = null
    for (const { node, match } of progress) {
      if (node === self || !configuration?.voters.includes(node) || !this.#ports.isLinked(node)) continue
      if (heir === null || match > heir.match) heir = { node, match }
    }
    return heir?.node ?? null
  }

  async #ask({ self }: RaftView, leader: NodeId, reason: 'away' | 'left'): Promise<boolean> {
    const { clock, peers, logger } = this.#ports
    const deadlineMs = Math.max(1, this.#until - clock.now())
    try {
      const wish = encodeWish({ node: self, wish: reason })
      const answer = decodeWishAnswer(await peers.request(leader, SERVICE, wish, { deadlineMs }))
      return answer.granted
    } catch (error) {
      logger.log('debug', 'the leader did not answer the farewell', { leader, why: String(error) })
      return false
    }
  }
}
