import type { NodeId } from '@cluster/core'
import { countsWith, isWitness } from '../raft/configuration.ts'
import type { Configuration, ConfigurationChange, MemberChange, ProgressView } from '../raft/types.ts'

export interface GroupPolicyOptions {
  /** At most this many members vote. */
  readonly maxVoters: number
  /** A member that is silent this long without proof is given up. */
  readonly graceMs: number
  /** A member that stopped and did not come back for this long is given up. */
  readonly awayMs: number
  /** A learner whose link went down less than this ago is not made a voter yet. */
  readonly flapMs: number
  /** A voter that did not answer the leader for so long is not counted upon. */
  readonly heardMs: number
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
   * Wants in, with that disk, as a witness or with data. `fresh`: its disk holds nothing of the group, whatever the
   * configuration says of it.
   */
  | { readonly wish: 'join'; readonly fresh: boolean; readonly disk?: string; readonly witness?: boolean }
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
 * What the leader should ask for next; null when the group is as it should be. It is asked again after each agreed
 * step. What is due for several nodes is one step, the most urgent first; one node has one change at a time.
 */
export function nextChange(facts: GroupFacts, options: GroupPolicyOptions): ConfigurationChange | null {
  const changes: MemberChange[] = []
  const take = (due: readonly MemberChange[]): void => {
    for (const change of due) if (!changes.some(({ node }) => node === change.node)) changes.push(change)
  }
  take(partings(facts, options))
  take(funerals(facts, options))
  take(arrivals(facts))
  take(promotions(facts, options, changes))
  take(oddWitness(facts, options, changes))
  take(returns(facts, options))
  const [first] = changes
  if (first === undefined) return null
  return changes.length === 1 ? first : { type: 'several', changes }
}

/** Wishes come off the list once the configuration grants them. */
export function isGranted(node: NodeId, wish: Wish, configuration: Configuration): boolean {
  const member = configuration.voters.includes(node) || configuration.learners.includes(node)
  if (wish.wish === 'join') return member && !wish.fresh && countsWith(configuration, node, wish.disk)
  if (wish.wish === 'away') return !member
  return !member && !configuration.away.includes(node)
}

/**
 * Alive, and the very voter: a node that came back with another disk is alive, has answered before, and answers no
 * leader as that voter any more.
 */
function isPresent(voter: NodeId, { self, now, standings, progress }: GroupFacts, heardMs: number): boolean {
  if (voter === self) return true
  const answered = progress.some(
    ({ node, heardAt }) => node === voter && heardAt !== null && now - heardAt < heardMs,
  )
  return answered && standings.get(voter)?.state === 'alive'
}

/** True when the group keeps a quorum of those that are there without `node`. */
function canSpare(node: NodeId, facts: GroupFacts, { heardMs }: GroupPolicyOptions): boolean {
  const { voters } = facts.configuration
  if (!voters.includes(node)) return true
  const present = voters.filter((voter) => isPresent(voter, facts, heardMs)).length
  // Those present must be a quorum of the old voters too: two must never become one by mere silence.
  return present > voters.length / 2
}

/**
 * True when those that are there can decide without these. Otherwise they stay voters while they are away: they can come
 * back and make a quorum with the others, which a voter that is lost for good never will.
 */
function canLetGo(going: readonly NodeId[], facts: GroupFacts, { heardMs }: GroupPolicyOptions): boolean {
  const { configuration } = facts
  const rest = configuration.voters.filter((voter) => !going.includes(voter))
  const present = rest.filter((voter) => isPresent(voter, facts, heardMs))
  return rest.length === configuration.voters.length || present.length > rest.length / 2
}

/** Who said that it goes, goes first: it waits for the answer before it stops. */
function partings(facts: GroupFacts, options: GroupPolicyOptions): readonly MemberChange[] {
  const { self, configuration, wishes } = facts
  const due: MemberChange[] = []
  for (const node of members(configuration)) {
    const wish = wishes.get(node)
    if (node === self || wish === undefined || wish.wish === 'join') continue
    if (
      isGranted(node, wish, configuration) ||
      !canLetGo([...due.map((each) => each.node), node], facts, options)
    )
      continue
    due.push({ type: wish.wish === 'left' ? 'remove' : 'away', node })
  }
  for (const node of configuration.away) {
    if (wishes.get(node)?.wish === 'left') due.push({ type: 'remove', node })
  }
  return due
}

function funerals(facts: GroupFacts, options: GroupPolicyOptions): readonly MemberChange[] {
  const { self, now, configuration, standings } = facts
  const due: MemberChange[] = []
  // Voters first: each dead one brings the group nearer to losing its quorum.
  for (const node of members(configuration)) {
    const standing = standings.get(node)
    if (node === self || standing === undefined || standing.state === 'alive') continue
    if (!canSpare(node, facts, options)) continue
    const silent = standing.state === 'suspected' && now - standing.since >= options.graceMs
    if (standing.state === 'away') due.push({ type: 'away', node })
    else if (standing.proved || standing.state === 'dead' || standing.state === 'left' || silent)
      due.push({ type: 'remove', node })
  }
  return due
}

function arrivals({ self, configuration, wishes, progress }: GroupFacts): readonly MemberChange[] {
  const due: MemberChange[] = []
  for (const node of [...wishes.keys()].sort()) {
    const wish = wishes.get(node)
    if (wish?.wish !== 'join' || node === self) continue
    const listed = configuration.voters.includes(node) || configuration.learners.includes(node)
    const { disk } = wish
    if (!listed) {
      due.push({
        type: 'addLearner',
        node,
        ...(disk !== undefined && { disk }),
        ...(wish.witness === true && { witness: true }),
      })
      continue
    }
    // What the group counts on is on another disk: the node comes in anew with this one.
    if (!countsWith(configuration, node, disk)) {
      due.push({ type: 'remove', node })
      continue
    }
    // It lost its disk: what the group believes it to hold is gone, so it must start from nothing.
    const believed = progress.find((each) => each.node === node)?.match ?? 0
    const lost = configuration.voters.includes(node) || believed > 0
    if (wish.fresh && lost) due.push({ type: 'remove', node })
  }
  return due
}

function promotions(
  facts: GroupFacts,
  { maxVoters, flapMs }: GroupPolicyOptions,
  before: readonly MemberChange[],
): readonly MemberChange[] {
  const { configuration } = facts
  const due: MemberChange[] = []
  const going = before.filter(({ node }) => isDataVoter(configuration, node)).length
  // Who holds data comes first: a witness steps back for it.
  const room = maxVoters - (dataVoters(configuration).length - going)
  for (const node of configuration.learners) {
    if (due.length >= room) break
    const goes = before.some((change) => change.node === node)
    if (!isWitness(configuration, node) && !goes && follows(node, facts, flapMs))
      due.push({ type: 'promote', node })
  }
  return due
}

/** A learner that keeps up, over a link that holds. */
function follows(node: NodeId, { now, standings, progress }: GroupFacts, flapMs: number): boolean {
  const standing = standings.get(node)
  if (standing?.state !== 'alive') return false
  if (standing.downAt !== null && now - standing.downAt < flapMs) return false
  const seen = progress.find((each) => each.node === node)
  return seen?.state === 'replicate' && seen.match > 0
}

/** True while one more witness among the voters would make their number odd, or one that votes makes it even. */
export function wantsWitness(configuration: Configuration, maxVoters: number): boolean {
  const data = dataVoters(configuration).length
  return data % 2 === 0 && data < maxVoters
}

/**
 * Of an even number of voters half can be out of reach without anybody being able to decide: then one witness votes too.
 * With an odd number it would make things worse.
 */
function oddWitness(
  facts: GroupFacts,
  options: GroupPolicyOptions,
  before: readonly MemberChange[],
): readonly MemberChange[] {
  const { configuration } = facts
  const { maxVoters, flapMs } = options
  const [first, ...others] = [configuration.voters, configuration.learners].flatMap((list) =>
    list.filter((node) => isWitness(configuration, node) && !before.some((change) => change.node === node)),
  )
  if (first === undefined) return []
  const came = before.filter(({ type }) => type === 'promote').length
  const went = before.filter(({ node }) => isDataVoter(configuration, node)).length
  const data = dataVoters(configuration).length + came - went
  const votes = configuration.voters.includes(first)
  if (data % 2 !== 0 || data >= maxVoters)
    return votes && canLetGo([first], facts, options) ? [{ type: 'demote', node: first }] : []
  if (votes) return []
  const able = [first, ...others].find((node) => follows(node, facts, flapMs))
  return able === undefined ? [] : [{ type: 'promote', node: able }]
}

function isDataVoter(configuration: Configuration, node: NodeId): boolean {
  return configuration.voters.includes(node) && !isWitness(configuration, node)
}

function dataVoters(configuration: Configuration): readonly NodeId[] {
  return configuration.voters.filter((node) => !isWitness(configuration, node))
}

function returns(
  { now, configuration, awaySince }: GroupFacts,
  { awayMs }: GroupPolicyOptions,
): readonly MemberChange[] {
  const due: MemberChange[] = []
  for (const node of configuration.away) {
    const since = awaySince.get(node)
    if (since !== undefined && now - since >= awayMs) due.push({ type: 'remove', node })
  }
  return due
}

function members({ voters, learners }: Configuration): NodeId[] {
  return [...voters, ...learners]
}
