import {
  type Address,
  assert,
  type CallOptions,
  type Cancel,
  type ChannelHandlers,
  type Clock,
  type Describable,
  type Discovery,
  EventHub,
  errorCode,
  type FrameStream,
  isClusterError,
  type Logger,
  type Member,
  type NodeId,
  type Peers,
  type PeersEvents,
  type Random,
  type StructureNode,
  type Transport,
  type TransportErrorDetail,
} from '@cluster/core'
import { listenerFailed, peerUnknown } from '../errors.ts'
import type { Effect, Input, ProbePurpose } from '../machine/io.ts'
import { EARLY, Membership } from '../machine/membership.ts'
import type { MembershipMessage } from '../machine/messages.ts'
import { type DriverConfig, membershipConfig, type PeersOptions } from '../options.ts'
import { describePeers } from './describe.ts'
import { decodeMessage, encodeMessage } from './wire.ts'

/** Addresses of a peer that are asked whether anybody listens. */
const ADDRESSES_ASKED_MAX = 4

/** The channel of the membership frames; no service may have its name. */
const CHANNEL = 'p2p'

export interface PeersPorts {
  readonly transport: Transport
  /** Where to look for others; all of them at once. */
  readonly discoveries: readonly Discovery[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/**
 * Membership, failure detection and messages over a transport.
 * @see PeersOptions
 */
export function peers(options: PeersOptions): (ports: PeersPorts) => Peers & Describable {
  return (ports) => new PeersDriver(options, ports)
}

class PeersDriver implements Peers, Describable {
  readonly self: NodeId
  readonly #transport: Transport
  readonly #discoveries: readonly Discovery[]
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #config: DriverConfig
  readonly #machine: Membership
  readonly #hub = new EventHub<PeersEvents>()
  readonly #todo: Effect[] = []
  readonly #subscriptions: Cancel[] = []
  #state: 'new' | 'running' | 'stopped' = 'new'
  #doing = false
  #timer: { readonly at: number; readonly cancel: Cancel } | null = null
  #farewells: Promise<unknown>[] | null = null
  #stopping: Promise<void> | null = null
  /** When a frame of a service last went to a peer, and last came from it: each is a sign of life, too. */
  readonly #sentAt = new Map<NodeId, number>()
  readonly #heardAt = new Map<NodeId, number>()
  #awakeAt = Number.NEGATIVE_INFINITY

  constructor(options: PeersOptions, { transport, discoveries, clock, random, logger }: PeersPorts) {
    this.self = transport.self
    this.#transport = transport
    this.#discoveries = discoveries
    this.#clock = clock
    this.#logger = logger
    const config = membershipConfig(transport.self, options)
    this.#config = config
    this.#machine = new Membership(config, random)
  }

  members(): readonly Member[] {
    return this.#machine.members(this.#clock.now())
  }

  member(id: NodeId): Member | null {
    return this.#machine.member(id, this.#clock.now())
  }

  on<Type extends keyof PeersEvents>(type: Type, listener: (event: PeersEvents[Type]) => void): Cancel {
    return this.#hub.on(type, listener)
  }

  serve(service: string, handlers: ChannelHandlers): void {
    assert(service !== CHANNEL, `the service name '${CHANNEL}' is taken by membership`)
    const { notify, request, stream } = handlers
    this.#transport.handle(service, {
      ...(notify && {
        notify: (peer: NodeId, frame: Uint8Array) => {
          if (this.#machine.isBarred(peer)) return
          this.#alive(peer)
          notify.call(handlers, peer, frame)
        },
      }),
      ...(request && {
        request: (peer: NodeId, frame: Uint8Array, signal: AbortSignal) =>
          this.#machine.isBarred(peer)
            ? Promise.reject(peerUnknown(peer, this.self))
            : request.call(handlers, peer, frame, signal),
      }),
      ...(stream && {
        stream: (peer: NodeId, opening: Uint8Array, frames: FrameStream) => {
          if (this.#machine.isBarred(peer)) frames.abort('this peer was turned away')
          else stream.call(handlers, peer, opening, frames)
        },
      }),
    })
  }

  exploring(): boolean {
    return this.#machine.exploring()
  }

  async accepts(peer: NodeId): Promise<boolean> {
    const { addresses } = this.member(peer) ?? { addresses: [] }
    const asked = addresses.slice(0, ADDRESSES_ASKED_MAX).map(async (address) => {
      try {
        return await this.#transport.accepts(address, { deadlineMs: this.#config.probeMs * 2 })
      } catch (error) {
        this.#logger.log('debug', 'nobody could be asked whether a peer is there', {
          address,
          error: textOf(error),
        })
        return false
      }
    })
    return (await Promise.all(asked)).includes(true)
  }

