import {
  assert,
  type Clock,
  type ClusterVersion,
  type DeathProof,
  type Member,
  type NodeId,
  VERSION_OF,
} from '@cluster/core'
import type { Renunciation } from '../../machine/group/forming.ts'
import {
  type GroupPolicyOptions,
  isGranted,
  nextChange,
  type Standing,
  type Wish,
} from '../../machine/group/group-policy.ts'
import { partsOf } from '../../machine/raft/configuration.ts'
import type { Configuration, ConfigurationChange, RaftView } from '../../machine/raft/types.ts'
import {
  decodeWish,
  encodeWishAnswer,
  type JoinRequest,
  type WishAnswer,
  type WishRequest,
} from '../network/wire.ts'

export interface MembersPorts {
  readonly clock: Clock
  readonly self: NodeId
  view(): RaftView
  /** The version of the cluster, as far as applied here. */
  version(): ClusterVersion
  /** Asks the machine for the change; `leaving` are those that are removed by their own wish; `done` hears whether it was taken into the log. */
  change(change: ConfigurationChange, leaving: readonly NodeId[], done: (taken: boolean) => void): void
}

/** A wish to join that is not said again for this long is forgotten. */
const WISH_MS = 3_000
/** Rest after a change that the machine refused. */
const REFUSED_MS = 50
/** Two words of an empty disk count when they come at least, and at most, so far apart. */
const CLAIM_MIN_MS = 150
const CLAIM_MAX_MS = 3_000
/** Who says that it goes waits at most this long for the answer. */
const PARTING_MS = 1_000

interface Wanting {
  readonly wish: Wish
  readonly at: number
  /** Of a `join`: the newest cluster version that the node's program supports. */
  readonly supports?: ClusterVersion
  readonly answers: ((answer: WishAnswer) => void)[]
}

interface Known extends Standing {
  /** Start number of the process that it is said of. */
  readonly start: number
  /** Silence before the proof of death; infinite without one. */
  readonly silentMs: number
}

const notGranted = (leader: NodeId | null): WishAnswer => ({ granted: false, leader, needs: null })

/** What this node knows of the others, and the leader's next step with the group. */
export class Members {
  readonly #ports: MembersPorts
  readonly #options: GroupPolicyOptions
  readonly #standings = new Map<NodeId, Known>()
  readonly #linked = new Set<NodeId>()
  readonly #wishes = new Map<NodeId, Wanting>()
  /** When a member last said that it lost its disk. */
  readonly #claims = new Map<NodeId, number>()
  readonly #awaySince = new Map<NodeId, number>()
  readonly #renounced = new Map<NodeId, readonly Renunciation[]>()
  #leadingSince: number | null = null
  #changing = false
  /** The machine refused several changes together. */
  #oneByOne = false
  #restUntil = 0

  constructor(ports: MembersPorts, options: GroupPolicyOptions) {
    this.#ports = ports
    this.#options = options
  }

  isLinked(peer: NodeId): boolean {
    return this.#linked.has(peer)
  }

  /** Milliseconds since the link to it went down; 0 while it is up, or was never. */
  silentMs(peer: NodeId, now: number): number {
    const downAt = this.#standings.get(peer)?.downAt ?? null
    return this.#linked.has(peer) || downAt === null ? 0 : now - downAt
  }

  /** Proved dead, and heard less than `silentMaxMs` before its link broke: it cannot have been outvoted before. */
  isProvedDead(peer: NodeId, silentMaxMs: number): boolean {
    const standing = this.#standings.get(peer)
    return standing?.proved === true && standing.silentMs < silentMaxMs
  }

