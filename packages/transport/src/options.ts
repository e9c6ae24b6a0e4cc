import type { Address } from '@cluster/core'
import { address, type Clock, type Logger, type Random } from '@cluster/core'

/** libp2p protocol names; a number goes up when the bytes behind it change. */
export const PROTOCOLS = {
  link: '/cluster/link/1',
  stream: '/cluster/stream/1',
  probe: '/cluster/probe/1',
} as const

/** Bounds of one node's links; all have defaults. */
export interface TransportLimits {
  /** The largest frame. Default 8 MiB. */
  readonly frameBytesMax: number
  /** What may wait to be sent to one peer; at least `frameBytesMax`. Default 32 MiB. */
  readonly queueBytesMax: number
  /** Requests to one peer, and of one peer, that wait for their answers. Default 16,384. */
  readonly requestsMax: number
  /** Streams with one peer that are open at once, each direction. Default 512. */
  readonly streamsMax: number
  /** What a stream's reader may leave unread before the sender is held up; one frame more at most. Default 256 KiB. */
  readonly streamBytesMax: number
  /** For requests, dials and streams that set none. Default 5,000. */
  readonly deadlineMs: number
  /** From a connection's first byte to its admission. Default 5,000. */
  readonly handshakeMs: number
  /** How often a silent peer is asked for a sign of life. Default 1,000. */
  readonly keepAliveMs: number
  /** How many times in a row it may stay silent before the link is given up. Default 5. */
  readonly keepAliveMisses: number
  /** How long closing may take to send what is queued. Default 500. */
  readonly closeMs: number
  /** Connections that have not been admitted yet, at once. Default 128. */
  readonly pendingMax: number
}

export interface Libp2pOptions extends Partial<TransportLimits> {
  /** The node's private key in libp2p's protobuf form, see `newIdentity`. */
  readonly identity: Uint8Array
  /** Default: all IPv4 and all IPv6 interfaces, ports that the system picks. */
  readonly listen?: readonly Address[]
  /** The cluster's name; nodes of other names are refused. */
  readonly name: string
  /** The start number of this process: larger than that of any earlier process with this identity. */
  readonly start: number
  /** The cluster's secret. Without one only private, link-local and loopback addresses are served. */
  readonly secret?: string
}

export interface TransportPorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export const LISTEN_DEFAULT: readonly Address[] = [address('/ip4/0.0.0.0/tcp/0'), address('/ip6/::/tcp/0')]

export function withDefaults(limits: Partial<TransportLimits>): TransportLimits {
  const frameBytesMax = limits.frameBytesMax ?? 8 * 1024 * 1024
  return {
    frameBytesMax,
    queueBytesMax: Math.max(limits.queueBytesMax ?? 32 * 1024 * 1024, frameBytesMax + 64),
    requestsMax: limits.requestsMax ?? 16_384,
    streamsMax: limits.streamsMax ?? 512,
    streamBytesMax: limits.streamBytesMax ?? 256 * 1024,
    deadlineMs: limits.deadlineMs ?? 5_000,
    handshakeMs: limits.handshakeMs ?? 5_000,
    keepAliveMs: limits.keepAliveMs ?? 1_000,
    keepAliveMisses: limits.keepAliveMisses ?? 5,
    closeMs: limits.closeMs ?? 500,
    pendingMax: limits.pendingMax ?? 128,
  }
}
