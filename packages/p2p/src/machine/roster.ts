import type { Address, LinkInfo, MemberState, NodeId } from '@cluster/core'

/** The link to a peer. */
export interface Link {
  readonly start: number
  /** Where the peer's listening port is as seen from this link; null when the peer listens nowhere. */
  readonly address: Address | null
  readonly upAt: number
  /** True once the peer said that it stops: nothing after that is a sign of life. */
  saidGoodbye: boolean
}

/** What is known of one other node. */
export interface Peer {
  readonly id: NodeId
  state: MemberState
  addresses: readonly Address[]
  start: number
  heardAt: number
  /** When the state became what it is. */
  since: number
  link: Link | null
}

export function linkOf({ start, listening }: LinkInfo, now: number): Link {
  return { start, address: listening[0] ?? null, upAt: now, saidGoodbye: false }
}

/** The other nodes, at most `membersMax`, in the order of their ids. */
export class Roster {
  readonly #membersMax: number
  readonly #peers = new Map<NodeId, Peer>()
  #sorted: readonly Peer[] | null = null

  constructor(membersMax: number) {
    this.#membersMax = membersMax
  }

  get(id: NodeId): Peer | null {
    return this.#peers.get(id) ?? null
  }

  sorted(): readonly Peer[] {
    this.#sorted ??= [...this.#peers.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    return this.#sorted
  }

  /** False when there are too many peers already and none of them can be forgotten. */
  add(peer: Peer, forgotten: (id: NodeId) => void): boolean {
    if (this.#peers.size >= this.#membersMax) {
      const victim = this.#leastMissed()
      if (victim === null) return false
      this.delete(victim)
      forgotten(victim)
    }
    this.#peers.set(peer.id, peer)
    this.#sorted = null
    return true
  }

  delete(id: NodeId): void {
    this.#peers.delete(id)
    this.#sorted = null
  }

  #leastMissed(): NodeId | null {
    let victim: Peer | null = null
    for (const peer of this.#peers.values())
      if (peer.link === null && (victim === null || peer.heardAt < victim.heardAt)) victim = peer
    return victim?.id ?? null
  }
}
