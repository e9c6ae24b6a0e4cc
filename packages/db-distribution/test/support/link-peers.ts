import {
  type Address,
  type CallOptions,
  type Cancel,
  type ChannelHandlers,
  type Clock,
  EventHub,
  type FrameStream,
  type Member,
  type MemberState,
  type NodeId,
  type Peers,
  type PeersEvents,
  type Transport,
} from '@cluster/core'

const REDIAL_MS = 20

/** The least `Peers` over a transport: a node is alive while there is a link, else suspected. */
export class LinkPeers implements Peers {
  readonly self: NodeId
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #others: ReadonlyMap<NodeId, Address>
  readonly #states = new Map<NodeId, MemberState>()
  readonly #events = new EventHub<PeersEvents>()

  constructor(transport: Transport, clock: Clock, others: ReadonlyMap<NodeId, Address>) {
    this.self = transport.self
    this.#transport = transport
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
    if (member !== null) this.#events.emit('member', { member, before })
  }

  /** The node with the smaller id dials, again and again. */
  #dial(peer: NodeId): void {
    const address = this.#others.get(peer)
    if (address === undefined || peer < this.self || this.#states.get(peer) === 'alive') return
    this.#transport.connect(address, { deadlineMs: 200 }).then(
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

  on<Type extends keyof PeersEvents>(type: Type, listener: (event: PeersEvents[Type]) => void): Cancel {
    return this.#events.on(type, listener)
  }

  serve(service: string, handlers: ChannelHandlers): void {
    this.#transport.handle(service, handlers)
  }

  notify(peer: NodeId, service: string, frame: Uint8Array): boolean {
    return this.#transport.notify(peer, service, frame)
  }

  broadcast(service: string, frame: Uint8Array): number {
    return this.#transport.links().filter(({ peer }) => this.notify(peer, service, frame)).length
  }

  request(peer: NodeId, service: string, frame: Uint8Array, options?: CallOptions): Promise<Uint8Array> {
    return this.#transport.request(peer, service, frame, options)
  }

  openStream(
    peer: NodeId,
    service: string,
    opening: Uint8Array,
    options?: CallOptions,
  ): Promise<FrameStream> {
    return this.#transport.openStream(peer, service, opening, options)
  }

  async start(): Promise<void> {
    await this.#transport.start()
    for (const peer of this.#others.keys()) this.#dial(peer)
  }

  async stop(): Promise<void> {
    await this.#transport.stop()
  }
}
