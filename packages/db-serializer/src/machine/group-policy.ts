import type { NodeId } from '@cluster/core'
import { countsWith } from './configuration.ts'
import type { Configuration, ConfigurationChange, ProgressView } from './types.ts'

export interface GroupPolicyOptions {
  /** At most this many members vote. */
  readonly maxVoters: number
  /** A member that is silent this long without proof is given up. */
  readonly graceMs: number
  /** A member that stopped and did not come back for this long is given up. */
  readonly awayMs: number
  /** A learner whose link went down less than this ago is not made a voter yet. */
  readonly flapMs: number
}

/** What the layer below says of one node, as the leader has it. */
export interface Standing {
  readonly state: 'alive' | 'suspected' | 'dead' | 'away' | 'left'
  /** `now` when that state began. */
  readonly since: number
  /** Its process is proved dead and no newer one is linked. */
  readonly proved: boolean
  /** `now` when its link last went down; null when it never did. */
  readonly downAt: number | null
}

/** A wish of a node about itself. */
export type Wish =
  /**
   * Wants in, with that disk. `fresh`: its disk holds nothing of the group, whatever the configuration says of it.
   */
  | { readonly wish: 'join'; readonly fresh: boolean; readonly disk?: string }
  | { readonly wish: 'away' }
  | { readonly wish: 'left' }

export interface GroupFacts {
  readonly self: NodeId
  readonly now: number
  readonly configuration: Configuration
  readonly progress: readonly ProgressView[]
  readonly standings: ReadonlyMap<NodeId, Standing>
  readonly wishes: ReadonlyMap<NodeId, Wish>
  /** `now` when this leader first saw each away member as such. */
  readonly awaySince: ReadonlyMap<NodeId, number>
}

/**
 * The one change that the leader should ask for next; null when the group is as it should be. It is asked
 * again after each agreed step, so one answer at a time is enough.
 */
export function nextChange(facts: GroupFacts, options: GroupPolicyOptions): ConfigurationChange | null {
  return (
    partings(facts) ??
    funerals(facts, options) ??
    arrivals(facts) ??
    promotions(facts, options) ??
    returns(facts, options)
  )
}

/** Wishes come off the list once the configuration grants them. */
export function isGranted(node: NodeId, wish: Wish, configuration: Configuration): boolean {
  const member = configuration.voters.includes(node) || configuration.learners.includes(node)
  if (wish.wish === 'join') return member && !wish.fresh && countsWith(configuration, node, wish.disk)
  if (wish.wish === 'away') return !member
  return !member && !configuration.away.includes(node)
}

/** True when the group keeps a quorum of those that are there without `node`. */
function canSpare(node: NodeId, { self, configuration, standings }: GroupFacts): boolean {
  const { voters } = configuration
  if (!voters.includes(node)) return true
  const present = voters.filter((voter) => voter === self || standings.get(voter)?.state === 'alive').length
  // Those present must be a quorum of the old voters too: two must never become one by mere silence.
  return present > voters.length / 2
}

/** Who said that it goes, goes first: it waits for the answer before it stops. */
function partings(facts: GroupFacts): ConfigurationChange | null {
  const { self, configuration, wishes } = facts
  for (const node of members(configuration)) {
    const wish = wishes.get(node)
    if (node === self || wish === undefined || wish.wish === 'join') continue
    if (isGranted(node, wish, configuration)) continue
    return { type: wish.wish === 'left' ? 'remove' : 'away', node }
  }
  for (const node of configuration.away) {
    if (wishes.get(node)?.wish === 'left') return { type: 'remove', node }
  }
  return null
}

function funerals(facts: GroupFacts, options: GroupPolicyOptions): ConfigurationChange | null {
  const { self, now, configuration, standings } = facts
  // Voters first: each dead one brings the group nearer to losing its quorum.
  for (const node of members(configuration)) {
    const standing = standings.get(node)
    if (node === self || standing === undefined || standing.state === 'alive') continue
    if (!canSpare(node, facts)) continue
    if (standing.state === 'away') return { type: 'away', node }
    const silent = standing.state === 'suspected' && now - standing.since >= options.graceMs
    if (standing.proved || standing.state === 'dead' || standing.state === 'left' || silent) {
      return { type: 'remove', node }
    }
  }
  return null
}

function arrivals({ self, configuration, wishes, progress }: GroupFacts): ConfigurationChange | null {
  for (const node of [...wishes.keys()].sort()) {
    const wish = wishes.get(node)
    if (wish?.wish !== 'join' || node === self) continue
    const listed = configuration.voters.includes(node) || configuration.learners.includes(node)
    const { disk } = wish
    if (!listed) return { type: 'addLearner', node, ...(disk !== undefined && { disk }) }
    // What the group counts on is on another disk: the node comes in anew with this one.
    if (!countsWith(configuration, node, disk)) return { type: 'remove', node }
    // It lost its disk: what the group believes it to hold is gone, so it must start from nothing.
    const believed = progress.find((each) => each.node === node)?.match ?? 0
    const lost = configuration.voters.includes(node) || believed > 0
    if (wish.fresh && lost) return { type: 'remove', node }
  }
  return null
}

function promotions(
  facts: GroupFacts,
  { maxVoters, flapMs }: GroupPolicyOptions,
): ConfigurationChange | null {
  const { now, configuration, standings, progress } = facts
  if (configuration.voters.length >= maxVoters) return null
  for (const node of configuration.learners) {
    const standing = standings.get(node)
    if (standing?.state !== 'alive') continue
    if (standing.downAt !== null && now - standing.downAt < flapMs) continue
    const seen = progress.find((each) => each.node === node)
    if (seen?.state === 'replicate' && seen.match > 0) return { type: 'promote', node }
  }
  return null
}

function returns(
  { now, configuration, awaySince }: GroupFacts,
  { awayMs }: GroupPolicyOptions,
): ConfigurationChange | null {
  for (const node of configuration.away) {
    const since = awaySince.get(node)
    if (since !== undefined && now - since >= awayMs) return { type: 'remove', node }
  }
  return null
}

function members({ voters, learners }: Configuration): NodeId[] {
  return [...voters, ...learners]
}
