import { conjunction } from '../plan/build.ts'
import type { LateralPlan, LogicalPlan } from '../plan/logical.ts'
import { columnsOf } from '../plan/logical.ts'
import { freeColumns, hasSubquery, isVolatile, mapInputs, mapSubqueries } from '../plan/traverse.ts'
import { uncorrelated } from './decorrelate.ts'

/**
 * Makes plain joins of lateral ones whose right side refers to the left row in its outermost conditions only, or not
 * at all: then it is computed once instead of for each row.
 */
export function lateralToJoin(plan: LogicalPlan): LogicalPlan {
  const inner = mapSubqueries(mapInputs(plan, lateralToJoin), lateralToJoin)
  return inner.kind === 'lateral' ? (asJoin(inner) ?? inner) : inner
}

function asJoin({ type, left, right, on }: LateralPlan): LogicalPlan | null {
  if (hasSubquery(on) || isVolatile(on)) return null
  const own = new Set(columnsOf(left).map(({ id }) => id))
  // What only an outer query gives stays where it is.
  if ([...freeColumns(right).keys()].some((id) => !own.has(id))) return null
  const opened = uncorrelated(right)
  if (opened === null) return null
  return { kind: 'join', type, left, right: opened.plan, on: conjunction([opened.on, on]) }
}
