import { assert, type BackoffOptions, type NodeId } from '@cluster/core'
import type { MembershipConfig } from './machine/io.ts'

/** Options of `peers`. Times are milliseconds on the injected clock. */
export interface PeersOptions {
  /**
   * How often this process was started with its data folder, this time included: the number that the
   * transport shows to the others (`LinkInfo.start`).
   */
  readonly start: number
  /** Between two heartbeats on a link that carries nothing else; default 300. */
  readonly heartbeatMs?: number
  /** A peer that was not heard for so long is suspected; default 750. */
  readonly silentMs?: number
  /** A peer suspected for so long without proof is given up as dead; default 10,000. */
  readonly graceMs?: number
  /** Between two exchanges of what is known with a random peer; default 1,000. */
  readonly gossipMs?: number
  /** Longest a dial may take; default 2,000. */
  readonly dialMs?: number
  /** Dials at a time, at most; default 8. */
  readonly dialsMax?: number
  /** Waits between dials of one address; default 50 … 2,000. */
  readonly dialBackoff?: BackoffOptions
  /** After so long without success a discovered address is given up until it is found again; default 60,000. */
  readonly dialGiveUpMs?: number
  /** Between dials of an address that was given up although its peer is remembered; default 30,000. */
  readonly slowDialMs?: number
  /** Of two nodes that learn of each other at once the one with the greater id waits so long; default 30. */
  readonly yieldMs?: number
  /** So long after one address of a peer the next one is dialled too; default 250. */
  readonly staggerMs?: number
  /** Longest a question to a listening port may take; default 250. */
  readonly probeMs?: number
  /** Waits between questions to a listening port; default 5 … 500. */
  readonly probeBackoff?: BackoffOptions
  /** Longest `stop` waits until the others have heard the goodbye; default 200. */
  readonly goodbyeMs?: number
  /** Other nodes remembered, at most; default 1,024. */
  readonly membersMax?: number
  /** A peer without a link that is dead, away or left is forgotten after so long; default one day. */
  readonly forgetMs?: number
}

/** Times of the driver. */
export interface DriverConfig {
  readonly heartbeatMs: number
  readonly dialMs: number
  readonly probeMs: number
  readonly goodbyeMs: number
}

export function membershipConfig(self: NodeId, options: PeersOptions): MembershipConfig & DriverConfig {
  const config = {
    self,
    start: options.start,
    heartbeatMs: options.heartbeatMs ?? 300,
    silentMs: options.silentMs ?? 750,
    graceMs: options.graceMs ?? 10_000,
    gossipMs: options.gossipMs ?? 1_000,
    dialMs: options.dialMs ?? 2_000,
    dialsMax: options.dialsMax ?? 8,
    dialBackoff: options.dialBackoff ?? { baseMs: 50, maxMs: 2_000 },
    dialGiveUpMs: options.dialGiveUpMs ?? 60_000,
    slowDialMs: options.slowDialMs ?? 30_000,
    yieldMs: options.yieldMs ?? 30,
    staggerMs: options.staggerMs ?? 250,
    probeMs: options.probeMs ?? 250,
    probeBackoff: options.probeBackoff ?? { baseMs: 5, maxMs: 500 },
    goodbyeMs: options.goodbyeMs ?? 200,
    membersMax: options.membersMax ?? 1_024,
    forgetMs: options.forgetMs ?? 86_400_000,
  }
  assert(config.heartbeatMs > 0, 'heartbeatMs must be above 0')
  assert(config.silentMs > config.heartbeatMs, 'silentMs must be above heartbeatMs')
  assert(config.graceMs > 0 && config.gossipMs > 0, 'graceMs and gossipMs must be above 0')
  assert(config.dialsMax >= 1 && config.membersMax >= 1, 'dialsMax and membersMax must be 1 or more')
  return config
}
