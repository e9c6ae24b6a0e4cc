import { chance, pick, shuffle } from '@cluster/core'
import type { SimRandom } from '@cluster/testkit'

/** What clients of databases may do. */
export const LOADS = ['registers', 'bank', 'lists', 'duty', 'forks', 'set', 'counters', 'owners'] as const

export type LoadName = (typeof LOADS)[number]

/** Which loads run in one world: mostly one, so that it has many operations, else a few at once. */
export function drawLoads(random: SimRandom): readonly LoadName[] {
  if (chance(random, 0.6)) return [pick(random, LOADS)]
  return shuffle(random, LOADS).slice(0, 3).sort()
}

/** As many nodes may lose their disks at once as there are copies: one more than the promise covers. Null when the group would go, too. */
export function lossBeyond(redundancy: number | 'all', nodes: number): number | null {
  if (redundancy === 'all') return null
  const voters = Math.min(5, nodes)
  return redundancy < voters / 2 ? redundancy : null
}
