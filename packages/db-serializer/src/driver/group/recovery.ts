import { type Clock, type Logger, lineageId, type NodeId, type Random, randomId } from '@cluster/core'
import type { LogPosition, RaftView, RecoverRefusal } from '../../machine/raft/types.ts'

export interface RecoveryPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
  view(): RaftView | null
  /** Asks the machine; it answers by `recovered` or `refused` before this returns. */
  ask(lineage: ReturnType<typeof lineageId>): void
}

/** Other survivors get so long to show themselves, and how long their logs are. */
const SURVIVORS_MS = 4_000

const ADVICE: Readonly<Record<RecoverRefusal['reason'], string>> = {
  noGroup: 'this node is in no group',
  witness: 'this node is a witness and holds no data; start a survivor that does',
  quorumThere: 'a quorum of the voters is in reach, so nothing needs to be given up',
  notNewest: 'another survivor has more of the log; say it there instead',
}

/** The operator's word at the start that most of the voters are lost for good. */
export class Recovery {
  readonly #ports: RecoveryPorts
  /** From when on the word counts; null without one. */
  #from: number | null

  constructor(ports: RecoveryPorts, word: boolean) {
    this.#ports = ports
    this.#from = word ? ports.clock.now() + SURVIVORS_MS : null
  }

  tick(): void {
    const { clock, random, view, ask } = this.#ports
    if (this.#from === null || clock.now() < this.#from || view()?.configuration == null) return
    this.#from = null
    ask(lineageId(randomId(random)))
  }

  recovered({ index }: LogPosition): void {
    this.#ports.logger.log(
      'warn',
      'goes on from the survivors by the word of the operator: what was acknowledged behind this index may be lost',
      { index, lineage: this.#ports.view()?.history?.lineage ?? null },
    )
  }

  refused({
    reason,
    peer,
  }: {
    readonly reason: RecoverRefusal['reason']
    readonly peer: NodeId | null
  }): void {
    this.#ports.logger.log('error', `no recovery from survivors: ${ADVICE[reason]}`, { peer })
  }
}
