import { conjunction } from '../plan/build.ts'
import { columnsOf, type JoinPlan, type LogicalPlan } from '../plan/logical.ts'
import { columnsIn, conjunctsOf, hasSubquery, mapInputs, mapSubqueries } from '../plan/traverse.ts'
import { estimateRows } from './estimate.ts'

/**
 * Moves a semi or anti join down to the one input of a chain of inner joins that its condition is about, where that
 * input is no larger than what the chain gives: the joins above then meet fewer rows.
 */
export function pushDownSemiJoins(plan: LogicalPlan): LogicalPlan {
  const inner = mapSubqueries(mapInputs(plan, pushDownSemiJoins), pushDownSemiJoins)
  if (inner.kind !== 'join' || (inner.type !== 'semi' && inner.type !== 'anti')) return inner
  if (hasSubquery(inner.on)) return inner
  return pushed(inner, inner.left, estimateRows(inner.left)) ?? inner
}

/**
 * The plan with the semi join somewhere in it; null: it belongs above.
 * @param rows what the whole chain gives
 */
function pushed(semi: JoinPlan, into: LogicalPlan, rows: number): LogicalPlan | null {
  if (into.kind !== 'join' || into.type !== 'inner') return null
  const right = new Set(columnsOf(semi.right).map(({ id }) => id))
  const needed = [...columnsIn(semi.on).keys()].filter((id) => !right.has(id))
  if (needed.length === 0) return null
  for (const side of ['left', 'right'] as const) {
    const own = new Set(columnsOf(into[side]).map(({ id }) => id))
    if (!needed.every((id) => own.has(id))) continue
    const deeper = pushed(semi, into[side], rows)
    if (deeper !== null) return { ...into, [side]: deeper }
    if (estimateRows(into[side]) > rows) return null
    const on = conjunction(conjunctsOf(semi.on))
    return { ...into, [side]: { ...semi, left: into[side], on } }
  }
  return null
}
