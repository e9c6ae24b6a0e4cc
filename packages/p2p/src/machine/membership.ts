import {
  type Address,
  type DiscoveredPeer,
  type LinkDownCause,
  type LinkInfo,
  type LogFields,
  type LogLevel,
  type Member,
  type MemberState,
  type NodeId,
  type ProbeResult,
  pick,
  type Random,
  unreachable,
} from '@cluster/core'
import { type IdentityConflict, sameIdentity } from '../errors.ts'
import { AddressBook } from './address-book.ts'
import { DeathWatch } from './death-watch.ts'
import type { DialFailed, Effect, Input, MembershipConfig } from './io.ts'
import type { MemberNews, MembershipMessage } from './messages.ts'
import { linkOf, type Peer, Roster } from './roster.ts'

/** Complaints about one peer's frames are logged at most this often. */
const COMPLAIN_MS = 10_000
/** News of so many members at most go into one frame. */
const NEWS_PER_FRAME = 64

/** What is due within this part of the time between two heartbeats may go early. */
export const EARLY = 0.4

/** Who is there, as a synchronous machine: what happens goes in, what is to be done comes out. */
export class Membership {
  readonly #config: MembershipConfig
  readonly #random: Random
  readonly #roster: Roster
  readonly #book: AddressBook
  readonly #watch: DeathWatch
  /** Peers that were turned away and whose link is not closed yet. */
  readonly #barred = new Set<NodeId>()
  readonly #complaints = new Map<NodeId, { until: number; count: number }>()
  /** Addresses that are being asked whether they are this node's own. */
  readonly #asking = new Set<Address>()
  #own: readonly Address[] = []
  #running = false
  #failed = false
  #probes = 0
  #heartbeatAt = Number.POSITIVE_INFINITY
  #gossipAt = Number.POSITIVE_INFINITY
  /** Nobody is suspected before: this process itself was late, and what it should have heard may be waiting. */
  #patientUntil = Number.NEGATIVE_INFINITY
  #nextAt = Number.POSITIVE_INFINITY
  #effects: Effect[] = []

