import { isPlainIndex } from '../binder/write/stored-index.ts'
import { columnExpr, constant, filtered } from '../plan/build.ts'
import type { Expr, ScalarQueryExpr } from '../plan/expression.ts'
import { type AggregatePlan, columnsOf, type LogicalPlan, type Output } from '../plan/logical.ts'
import {
  childrenOf,
  columnsIn,
  comparesAlike,
  conjunctsOf,
  freeColumns,
  hasSubquery,
  isEquality,
  isVolatile,
  mapChildren,
  mapInputs,
  mapSubqueries,
  substitute,
} from '../plan/traverse.ts'
import { uncorrelated } from './decorrelate.ts'
import { estimateRows } from './estimate.ts'

/** Up to this many outer rows each may look up its own rows by an index. */
const LOOKUPS_MAX = 1_000

/**
 * Turns an aggregate over rows that are equal to the outer row in some columns, among the conditions of a filter, into a
 * join with all such aggregates at once: `x > (SELECT avg(y) FROM t WHERE t.k = o.k)` groups t by k. Where no row is equal,
 * the aggregate has the value that it gives for none.
 */
export function decorrelateScalar(plan: LogicalPlan): LogicalPlan {
  const inner = mapSubqueries(mapInputs(plan, decorrelateScalar), decorrelateScalar)
  if (inner.kind !== 'filter') return inner
  let input = inner.input
  const replace = (expr: Expr): Expr => {
    if (expr.kind !== 'scalarQuery') return mapChildren(expr, replace)
    const grouped = groupedQuery(expr, input)
    if (grouped === null) return expr
    input = { kind: 'join', type: 'left', left: input, right: grouped.plan, on: grouped.on }
    return grouped.value
  }
  const conditions = conjunctsOf(inner.predicate).map((condition) =>
    // What one of these decides keeps the rest from being computed, also from failing.
    alwaysComputed(condition) ? replace(condition) : condition,
  )
  return input === inner.input ? inner : filtered(input, conditions)
}

/** True when no part of the condition keeps another from being computed. */
function alwaysComputed(expr: Expr): boolean {
  if (['case', 'coalesce', 'and', 'or', 'quantified', 'exists'].includes(expr.kind)) return false
  return childrenOf(expr).every(alwaysComputed)
}

interface Grouped {
  readonly plan: LogicalPlan
  readonly on: Expr
  /** What the subquery gives, over the columns of the join. */
  readonly value: Expr
}

function groupedQuery(query: ScalarQueryExpr, input: LogicalPlan): Grouped | null {
  const { aggregate, value } = overAggregate(query.plan, columnExpr(query.column))
  if (aggregate === null || freeColumns(aggregate).size === 0) return null
  if (aggregate.groups.length > 0 || aggregate.sets !== null || !mayComputeAll(aggregate)) return null
  const opened = uncorrelated(aggregate.input)
  if (opened === null || lookedUp(opened.plan, opened.on, input)) return null
  const outer = new Set(columnsOf(input).map(({ id }) => id))
  const inside = new Set(columnsOf(opened.plan).map(({ id }) => id))
  const groups = new Map<number, Output>()
  for (const condition of conjunctsOf(opened.on)) {
    if (!isEquality(condition) || !comparesAlike(condition)) return null
    const own = condition.args.find((arg) => arg.kind === 'column' && inside.has(arg.column.id))
    const other = condition.args.find((arg) => arg !== own)
    if (own?.kind !== 'column' || other === undefined) return null
    if (![...columnsIn(other).keys()].every((id) => outer.has(id)) || hasSubquery(other)) return null
    groups.set(own.column.id, { column: own.column, expr: own })
  }
  // What the calls name of the outer row would be known to the group no more.
  const known = (expr: Expr): boolean => [...columnsIn(expr).keys()].every((id) => inside.has(id))
  if (!aggregate.calls.every(({ args, filter }) => [...args, ...(filter ? [filter] : [])].every(known)))
    return null
  const calls = new Set(aggregate.calls.map(({ column }) => column.id))
  if (![...columnsIn(value).keys()].every((id) => calls.has(id) || outer.has(id))) return null
  const ofNone = new Map(aggregate.calls.map(({ column, fn }) => [column.id, valueOfNone(column, fn)]))
  return {
    plan: { ...aggregate, input: opened.plan, groups: [...groups.values()] },
    on: opened.on,
    value: substitute(value, ofNone),
  }
}

/** The call's column behind an outer join: where it found nothing, what the aggregate gives for no rows. */
function valueOfNone(
  column: AggregatePlan['calls'][number]['column'],
  fn: AggregatePlan['calls'][number]['fn'],
): Expr {
  const none = fn.finish(fn.init())
  if (none === null) return columnExpr(column)
  return { kind: 'coalesce', type: column.type, args: [columnExpr(column), constant(column.type, none)] }
}

/** The aggregate at the bottom of projections, and the value over its columns. */
function overAggregate(
  plan: LogicalPlan,
  value: Expr,
): { readonly aggregate: AggregatePlan | null; readonly value: Expr } {
  if (plan.kind === 'aggregate') return { aggregate: plan, value }
  if (plan.kind !== 'project') return { aggregate: null, value }
  const by = new Map(plan.outputs.map(({ column, expr }) => [column.id, expr]))
  if (plan.outputs.some(({ expr }) => isVolatile(expr) || hasSubquery(expr)))
    return { aggregate: null, value }
  return overAggregate(plan.input, substitute(value, by))
}

/**
 * Groups that no outer row asks for are computed, too, and must not fail: columns, and sums and products of them that are
 * exact however large they are.
 */
function mayComputeAll({ calls }: AggregatePlan): boolean {
  const safe = (expr: Expr): boolean => {
    if (expr.kind === 'column' || expr.kind === 'constant') return true
    if (expr.kind !== 'call' || expr.type.id !== 'numeric') return false
    return (expr.form === 'cast' || ['+', '-', '*'].includes(expr.fn.name)) && expr.args.every(safe)
  }
  return calls.every(
    ({ args, filter, orderBy, fn }) =>
      args.every(safe) &&
      filter === null &&
      orderBy.length === 0 &&
      ['count', 'sum', 'avg', 'min', 'max'].includes(fn.name),
  )
}

/** True when the few outer rows had better look up their rows by a key or an index. */
function lookedUp(plan: LogicalPlan, on: Expr, input: LogicalPlan): boolean {
  const scan = plan.kind === 'filter' ? plan.input : plan
  if (scan.kind !== 'scan' || estimateRows(input) > LOOKUPS_MAX) return false
  const ids = columnsIn(on)
  const fixed = new Set(
    scan.columns.filter(({ column }) => ids.has(column.id)).map(({ position }) => position),
  )
  const { primaryKey, indexes } = scan.table
  return [primaryKey, ...indexes.filter((index) => index.ready && isPlainIndex(index))].some((key) => {
    const first = key?.columns[0]
    return first !== undefined && fixed.has(first)
  })
}
