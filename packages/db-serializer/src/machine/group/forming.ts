import type { ClusterVersion, LineageId, NodeId } from '@cluster/core'
import { countsWith } from '../raft/configuration.ts'
import type { Configuration, Lineage } from '../raft/types.ts'
import type { KeepRule } from './history-choice.ts'

/** A vote that a node gave up for ever, because the log that it rested on was damaged. */
export interface Renunciation {
  /** The disk that the vote belonged to. */
  readonly disk: string
  /** The history that it belonged to; null when to none. */
  readonly lineage: LineageId | null
  /** Index of the newest configuration that the voter is known to have had. */
  readonly configuration: number
}

/** What a node says of itself on first contact and whenever that changes. */
export type Hello = FreshHello | ({ readonly status: 'grouped' } & GroupCard)

export interface FreshHello {
  readonly status: 'fresh'
  /** The former that it durably promised itself to; itself when it gathers promises. */
  readonly promise: NodeId | null
  /** The name of its disk. */
  readonly disk?: string
  /** The newest cluster version that its program supports. */
  readonly supports: ClusterVersion
  /** It is to vote and to hold no data: it does not found a group, nor with others. */
  readonly witness: boolean
  /** Votes that this node gave up, the newest ones, oldest first. */
  readonly renounced?: readonly Renunciation[]
}

/** What a member says of its group. */
export interface GroupCard {
  readonly history: Lineage
  /** Null while it has not heard of any. */
  readonly configuration: Configuration | null
  readonly configurationIndex: number
  readonly leader: NodeId | null
  /** True while no state machine holds anything that a user would miss. */
  readonly empty: boolean
  /** Clusters whose members went into this one. */
  readonly tombstones: readonly string[]
  /** While the history here has parted from another one: what both sides judge by. Null without a fork. */
  readonly forked: { readonly writes: number; readonly keep: KeepRule | null } | null
}

export interface FormingOptions {
  readonly self: NodeId
  /** How long a fresh node listens before it decides, from the start or from its newest contact. */
  readonly formMs: number
  /** Forms only once so many nodes, itself included, promised themselves; null for any number. */
  readonly expect: number | null
  /** Forms a group of its own at once, whoever is there. */
  readonly alone: boolean
  /** Wait between two questions for admission, and between two hellos to those not in the group. */
  readonly askMs: number
  /** The name of this node's disk. */
  readonly disk?: string
  readonly supports: ClusterVersion
  readonly witness: boolean
  /** A fresh node goes into this cluster and no other, and founds none. */
  readonly adopt?: string
  readonly renounced?: readonly Renunciation[]
}

/** Renunciations in a hello. */
const RENOUNCED_MAX = 8
/** A fresh node waits at most this long for first dials that do not end. */
const EXPLORE_MS_MAX = 3_000

export type FormingInput =
  /** `exploring`: somebody may be at an address that is being dialled for the first time. */
  | { readonly type: 'tick'; readonly now: number; readonly exploring?: boolean }
  | { readonly type: 'linkUp'; readonly peer: NodeId; readonly now: number }
  /** `gone`: dead, away or left, rather than only out of reach. */
  | { readonly type: 'linkDown'; readonly peer: NodeId; readonly now: number; readonly gone: boolean }
  | { readonly type: 'hello'; readonly from: NodeId; readonly hello: Hello; readonly now: number }
  /** The promise asked for is durable. */
  | { readonly type: 'promised'; readonly to: NodeId }
  /** What the group is now; null after this node gave up its group and is fresh again. */
  | { readonly type: 'group'; readonly card: GroupCard | null; readonly now: number }

