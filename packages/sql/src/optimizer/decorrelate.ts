import { conjunction, filtered, isNeverTrue, TRUE } from '../plan/build.ts'
import type { ExistsExpr, Expr, QuantifiedExpr } from '../plan/expression.ts'
import { columnsOf, type LogicalPlan } from '../plan/logical.ts'
import {
  columnsIn,
  conjunctsOf,
  freeColumns,
  hasSubquery,
  isVolatile,
  mapInputs,
  mapSubqueries,
  substitute,
} from '../plan/traverse.ts'

/**
 * Turns EXISTS, NOT EXISTS and IN among the conditions of a filter into semi and anti joins, where the
 * subquery refers to the outer row in its outermost conditions only. NOT IN stays: NULLs make it no anti join.
 */
export function decorrelate(plan: LogicalPlan): LogicalPlan {
  const inner = mapSubqueries(mapInputs(plan, decorrelate), decorrelate)
  if (inner.kind !== 'filter') return inner
  let input = inner.input
  const rest: Expr[] = []
  for (const condition of conjunctsOf(inner.predicate)) {
    const joined = asJoin(input, condition)
    if (joined === null) rest.push(condition)
    else input = joined
  }
  return filtered(input, rest)
}

function asJoin(input: LogicalPlan, condition: Expr): LogicalPlan | null {
  if (condition.kind === 'exists') return existsJoin(input, condition)
  if (condition.kind === 'not' && condition.operand.kind === 'exists')
    return existsJoin(input, { ...condition.operand, negated: !condition.operand.negated })
  if (condition.kind === 'quantified') return anyJoin(input, condition)
  return null
}

function existsJoin(input: LogicalPlan, { plan, negated }: ExistsExpr): LogicalPlan | null {
  const opened = uncorrelated(stripOrder(plan))
  if (opened === null) return null
  return { kind: 'join', type: negated ? 'anti' : 'semi', left: input, right: opened.plan, on: opened.on }
}

function anyJoin(input: LogicalPlan, expr: QuantifiedExpr): LogicalPlan | null {
  if (expr.quantifier !== 'any' || expr.negated) return null
  if (expr.left.some((left) => hasSubquery(left) || isVolatile(left))) return null
  const opened = uncorrelated(expr.plan)
  if (opened === null) return null
  const known = new Set(columnsOf(opened.plan).map(({ id }) => id))
  if (expr.columns.some(({ id }) => !known.has(id))) return null
  const by = new Map(expr.leftColumns.map(({ id }, i) => [id, expr.left[i] as Expr]))
  const on = conjunction([substitute(expr.compare, by), opened.on])
  return { kind: 'join', type: 'semi', left: input, right: opened.plan, on }
}

/** Whether rows exist does not depend on their order, their number or what is selected. */
function stripOrder(plan: LogicalPlan): LogicalPlan {
  switch (plan.kind) {
    case 'sort':
      return stripOrder(plan.input)
    case 'distinct':
      return stripOrder(plan.input)
    case 'project':
      return plan.outputs.some(({ expr }) => isVolatile(expr)) ? plan : stripOrder(plan.input)
    default:
      return plan
  }
}

/** The plan without its correlated conditions, and those conditions; null when outer columns are used elsewhere. */
export function uncorrelated(plan: LogicalPlan): { readonly plan: LogicalPlan; readonly on: Expr } | null {
  const free = freeColumns(plan)
  if (free.size === 0) return { plan, on: TRUE }
  if (plan.kind === 'filter') {
    const conditions = conjunctsOf(plan.predicate)
    if (conditions.some((condition) => isVolatile(condition))) return null
    const outer = conditions.filter((condition) =>
      [...columnsIn(condition).keys()].some((id) => free.has(id)),
    )
    if (outer.some((condition) => hasSubquery(condition) || isNeverTrue(condition))) return null
    if (freeColumns(plan.input).size > 0) return null
    const own = conditions.filter((condition) => !outer.includes(condition))
    return { plan: filtered(plan.input, own), on: conjunction(outer) }
  }
  if (plan.kind === 'project') {
    if (plan.outputs.some(({ expr }) => [...columnsIn(expr).keys()].some((id) => free.has(id)))) return null
    const opened = uncorrelated(plan.input)
    if (opened === null) return null
    // The conditions need columns that the projection may have dropped: it passes all of them on.
    const given = new Set(plan.outputs.map(({ column }) => column.id))
    const passed = columnsOf(opened.plan)
      .filter(({ id }) => !given.has(id))
      .map((column) => ({ column, expr: { kind: 'column', type: column.type, column } as const }))
    return { plan: { ...plan, input: opened.plan, outputs: [...plan.outputs, ...passed] }, on: opened.on }
  }
  return null
}
