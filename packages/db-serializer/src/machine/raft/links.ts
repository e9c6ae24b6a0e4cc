import type { LogIndex, NodeId, Term } from '@cluster/core'

/** Under which term and configuration something was acknowledged. */
export interface Acknowledgement {
  readonly term: Term
  readonly configuration: LogIndex
}

interface LinkRecord {
  up: boolean
  /** The peer acknowledged this node, the leader, as a caught-up voter. */
  heard: Acknowledgement | null
  /** Both did, and this node knows it. */
  mutual: Acknowledgement | null
}

const same = (a: Acknowledgement | null, b: Acknowledgement): boolean =>
  a !== null && a.term === b.term && a.configuration === b.configuration

/**
 * What was said over each link since it came up. The record of a link that went down stays readable until the
 * next one comes up: it is what proves that both ends agreed when the link broke.
 */
export class Links {
  readonly #records = new Map<NodeId, LinkRecord>()

  up(peer: NodeId): void {
    this.#records.set(peer, { up: true, heard: null, mutual: null })
  }

  down(peer: NodeId): void {
    const record = this.#records.get(peer)
    if (record === undefined) this.#records.set(peer, { up: false, heard: null, mutual: null })
    else record.up = false
  }

  isUp(peer: NodeId): boolean {
    return this.#records.get(peer)?.up === true
  }

  /** Known to be down; a link that was never spoken of is not. */
  isDown(peer: NodeId): boolean {
    return this.#records.get(peer)?.up === false
  }

  /** The leader got the acknowledgement of a voter that has everything committed. True when it is news. */
  heard(peer: NodeId, acknowledgement: Acknowledgement): boolean {
    const record = this.#records.get(peer)
    if (record === undefined || !record.up || same(record.heard, acknowledgement)) return false
    record.heard = acknowledgement
    return true
  }

  hasHeard(peer: NodeId, acknowledgement: Acknowledgement): boolean {
    return same(this.#records.get(peer)?.heard ?? null, acknowledgement)
  }

  /** Each end knows that the other has acknowledged it. */
  agreed(peer: NodeId, acknowledgement: Acknowledgement): void {
    const record = this.#records.get(peer)
    if (record?.up) record.mutual = acknowledgement
  }

  hasAgreed(peer: NodeId, acknowledgement: Acknowledgement): boolean {
    return same(this.#records.get(peer)?.mutual ?? null, acknowledgement)
  }

  /** The last mutual acknowledgement over the newest link to the peer, whether it is still up or not. */
  agreement(peer: NodeId): Acknowledgement | null {
    return this.#records.get(peer)?.mutual ?? null
  }
}
