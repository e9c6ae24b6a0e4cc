import {
  type Clock,
  clusterId,
  type Logger,
  lineageId,
  type NodeId,
  type Random,
  randomId,
} from '@cluster/core'
import type { Note } from '../../machine/commands/envelope.ts'
import type { Input, Lineage, RaftView } from '../../machine/raft/types.ts'
import type { ResolvedOptions } from '../../options.ts'
import type { Contact } from './contact.ts'
import type { Members } from './members.ts'

export interface RegroupingPorts {
  readonly self: NodeId
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly contact: Contact
  readonly members: Members
  /** So many voters belong to the group that is being founded: those that come up wait for them. */
  gather(voters: number): void
  view(): RaftView | null
  input(input: Input): void
  /** Writes the note into the log, if this node leads. */
  note(note: Note): void
  isRunning(): boolean
  /** Ends the run, remembers the cluster as one that was given up, and begins with an empty log. */
  startOver(cluster: string): Promise<void>
  /** Ends the run, keeps the log aside with what only this history has, and begins with an empty one. */
  setAside(): Promise<void>
  /** The new run is there. */
  begunAnew(): void
  failed(error: unknown): void
}

/** Followers of a group that gave itself up get this long to hear of it from the leader. */
const SEALED_MS = 200

/** Founds a group, and gives an empty one up into another. */
export class Regrouping {
  readonly #ports: RegroupingPorts
  readonly #options: ResolvedOptions
  #isUnderWay = false

  constructor(ports: RegroupingPorts, options: ResolvedOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** The log starts over: there is nothing to act upon. */
  get isUnderWay(): boolean {
    return this.#isUnderWay
  }

  form(promised: readonly NodeId[]): void {
    const { random, logger, contact, members, gather, input } = this.#ports
    const { maxVoters, alone } = this.#options
    const [cluster, lineage] = [clusterId(randomId(random)), lineageId(randomId(random))]
    const history: Lineage = { cluster, lineage, ancestry: [] }
    logger.log('info', 'forming a group', { cluster: history.cluster, with: promised.join(' ') || null })
    if (promised.length > 0) gather(Math.min(promised.length + 1, maxVoters))
    input({ type: 'form', history, provisional: !alone })
    for (const node of promised) {
      const { disk = null, supports = 0 } = contact.fresh(node) ?? {}
      void members.wish({ node, wish: 'join', fresh: true, disk, supports, witness: false })
    }
  }

  dissolve(into: string): void {
    this.#ports.logger.log('info', 'giving the empty group up into another', { into })
    this.#ports.note({ note: 'seal', into })
  }

  /** Every member sees this at the same entry; the leader stays a moment so that the others hear of it. */
  sealed(into: string): void {
    const { logger, clock, view } = this.#ports
    logger.log('info', 'this group was given up into another', { into })
    const leads = view()?.role === 'leader' && (view()?.configuration?.voters.length ?? 0) > 1
    clock.after(leads ? SEALED_MS : 0, () => this.reset())
  }

  /** Becomes a fresh node again, with an empty log and empty machines, that remembers the cluster it was in. */
  reset(): void {
    const cluster = this.#ports.view()?.history?.cluster
    if (this.#isUnderWay || cluster === undefined || !this.#ports.isRunning()) return
    this.#isUnderWay = true
    void this.#begin(() => this.#ports.startOver(cluster)).catch((error: unknown) =>
      this.#ports.failed(error),
    )
  }

  /** Gives the history here up for the other one of this cluster: comes back as a stranger without a log. */
  giveUpHistory(): void {
    if (this.#isUnderWay || !this.#ports.isRunning()) return
    this.#isUnderWay = true
    void this.#begin(() => this.#ports.setAside()).catch((error: unknown) => this.#ports.failed(error))
  }

  async #begin(end: () => Promise<void>): Promise<void> {
    await end()
    if (!this.#ports.isRunning()) return
    this.#isUnderWay = false
    this.#ports.begunAnew()
  }
}
