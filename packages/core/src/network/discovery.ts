import type { Address, NodeId } from '../ids.ts'

export interface DiscoveredPeer {
  /** Addresses worth dialling, best first. */
  readonly addresses: readonly Address[]
  /** Who it says it is, if it says; the link tells for sure. */
  readonly id?: NodeId
  /** True when a person named the addresses: they are tried for ever, not only while they are fresh. */
  readonly lasting?: boolean
}

/** Finds addresses of other nodes. May find the same one again and again, nodes that are gone, and this one. */
export interface Discovery {
  /** Starts looking, and lets this node, reachable at `own`, be found. */
  start(own: readonly Address[], found: (peer: DiscoveredPeer) => void): Promise<void>
  stop(): Promise<void>
}
