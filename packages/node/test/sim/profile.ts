import { below, chance, pick } from '@cluster/core'
import type { DatabasesOptions } from '@cluster/db-distribution'
import type { FaultWeights, SimRandom } from '@cluster/testkit'
import { drawLoads, drawObjects, type LoadName, lossBeyond, type ObjectsName } from './draws.ts'
import type { SuiteName } from './report.ts'

/** What is different from world to world besides the faults, drawn from the seed. */
export interface Profile {
  readonly nodes: number
  /** The nodes are told how many they are, and form only when all are there. */
  readonly expectAll: boolean
  readonly votersMax: number
  /** The leader answers reads by a lease; 0 for never. */
  readonly leaseMs: number
  /** Longer commands travel in parts; most worlds have none so long with the log's own default. */
  readonly entryBytesMax: number | null
  /** Two voters and silence: wait, or go on alone. */
  readonly quorum: 'majority' | 'last-standing'
  /** Copies of every row. */
  readonly redundancy: number | 'all'
  readonly databases: DatabasesOptions
  /** What clients do, where there is a choice. */
  readonly loads: readonly LoadName[]
  readonly objects: readonly ObjectsName[]
  /** The first programs know less than later ones; every node that starts again runs a newer one. */
  readonly upgrades: boolean
  /** One more node votes and holds no data. */
  readonly witness: boolean
  /** Nodes leave for good and others join. */
  readonly churns: boolean
  /** Bits rot and disks are replaced. */
  readonly losesDisks: boolean
  /** Faults that would lose more than is promised to survive. */
  readonly without: FaultWeights
  /** Speeds of monotonic clocks. */
  readonly rates: readonly [number, number]
  /** After the storm nodes are killed one after another, down to the last. */
  readonly declines: boolean
  /** In the very end more disks are lost at once than there are copies. */
  readonly losesTooMuch: boolean
}

/** The log's own default. */
const VOTERS_MAX = 5

/** Longer than any one cut of the network, so that histories part rarely before the end of the storm. */
export const LAST_STANDING_MS = 6_000

/** Nodes of a world of databases: three mostly, up to nine. */
const SIZES = [3, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 7, 8, 9]
const REDUNDANCIES = [1, 2, 2, 2, 2, 2, 3, 3, 'all'] as const

function drawSize(suite: SuiteName, random: SimRandom): number {
  if (suite === 'distribution') return pick(random.fork('size'), SIZES)
  if (suite === 'objects') return 3 + below(random.fork('size'), 3)
  return chance(random.fork('pair'), 0.14) ? 2 : 3 + below(random.fork('size'), 4)
}

/** Limits of the databases: the defaults, or so small that they are met. */
function drawLimits(random: SimRandom): DatabasesOptions {
  if (chance(random, 0.5)) return {}
  return {
    checkpointMs: Math.round(random.between(200, 5_000)),
    checkpointBytes: 4_000 + below(random, 60_000),
    keepVersionsMs: 5_000 + below(random, 20_000),
    replicaLagMax: 40 + below(random, 1_000),
    copiesAtOnce: 1 + below(random, 4),
  }
}

/** So little that many commands need a few parts, in some worlds. */
function drawEntryBytes(random: SimRandom): number | null {
  return chance(random, 0.35) ? 8 + below(random, 60) : null
}

export function drawProfile(suite: SuiteName, random: SimRandom, nodes: number | undefined): Profile {
  const count = nodes ?? drawSize(suite, random)
  const leases = chance(random.fork('lease'), 0.25)
  const few = count > 3 && chance(random.fork('voters'), 0.2)
  // Two histories have two holders of one lock: that is what the policy means.
  const mayPart = count === 2 && suite !== 'locks'
  const quorum = mayPart && chance(random.fork('quorum'), 0.6) ? 'last-standing' : 'majority'
  const redundancy = suite === 'distribution' ? pick(random.fork('redundancy'), REDUNDANCIES) : 'all'
  const beyond =
    suite === 'distribution' && lossBeyond(redundancy, Math.min(count, few ? 3 : VOTERS_MAX)) !== null
  return {
    nodes: count,
    expectAll: chance(random.fork('expect'), 0.5),
    votersMax: few ? 3 : VOTERS_MAX,
    leaseMs: leases ? 300 : 0,
    entryBytesMax: drawEntryBytes(random.fork('entries')),
    quorum,
    redundancy,
    databases: drawLimits(random.fork('limits')),
    loads: drawLoads(random.fork('loads')),
    objects: drawObjects(random.fork('objects')),
    upgrades: suite === 'serializer' && quorum === 'majority' && chance(random.fork('upgrades'), 0.2),
    witness:
      suite === 'serializer' &&
      quorum === 'majority' &&
      chance(random.fork('witness'), count % 2 === 0 ? 0.4 : 0.05),
    // Two of which one leaves are one, and that one is asked for nothing.
    churns: count > 2 && chance(random.fork('churn'), 0.35),
    losesDisks: count > 2,
    // With one copy a lost disk is a lost row, and whoever leaves takes its rows along.
    without: redundancy === 1 ? { newDisk: 0, coldLoss: 0, leave: 0 } : {},
    // Far worse than crystals; leases rely on clocks that differ by less than a tenth.
    rates: leases || suite === 'locks' ? [0.96, 1.04] : [0.9, 1.1],
    declines: quorum === 'majority' && redundancy !== 1 && chance(random.fork('decline'), 0.3),
    losesTooMuch: beyond && chance(random.fork('beyond'), redundancy === 1 ? 0.7 : 0.4),
  }
}
