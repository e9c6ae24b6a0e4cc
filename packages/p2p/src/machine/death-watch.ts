import {
  type Address,
  type BackoffOptions,
  backoffMs,
  type DeathProof,
  type NodeId,
  type ProbeResult,
  type Random,
} from '@cluster/core'

/** A link that the peer's host closed, and nobody knows yet whether the process died. */
interface Watch {
  readonly peer: NodeId
  /** The start number of the process at the other end of that link. */
  readonly start: number
  /** Where that process listened, seen from the very link. */
  readonly address: Address
  readonly silentMs: number
  /** The question that is out; an answer to an earlier one says nothing about this watch. */
  probe: number | null
  attempts: number
  nextAt: number
}

/**
 * Looks for proofs of death, parts (c) and (d): every link that the peer's host closed is followed by questions
 * to its listening port, at once and then with back-off, until there is a proof, a new link or no more interest.
 */
export class DeathWatch {
  readonly #random: Random
  readonly #backoff: BackoffOptions
  readonly #watches = new Map<NodeId, Watch>()

  constructor(random: Random, backoff: BackoffOptions) {
    this.#random = random
    this.#backoff = backoff
  }

  open(
    link: { readonly peer: NodeId; readonly start: number; readonly address: Address },
    silentMs: number,
    now: number,
  ): void {
    this.#watches.set(link.peer, { ...link, silentMs, probe: null, attempts: 0, nextAt: now })
  }

  close(peer: NodeId): void {
    this.#watches.delete(peer)
  }

  /** Takes the addresses to ask now, and numbers the questions. */
  take(now: number, number: () => number): { readonly probe: number; readonly address: Address }[] {
    const due = []
    for (const watch of this.#sorted()) {
      if (watch.probe !== null || watch.nextAt > now) continue
      watch.probe = number()
      due.push({ probe: watch.probe, address: watch.address })
    }
    return due
  }

  nextAt(): number {
    let next = Number.POSITIVE_INFINITY
    for (const watch of this.#watches.values()) if (watch.probe === null) next = Math.min(next, watch.nextAt)
    return next
  }

  /** A dial was refused there: worth asking again at once. */
  hint(address: Address, now: number): void {
    for (const watch of this.#watches.values()) if (watch.address === address) watch.nextAt = now
  }

  /** The answer to a question; a proof that follows ends the watch. */
  answer(probe: number, result: ProbeResult, now: number): DeathProof | null {
    for (const watch of this.#watches.values()) {
      if (watch.probe !== probe) continue
      watch.probe = null
      const by = judge(watch, result)
      if (by !== null) return this.#prove(watch, by)
      // The same process answers, somebody else does, or nobody: it may still be dying, so ask again.
      watch.nextAt = now + backoffMs(this.#random, watch.attempts++, this.#backoff)
      return null
    }
    return null
  }

  /**
   * A new link of the peer ends the watch. It is a proof when a later process of the same identity listens
   * at the very address of the earlier one: only one process can.
   */
  linked(peer: NodeId, start: number, listening: readonly Address[]): DeathProof | null {
    const watch = this.#watches.get(peer)
    if (!watch) return null
    this.#watches.delete(peer)
    return start > watch.start && listening.includes(watch.address) ? this.#prove(watch, 'restarted') : null
  }

  #prove({ peer, start, silentMs }: Watch, by: DeathProof['by']): DeathProof {
    this.#watches.delete(peer)
    return { peer, start, silentMs, by }
  }

  #sorted(): Watch[] {
    return [...this.#watches.values()].sort((a, b) => (a.peer < b.peer ? -1 : 1))
  }
}

function judge(watch: Watch, result: ProbeResult): DeathProof['by'] | null {
  if (result.answer === 'refused') return 'refused'
  if (result.answer === 'node' && result.peer === watch.peer && result.start > watch.start) return 'restarted'
  return null
}