  notify(peer: NodeId, service: string, frame: Uint8Array): boolean {
    const sent = this.#transport.notify(peer, service, frame)
    const now = this.#clock.now()
    if (sent) this.#sentAt.set(peer, now)
    this.#awake(now)
    return sent
  }

  broadcast(service: string, frame: Uint8Array): number {
    let reached = 0
    for (const peer of this.#machine.alive()) if (this.#transport.notify(peer, service, frame)) reached++
    return reached
  }

  request(peer: NodeId, service: string, frame: Uint8Array, options?: CallOptions): Promise<Uint8Array> {
    if (!this.#isKnown(peer)) return Promise.reject(peerUnknown(peer, this.self))
    return this.#transport.request(peer, service, frame, options)
  }

  openStream(
    peer: NodeId,
    service: string,
    opening: Uint8Array,
    options?: CallOptions,
  ): Promise<FrameStream> {
    if (!this.#isKnown(peer)) return Promise.reject(peerUnknown(peer, this.self))
    return this.#transport.openStream(peer, service, opening, options)
  }

  async start(): Promise<void> {
    assert(this.#state === 'new', 'peers can be started once')
    this.#state = 'running'
    const transport = this.#transport
    transport.handle(CHANNEL, {
      notify: (peer, frame) => this.#heard(peer, frame),
      // The caller waits for the answer to know that its goodbye arrived.
      request: (peer, frame) => {
        this.#heard(peer, frame)
        return Promise.resolve(new Uint8Array(0))
      },
    })
    this.#subscriptions.push(
      transport.on('linkUp', (info) => this.#step({ type: 'linkUp', info })),
      transport.on('linkDown', ({ peer, cause }) => {
        this.#sentAt.delete(peer)
        this.#heardAt.delete(peer)
        this.#step({ type: 'linkDown', peer, cause })
      }),
      transport.on('refused', (event) => this.#hub.emit('refused', event)),
      transport.on('listenerFailed', ({ address, reason }) =>
        this.#hub.emit('failed', { error: listenerFailed(address, reason) }),
      ),
    )
    try {
      await transport.start()
    } catch (error) {
      this.#close()
      throw error
    }
    if (this.#isStopped()) return
    const own = transport.addresses()
    this.#step({ type: 'started', own })
    await Promise.all(this.#discoveries.map((discovery) => this.#startDiscovery(discovery, own)))
  }

  stop(reason: 'away' | 'left'): Promise<void> {
    this.#stopping ??= this.#stop(reason)
    return this.#stopping
  }

  describe(): StructureNode {
    return describePeers(this.members(), this.#transport.addresses())
  }

  async #startDiscovery(discovery: Discovery, own: readonly Address[]): Promise<void> {
    try {
      await discovery.start(own, (found) => this.#step({ type: 'discovered', found }))
    } catch (error) {
      // The others may still find this node, and other discoveries may work.
      this.#logger.log('error', 'a discovery does not start', { error: textOf(error) })
    }
  }

  async #stop(reason: 'away' | 'left'): Promise<void> {
    const started = this.#state === 'running'
    if (started) {
      await Promise.all(
        this.#discoveries.map((discovery) =>
          discovery.stop().catch((error: unknown) => {
            this.#logger.log('warn', 'a discovery does not stop', { error: textOf(error) })
          }),
        ),
      )
      this.#farewells = []
      this.#step({ type: 'stop', reason })
      await Promise.all(this.#farewells)
    }
    this.#close()
    if (started) await this.#transport.stop()
  }

  #close(): void {
    this.#state = 'stopped'
    this.#timer?.cancel()
    this.#timer = null
    for (const cancel of this.#subscriptions.splice(0)) cancel()
  }

  #isStopped(): boolean {
    return this.#state === 'stopped'
  }

  #isKnown(peer: NodeId): boolean {
    return peer !== this.self && this.member(peer) !== null
  }

  /** Heartbeats that are due soon go with what is sent now; a node at rest wakes less often then. */
  #awake(now: number): void {
    const early = this.#config.heartbeatMs * EARLY
    // Looked at once in that time, however much is sent.
    if (this.#timer === null || this.#timer.at - now > early || now - this.#awakeAt < early) return
    this.#awakeAt = now
    this.#step({ type: 'awake' })
  }

  /** A frame of a service came in. The machine is not told of each of them. */
  #alive(from: NodeId): void {
    const now = this.#clock.now()
    if (now - (this.#heardAt.get(from) ?? Number.NEGATIVE_INFINITY) < this.#config.heartbeatMs / 2) return
    this.#heardAt.set(from, now)
    this.#step({ type: 'message', from, message: { type: 'heartbeat' } })
  }

  /** Frames of services stand for heartbeats while they flow; a little late ones, too, if they come regularly. */
  #isTalkingTo(peer: NodeId): boolean {
    const sentAt = this.#sentAt.get(peer)
    return sentAt !== undefined && this.#clock.now() - sentAt < this.#config.heartbeatMs * 1.25
  }

  #heard(from: NodeId, frame: Uint8Array): void {
    const message = decodeMessage(frame)
    this.#step(
      'malformed' in message
        ? { type: 'malformed', from, why: message.malformed }
        : { type: 'message', from, message },
    )
  }

  #step(input: Input): void {
    if (this.#state !== 'running') return
    this.#todo.push(...this.#machine.step(input, this.#clock.now()))
    this.#arm()
    // What an effect leads to at once waits for its turn, so that listeners see events in order.
    if (this.#doing) return
    this.#doing = true
    try {
      for (let effect = this.#todo.shift(); effect; effect = this.#todo.shift()) this.#do(effect)
    } finally {
      this.#doing = false
    }
  }

  #arm(): void {
    const at = this.#machine.nextAt()
    // A timer that is early does no harm: its tick finds nothing to do and arms the next one.
    if (this.#timer && this.#timer.at <= at) return
    this.#timer?.cancel()
    this.#timer = null
    if (at === Number.POSITIVE_INFINITY) return
    const cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#timer = null
      this.#step({ type: 'tick' })
    })
    this.#timer = { at, cancel }
  }

  #do(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect.to, effect.message)
        return
      case 'dial':
        void this.#dial(effect.address)
        return
      case 'probe':
        void this.#probe(effect.probe, effect.address, effect.purpose)
        return
      case 'disconnect':
        this.#transport.disconnect(effect.peer).catch((error: unknown) => {
          this.#logger.log('warn', 'disconnecting failed', { peer: effect.peer, error: textOf(error) })
        })
        return
      case 'log':
        this.#logger.log(effect.level, effect.event, effect.fields)
        return
      case 'emit':
        this.#emit(effect)
        return
    }
  }

  #emit(effect: Effect & { readonly type: 'emit' }): void {
    // One case an event: the pair of name and detail is what the compiler cannot follow otherwise.
    switch (effect.event) {
      case 'member':
        this.#hub.emit('member', effect.detail)
        return
      case 'linkUp':
        this.#hub.emit('linkUp', effect.detail)
        return
      case 'linkDown':
        this.#hub.emit('linkDown', effect.detail)
        return
      case 'deathProved':
        this.#hub.emit('deathProved', effect.detail)
        return
      case 'refused':
        this.#hub.emit('refused', effect.detail)
        return
      case 'turnedAway':
        this.#hub.emit('turnedAway', effect.detail)
        return
      case 'failed':
        this.#hub.emit('failed', effect.detail)
        return
    }
  }

  #send(to: NodeId, message: MembershipMessage): void {
    if (message.type === 'heartbeat' && this.#isTalkingTo(to)) return
    const frame = encodeMessage(message)
    if (message.type !== 'goodbye') {
      // A frame that is dropped is repeated by the next heartbeat or exchange.
      this.#transport.notify(to, CHANNEL, frame)
      return
    }
    const told = this.#transport
      .request(to, CHANNEL, frame, { deadlineMs: this.#config.goodbyeMs })
      .catch((error: unknown) => {
        this.#logger.log('debug', 'a goodbye was not heard', { peer: to, error: textOf(error) })
      })
    this.#farewells?.push(told)
  }

  async #dial(address: Address): Promise<void> {
    try {
      const { peer } = await this.#transport.connect(address, { deadlineMs: this.#config.dialMs })
      this.#step({ type: 'dialled', address, peer })
    } catch (error) {
      const refused = errorCode(error) === 'DIAL_REFUSED'
      this.#step({
        type: 'dialFailed',
        address,
        why: textOf(error),
        refused,
        turnedAway: isTurnedAway(error),
      })
    }
  }

  async #probe(probe: number, address: Address, purpose: ProbePurpose): Promise<void> {
    let result: Awaited<ReturnType<Transport['probe']>>
    try {
      result = await this.#transport.probe(address, { deadlineMs: this.#config.probeMs })
    } catch (error) {
      this.#logger.log('debug', 'probe failed', { address, error: textOf(error) })
      result = { answer: 'silent' }
    }
    this.#step({ type: 'probeResult', probe, address, purpose, result })
  }
}

/** The other side said why it does not want this node; one that merely broke off is tried again in silence. */
function isTurnedAway(error: unknown): boolean {
  if (!isClusterError(error)) return false
  const detail = error.detail as TransportErrorDetail
  return detail.code === 'ADMISSION_REFUSED' && detail.reason !== 'protocol'
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
