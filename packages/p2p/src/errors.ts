import { type Address, ClusterError, type NodeId, type PeersErrorDetail } from '@cluster/core'

export type PeersError = ClusterError<PeersErrorDetail>

/** What is known of another process that runs with this node's identity. */
export interface IdentityConflict {
  readonly self: NodeId
  readonly start: number
  readonly otherStart: number
  readonly address: Address | null
}

export function sameIdentity({ self, start, otherStart, address }: IdentityConflict): PeersError {
  const where = address === null ? '' : ` at ${address}`
  return new ClusterError(
    { code: 'SAME_IDENTITY', outcome: 'rejected', peer: self },
    `Another process${where} runs with the identity of this node (${self}): its start number is ${otherStart}, ` +
      `this one's is ${start}. A data folder belongs to one node: stop one of the two, and give a copy of the ` +
      'folder a fresh identity, or restore it only after the original is gone.',
  )
}

export function listenerFailed(address: string, reason: string): PeersError {
  return new ClusterError(
    { code: 'LISTENER_FAILED', outcome: 'rejected', address },
    `The listening port at ${address} failed: ${reason}. Others that ask there would take this node for dead, so it ` +
      'must stop. Start it again once the port is free and the network interface is up.',
  )
}

export function peerUnknown(peer: NodeId, self: NodeId): PeersError {
  return new ClusterError(
    { code: 'PEER_UNKNOWN', outcome: 'rejected', peer },
    peer === self
      ? `${peer} is this node itself; messages go to other nodes only.`
      : `No node ${peer} was ever seen here. Wait for its member event, or check the id.`,
  )
}
