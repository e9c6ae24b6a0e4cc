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

/** A rewriting of plans that keeps their meaning. */
export interface Rule {
  readonly name: string
  apply(plan: LogicalPlan, wanted: readonly Column[]): LogicalPlan
}

/** In the order they are applied. */
export const RULES: readonly Rule[] = [
  { name: 'fold constants', apply: foldConstants },
  { name: 'inline ctes', apply: inlineCtes },
  { name: 'decorrelate', apply: decorrelate },
  { name: 'decorrelate scalar', apply: decorrelateScalar },
  { name: 'factor disjunctions', apply: factorDisjunctions },
  { name: 'lateral to join', apply: lateralToJoin },
  { name: 'merge projections', apply: mergeProjections },
  { name: 'push down filters', apply: pushDownFilters },
  // What was pushed down may have met constants, and may have stood between two projections.
  { name: 'fold constants again', apply: foldConstants },
  { name: 'compare dates', apply: compareDates },
  { name: 'merge projections again', apply: mergeProjections },
  { name: 'push down semi joins', apply: pushDownSemiJoins },
  { name: 'order joins', apply: orderJoins },
  { name: 'prune columns', apply: pruneColumns },
]

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
  for (const rule of RULES) {
    current = rule.apply(current, wanted)
    changed?.(rule.name, current)
  }
  return current
}
