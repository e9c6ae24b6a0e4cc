import { type Address, backoffMs, type NodeId, type Random } from '@cluster/core'
import type { MembershipConfig } from './io.ts'

interface Entry {
  readonly address: Address
  /** Who answered or is said to be there; null while nobody knows. */
  peer: NodeId | null
  /** Named by a person: never dropped. */
  lasting: boolean
  /** Failures since it was last found or linked. */
  attempts: number
  /** Not dialled before. */
  nextAt: number
  dialledAt: number
  /** When something last said that it is worth dialling. */
  foundAt: number
}

/** What the book asks about peers. */
export interface PeerView {
  readonly isLinked: (id: NodeId) => boolean
  /** True while the peer is remembered and did not leave, so that its addresses are worth keeping. */
  readonly isWanted: (id: NodeId) => boolean
}

type BookConfig = Pick<
  MembershipConfig,
  'dialsMax' | 'dialBackoff' | 'dialGiveUpMs' | 'slowDialMs' | 'staggerMs' | 'membersMax'
>

/** Addresses a peer is believed to have, at most; more are ignored. */
const ADDRESSES_PER_PEER = 16

/**
 * Which addresses to dial and when. At most `dialsMax` dials run at once; of the addresses of one peer the next
 * starts only after the one before failed or took `staggerMs` (as in RFC 8305). An address that keeps failing is
 * dropped after `dialGiveUpMs`, unless it is lasting, or slowed down if it belongs to a peer that is wanted.
 */
export class AddressBook {
  readonly #config: BookConfig
  readonly #random: Random
  readonly #view: PeerView
  readonly #entries = new Map<Address, Entry>()
  readonly #dialling = new Set<Entry>()
  readonly #mine = new Set<Address>()

  constructor(config: BookConfig, random: Random, view: PeerView) {
    this.#config = config
    this.#random = random
    this.#view = view
  }

  get size(): number {
    return this.#entries.size
  }

  isMine(address: Address): boolean {
    return this.#mine.has(address)
  }

  /** The address is this node's own: never dialled again. */
  markMine(address: Address): void {
    this.#mine.add(address)
    this.#drop(address)
  }

  has(address: Address): boolean {
    return this.#entries.has(address)
  }

  peerAt(address: Address): NodeId | null {
    return this.#entries.get(address)?.peer ?? null
  }

  attemptsAt(address: Address): number {
    return this.#entries.get(address)?.attempts ?? 0
  }

  /** Somebody found addresses, of `peer` if it is known; they may be dialled from `now + delayMs` on. */
  found(
    addresses: readonly Address[],
    { peer, lasting, now, delayMs }: { peer: NodeId | null; lasting: boolean; now: number; delayMs: number },
  ): void {
    for (const address of addresses.slice(0, lasting ? undefined : ADDRESSES_PER_PEER)) {
      if (this.#mine.has(address)) continue
      const entry = this.#entries.get(address)
      if (!entry) {
        if (!lasting && !this.#makeRoom()) continue
        this.#entries.set(address, {
          address,
          peer,
          lasting,
          attempts: 0,
          nextAt: now + delayMs,
          dialledAt: Number.NEGATIVE_INFINITY,
          foundAt: now,
        })
        continue
      }
      // One that was given up starts afresh; one that is being tried keeps its back-off.
      if (this.#isGivenUp(entry, now)) {
        entry.attempts = 0
        entry.nextAt = Math.min(entry.nextAt, now + delayMs)
      }
      entry.peer = peer ?? entry.peer
      entry.lasting ||= lasting
      entry.foundAt = now
    }
  }

