import { type LogIndex, logIndex } from '@cluster/core'

export interface FlowLimits {
  readonly inflightBytesMax: number
  readonly inflightMessagesMax: number
}

/**
 * What the leader knows of one other node.
 * - `probe`: it does not know where their logs agree, so one message at a time feels for it;
 * - `replicate`: messages follow one another without waiting, up to the flow limits;
 * - `snapshot`: a snapshot is on its way, nothing else is sent but signs of life.
 */
export class Progress {
  state: 'probe' | 'replicate' | 'snapshot' = 'probe'
  /** Durable there and equal to the leader's log up to here. */
  match: LogIndex = logIndex(0)
  /** The next entry to send. */
  next: LogIndex
  /** When it last answered in this term. */
  heardAt: number | null = null
  /** The highest round it has answered. */
  round = 0
  /** The highest round that it has answered with a lease. */
  leaseRound = 0
  /** The highest commit index it was told. */
  sentCommit = 0
  /** So long somebody there waits to hear what is committed. */
  waitsUntil = 0
  /** In `probe`: one is on its way. */
  probing = false
  /** In `snapshot`: what its match will be at least. */
  snapshotIndex = 0

  #inflight: { readonly last: number; readonly bytes: number }[] = []
  #inflightBytes = 0

  constructor(next: LogIndex) {
    this.next = next
  }

  get inflight(): number {
    return this.#inflight.length
  }

  hasRoom(limits: FlowLimits): boolean {
    if (this.state === 'probe') return !this.probing
    if (this.state === 'snapshot') return false
    return this.#inflight.length < limits.inflightMessagesMax && this.#inflightBytes < limits.inflightBytesMax
  }

  /** Entries up to `last` were sent. */
  sent(last: LogIndex, bytes: number): void {
    if (this.state === 'probe') {
      this.probing = true
      return
    }
    this.#inflight.push({ last, bytes })
    this.#inflightBytes += bytes
    this.next = logIndex(last + 1)
  }

  /** The node has everything up to `match`. True when that is news. */
  acknowledged(match: LogIndex): boolean {
    const news = match > this.match
    if (news) this.match = match
    let freed = 0
    for (const { last, bytes } of this.#inflight) {
      if (last > match) break
      freed++
      this.#inflightBytes -= bytes
    }
    if (freed > 0) this.#inflight.splice(0, freed)
    if (this.state === 'probe' || (this.state === 'snapshot' && match >= this.snapshotIndex)) {
      this.#start('replicate', logIndex(this.match + 1))
    } else if (this.next <= match) {
      this.next = logIndex(match + 1)
    }
    return news
  }

  /** Something on the way was lost or did not fit: feel from `next` on, never before what is known. */
  probeFrom(next: number): void {
    this.#start('probe', logIndex(Math.max(this.match + 1, next)))
  }

  awaitSnapshot(index: LogIndex): void {
    this.#start('snapshot', logIndex(index + 1))
    this.snapshotIndex = index
  }

  #start(state: Progress['state'], next: LogIndex): void {
    this.state = state
    this.next = next
    this.probing = false
    this.#inflight = []
    this.#inflightBytes = 0
  }
}
