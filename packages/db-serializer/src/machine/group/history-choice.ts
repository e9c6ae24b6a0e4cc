import type { Ancestor, Lineage } from '../raft/types.ts'

/** Which of two histories that parted is kept, when nobody is asked. */
export type KeepRule = 'oldest-voter' | 'most-writes'

/** One of two histories that parted. */
export interface ForkSide {
  readonly history: Lineage
  /** Entries since the two parted, counted once, when this side stopped writing. */
  readonly writes: number
}

/** The last step that `mine` took from what both have in common; null when the other took none from there. */
export function branchOf(mine: Lineage, theirs: Lineage): Ancestor | null {
  const shared = new Set([...theirs.ancestry.map(({ lineage }) => lineage), theirs.lineage])
  return mine.ancestry.findLast(({ lineage }) => shared.has(lineage)) ?? null
}

/**
 * Whether the first history has to go. Two nodes that ask with the same rule and the same two sides, each with its own
 * first, never both get yes, and never both no.
 */
export function losesTo(rule: KeepRule, mine: ForkSide, theirs: ForkSide): boolean {
  if (rule === 'most-writes' && mine.writes !== theirs.writes) return mine.writes < theirs.writes
  const seniority = ([one, other]: readonly [Lineage, Lineage]): boolean => {
    const branch = branchOf(one, other)
    return branch !== null && branch.senior === branch.by
  }
  const isMine = seniority([mine.history, theirs.history])
  const isTheirs = seniority([theirs.history, mine.history])
  if (isMine !== isTheirs) return isTheirs
  return mine.history.lineage > theirs.history.lineage
}