  /** A link to `peer` is up. */
  linked(peer: NodeId, addresses: readonly Address[], now: number): void {
    this.found(addresses, { peer, lasting: false, now, delayMs: 0 })
    for (const entry of this.#of(peer)) entry.foundAt = now
  }

  /**
   * The link to `peer` went down: its addresses are tried from `now + delayMs` on; with back-off when the link
   * lasted only for moments, or two nodes of which one turns the other away would dial without end.
   */
  unlinked(
    peer: NodeId,
    { now, delayMs, lastedMs }: { now: number; delayMs: number; lastedMs: number },
  ): void {
    const { dialBackoff } = this.#config
    for (const entry of this.#of(peer)) {
      entry.attempts = lastedMs < dialBackoff.maxMs ? entry.attempts + 1 : 0
      const backoff = entry.attempts === 0 ? 0 : backoffMs(this.#random, entry.attempts - 1, dialBackoff)
      entry.nextAt = now + Math.max(delayMs, backoff)
      entry.foundAt = now
    }
  }

  /** `peer` is known to listen again: its addresses are tried now. */
  hurry(peer: NodeId, now: number): void {
    for (const entry of this.#of(peer)) {
      entry.nextAt = now
      entry.foundAt = now
    }
  }

  /** True while an address of nobody known has not been tried to an end. */
  exploring(): boolean {
    for (const { attempts, peer } of this.#entries.values()) {
      if (attempts === 0 && (peer === null || !this.#view.isLinked(peer))) return true
    }
    return false
  }

  /** A dial reached `peer`. */
  dialled(address: Address, peer: NodeId, now: number): void {
    const entry = this.#entries.get(address)
    if (!entry) return
    entry.peer = peer
    // It may have been turned away the moment it was reached.
    if (this.#view.isLinked(peer)) this.#dialling.delete(entry)
    else this.failed(address, now)
  }

  failed(address: Address, now: number): void {
    const entry = this.#entries.get(address)
    if (!entry) return
    this.#dialling.delete(entry)
    entry.attempts++
    if (this.#isGivenUp(entry, now)) {
      if (entry.peer === null || !this.#view.isWanted(entry.peer)) {
        this.#drop(address)
        return
      }
      entry.nextAt =
        now + backoffMs(this.#random, 0, { baseMs: this.#config.slowDialMs, maxMs: this.#config.slowDialMs })
    } else entry.nextAt = now + backoffMs(this.#random, entry.attempts - 1, this.#config.dialBackoff)
  }

  /** The peer is forgotten or left for good; what a person named stays. */
  forget(peer: NodeId): void {
    for (const entry of this.#of(peer)) {
      if (entry.lasting) entry.peer = null
      else this.#drop(entry.address)
    }
  }

  /** Takes the addresses to dial now. */
  take(now: number): Address[] {
    const due: Entry[] = []
    for (const entry of this.#entries.values()) if (this.#startsAt(entry) <= now) due.push(entry)
    due.sort((a, b) => a.nextAt - b.nextAt)
    const taken: Address[] = []
    for (const entry of due) {
      if (this.#dialling.size >= this.#config.dialsMax) break
      // An earlier one of this round may have been of the same peer.
      if (this.#startsAt(entry) > now) continue
      this.#dialling.add(entry)
      entry.dialledAt = now
      taken.push(entry.address)
    }
    return taken
  }

  /** When `take` will give something, if nothing happens before. */
  nextAt(): number {
    if (this.#dialling.size >= this.#config.dialsMax) return Number.POSITIVE_INFINITY
    let next = Number.POSITIVE_INFINITY
    for (const entry of this.#entries.values()) next = Math.min(next, this.#startsAt(entry))
    return next
  }

  #startsAt(entry: Entry): number {
    if (this.#dialling.has(entry)) return Number.POSITIVE_INFINITY
    if (entry.peer === null) return entry.nextAt
    if (this.#view.isLinked(entry.peer)) return Number.POSITIVE_INFINITY
    let at = entry.nextAt
    for (const other of this.#dialling)
      if (other.peer === entry.peer) at = Math.max(at, other.dialledAt + this.#config.staggerMs)
    return at
  }

  #of(peer: NodeId): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.peer === peer)
  }

  #drop(address: Address): void {
    const entry = this.#entries.get(address)
    if (!entry) return
    this.#entries.delete(address)
    this.#dialling.delete(entry)
  }

  #isGivenUp(entry: Entry, now: number): boolean {
    return !entry.lasting && !this.#dialling.has(entry) && now - entry.foundAt > this.#config.dialGiveUpMs
  }

  /** Keeps the book bounded: the entry that was found longest ago goes. */
  #makeRoom(): boolean {
    if (this.#entries.size < this.#config.membersMax * ADDRESSES_PER_PEER) return true
    let oldest: Entry | null = null
    for (const entry of this.#entries.values()) {
      const linked = entry.peer !== null && this.#view.isLinked(entry.peer)
      const kept = linked || entry.lasting || this.#dialling.has(entry)
      if (!kept && (oldest === null || entry.foundAt < oldest.foundAt)) oldest = entry
    }
    if (oldest === null) return false
    this.#drop(oldest.address)
    return true
  }
}
