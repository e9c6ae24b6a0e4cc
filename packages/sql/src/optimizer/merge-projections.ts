import type { Expr } from '../plan/expression.ts'
import type { LogicalPlan, ProjectPlan } from '../plan/logical.ts'
import {
  columnsIn,
  hasSubquery,
  isVolatile,
  mapExprs,
  mapInputs,
  mapSubqueries,
  rewrite,
  substitute,
} from '../plan/traverse.ts'

/**
 * Makes one projection of two, and lets grouping compute from the input of a projection below it, so that
 * views and derived tables cost nothing. An expression that does more than name a column or a constant is
 * merged only when it is used once.
 */
export function mergeProjections(plan: LogicalPlan): LogicalPlan {
  const inner = mapSubqueries(mapInputs(plan, mergeProjections), mergeProjections)
  if (inner.kind !== 'project' && inner.kind !== 'aggregate') return inner
  const below = inner.input
  if (below.kind !== 'project') return inner
  const by = new Map(below.outputs.map(({ column, expr }) => [column.id, expr]))
  if (!mayMerge(inner, below, by)) return inner
  const merged = mapExprs(inner, (expr) => substitute(expr, by))
  return mapInputs(merged, () => below.input)
}

function mayMerge(plan: LogicalPlan, below: ProjectPlan, by: ReadonlyMap<number, Expr>): boolean {
  if (below.outputs.some(({ expr }) => isVolatile(expr) || hasSubquery(expr))) return false
  const uses = new Map<number, number>()
  let nested = false
  mapExprs(plan, (expr) => {
    if (hasSubquery(expr)) for (const id of columnsIn(expr).keys()) nested ||= by.has(id)
    count(expr, uses)
    return expr
  })
  if (nested) return false
  return [...uses].every(([id, times]) => {
    const expr = by.get(id)
    return expr === undefined || times === 1 || expr.kind === 'column' || expr.kind === 'constant'
  })
}

function count(expr: Expr, uses: Map<number, number>): void {
  rewrite(expr, (part) => {
    if (part.kind === 'column') uses.set(part.column.id, (uses.get(part.column.id) ?? 0) + 1)
    return part
  })
}