  constructor(config: MembershipConfig, random: Random) {
    this.#config = config
    this.#random = random
    this.#roster = new Roster(config.membersMax)
    this.#book = new AddressBook(config, random, {
      isLinked: (id) => id === config.self || this.#isLinked(id),
      isWanted: (id) => {
        const peer = this.#roster.get(id)
        return peer !== null && peer.state !== 'left'
      },
    })
    this.#watch = new DeathWatch(random, config.probeBackoff)
  }

  step(input: Input, now: number): readonly Effect[] {
    this.#effects = []
    if (now - this.#nextAt > this.#config.heartbeatMs) this.#patientUntil = now + this.#config.heartbeatMs
    this.#apply(input, now)
    if (this.#running) this.#work(now)
    this.#nextAt = this.#running ? this.#next() : Number.POSITIVE_INFINITY
    return this.#effects
  }

  /** When the next `tick` has something to do. */
  nextAt(): number {
    return this.#nextAt
  }

  #next(): number {
    let next = Math.min(this.#heartbeatAt, this.#gossipAt, this.#watch.nextAt(), this.#book.nextAt())
    for (const peer of this.#roster.sorted()) next = Math.min(next, this.#changesAt(peer))
    return next
  }

  /** True while somebody may be at an address that was found and not tried to an end. */
  exploring(): boolean {
    return this.#book.exploring()
  }

  /** All members, this node included, sorted by id. */
  members(now: number): readonly Member[] {
    const self = this.#self(now)
    const others = this.#roster.sorted().map(memberOf)
    const at = others.findIndex(({ id }) => id > self.id)
    return at < 0 ? [...others, self] : [...others.slice(0, at), self, ...others.slice(at)]
  }

  member(id: NodeId, now: number): Member | null {
    if (id === this.#config.self) return this.#self(now)
    const peer = this.#roster.get(id)
    return peer && memberOf(peer)
  }

  /** Living peers that have a link, sorted by id. */
  alive(): readonly NodeId[] {
    return this.#roster
      .sorted()
      .filter(({ state, link }) => state === 'alive' && link !== null)
      .map(({ id }) => id)
  }

  /** True for a peer whose frames are not to be handled: it was turned away and its link is closing. */
  isBarred(id: NodeId): boolean {
    return this.#barred.has(id)
  }

  #apply(input: Input, now: number): void {
    switch (input.type) {
      case 'started':
        this.#running = true
        this.#own = input.own
        for (const address of input.own) this.#book.markMine(address)
        this.#heartbeatAt = now + this.#config.heartbeatMs
        this.#gossipAt = now + this.#config.gossipMs
        // Links that came up before know no address of this node yet.
        for (const { id, link } of this.#roster.sorted()) if (link) this.#tell(id)
        return
      case 'linkUp':
        this.#linkUp(input.info, now)
        return
      case 'linkDown':
        this.#linkDown(input.peer, input.cause, now)
        return
      case 'message':
        this.#message(input.from, input.message, now)
        return
      case 'malformed':
        this.#complain(input.from, input.why, now)
        return
      case 'discovered':
        this.#discovered(input.found, now)
        return
      case 'dialled':
        if (input.peer === this.#config.self) this.#book.markMine(input.address)
        else this.#book.dialled(input.address, input.peer, now)
        return
      case 'dialFailed':
        this.#dialFailed(input, now)
        return
      case 'probeResult':
        if (input.purpose === 'death') this.#deathAnswer(input.probe, input.result, now)
        else this.#identityAnswer(input.address, input.result)
        return
      case 'tick':
        return
      case 'awake': {
        const soon = now + this.#config.heartbeatMs * EARLY
        if (this.#heartbeatAt <= soon) this.#heartbeatAt = now
        if (this.#gossipAt <= soon) this.#gossipAt = now
        return
      }
      case 'stop':
        for (const { id, link } of this.#roster.sorted())
          if (link) this.#send(id, { type: 'goodbye', reason: input.reason })
        this.#running = false
        return
      default:
        unreachable(input)
    }
  }

  #linkUp(info: LinkInfo, now: number): void {
    const { peer: id, start } = info
    this.#barred.delete(id)
    if (id === this.#config.self) {
      if (start !== this.#config.start) this.#conflict(start, info.listening[0] ?? null)
      this.#bar(id)
      return
    }
    const known = this.#roster.get(id)
    if (known?.link) this.#linkDown(id, 'failed', now)
    if (known && start < known.start && (known.state === 'alive' || known.state === 'suspected')) {
      this.#turnAwayOlder(info, known)
      return
    }
    if (known && start < known.start) {
      this.#log('warn', 'start number of a peer went back', { peer: id, start, before: known.start })
    }
    const peer = known ?? this.#newPeer(id, now)
    if (peer === null) return
    const before = known?.state ?? null
    const proof = this.#watch.linked(id, start, info.listening)
    peer.start = start
    peer.addresses = info.listening
    peer.heardAt = now
    peer.link = linkOf(info, now)
    this.#book.linked(id, info.listening, now)
    this.#effects.push({ type: 'emit', event: 'linkUp', detail: { peer: id, start } })
    if (proof) this.#effects.push({ type: 'emit', event: 'deathProved', detail: proof })
    this.#become(peer, 'alive', before, now)
    this.#send(id, { type: 'heartbeat' })
    this.#tell(id)
  }

  #newPeer(id: NodeId, now: number): Peer | null {
    const peer: Peer = {
      id,
      // Becomes alive before anyone sees it.
      state: 'suspected',
      addresses: [],
      start: 0,
      heardAt: now,
      since: now,
      link: null,
    }
    if (this.#roster.add(peer, (victim) => this.#forgotten(victim))) return peer
    this.#refuse(id, `this node keeps track of ${this.#config.membersMax} others already (membersMax)`)
    this.#bar(id)
    return null
  }

  /** Two processes run with the identity of `known`, and this link is of the earlier one. */
  #turnAwayOlder({ peer: id, start }: LinkInfo, known: Peer): void {
    this.#refuse(
      id,
      `SAME_IDENTITY: it was started as number ${start}, but a process with the same identity and the higher start number ${known.start} is known. Two nodes must not share a copied data folder.`,
    )
    // It learns from this of the other one, and gives up by itself.
    this.#send(id, { type: 'members', members: [newsOf(known)] })
    this.#bar(id)
  }

  #linkDown(id: NodeId, cause: LinkDownCause, now: number): void {
    this.#barred.delete(id)
    const peer = this.#roster.get(id)
    if (!peer?.link) return
    const { start, address, saidGoodbye, upAt } = peer.link
    const silentMs = now - peer.heardAt
    peer.link = null
    this.#effects.push({ type: 'emit', event: 'linkDown', detail: { peer: id, start, cause, silentMs } })
    if (saidGoodbye) {
      if (peer.state === 'left') this.#book.forget(id)
      else this.#book.unlinked(id, { now, delayMs: this.#config.dialBackoff.maxMs, lastedMs: now - upAt })
      return
    }
    this.#become(peer, peer.state === 'dead' ? 'dead' : 'suspected', peer.state, now)
    if (cause === 'closed-by-host' && address !== null) {
      this.#watch.open({ peer: id, start, address }, silentMs, now)
    }
    this.#book.unlinked(id, { now, delayMs: this.#yieldMs(id), lastedMs: now - upAt })
  }

  #message(from: NodeId, message: MembershipMessage, now: number): void {
    const peer = this.#roster.get(from)
    if (!peer?.link || this.#barred.has(from)) return
    peer.heardAt = now
    if (message.type === 'goodbye') {
      peer.link.saidGoodbye = true
      this.#watch.close(from)
      this.#become(peer, message.reason, peer.state, now)
      return
    }
    if (peer.state === 'suspected') this.#become(peer, 'alive', peer.state, now)
    if (message.type === 'members') for (const news of message.members) this.#news(from, news, now)
  }

  #news(from: NodeId, news: MemberNews, now: number): void {
    const { self, start } = this.#config
    if (news.id === self) {
      // Start numbers only grow, so one above this process's own is of another process.
      if (news.start > start) this.#conflict(news.start, news.addresses[0] ?? null)
      return
    }
    if (news.id === from) return
    const peer = this.#roster.get(news.id)
    if (peer?.link || (peer && news.start < peer.start)) return
    if (news.state === 'alive') {
      const over = peer?.state === 'away' || peer?.state === 'left'
      // The teller has not heard the goodbye of this very process.
      if (over && news.start === peer.start) return
      this.#book.found(news.addresses, {
        peer: news.id,
        lasting: false,
        now,
        delayMs: this.#yieldMs(news.id),
      })
    } else if (peer && news.start === peer.start && (news.state === 'away' || news.state === 'left')) {
      // It said goodbye where this node had no link to it any more.
      if (peer.state !== 'suspected' && peer.state !== 'dead') return
      this.#watch.close(peer.id)
      this.#become(peer, news.state, peer.state, now)
      if (news.state === 'left') this.#book.forget(peer.id)
    }
  }

  #discovered({ addresses, id: said, lasting = false }: DiscoveredPeer, now: number): void {
    const id = said ?? null
    if (id === this.#config.self) {
      for (const address of addresses) if (!this.#book.isMine(address)) this.#askWhoIsAt(address)
      return
    }
    const delayMs = id === null ? 0 : this.#yieldMs(id)
    this.#book.found(addresses, { peer: id, lasting, now, delayMs })
  }

  #dialFailed({ address, why, refused, turnedAway = false }: DialFailed, now: number): void {
    if (!this.#book.has(address)) return
    if (this.#book.attemptsAt(address) === 0) {
      this.#log('debug', 'dial failed', { address, peer: this.#book.peerAt(address), why })
      if (turnedAway)
        this.#effects.push({ type: 'emit', event: 'turnedAway', detail: { by: address, reason: why } })
      // A node cannot link to itself, whatever name its own address was found by.
      if (!refused && this.#book.peerAt(address) === null) this.#askWhoIsAt(address)
    }
    this.#book.failed(address, now)
    if (refused) this.#watch.hint(address, now)
  }

  #deathAnswer(probe: number, result: ProbeResult, now: number): void {
    const proof = this.#watch.answer(probe, result, now)
    if (!proof) return
    this.#effects.push({ type: 'emit', event: 'deathProved', detail: proof })
    this.#log('info', 'death proved', { peer: proof.peer, by: proof.by, silentMs: proof.silentMs })
    const peer = this.#roster.get(proof.peer)
    if (!peer) return
    if (proof.by === 'refused') this.#become(peer, 'dead', peer.state, now)
    else this.#book.hurry(peer.id, now)
  }

  #identityAnswer(address: Address, result: ProbeResult): void {
    this.#asking.delete(address)
    if (result.answer !== 'node' || result.peer !== this.#config.self) return
    if (result.start === this.#config.start) this.#book.markMine(address)
    else this.#conflict(result.start, address)
  }

  /** Does everything whose time has come. */
  #work(now: number): void {
    const { heartbeatMs, gossipMs } = this.#config
    if (now >= this.#heartbeatAt) {
      this.#heartbeatAt = now + heartbeatMs
      for (const { id, link } of this.#roster.sorted()) if (link) this.#send(id, { type: 'heartbeat' })
    }
    if (now >= this.#gossipAt) {
      this.#gossipAt = now + gossipMs
      const alive = this.alive()
      if (alive.length > 0) this.#tell(pick(this.#random, alive))
    }
    for (const peer of this.#roster.sorted()) if (now >= this.#changesAt(peer)) this.#age(peer, now)
    for (const { probe, address } of this.#watch.take(now, () => ++this.#probes))
      this.#effects.push({ type: 'probe', probe, address, purpose: 'death' })
    for (const address of this.#book.take(now)) this.#effects.push({ type: 'dial', address })
  }

  /** When the mere passing of time changes what is thought of a peer. */
  #changesAt(peer: Peer): number {
    const { silentMs, graceMs, forgetMs } = this.#config
    if (peer.state === 'alive') return Math.max(peer.heardAt + silentMs, this.#patientUntil)
    if (peer.state === 'suspected') return Math.max(peer.since + graceMs, this.#patientUntil)
    return peer.link ? Number.POSITIVE_INFINITY : Math.max(peer.since, peer.heardAt) + forgetMs
  }

  #age(peer: Peer, now: number): void {
    if (peer.state === 'alive') {
      this.#become(peer, 'suspected', 'alive', now)
      return
    }
    if (peer.state === 'suspected') {
      this.#watch.close(peer.id)
      this.#become(peer, 'dead', 'suspected', now)
      // It holds the link and says nothing: a new link would tell more.
      if (peer.link) this.#effects.push({ type: 'disconnect', peer: peer.id })
      return
    }
    this.#roster.delete(peer.id)
    this.#forgotten(peer.id)
  }

  #forgotten(id: NodeId): void {
    this.#book.forget(id)
    this.#watch.close(id)
    this.#complaints.delete(id)
  }

  #become(peer: Peer, state: MemberState, before: MemberState | null, now: number): void {
    if (state === before) return
    peer.state = state
    peer.since = now
    this.#effects.push({ type: 'emit', event: 'member', detail: { member: memberOf(peer), before } })
  }

  #isLinked(id: NodeId): boolean {
    return (this.#roster.get(id)?.link ?? null) !== null
  }

  /** Of two nodes that learn of each other the one with the smaller id dials first, so that one link is made. */
  #yieldMs(id: NodeId): number {
    return this.#config.self < id ? 0 : this.#config.yieldMs
  }

  #askWhoIsAt(address: Address): void {
    if (this.#asking.has(address) || this.#asking.size >= this.#config.dialsMax) return
    this.#asking.add(address)
    this.#effects.push({ type: 'probe', probe: ++this.#probes, address, purpose: 'identity' })
  }

  #conflict(otherStart: number, address: Address | null): void {
    if (this.#failed) return
    this.#failed = true
    const conflict: IdentityConflict = {
      self: this.#config.self,
      start: this.#config.start,
      otherStart,
      address,
    }
    this.#log('error', 'another process runs with the identity of this node', { otherStart, address })
    this.#effects.push({ type: 'emit', event: 'failed', detail: { error: sameIdentity(conflict) } })
  }

  #refuse(from: NodeId, reason: string): void {
    this.#log('warn', 'turned a peer away', { peer: from, reason })
    this.#effects.push({ type: 'emit', event: 'refused', detail: { from, reason } })
  }

  #bar(id: NodeId): void {
    this.#barred.add(id)
    this.#effects.push({ type: 'disconnect', peer: id })
  }

  #complain(from: NodeId, why: string, now: number): void {
    // Only known peers are counted, so that the counts stay bounded.
    if (!this.#roster.get(from)) return
    const complaint = this.#complaints.get(from)
    if (complaint && now < complaint.until) {
      complaint.count++
      return
    }
    this.#complaints.set(from, { until: now + COMPLAIN_MS, count: 0 })
    this.#log('warn', 'ignored a membership frame', { peer: from, why, unsaid: complaint?.count ?? 0 })
  }

  /** Tells a peer of those whose state others can use: the living, and those that said goodbye. */
  #tell(to: NodeId): void {
    const news = [newsOf(this.#self(0))]
    for (const peer of this.#roster.sorted())
      if (peer.state !== 'suspected' && peer.state !== 'dead') news.push(newsOf(peer))
    for (let at = 0; at < news.length; at += NEWS_PER_FRAME)
      this.#send(to, { type: 'members', members: news.slice(at, at + NEWS_PER_FRAME) })
  }

  #send(to: NodeId, message: MembershipMessage): void {
    this.#effects.push({ type: 'send', to, message })
  }

  #log(level: LogLevel, event: string, fields: LogFields): void {
    this.#effects.push({ type: 'log', level, event, fields })
  }

  #self(now: number): Member {
    const { self, start } = this.#config
    return { id: self, state: 'alive', addresses: this.#own, start, heardAt: now, self: true }
  }
}

function memberOf({ id, state, addresses, start, heardAt }: Peer): Member {
  return { id, state, addresses, start, heardAt, self: false }
}

function newsOf({ id, start, state, addresses }: Peer | Member): MemberNews {
  return { id, start, state, addresses }
}
