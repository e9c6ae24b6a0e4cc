import type { Cancel, DeathProof, Member, NodeId, Peers } from '@cluster/core'

export interface PeerEventsHandlers {
  linkUp(peer: NodeId): void
  linkDown(peer: NodeId): void
  member(member: Member): void
  deathProved(proof: DeathProof): void
  /** This node must not go on: another may prove it dead, or is it. */
  failed(error: unknown): void
}

/** What peers tell, from before the log starts on: it must know who is linked when it does. */
export class PeerEvents {
  readonly #linked = new Set<NodeId>()
  readonly #cancels: readonly Cancel[]

  /** @param running handlers hear only what happens while it is true */
  constructor(peers: Peers, running: () => boolean, handlers: PeerEventsHandlers) {
    this.#cancels = [
      peers.on('linkUp', ({ peer }) => {
        this.#linked.add(peer)
        if (running()) handlers.linkUp(peer)
      }),
      peers.on('linkDown', ({ peer }) => {
        this.#linked.delete(peer)
        if (running()) handlers.linkDown(peer)
      }),
      peers.on('member', ({ member }) => {
        if (!member.self && running()) handlers.member(member)
      }),
      peers.on('deathProved', (proof) => {
        if (running()) handlers.deathProved(proof)
      }),
      peers.on('failed', ({ error }) => handlers.failed(error)),
    ]
  }

  /** Peers with a link, sorted. */
  linked(): readonly NodeId[] {
    return [...this.#linked].sort()
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel()
  }
}
