import type { Address, Clock, Member, MemberState, NodeId, Transport } from '@cluster/core'
import { TransportPeers } from '@cluster/testkit'

const REDIAL_MS = 20

/** The least `Peers` over a transport: a node is alive while there is a link, else suspected. */
export class LinkPeers extends TransportPeers {
  readonly #clock: Clock
  readonly #others: ReadonlyMap<NodeId, Address>
  readonly #states = new Map<NodeId, MemberState>()

  constructor(transport: Transport, clock: Clock, others: ReadonlyMap<NodeId, Address>) {
    super(transport)
    this.#clock = clock
    this.#others = others
    transport.on('linkUp', ({ peer }) => this.#become(peer, 'alive'))
    transport.on('linkDown', ({ peer }) => {
      this.#become(peer, 'suspected')
      this.#dial(peer)
    })
  }

  #become(id: NodeId, state: MemberState): void {
    const before = this.#states.get(id) ?? null
    if (before === state) return
    this.#states.set(id, state)
    const member = this.member(id)
    if (member !== null) this.events.emit('member', { member, before })
  }

  /** The node with the smaller id dials, again and again. */
  #dial(peer: NodeId): void {
    const address = this.#others.get(peer)
    if (address === undefined || peer < this.self || this.#states.get(peer) === 'alive') return
    this.transport.connect(address, { deadlineMs: 200 }).then(
      () => {},
      () => this.#clock.after(REDIAL_MS, () => this.#dial(peer)),
    )
  }

  members(): readonly Member[] {
    return [this.self, ...this.#states.keys()]
      .sort()
      .map((id) => this.member(id))
      .filter((member) => member !== null)
  }

  member(id: NodeId): Member | null {
    const self = id === this.self
    const state = self ? 'alive' : this.#states.get(id)
    if (state === undefined) return null
    return { id, state, addresses: [], start: 1, heardAt: this.#clock.now(), self }
  }

  async start(): Promise<void> {
    await this.transport.start()
    for (const peer of this.#others.keys()) this.#dial(peer)
  }

  async stop(): Promise<void> {
    await this.transport.stop()
  }
}
