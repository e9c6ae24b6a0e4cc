import {
  type CallOptions,
  type Cancel,
  type ChannelHandlers,
  EventHub,
  type FrameStream,
  type Member,
  type NodeId,
  type Peers,
  type PeersEvents,
  type Transport,
} from '@cluster/core'

/**
 * The half of a `Peers` that any transport does by itself: messages, and telling of events. Who is a member, and who
 * dials whom, is left to the class that extends it.
 */
export abstract class TransportPeers implements Peers {
  readonly self: NodeId
  protected readonly transport: Transport
  protected readonly events = new EventHub<PeersEvents>()

  constructor(transport: Transport) {
    this.self = transport.self
    this.transport = transport
  }

  abstract members(): readonly Member[]
  abstract member(id: NodeId): Member | null
  abstract start(): Promise<void>
  abstract stop(reason: 'away' | 'left'): Promise<void>

  on<Type extends keyof PeersEvents>(type: Type, listener: (event: PeersEvents[Type]) => void): Cancel {
    return this.events.on(type, listener)
  }

  serve(service: string, handlers: ChannelHandlers): void {
    this.transport.handle(service, handlers)
  }

  notify(peer: NodeId, service: string, frame: Uint8Array): boolean {
    return this.transport.notify(peer, service, frame)
  }

  broadcast(service: string, frame: Uint8Array): number {
    return this.transport.links().filter(({ peer }) => this.notify(peer, service, frame)).length
  }

  request(peer: NodeId, service: string, frame: Uint8Array, options?: CallOptions): Promise<Uint8Array> {
    return this.transport.request(peer, service, frame, options)
  }

  openStream(
    peer: NodeId,
    service: string,
    opening: Uint8Array,
    options?: CallOptions,
  ): Promise<FrameStream> {
    return this.transport.openStream(peer, service, opening, options)
  }
}
