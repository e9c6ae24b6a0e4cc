import {
  type Cancel,
  ClusterError,
  type FrameStream,
  type Member,
  type NodeId,
  type Peers,
  type PeersErrorDetail,
} from '@cluster/core'

/** The peers of a node that is alone on purpose: nobody, ever. */
export class LonelyPeers implements Peers {
  readonly self: NodeId

  constructor(self: NodeId) {
    this.self = self
  }

  members(): readonly Member[] {
    return []
  }

  member(): Member | null {
    return null
  }

  on(): Cancel {
    return () => {}
  }

  serve(): void {
    // Nobody asks.
  }

  notify(): boolean {
    return false
  }

  broadcast(): number {
    return 0
  }

  request(peer: NodeId): Promise<Uint8Array> {
    return Promise.reject(unknown(peer))
  }

  openStream(peer: NodeId): Promise<FrameStream> {
    return Promise.reject(unknown(peer))
  }

  async start(): Promise<void> {
    // There is nothing to listen for.
  }

  async stop(): Promise<void> {
    // Nobody is to be told.
  }
}

function unknown(peer: NodeId): ClusterError<PeersErrorDetail> {
  return new ClusterError<PeersErrorDetail>(
    { code: 'PEER_UNKNOWN', outcome: 'rejected', peer },
    `There is no node ${peer}: this ordered log runs on one node. Use orderedLog for several.`,
  )
}
