import { type Clock, type Logger, lineageId, type NodeId, type Random, randomId } from '@cluster/core'
import { aloneRefused } from '../../errors.ts'
import type { AloneRefusal, Input, RaftView } from '../../machine/raft/types.ts'
import type { ResolvedOptions } from '../../options.ts'
import type { Members } from './members.ts'

export interface GoingAlonePorts {
  readonly self: NodeId
  readonly clock: Clock
  readonly members: Members
  readonly logger: Logger
  readonly random: Random
  /** The machine as it is; null while there is none to ask. */
  view(): RaftView | null
  /** Asks the machine; what it refuses comes back by `refused` before this returns. */
  ask(input: Extract<Input, { type: 'goAlone' }>): void
}

/** The operator's word at the start counts once the other one had this long to show itself. */
const WORD_AFTER_MS = 1_000
/** Rest after a refusal. */
const REFUSED_MS = 1_000

/**
 * When one of two voters goes on without the other: on proof of its death, on its own word that it gave its vote up, on the
 * word of the operator, and by the policy of the last one standing.
 */
export class GoingAlone {
  readonly #ports: GoingAlonePorts
  readonly #options: ResolvedOptions
  /** From when on the operator's word counts; null without one. */
  #wordFrom: number | null
  #restUntil = 0
  #refusal: AloneRefusal | null = null

  constructor(ports: GoingAlonePorts, options: ResolvedOptions) {
    this.#ports = ports
    this.#options = options
    this.#wordFrom = options.continueAlone ? ports.clock.now() + WORD_AFTER_MS : null
  }

  refused(reason: AloneRefusal): void {
    this.#refusal = reason
  }

  /** There may be a proof now, or a configuration that an earlier one is good for. */
  onProof(): void {
    const { members } = this.#ports
    const view = this.#ports.view()
    const peer = this.#other(view)
    if (view === null || peer === null || !this.#options.deathProof) return
    const renounced = members.renunciationOf(peer, view)
    if (renounced === null && !members.isProvedDead(peer, 2 * this.#options.electionMs)) return
    const why = renounced ? 'the other voter renounced its vote' : 'the other voter is proved dead'
    this.#go(peer, why, renounced && { renounced })
  }

  /** Time passed: is it silent for long enough, or did the operator say so? */
  tick(): void {
    const { clock, members } = this.#ports
    const { quorum, lastStandingMs } = this.#options
    const now = clock.now()
    if ((this.#wordFrom === null && quorum === 'majority') || now < this.#restUntil) return
    const peer = this.#other(this.#ports.view())
    if (peer === null) return
    if (members.isLinked(peer)) {
      // The word was for its absence.
      this.#wordFrom = null
      return
    }
    this.#restUntil = now + REFUSED_MS
    if (this.#wordFrom !== null && now >= this.#wordFrom) {
      this.#wordFrom = null
      this.#go(peer, 'the operator says to continue alone', { word: true })
    } else if (quorum === 'last-standing' && members.silentMs(peer, now) >= lastStandingMs)
      this.#go(peer, 'the other voter is silent, and this one is to go on', {})
  }

  /** The operator's word, now. @throws LOG_ALONE_REFUSED */
  continueAlone(): void {
    const peer = this.#other(this.#ports.view())
    if (peer === null) throw aloneRefused('notLastTwo')
    this.#refusal = null
    this.#go(peer, 'the operator says to continue alone', { word: true })
    if (this.#refusal !== null) throw aloneRefused(this.#refusal)
  }

  #other(view: RaftView | null): NodeId | null {
    const voters = view?.configuration?.voters ?? []
    if (voters.length !== 2 || !voters.includes(this.#ports.self)) return null
    return voters.find((voter) => voter !== this.#ports.self) ?? null
  }

  #go(
    peer: NodeId,
    why: string,
    how: Pick<Extract<Input, { type: 'goAlone' }>, 'renounced' | 'word'> | null,
  ) {
    const { logger, random } = this.#ports
    logger.log('warn', why, { peer })
    this.#ports.ask({ type: 'goAlone', peer, lineage: lineageId(randomId(random)), ...how })
  }
}
