import type { ClusterError, ErrorDetail } from '../errors.ts'
import type { Cancel } from '../host/clock.ts'
import type { Address, NodeId } from '../ids.ts'
import type { CallOptions, ChannelHandlers, FrameStream, LinkDownCause } from './transport.ts'

/**
 * - `alive`: a link is up and the peer was heard lately;
 * - `suspected`: the link went down or the peer is silent; it may come back;
 * - `dead`: given up: proved (see `DeathProof`) or silent for the whole grace time;
 * - `away`: it said that it stops and means to come back;
 * - `left`: it said that it leaves for good.
 */
export type MemberState = 'alive' | 'suspected' | 'dead' | 'away' | 'left'

export interface Member {
  readonly id: NodeId
  readonly state: MemberState
  readonly addresses: readonly Address[]
  /** The peer's start number, see `LinkInfo`. */
  readonly start: number
  /** `Clock.now()` when something of it was last heard; for this node itself, now. */
  readonly heardAt: number
  /** True for this node. */
  readonly self: boolean
}

/**
 * What the transport layer knows of a peer's death; parts (c) and (d) of the proof (DESIGN §8.2). The link was
 * closed by the peer's host while it was heard `silentMs` before, and then its listening port refused, or
 * answered as the same node with a higher start number.
 */
export interface DeathProof {
  readonly peer: NodeId
  /** The start number of the process that died. */
  readonly start: number
  /** Milliseconds between the last sign of life and the closing of the link. */
  readonly silentMs: number
  readonly by: 'refused' | 'restarted'
}

export interface PeersEvents {
  /** A peer's state changed, or a peer is new (`before` is null). */
  readonly member: { readonly member: Member; readonly before: MemberState | null }
  /** The link to a peer came up. */
  readonly linkUp: { readonly peer: NodeId; readonly start: number }
  /** The link went down; comes before the `member` event that it leads to. */
  readonly linkDown: {
    readonly peer: NodeId
    readonly start: number
    readonly cause: LinkDownCause
    readonly silentMs: number
  }
  /** The peer's process is proved dead; comes right before its `member` event with `dead` (or `alive`, when restarted). */
  readonly deathProved: DeathProof
  /** Someone was turned away. */
  readonly refused: { readonly from: string; readonly reason: string }
  /** The node at that address turned this one away; told once, though it is asked again. */
  readonly turnedAway: { readonly by: string; readonly reason: string }
  /**
   * This node must stop at once: another process runs with its identity (`SAME_IDENTITY`), or nobody can reach
   * it any more and it may be taken for dead (`LISTENER_FAILED`).
   */
  readonly failed: { readonly error: ClusterError<PeersErrorDetail> }
}

/** Who is there, and messages to them. */
export interface Peers {
  readonly self: NodeId
  /** All known nodes of this cluster name, this one included, sorted by id. */
  members(): readonly Member[]
  member(id: NodeId): Member | null
  on<Type extends keyof PeersEvents>(type: Type, listener: (event: PeersEvents[Type]) => void): Cancel
  /** Serves a service; one handler set a service. Call before `start`. */
  serve(service: string, handlers: ChannelHandlers): void
  /** Sends without waiting; false when the peer has no link or its queue is full. */
  notify(peer: NodeId, service: string, frame: Uint8Array): boolean
  /** Notifies every living peer; returns how many were reached. */
  broadcast(service: string, frame: Uint8Array): number
  request(peer: NodeId, service: string, frame: Uint8Array, options?: CallOptions): Promise<Uint8Array>
  openStream(peer: NodeId, service: string, opening: Uint8Array, options?: CallOptions): Promise<FrameStream>
  /**
   * True while the first dial to an address that was found is not over: somebody may be there. A peer that cannot
   * tell leaves it out.
   */
  exploring?(): boolean
  /**
   * True when a process listens where the peer listened, however busy it is: its host accepts connections there. A peer
   * that cannot tell leaves it out.
   */
  accepts?(peer: NodeId): Promise<boolean>
  /** Starts the transport, the discoveries and the failure detector. */
  start(): Promise<void>
  /** Tells the others `away` or `left`, then closes. */
  stop(reason: 'away' | 'left'): Promise<void>
}

export type PeersErrorDetail =
  | ({ readonly code: 'PEER_UNKNOWN'; readonly peer: NodeId } & ErrorDetail)
  | ({ readonly code: 'SAME_IDENTITY'; readonly peer: NodeId } & ErrorDetail)
  | ({ readonly code: 'LISTENER_FAILED'; readonly address: string } & ErrorDetail)
