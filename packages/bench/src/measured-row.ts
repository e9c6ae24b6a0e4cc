import type { Measured } from './interleave.ts'
import type { Row, Target } from './report.ts'

export interface RowFacts {
  readonly what: string
  /** Those that our figures are compared with. */
  readonly peers: readonly Measured[]
  /** What is asked of our figure, if anything. */
  readonly target?: Target | null
  /** Default `/s`. */
  readonly unit?: string
  /** Where it is not what the contender says. */
  readonly durability?: string
  /** What comes behind the single runs, with its separator. */
  readonly remark?: string
}

/** The row of a contender, with all that was measured; ours with ratios to the best of each peer. */
export function measuredRow(
  one: Measured,
  { what, peers, target, unit = '/s', durability, remark = '' }: RowFacts,
): Row {
  const { contender, perSecond, p50, p99, cores, runs } = one
  const compared = contender.peer === null && peers.length > 0
  return {
    what,
    who: contender.who,
    value: perSecond,
    unit,
    p50,
    p99,
    cores,
    durability: durability ?? contender.durability,
    ...(compared && { ratios: ratiosOf(one, peers) }),
    ...(target && { target }),
    note: `runs ${runs.map((value) => Math.round(value)).join(', ')}${remark}`,
  }
}

function ratiosOf(own: Measured, peers: readonly Measured[]): Record<string, number> {
  const best = new Map<string, number>()
  for (const { contender, perSecond } of peers)
    best.set(contender.peer ?? '', Math.max(best.get(contender.peer ?? '') ?? 0, perSecond))
  return Object.fromEntries([...best].map(([peer, perSecond]) => [peer, own.perSecond / perSecond]))
}
