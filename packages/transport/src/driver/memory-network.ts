import {
  type Address,
  address,
  assert,
  type CallOptions,
  type ChannelHandlers,
  type Clock,
  EventHub,
  type FrameStream,
  type LinkInfo,
  type NodeId,
  nodeId,
  type ProbeResult,
  type Transport,
  type TransportEvents,
} from '@cluster/core'
import { admissionRefused, dialFailed, dialRefused, linkDown, portInUse, stopped } from '../errors.ts'
import { type TransportLimits, withDefaults } from '../options.ts'
import { Attempt } from './dialling.ts'
import { MemorySide } from './memory-link.ts'

export interface MemoryTransportOptions extends Partial<TransportLimits> {
  /** Who the node is; unique in the network unless two are meant to clash. */
  readonly id: NodeId
  readonly name: string
  readonly start: number
  readonly secret?: string
  /** Default `/memory/<id>`. */
  readonly listen?: Address
}

export interface MemoryNetwork {
  /** A transport that reaches those of the same network. */
  transport(options: MemoryTransportOptions): Transport
}

/** Links inside one process: for applications of several nodes in one process, and for tests. */
export function memoryNetwork(ports: { readonly clock: Clock }): MemoryNetwork {
  const listeners = new Map<Address, MemoryTransport>()
  return { transport: (options) => new MemoryTransport(options, ports.clock, listeners) }
}

class MemoryTransport implements Transport {
  readonly self: NodeId
  readonly frameBytesMax: number
  readonly #options: MemoryTransportOptions
  readonly #limits: TransportLimits
  readonly #clock: Clock
  readonly #listeners: Map<Address, MemoryTransport>
  readonly #events = new EventHub<TransportEvents>()
  readonly #handlers = new Map<string, ChannelHandlers>()
  readonly #links = new Map<NodeId, MemorySide>()
  readonly #address: Address
  #state: 'new' | 'running' | 'stopped' = 'new'

  constructor(options: MemoryTransportOptions, clock: Clock, listeners: Map<Address, MemoryTransport>) {
    this.self = nodeId(options.id)
    this.#options = options
    this.#limits = withDefaults(options)
    this.frameBytesMax = this.#limits.frameBytesMax
    this.#clock = clock
    this.#listeners = listeners
    this.#address = options.listen ?? address(`/memory/${options.id}`)
  }

  async start(): Promise<void> {
    assert(this.#state === 'new', 'a transport starts once')
    await this.#clock.turn()
    if (this.#listeners.has(this.#address)) throw portInUse(this.#address)
    this.#listeners.set(this.#address, this)
    this.#state = 'running'
  }

  async stop(): Promise<void> {
    if (this.#state !== 'running') return
    this.#state = 'stopped'
    this.#listeners.delete(this.#address)
    await Promise.all([...this.#links.values()].map((side) => side.close()))
  }

  addresses(): readonly Address[] {
    return this.#state === 'new' ? [] : [this.#address]
  }

  on<Type extends keyof TransportEvents>(
    type: Type,
    listener: (event: TransportEvents[Type]) => void,
  ): () => void {
    return this.#events.on(type, listener)
  }

  handle(channel: string, handlers: ChannelHandlers): void {
    assert(!this.#handlers.has(channel), `channel '${channel}' has its handlers already`)
    this.#handlers.set(channel, handlers)
  }

  async connect(to: Address, options: CallOptions = {}): Promise<LinkInfo> {
    const other = await this.#reach(to, options)
    if (!other) throw dialRefused(to)
    if (other.self === this.self) throw dialFailed(to, 'it is an address of this very node')
    const existing = this.#links.get(other.self)
    if (existing) return existing.info
    const { name, secret } = this.#options
    const reason = other.#options.name !== name ? 'name' : other.#options.secret !== secret ? 'secret' : null
    if (reason) {
      other.#events.emit('refused', { from: this.#address, reason: `${reason}: it differs` })
      throw admissionRefused(to, reason)
    }
    const here = this.#newSide(other, false)
    const there = other.#newSide(this, true)
    MemorySide.join(here, there)
    this.#links.set(other.self, here)
    other.#links.set(this.self, there)
    other.#events.emit('linkUp', there.info)
    this.#events.emit('linkUp', here.info)
    return here.info
  }

  async disconnect(peer: NodeId): Promise<void> {
    await this.#links.get(peer)?.close()
  }

  links(): readonly LinkInfo[] {
    const infos = [...this.#links.values()].map((side) => side.info)
    return infos.sort((a, b) => (a.peer < b.peer ? -1 : 1))
  }

  notify(peer: NodeId, channel: string, frame: Uint8Array): boolean {
    return this.#links.get(peer)?.notify(channel, frame) ?? false
  }

  request(peer: NodeId, channel: string, frame: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const side = this.#links.get(peer)
    return side ? side.request(channel, frame, options) : Promise.reject(linkDown(peer, 'rejected'))
  }

  async openStream(peer: NodeId, channel: string, opening: Uint8Array): Promise<FrameStream> {
    const side = this.#links.get(peer)
    if (!side) throw linkDown(peer, 'rejected')
    return await side.openStream(channel, opening)
  }

  async probe(to: Address, options: CallOptions = {}): Promise<ProbeResult> {
    const other = await this.#reach(to, options)
    return other ? { answer: 'node', peer: other.self, start: other.#options.start } : { answer: 'refused' }
  }

  async accepts(to: Address, options: CallOptions = {}): Promise<boolean> {
    return (await this.#reach(to, options)) !== null
  }

  /** Who listens there, a turn later. */
  async #reach(to: Address, options: CallOptions): Promise<MemoryTransport | null> {
    if (this.#state !== 'running') throw stopped()
    const attempt = new Attempt(to, options, this.#limits.deadlineMs, this.#clock)
    try {
      await attempt.race(this.#clock.turn())
    } finally {
      attempt.done()
    }
    if (this.#state !== 'running') throw stopped()
    return this.#listeners.get(to) ?? null
  }

  #newSide(peer: MemoryTransport, inbound: boolean): MemorySide {
    const { start } = peer.#options
    const info: LinkInfo = { peer: peer.self, start, listening: peer.addresses(), inbound }
    return new MemorySide(info, {
      self: this.self,
      limits: this.#limits,
      clock: this.#clock,
      handlersOf: (channel) => this.#handlers.get(channel),
      down: (side, cause) => {
        if (this.#links.get(peer.self) === side) this.#links.delete(peer.self)
        this.#events.emit('linkDown', { ...side.info, cause })
      },
    })
  }
}
