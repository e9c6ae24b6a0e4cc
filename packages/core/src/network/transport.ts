import type { ErrorDetail } from '../errors.ts'
import type { Address, NodeId } from '../ids.ts'

/** What is known of the node at the other end of a link; authenticated before anyone sees it. */
export interface LinkInfo {
  readonly peer: NodeId
  /** How often the peer's process was started with its data folder; grows with every start. */
  readonly start: number
  /** Where the peer listens, as it said, the address of this very link's host first. */
  readonly listening: readonly Address[]
  /** True when the peer dialled. */
  readonly inbound: boolean
}

/**
 * Why a link went down.
 * - `closed-by-host`: the peer's host closed or reset it (FIN, RST): its process is gone or wanted so;
 * - `closed-here`: this node closed it;
 * - `timed-out`: nothing was heard for too long; nobody knows why;
 * - `failed`: the peer broke the protocol or the platform reported an error.
 */
export type LinkDownCause = 'closed-by-host' | 'closed-here' | 'timed-out' | 'failed'

export interface CallOptions {
  /** Gives up this long after the call; the default is the implementation's (some seconds). */
  readonly deadlineMs?: number
  readonly signal?: AbortSignal
}

/** What the listening port of an address says. `refused` means its host lives and nobody listens there. */
export type ProbeResult =
  | { readonly answer: 'refused' }
  | { readonly answer: 'silent' }
  | { readonly answer: 'node'; readonly peer: NodeId; readonly start: number }

/**
 * A two-way stream of frames, in order, with back-pressure. Either end may close its sending half; `abort`
 * ends both at once. The stream ends with an error on both sides when the link goes down.
 */
export interface FrameStream extends AsyncIterable<Uint8Array> {
  readonly peer: NodeId
  /** Resolves when there is room for more. @throws LINK_DOWN, ABORTED */
  send(frame: Uint8Array): Promise<void>
  /** Ends the sending half; the other side's iteration ends after the last frame. */
  close(): Promise<void>
  abort(reason: string): void
}

/** Handles what arrives on one channel. Handlers may be called before the one of an earlier frame is done. */
export interface ChannelHandlers {
  /** A one-way frame. Must not throw. */
  notify?(peer: NodeId, frame: Uint8Array): void
  /** Answers a request; a rejection travels back: a `ClusterError` with its detail, anything else as `REMOTE_FAILED`. */
  request?(peer: NodeId, frame: Uint8Array, signal: AbortSignal): Promise<Uint8Array>
  /** A stream that the peer opened with a first frame. */
  stream?(peer: NodeId, opening: Uint8Array, stream: FrameStream): void
}

export interface TransportEvents {
  /** Comes before any frame of the link is given to a handler, at either end. */
  readonly linkUp: LinkInfo
  readonly linkDown: LinkInfo & { readonly cause: LinkDownCause }
  /** Someone was turned away: wrong secret, wrong cluster name, public address, garbage. */
  readonly refused: { readonly from: string; readonly reason: string }
  /** A listening port failed after `start`: others may take this node for dead, so it must stop. */
  readonly listenerFailed: { readonly address: string; readonly reason: string }
}

/**
 * Encrypted, authenticated links between nodes: at most one link a pair, many channels in it. Frames of one
 * channel that are notified to one peer arrive in order, each at most once; a link that goes down loses the
 * frames in flight. A frame may have up to `frameBytesMax` bytes. A frame that was handed over, in either
 * direction, is not changed afterwards: neither side copies it.
 */
export interface Transport {
  readonly self: NodeId
  readonly frameBytesMax: number
  /** Starts listening. Handlers and listeners must be in place before. @throws PORT_IN_USE, ADDRESS_NOT_USABLE */
  start(): Promise<void>
  /** Closes every link in order and stops listening. */
  stop(): Promise<void>
  /** Where this node listens, best first. Known after `start`. */
  addresses(): readonly Address[]
  on<Type extends keyof TransportEvents>(
    type: Type,
    listener: (event: TransportEvents[Type]) => void,
  ): () => void
  /** Serves a channel; one handler set a channel. */
  handle(channel: string, handlers: ChannelHandlers): void
  /** Dials; resolves once the link is up on this side (also when it already was). */
  connect(address: Address, options?: CallOptions): Promise<LinkInfo>
  disconnect(peer: NodeId): Promise<void>
  /** Peers with a link, sorted by id. */
  links(): readonly LinkInfo[]
  /** Sends without waiting. False when there is no link or too much is queued for it: the frame is dropped then. */
  notify(peer: NodeId, channel: string, frame: Uint8Array): boolean
  /** @throws LINK_DOWN, LINK_BUSY, FRAME_TOO_LARGE, DEADLINE, ABORTED, NO_HANDLER, REMOTE_FAILED, or what the handler threw */
  request(peer: NodeId, channel: string, frame: Uint8Array, options?: CallOptions): Promise<Uint8Array>
  /** Opens a stream whose first frame, `opening`, tells the other side what it is about. */
  openStream(peer: NodeId, channel: string, opening: Uint8Array, options?: CallOptions): Promise<FrameStream>
  /** Asks the listening port of an address who is there, without making a link. */
  probe(address: Address, options?: CallOptions): Promise<ProbeResult>
  /**
   * True when a connection to the address is accepted: its host lives and a process listens there, be it too busy to say a
   * word. False when it is refused, or nothing is heard in time.
   */
  accepts(address: Address, options?: CallOptions): Promise<boolean>
}

export type TransportErrorDetail =
  | ({ readonly code: 'LINK_DOWN' | 'LINK_BUSY'; readonly peer: NodeId } & ErrorDetail)
  | ({ readonly code: 'DIAL_FAILED' | 'DIAL_REFUSED'; readonly address: string } & ErrorDetail)
  | ({ readonly code: 'PORT_IN_USE' | 'ADDRESS_NOT_USABLE'; readonly address: string } & ErrorDetail)
  | ({
      readonly code: 'ADMISSION_REFUSED'
      readonly reason: 'secret' | 'name' | 'public-address' | 'protocol'
    } & ErrorDetail)
  | ({ readonly code: 'FRAME_TOO_LARGE'; readonly bytes: number; readonly bytesMax: number } & ErrorDetail)
  | ({ readonly code: 'REMOTE_FAILED'; readonly peer: NodeId } & ErrorDetail)
  | ({ readonly code: 'NO_HANDLER'; readonly channel: string } & ErrorDetail)
