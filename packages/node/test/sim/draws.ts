import { chance, pick, shuffle } from '@cluster/core'
import type { SimRandom } from '@cluster/testkit'

/** What clients of databases may do. */
const LOADS = ['registers', 'bank', 'lists', 'duty', 'forks', 'set', 'counters', 'owners'] as const

export type LoadName = (typeof LOADS)[number]

/** What clients of shared objects may do. */
const OBJECTS = ['map', 'queue', 'counter', 'topic', 'ttl', 'lock'] as const

/** Those of maps on the partitions of a database. */
const SPREADS = ['spread', 'spreadTtl'] as const

export type ObjectsName = (typeof OBJECTS)[number] | (typeof SPREADS)[number]

const SPREAD = 0.2

/** Which loads run in one world: mostly one, so that it has many operations, else a few at once. */
export const drawLoads = (random: SimRandom): readonly LoadName[] => oneOrThree(random, LOADS)

export function drawObjects(random: SimRandom): readonly ObjectsName[] {
  const drawn = oneOrThree(random, OBJECTS)
  // Alone, or beside what else was drawn.
  if (chance(random, SPREAD)) {
    const spread = pick(random, SPREADS)
    return chance(random, 0.5) ? [spread] : [...drawn, spread]
  }
  // Work under locks takes long: alone it would be too little.
  return drawn.length === 1 && drawn.includes('lock') ? ['counter', 'lock'] : drawn
}

function oneOrThree<Name extends string>(random: SimRandom, names: readonly Name[]): readonly Name[] {
  if (chance(random, 0.6)) return [pick(random, names)]
  return shuffle(random, names).slice(0, 3).sort()
}

/** As many nodes may lose their disks at once as there are copies: one more than the promise covers. Null when the group would go, too. */
export function lossBeyond(redundancy: number | 'all', nodes: number): number | null {
  if (redundancy === 'all') return null
  const voters = Math.min(5, nodes)
  return redundancy < voters / 2 ? redundancy : null
}
