import type { ClusterError, Logger, NodeId, OrderedLogEvents } from '@cluster/core'
import { forkedHistory } from '../../errors.ts'
import type { GroupCard, Hello } from '../../machine/group/forming.ts'
import { branchOf, type KeepRule, losesTo } from '../../machine/group/history-choice.ts'
import type { Lineage, RaftView } from '../../machine/raft/types.ts'

export interface ForksPorts {
  readonly self: NodeId
  readonly logger: Logger
  view(): RaftView | null
  emit(event: OrderedLogEvents['forked']): void
  /** What is said of the fork to others is new. */
  changed(): void
  /** Keeps the history of this node aside and takes the other one. */
  giveUp(): void
}

interface Other {
  readonly history: Lineage
  /** Entries behind the branch when this node stopped writing. */
  readonly writes: number
}

/**
 * Histories of this cluster that have parted from the one here, and who has them. While there is one, nobody's writes
 * are taken. The operator says which history is to go and starts its nodes with `giveUpHistory`, or a rule was set
 * before: then both sides tell each other how much they have written and come to the same verdict.
 */
export class Forks {
  readonly #ports: ForksPorts
  readonly #keep: KeepRule | null
  readonly #theirs = new Map<NodeId, Other>()
  #mine: Lineage | null = null

  constructor(ports: ForksPorts, keep: KeepRule | null) {
    this.#ports = ports
    this.#keep = keep
  }

  /** Why no write is taken now; null when they are. */
  get error(): ClusterError | null {
    const [first] = this.#theirs
    return first && this.#mine ? forkedHistory(this.#mine.lineage, first[1].history.lineage, first[0]) : null
  }

  /** What others must know of it to judge; null without a fork. */
  get card(): GroupCard['forked'] {
    const [first] = this.#theirs.values()
    return first === undefined ? null : { writes: first.writes, keep: this.#keep }
  }

  forked(peer: NodeId, mine: Lineage, theirs: Lineage): void {
    if (this.#theirs.get(peer)?.history.lineage === theirs.lineage) return
    const { view, emit, changed } = this.#ports
    this.#mine = mine
    const branch = branchOf(mine, theirs)
    // Counted once: from here on nothing is written, and both sides must judge by the same numbers.
    const before = [...this.#theirs.values()].find(({ history }) => history.lineage === theirs.lineage)
    const writes = before?.writes ?? (view()?.lastIndex ?? 0) - (branch?.index ?? 0)
    this.#theirs.set(peer, { history: theirs, writes })
    emit({ peer, mine: mine.lineage, theirs: theirs.lineage })
    changed()
  }

  /** A node of the other side says more of itself; or it belongs to nothing any more, or to the history here. */
  hello(from: NodeId, hello: Hello): void {
    this.#follow(from, hello)
    const known = this.#theirs.get(from)
    if (known === undefined) return
    if (hello.status === 'fresh' || hello.history.lineage !== known.history.lineage) {
      this.#theirs.delete(from)
      if (this.#theirs.size === 0) this.#ports.changed()
    } else this.#judge(from, known, hello)
  }

  /** This node belongs to another history now. */
  moved(): void {
    this.#theirs.clear()
  }

  /** Those that went on alone judge; whoever followed one of them follows it here too. */
  #judge(from: NodeId, { history, writes }: Other, { forked }: GroupCard): void {
    const mine = this.#mine
    const { self, logger, giveUp } = this.#ports
    if (mine === null || forked === null || this.#keep === null || forked.keep !== this.#keep) return
    if (branchOf(mine, history)?.by !== self || branchOf(history, mine)?.by !== from) return
    const goes = losesTo(this.#keep, { history: mine, writes }, { history, writes: forked.writes })
    logger.log('warn', goes ? 'this history is given up' : 'the other history is to be given up', {
      rule: this.#keep,
      writes,
      theirs: forked.writes,
      peer: from,
    })
    if (goes) giveUp()
  }

  /** The only voter of the history here gave it up: nothing can ever be added to it. */
  #follow(from: NodeId, hello: Hello): void {
    const mine = this.#mine
    if (mine === null || this.#keep === null || mine.ancestry.at(-1)?.by !== from) return
    const others = [...this.#theirs.values()].map(({ history }) => history.lineage)
    if (hello.status === 'grouped' && others.includes(hello.history.lineage)) this.#ports.giveUp()
  }
}
