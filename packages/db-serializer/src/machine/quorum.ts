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