  member({ id, state, start }: Member): void {
    const was = this.#standings.get(id)
    if (was?.state === state && was.start === start) return
    const now = this.#ports.clock.now()
    this.#standings.set(id, {
      state,
      start,
      since: was?.state === state ? was.since : now,
      proved: state === 'alive' || start !== was?.start ? false : was.proved,
      silentMs: was?.silentMs ?? Number.POSITIVE_INFINITY,
      downAt: was?.downAt ?? null,
    })
  }

  /** A peer says which votes it gave up. */
  renounced(peer: NodeId, renunciations: readonly Renunciation[]): void {
    if (renunciations.length > 0) this.#renounced.set(peer, renunciations)
  }

  /** What the peer said of the vote that it has in this configuration and history, if it gave it up; else null. */
  renunciationOf(peer: NodeId, { configuration, history }: RaftView): Renunciation | null {
    const listed = configuration?.disks?.[peer]
    const said = this.#renounced.get(peer) ?? []
    return said.find(({ disk, lineage }) => disk === listed && lineage === history?.lineage) ?? null
  }

  linkUp(peer: NodeId): void {
    this.#linked.add(peer)
  }

  linkDown(peer: NodeId): void {
    this.#linked.delete(peer)
    const was = this.#standings.get(peer)
    if (was) this.#standings.set(peer, { ...was, downAt: this.#ports.clock.now() })
  }

  deathProved({ peer, start, silentMs }: DeathProof): void {
    const was = this.#standings.get(peer)
    // Proof of an earlier process says nothing of one that is linked again.
    if (this.#linked.has(peer) || (was && was.start > start)) return
    const now = this.#ports.clock.now()
    this.#standings.set(peer, {
      state: 'suspected',
      since: was?.since ?? now,
      downAt: was?.downAt ?? now,
      start,
      silentMs,
      proved: true,
    })
  }

  /** Answers the frame of a wish. @throws WireError, InvariantError when a node wishes for another one */
  async answer(peer: NodeId, frame: Uint8Array, running: boolean): Promise<Uint8Array> {
    const wish = decodeWish(frame)
    assert(wish.node === peer, 'a node may only wish for itself')
    return encodeWishAnswer(running ? await this.wish(wish) : notGranted(null))
  }

  /** Answers a wish: at once when this node does not lead or the wish is to join, else when it is granted. */
  wish(request: WishRequest): Promise<WishAnswer> {
    const { role, leader, configuration } = this.#ports.view()
    if (role !== 'leader' || !configuration) return Promise.resolve(notGranted(leader))
    if (request.wish === 'join') return Promise.resolve(this.#join(request, configuration))
    const { node, wish } = request
    const at = this.#ports.clock.now()
    return new Promise((resolve) => {
      const answers = this.#wishes.get(node)?.answers ?? []
      this.#wishes.set(node, { wish: { wish }, at, answers: [...answers, resolve] })
      this.act()
    })
  }

  #join(request: JoinRequest, configuration: Configuration): WishAnswer {
    const { self, clock } = this.#ports
    const { node, disk } = request
    const at = clock.now()
    const version = this.#ports.version()
    const needs = request.witness ? Math.max(version, VERSION_OF.witness) : version
    if (request.supports < needs) return { granted: false, leader: self, needs }
    // Older members would not know what a witness is.
    if (version < needs) return notGranted(self)
    // A disk of another name speaks for itself; the word of a node whose disk has no name in the group is weighed.
    const named = configuration.disks?.[node] !== undefined
    const fresh = !named && request.fresh && this.#hasLost(node, at)
    const wanted: Wish = {
      wish: 'join',
      fresh,
      ...(disk !== null && { disk }),
      ...(request.witness && { witness: true }),
    }
    if (isGranted(node, wanted, configuration)) return { granted: true, leader: self, needs: null }
    this.#wishes.set(node, { wish: wanted, at, supports: request.supports, answers: [] })
    this.act()
    return notGranted(self)
  }

  /**
   * A member that the group believes to hold entries says that its disk is empty. One such word may be a late one
   * from before it was admitted; a second one after a while is believed.
   */
  #hasLost(node: NodeId, now: number): boolean {
    const { configuration, progress } = this.#ports.view()
    const match = progress.find((each) => each.node === node)?.match ?? 0
    const holds =
      configuration?.voters.includes(node) || (configuration?.learners.includes(node) && match > 0)
    if (!holds) return false
    const before = this.#claims.get(node)
    if (before !== undefined && now - before < CLAIM_MIN_MS) return false
    this.#claims.set(node, now)
    return before !== undefined && now - before <= CLAIM_MAX_MS
  }

  /** The leader's next step, if it is time for one. Cheap: call it on every tick and event. */
  act(): void {
    const view = this.#ports.view()
    const { configuration } = view
    const now = this.#ports.clock.now()
    if (view.role !== 'leader' || !configuration) {
      this.#resign(view)
      return
    }
    this.#leadingSince ??= now
    this.#noteAway(configuration, now)
    if (view.configurationCommitted) this.#grant(configuration, now)
    if (!view.ready || !view.configurationCommitted || this.#changing || now < this.#restUntil) return
    const due = nextChange(
      {
        self: this.#ports.self,
        now,
        configuration,
        progress: view.progress,
        standings: this.#known(configuration, this.#leadingSince),
        wishes: new Map([...this.#wishes].map(([node, { wish }]) => [node, wish])),
        awaySince: this.#awaySince,
      },
      this.#options,
    )
    if (!due) return
    // What holds back one of several must not hold back the most urgent one.
    const change = this.#oneByOne ? (partsOf(due)[0] ?? due) : due
    const removed = partsOf(change).flatMap(({ type, node }) => (type === 'remove' ? [node] : []))
    const leaving = removed.filter((node) => this.#wishes.get(node)?.wish.wish === 'left')
    this.#changing = true
    this.#ports.change(change, leaving, (taken) => {
      this.#changing = false
      this.#oneByOne = !taken
      if (!taken) this.#restUntil = this.#ports.clock.now() + REFUSED_MS
      for (const node of taken ? removed : []) {
        const wanting = this.#wishes.get(node)
        // Removed for its empty disk: from here on it is like any other that wants in.
        if (wanting?.wish.wish === 'join')
          this.#wishes.set(node, { ...wanting, wish: { ...wanting.wish, fresh: false } })
      }
    })
  }

  /** Only leaders count and remember; who was waiting for an answer asks the next one. */
  #resign({ leader }: RaftView): void {
    if (this.#leadingSince === null) return
    this.#leadingSince = null
    this.#awaySince.clear()
    this.#claims.clear()
    for (const { answers } of this.#wishes.values()) {
      for (const answer of answers) answer(notGranted(leader))
    }
    this.#wishes.clear()
  }

  #noteAway({ away }: Configuration, now: number): void {
    for (const node of this.#awaySince.keys()) if (!away.includes(node)) this.#awaySince.delete(node)
    for (const node of away) if (!this.#awaySince.has(node)) this.#awaySince.set(node, now)
  }

  #grant(configuration: Configuration, now: number): void {
    const version = this.#ports.version()
    for (const [node, { wish, at, supports = version, answers }] of this.#wishes) {
      const granted = isGranted(node, wish, configuration)
      // The cluster may have gone on to a version that the node's program does not know.
      const late = supports < version || now - at >= (wish.wish === 'join' ? WISH_MS : PARTING_MS)
      if (!granted && !late) continue
      this.#wishes.delete(node)
      for (const answer of answers) answer({ granted, leader: this.#ports.self, needs: null })
    }
  }

  /** Members that were never heard of here are silent since this node leads. */
  #known(configuration: Configuration, since: number): Map<NodeId, Standing> {
    const known = new Map<NodeId, Standing>(this.#standings)
    for (const node of [...configuration.voters, ...configuration.learners]) {
      if (!known.has(node)) known.set(node, { state: 'suspected', since, proved: false, downAt: null })
    }
    return known
  }
}