export type FormingEffect =
  | { readonly type: 'hello'; readonly to: NodeId; readonly hello: Hello }
  /** Make the promise durable, then put in `promised`. */
  | { readonly type: 'promise'; readonly to: NodeId }
  /** Found a group of this one voter; those that promised themselves come in at once. */
  | { readonly type: 'form'; readonly promised: readonly NodeId[] }
  /** Ask that node, a member, to be admitted. `fresh` is false for one that has the group's log already. */
  | { readonly type: 'askJoin'; readonly via: NodeId; readonly fresh: boolean }
  /** The group lists this fresh node among its learners: listen to its leader from now on. */
  | { readonly type: 'adopt'; readonly history: Lineage }
  /** Leader only: give the group up into that one, if it is still empty. */
  | { readonly type: 'dissolve'; readonly into: string }
  /** The own cluster was given up into that one while this node was away; its empty rest goes too. */
  | { readonly type: 'giveUp'; readonly into: string }
  /** Two groups of one name, both with data: they stay apart. Said once for each. */
  | { readonly type: 'conflict'; readonly with: string; readonly peer: NodeId }
  | { readonly type: 'waiting'; readonly for: string | null }

interface Peer {
  linked: boolean
  gone: boolean
  downAt: number
  hello: Hello | null
}

/**
 * First contact: how fresh nodes become one group, how a node comes into a group that is there, and what two
 * groups of one name do when they meet. Pure; every decision follows from hellos, links and time.
 */
export class Forming {
  readonly #options: FormingOptions
  readonly #peers = new Map<NodeId, Peer>()
  readonly #conflicts = new Set<string>()
  #now = 0
  /** End of the listening; null before the first tick. */
  #listenUntil: number | null = null
  #listenFrom = 0
  #listenAtMost = 0
  #gatherUntil: number | null = null
  #promise: NodeId | null
  /** A promise on its way to the disk. */
  #promising: NodeId | null = null
  #card: GroupCard | null = null
  #forming = false
  #askedAt = Number.NEGATIVE_INFINITY
  #toldAt = Number.NEGATIVE_INFINITY
  #waiting: string | null = null
  #effects: FormingEffect[] = []

  /** @param promise what an earlier process of this node promised durably */
  constructor(options: FormingOptions, promise: NodeId | null) {
    this.#options = options
    this.#promise = promise
  }

  /** What a fresh node said of itself. */
  fresh(node: NodeId): FreshHello | null {
    const hello = this.#peers.get(node)?.hello
    return hello?.status === 'fresh' ? hello : null
  }

  step(input: FormingInput): readonly FormingEffect[] {
    this.#effects = []
    if ('now' in input) this.#now = input.now
    switch (input.type) {
      case 'tick':
        if (input.exploring) this.#listenOn(EXPLORE_MS_MAX)
        break
      case 'linkUp':
        this.#linkUp(input.peer)
        break
      case 'linkDown': {
        const peer = this.#peer(input.peer)
        if (peer.linked || input.gone) peer.hello = null
        if (peer.linked) peer.downAt = this.#now
        peer.linked = false
        peer.gone = input.gone
        break
      }
      case 'hello':
        this.#hear(input.from, input.hello)
        break
      case 'promised':
        this.#promising = null
        this.#promise = input.to
        this.#gatherUntil = input.to === this.#options.self ? this.#now + this.#options.formMs : null
        this.#tellAll()
        break
      case 'group':
        this.#regroup(input.card)
        break
    }
    if (this.#card) this.#asMember(this.#card)
    else this.#asFresh()
    return this.#effects
  }

  #peer(id: NodeId): Peer {
    let peer = this.#peers.get(id)
    if (!peer) {
      peer = { linked: false, gone: false, downAt: Number.NEGATIVE_INFINITY, hello: null }
      this.#peers.set(id, peer)
    }
    return peer
  }

