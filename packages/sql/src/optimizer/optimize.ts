import { contentsOf, type PlanContents } from '../plan/contents.ts'
import type { Column } from '../plan/expression.ts'
import type { LogicalPlan } from '../plan/logical.ts'
import { compareDates } from './compare-dates.ts'
import { decorrelate } from './decorrelate.ts'
import { decorrelateScalar } from './decorrelate-scalar.ts'
import { factorDisjunctions } from './factor-disjunctions.ts'
import { foldConstants } from './fold-constants.ts'
import { inlineCtes } from './inline-ctes.ts'
import { lateralToJoin } from './lateral-to-join.ts'
import { mergeProjections } from './merge-projections.ts'
import { orderJoins } from './order-joins.ts'
import { pruneColumns } from './prune-columns.ts'
import { pushDownFilters } from './push-down-filters.ts'
import { pushDownSemiJoins } from './push-down-semi-joins.ts'
import { reduceGroups } from './reduce-groups.ts'

/** A rewriting of plans that keeps their meaning. */
export interface Rule {
  readonly name: string
  apply(plan: LogicalPlan, wanted: readonly Column[]): LogicalPlan
  /** False: there is nothing in such a plan that the rule would change. Absent: it is always applied. */
  readonly fits?: (contents: PlanContents) => boolean
}

/** In the order they are applied. */
const RULES: readonly Rule[] = [
  { name: 'fold constants', apply: foldConstants },
  { name: 'inline ctes', apply: inlineCtes, fits: ({ plans }) => plans.has('with') },
  {
    name: 'decorrelate',
    apply: decorrelate,
    fits: ({ exprs }) => exprs.has('exists') || exprs.has('quantified'),
  },
  { name: 'decorrelate scalar', apply: decorrelateScalar, fits: ({ exprs }) => exprs.has('scalarQuery') },
  { name: 'factor disjunctions', apply: factorDisjunctions, fits: ({ exprs }) => exprs.has('or') },
  { name: 'lateral to join', apply: lateralToJoin, fits: ({ plans }) => plans.has('lateral') },
  { name: 'merge projections', apply: mergeProjections, fits: ({ stacked }) => stacked },
  { name: 'push down filters', apply: pushDownFilters, fits: hasConditions },
  // What was pushed down may have met constants, and may have stood between two projections.
  { name: 'fold constants again', apply: foldConstants, fits: hasConditions },
  { name: 'compare dates', apply: compareDates, fits: ({ timestampCast }) => timestampCast },
  { name: 'merge projections again', apply: mergeProjections, fits: ({ stacked }) => stacked },
  { name: 'push down semi joins', apply: pushDownSemiJoins, fits: ({ semiJoin }) => semiJoin },
  { name: 'order joins', apply: orderJoins, fits: ({ plans }) => plans.has('join') },
  {
    name: 'reduce groups',
    apply: reduceGroups,
    fits: ({ plans }) => plans.has('aggregate') && plans.has('scan'),
  },
  { name: 'prune columns', apply: pruneColumns },
]

function hasConditions({ plans }: PlanContents): boolean {
  return plans.has('filter') || plans.has('join') || plans.has('lateral')
}

/**
 * @param wanted the columns that the statement gives
 * @param changed told of every rule that changed the plan, for EXPLAIN VERBOSE
 */
export function optimize(
  plan: LogicalPlan,
  wanted: readonly Column[],
  changed?: (rule: string, plan: LogicalPlan) => void,
): LogicalPlan {
  let current = plan
  let known: PlanContents | null = null
  for (const rule of RULES) {
    if (rule.fits !== undefined) {
      known ??= contentsOf(current)
      if (!rule.fits(known)) continue
    }
    const next = rule.apply(current, wanted)
    if (next === current) continue
    current = next
    known = null
    changed?.(rule.name, current)
  }
  return current
}
