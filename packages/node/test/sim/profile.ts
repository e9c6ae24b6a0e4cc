import { below, chance } from '@cluster/core'
import type { SimRandom } from '@cluster/testkit'
import type { SuiteName } from './report.ts'

/** What is different from world to world besides the faults, drawn from the seed. */
export interface Profile {
  readonly nodes: number
  /** The nodes are told how many they are, and form only when all are there. */
  readonly expectAll: boolean
  readonly votersMax: number
  /** The leader answers reads by a lease; 0 for never. */
  readonly leaseMs: number
  /** Two voters and silence: wait, or go on alone. */
  readonly quorum: 'majority' | 'last-standing'
  /** Nodes leave for good and others join. */
  readonly churns: boolean
  /** Bits rot and disks are replaced. */
  readonly losesDisks: boolean
  /** Speeds of monotonic clocks. */
  readonly rates: readonly [number, number]
  /** After the storm nodes are killed one after another, down to the last. */
  readonly declines: boolean
}

/** The log's own default. */
const VOTERS_MAX = 5

/** Longer than any one cut of the network, so that histories part rarely before the end of the storm. */
export const LAST_STANDING_MS = 6_000

export function drawProfile(suite: SuiteName, random: SimRandom, nodes: number | undefined): Profile {
  const pair = suite === 'serializer' && chance(random.fork('pair'), 0.1)
  const drawn = pair ? 2 : 3 + below(random.fork('size'), suite === 'serializer' ? 4 : 5)
  const count = nodes ?? drawn
  const leases = chance(random.fork('lease'), 0.25)
  const few = count > 3 && chance(random.fork('voters'), 0.2)
  const quorum = count === 2 && chance(random.fork('quorum'), 0.6) ? 'last-standing' : 'majority'
  return {
    nodes: count,
    expectAll: chance(random.fork('expect'), 0.5),
    votersMax: few ? 3 : VOTERS_MAX,
    leaseMs: leases ? 300 : 0,
    quorum,
    // Two of which one leaves are one, and that one is asked for nothing.
    churns: count > 2 && chance(random.fork('churn'), 0.35),
    losesDisks: count > 2,
    // Far worse than crystals; a lease relies on clocks that differ by less than a tenth.
    rates: leases ? [0.96, 1.04] : [0.9, 1.1],
    declines: quorum === 'majority' && chance(random.fork('decline'), 0.3),
  }
}
