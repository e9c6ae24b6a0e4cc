import type { NodeId } from '@cluster/core'

/** How many of `count` voters make a majority; `count` ≥ 1. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1
}

/** True when more than half of the voters satisfy the predicate. No voters make no quorum. */
export function hasQuorum(voters: readonly NodeId[], agrees: (voter: NodeId) => boolean): boolean {
  let yes = 0
  for (const voter of voters) if (agrees(voter)) yes++
  return voters.length > 0 && yes >= majority(voters.length)
}

/** The highest value that a majority of the voters has reached; 0 without voters. */
export function quorumValue(voters: readonly NodeId[], reachedBy: (voter: NodeId) => number): number {
  if (voters.length === 0) return 0
  const values = voters.map(reachedBy).sort((a, b) => b - a)
  return values[majority(voters.length) - 1] ?? 0
}

/**
 * Lists of voters, each of which must agree by its own majority. One list in calm times, two while the group goes from
 * one set of voters to another.
 */
export type Quorums = readonly (readonly NodeId[])[]

/** True when a majority of every list satisfies the predicate. */
export function haveQuorums(quorums: Quorums, agrees: (voter: NodeId) => boolean): boolean {
  return quorums.length > 0 && quorums.every((voters) => hasQuorum(voters, agrees))
}

/** The highest value that a majority of every list has reached. */
export function quorumsValue(quorums: Quorums, reachedBy: (voter: NodeId) => number): number {
  if (quorums.length === 0) return 0
  return Math.min(...quorums.map((voters) => quorumValue(voters, reachedBy)))
}

/** How an election stands that must be won in every list. */
export function electionsOutcome(
  quorums: Quorums,
  votes: ReadonlyMap<NodeId, boolean>,
): 'won' | 'lost' | 'open' {
  const outcomes = quorums.map((voters) => electionOutcome(voters, votes))
  if (outcomes.includes('lost') || outcomes.length === 0) return 'lost'
  return outcomes.every((outcome) => outcome === 'won') ? 'won' : 'open'
}

/** How an election stands. Votes of nodes that are no voters do not count. */
export function electionOutcome(
  voters: readonly NodeId[],
  votes: ReadonlyMap<NodeId, boolean>,
): 'won' | 'lost' | 'open' {
  if (hasQuorum(voters, (voter) => votes.get(voter) === true)) return 'won'
  // What is still out cannot make a majority once the refusals alone prevent one.
  const possible = hasQuorum(voters, (voter) => votes.get(voter) !== false)
  return possible ? 'open' : 'lost'
}