  #linkUp(id: NodeId): void {
    const peer = this.#peer(id)
    peer.linked = true
    peer.gone = false
    this.#tell(id)
    this.#listenOn()
  }

  /** A new contact deserves a hearing, but contacts must not put off the decision for ever. */
  #listenOn(atMost = 0): void {
    if (this.#listenUntil === null) return
    const end = Math.max(this.#listenAtMost, this.#listenFrom + atMost)
    const until = Math.min(end, this.#now + this.#options.formMs / 2)
    this.#listenUntil = Math.max(this.#listenUntil, until)
  }

  #hear(from: NodeId, hello: Hello): void {
    const peer = this.#peer(from)
    const news = peer.hello?.status !== hello.status
    peer.linked = true
    peer.gone = false
    peer.hello = hello
    if (news && hello.status === 'fresh') this.#listenOn()
    // Who is not in the picture is told at once; the answer to an answer is silence, as nothing is new then.
    if (news && this.#card && !this.#isMate(hello, this.#card)) this.#tell(from)
  }

  #isMate(hello: Hello, card: GroupCard): boolean {
    return hello.status === 'grouped' && hello.history.lineage === card.history.lineage
  }

  #regroup(card: GroupCard | null): void {
    const was = this.#card
    this.#card = card
    if (card === null) {
      if (was === null) return
      // Fresh again, but it knows where to go: there is no need to listen anew.
      this.#promise = null
      this.#promising = null
      this.#forming = false
      this.#gatherUntil = null
      this.#listenUntil = this.#now + this.#options.formMs
      this.#listenAtMost = this.#now + 3 * this.#options.formMs
      this.#askedAt = Number.NEGATIVE_INFINITY
      this.#tellAll()
      return
    }
    this.#forming = false
    const same =
      was !== null &&
      was.history.lineage === card.history.lineage &&
      was.configurationIndex === card.configurationIndex &&
      was.leader === card.leader &&
      was.empty === card.empty &&
      was.forked?.writes === card.forked?.writes
    if (!same) this.#tellAll()
  }

  #hello(): Hello {
    if (this.#card) return { status: 'grouped', ...this.#card }
    const { disk, renounced = [], supports, witness } = this.#options
    return {
      status: 'fresh',
      promise: this.#promise,
      supports,
      witness,
      ...(disk !== undefined && { disk }),
      ...(renounced.length > 0 && { renounced: renounced.slice(-RENOUNCED_MAX) }),
    }
  }

  #tell(to: NodeId): void {
    this.#effects.push({ type: 'hello', to, hello: this.#hello() })
  }

  /** Everybody in reach, the settled members of the own group aside. */
  #tellAll(): void {
    this.#toldAt = this.#now
    for (const [id, peer] of this.#sorted()) {
      if (!peer.linked) continue
      if (this.#card && peer.hello && this.#isSettled(id, peer.hello, this.#card)) continue
      this.#tell(id)
    }
  }

  #isSettled(id: NodeId, hello: Hello, card: GroupCard): boolean {
    return this.#isMate(hello, card) && card.configuration !== null && isListed(id, card.configuration)
  }

  #sorted(): [NodeId, Peer][] {
    return [...this.#peers].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  #wait(text: string | null): void {
    if (this.#waiting === text) return
    this.#waiting = text
    this.#effects.push({ type: 'waiting', for: text })
  }

  #ask(via: NodeId, fresh: boolean): void {
    if (this.#now - this.#askedAt < this.#options.askMs) return
    this.#askedAt = this.#now
    this.#effects.push({ type: 'askJoin', via, fresh })
  }

  // ---- a node without a group

  #asFresh(): void {
    const { self, formMs, askMs, alone } = this.#options
    if (this.#forming || this.#promising !== null) return
    const waitsFor = this.#mustJoin()
    if (alone && waitsFor === null) {
      this.#forming = true
      this.#effects.push({ type: 'form', promised: [] })
      return
    }
    if (this.#listenUntil === null) {
      this.#listenFrom = this.#now
      this.#listenUntil = this.#now + formMs
      this.#listenAtMost = this.#now + 3 * formMs
    }
    if (this.#now - this.#toldAt >= askMs) this.#tellAll()
    if (this.#joinFormed()) return
    if (waitsFor !== null) {
      this.#wait(waitsFor)
      return
    }
    if (this.#now < this.#listenUntil) return
    const former = this.#chooseFormer()
    if (former !== this.#promise) {
      this.#promising = former
      this.#effects.push({ type: 'promise', to: former })
    } else if (former === self) this.#gather()
    else this.#wait(`the group that node ${former} forms`)
  }

  /** What a node waits for that founds no group, come what may; null when it may found one. */
  #mustJoin(): string | null {
    const { renounced, witness, adopt } = this.#options
    if (belongsToGroup(renounced)) return 'the group that it was in before its log was damaged'
    if (adopt !== undefined) return `the cluster ${adopt}, which it is to go into`
    return witness ? 'a group of nodes that hold data: a witness founds none' : null
  }

  /** Goes into a group that is there. A promise binds as long as the former has not decided. */
  #joinFormed(): boolean {
    const { self, disk, adopt } = this.#options
    const groups: { readonly via: NodeId; readonly card: GroupCard }[] = []
    for (const [id, peer] of this.#sorted()) {
      if (!peer.linked || peer.hello?.status !== 'grouped') continue
      if (adopt === undefined || peer.hello.history.cluster === adopt)
        groups.push({ via: id, card: peer.hello })
    }
    // Old news may list what this node was with another disk.
    const mine = groups.find(
      ({ card }) => card.configuration?.learners.includes(self) && countsWith(card.configuration, self, disk),
    )
    if (mine) {
      this.#forming = true
      this.#effects.push({ type: 'adopt', history: mine.card.history })
      return true
    }
    if (groups.length === 0 || this.#isBound()) return false
    // One with data before an empty one, then the smaller cluster id, as among groups that meet.
    groups.sort(
      (a, b) =>
        Number(a.card.empty) - Number(b.card.empty) ||
        compare(a.card.history.cluster, b.card.history.cluster) ||
        compare(a.via, b.via),
    )
    const best = groups[0]
    if (!best) return false
    const mates = groups.filter(({ card }) => card.history.cluster === best.card.history.cluster)
    const leading = mates.find(({ via, card }) => card.leader === via) ?? best
    this.#ask(leading.via, true)
    this.#wait(this.#forAdmission(leading.via, leading.card))
    return true
  }

  #forAdmission(via: NodeId, { leader, configuration }: GroupCard): string {
    const missing = configuration?.voters.filter((voter) => !this.#isLinked(voter)) ?? []
    return leader === null && missing.length > 0
      ? `a quorum of the voters: node ${missing.join(' and ')}`
      : `admission to the group by node ${via}`
  }

  /** True while the promise is to another node that may still form with it. */
  #isBound(): boolean {
    const { self, formMs } = this.#options
    if (this.#promise === null || this.#promise === self) return false
    const peer = this.#peers.get(this.#promise)
    if (!peer || peer.gone) return false
    if (!peer.linked) return this.#now - peer.downAt < 4 * formMs
    if (peer.hello === null) return true
    // Undecided, it may still form; promised elsewhere, it will not.
    return (
      peer.hello.status === 'fresh' && (peer.hello.promise === null || peer.hello.promise === this.#promise)
    )
  }

  #chooseFormer(): NodeId {
    const { self } = this.#options
    if (this.#promise !== null && this.#promise !== self && this.#isBound()) return this.#promise
    const fresh: NodeId[] = [self]
    const formers: NodeId[] = this.#promise === self ? [self] : []
    for (const [id, peer] of this.#peers) {
      if (!peer.linked || !isFounder(peer.hello)) continue
      // One that promised itself elsewhere forms nothing.
      if (peer.hello.promise === id) formers.push(id)
      else if (peer.hello.promise !== null) continue
      fresh.push(id)
    }
    return (formers.length > 0 ? formers : fresh).reduce((least, id) => (id < least ? id : least))
  }

  #gather(): void {
    const { self, formMs, expect } = this.#options
    const promised: NodeId[] = []
    let undecided = 0
    for (const [id, peer] of this.#sorted()) {
      if (!peer.linked || !isFounder(peer.hello, true)) continue
      if (peer.hello.promise === self) promised.push(id)
      else if (peer.hello.promise === null || peer.hello.promise === id) undecided++
    }
    const there = promised.length + 1
    if (expect !== null && there < expect) {
      this.#wait(`${expect} nodes to form the group, ${there} ${there === 1 ? 'is' : 'are'} here`)
      return
    }
    this.#gatherUntil ??= this.#now + formMs
    if (expect === null && undecided > 0 && this.#now < this.#gatherUntil) {
      this.#wait('the promises of other fresh nodes')
      return
    }
    this.#forming = true
    this.#wait(null)
    this.#effects.push({ type: 'form', promised })
  }

  // ---- a node with a group

  #asMember(card: GroupCard): void {
    const { self, askMs, disk } = this.#options
    if (this.#now - this.#toldAt >= askMs) this.#tellAll()
    let asked = false
    for (const [id, peer] of this.#sorted()) {
      if (!peer.linked || peer.hello?.status !== 'grouped') continue
      if (peer.hello.history.cluster !== card.history.cluster) {
        if (this.#meet(id, card, peer.hello)) return
      } else if (!asked && this.#isLeftBehind(card, peer.hello)) {
        asked = true
        this.#ask(
          peer.hello.leader !== null && this.#isLinked(peer.hello.leader) ? peer.hello.leader : id,
          false,
        )
        this.#wait(this.#forAdmission(id, peer.hello))
      }
    }
    if (asked) return
    const settled = card.configuration !== null && isMember(self, card.configuration, disk)
    if (settled) this.#wait(null)
  }

  #isLinked(id: NodeId): boolean {
    return this.#peers.get(id)?.linked === true
  }

  /** The group went on without this node: it was removed or set away, or the history moved to a new lineage. */
  #isLeftBehind(mine: GroupCard, theirs: GroupCard): boolean {
    const { self, disk } = this.#options
    if (theirs.configuration === null) return false
    if (isMember(self, theirs.configuration, disk)) return false
    if (mine.history.lineage !== theirs.history.lineage) {
      return theirs.history.ancestry.some((ancestor) => ancestor.lineage === mine.history.lineage)
    }
    const listed = mine.configuration !== null && isMember(self, mine.configuration, disk)
    // The entry that let this node in may be lost: then its own configuration is the higher one, but nobody leads it.
    const lost = mine.leader === null && theirs.leader !== null
    return theirs.configurationIndex > mine.configurationIndex || !listed || lost
  }

  /** Two clusters of one name. Returns true when the own one goes. */
  #meet(peer: NodeId, mine: GroupCard, theirs: GroupCard): boolean {
    const { self } = this.#options
    if (mine.empty && theirs.tombstones.includes(mine.history.cluster)) {
      this.#effects.push({ type: 'giveUp', into: theirs.history.cluster })
      return true
    }
    if (!mine.empty && !theirs.empty) {
      if (!this.#conflicts.has(theirs.history.cluster)) {
        this.#conflicts.add(theirs.history.cluster)
        this.#effects.push({ type: 'conflict', with: theirs.history.cluster, peer })
      }
      return false
    }
    const goes = mine.empty && (!theirs.empty || mine.history.cluster > theirs.history.cluster)
    if (!goes || mine.leader !== self) return false
    if (this.#now - this.#askedAt < this.#options.askMs) return true
    this.#askedAt = this.#now
    this.#effects.push({ type: 'dissolve', into: theirs.history.cluster })
    return true
  }
}

/** A node that gave up a vote is in a group, though it has nothing of it: it waits for it and forms no other. */
function belongsToGroup(renounced: readonly Renunciation[] = []): boolean {
  return renounced.some(({ lineage }) => lineage !== null)
}

/** True for a fresh node that may found a group; or, `promised` included, be in one from the beginning. */
function isFounder(hello: Hello | null, promised = false): hello is FreshHello {
  if (hello?.status !== 'fresh' || hello.witness) return false
  return promised || !belongsToGroup(hello.renounced)
}

function isListed(node: NodeId, { voters, learners }: Configuration): boolean {
  return voters.includes(node) || learners.includes(node)
}

/** True when the configuration lists this node with its present disk. */
function isMember(self: NodeId, configuration: Configuration, disk: string | undefined): boolean {
  return isListed(self, configuration) && countsWith(configuration, self, disk)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
