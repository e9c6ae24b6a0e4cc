import type { ClusterError, NodeId, OrderedLogEvents } from '@cluster/core'
import { forkedHistory } from '../../errors.ts'
import type { Hello } from '../../machine/group/forming.ts'
import type { Lineage } from '../../machine/raft/types.ts'

/**
 * Histories of this cluster that have parted from the one here, and who has them. While there is one, nobody's writes
 * are taken: the operator says which history is to go, and starts its nodes with `giveUpHistory`.
 */
export class Forks {
  readonly #emit: (event: OrderedLogEvents['forked']) => void
  readonly #theirs = new Map<NodeId, Lineage>()
  #mine: Lineage | null = null

  constructor(emit: (event: OrderedLogEvents['forked']) => void) {
    this.#emit = emit
  }

  /** Why no write is taken now; null when they are. */
  get error(): ClusterError | null {
    const [first] = this.#theirs
    return first && this.#mine ? forkedHistory(this.#mine.lineage, first[1].lineage, first[0]) : null
  }

  forked(peer: NodeId, mine: Lineage, theirs: Lineage): void {
    if (this.#theirs.get(peer)?.lineage === theirs.lineage) return
    this.#mine = mine
    this.#theirs.set(peer, theirs)
    this.#emit({ peer, mine: mine.lineage, theirs: theirs.lineage })
  }

  /** A node that belongs to nothing any more, or to the history here, has given the other one up. */
  hello(from: NodeId, hello: Hello): void {
    const known = this.#theirs.get(from)
    if (known === undefined) return
    if (hello.status === 'fresh' || hello.history.lineage !== known.lineage) this.#theirs.delete(from)
  }

  /** This node belongs to another history now. */
  moved(): void {
    this.#theirs.clear()
  }
}
