import { columnExpr, conjunction, filtered } from '../plan/build.ts'
import type { Column, Expr } from '../plan/expression.ts'
import { columnsOf, type JoinPlan, type LateralPlan, type LogicalPlan } from '../plan/logical.ts'
import {
  columnsIn,
  conjunctsOf,
  hasSubquery,
  isVolatile,
  mapInputs,
  mapSubqueries,
  someColumn,
  substitute,
} from '../plan/traverse.ts'

/**
 * Moves conditions as near to the tables as they may go: through projections, joins, grouping and set
 * operations. Volatile conditions stay where they were written.
 */
export function pushDownFilters(plan: LogicalPlan): LogicalPlan {
  return push(inSubqueries(plan), [])
}

/** The same for the subqueries of all expressions. */
function inSubqueries(plan: LogicalPlan): LogicalPlan {
  return mapSubqueries(mapInputs(plan, inSubqueries), pushDownFilters)
}

/** The plan with the conditions applied somewhere in or above it. */
function push(plan: LogicalPlan, conditions: readonly Expr[]): LogicalPlan {
  switch (plan.kind) {
    case 'filter': {
      const own = conjunctsOf(plan.predicate)
      if (own.some(isVolatile)) return filtered(push(plan.input, []), [...own, ...conditions])
      return push(plan.input, [...own, ...conditions])
    }
    case 'project': {
      if (conditions.length === 0) return mapInputs(plan, (input) => push(input, []))
      const by = new Map(plan.outputs.map(({ column, expr }) => [column.id, expr]))
      const [pass, stay] = split(conditions, (condition) =>
        [...columnsIn(condition).keys()].every((id) => {
          const expr = by.get(id)
          return expr === undefined || !(isVolatile(expr) || hasSubquery(expr))
        }),
      )
      const below = pass.map((condition) => substitute(condition, by))
      return filtered({ ...plan, input: push(plan.input, below) }, stay)
    }
    case 'join':
      return pushJoin(plan, conditions)
    case 'window': {
      // Whole partitions may go: the others do not notice.
      const fixed = new Set(
        plan.partitionBy.flatMap((expr) => (expr.kind === 'column' ? [expr.column.id] : [])),
      )
      const own = new Set(columnsOf(plan).map(({ id }) => id))
      const [pass, stay] = split(
        conditions,
        (condition) =>
          !isVolatile(condition) &&
          !hasSubquery(condition) &&
          [...columnsIn(condition).keys()].every((id) => fixed.has(id) || !own.has(id)),
      )
      return filtered({ ...plan, input: push(plan.input, pass) }, stay)
    }
    case 'lateral':
      return pushLateral(plan, conditions)
    case 'with':
      return {
        ...plan,
        tables: plan.tables.map((table) => ({ ...table, plan: push(table.plan, []) })),
        input: push(plan.input, conditions),
      }
    case 'aggregate': {
      const by = new Map(plan.groups.map(({ column, expr }) => [column.id, expr]))
      // Where a grouping set leaves a group out, its column is NULL: such a condition is not about the input.
      const open = plan.groups.filter((_, i) => plan.sets?.sets.some((set) => !set.includes(i)) === true)
      const fixed = plan.groups.length > 0 && plan.sets?.sets.some((set) => set.length === 0) !== true
      const computed = [...plan.calls, ...open, ...(plan.sets === null ? [] : [plan.sets])]
      const calls = new Set(computed.map(({ column }) => column.id))
      // A query without groups gives its row whatever the input: nothing may pass.
      const [pass, stay] = split(
        conditions,
        (condition) => fixed && !someColumn(condition, (id) => calls.has(id)),
      )
      const below = pass.map((condition) => substitute(condition, by))
      return filtered({ ...plan, input: push(plan.input, below) }, stay)
    }
    case 'distinct': {
      const on = plan.on === null ? null : new Set(plan.on.map(({ id }) => id))
      const own = new Set(columnsOf(plan).map(({ id }) => id))
      const [pass, stay] = split(
        conditions,
        (condition) =>
          on === null || [...columnsIn(condition).keys()].every((id) => on.has(id) || !own.has(id)),
      )
      return filtered({ ...plan, input: push(plan.input, pass) }, stay)
    }
    case 'sort':
      return { ...plan, input: push(plan.input, conditions) }
    case 'set': {
      const side = (input: LogicalPlan): LogicalPlan => {
        const columns = columnsOf(input)
        const by = new Map(plan.columns.map(({ id }, i) => [id, columnExpr(columns[i] as Column)]))
        return push(
          input,
          conditions.map((condition) => substitute(condition, by)),
        )
      }
      return { ...plan, left: side(plan.left), right: side(plan.right) }
    }
    case 'limit':
    case 'single':
    case 'recursive':
      return filtered(
        mapInputs(plan, (input) => push(input, [])),
        conditions,
      )
    case 'scan':
    case 'virtualScan':
    case 'functionScan':
    case 'values':
    case 'cteScan':
      return filtered(plan, conditions)
  }
}

function pushJoin(plan: JoinPlan, conditions: readonly Expr[]): LogicalPlan {
  const left = new Set(columnsOf(plan.left).map(({ id }) => id))
  const right = new Set(columnsOf(plan.right).map(({ id }) => id))
  const touches = (condition: Expr, side: ReadonlySet<number>): boolean =>
    someColumn(condition, (id) => side.has(id))
  const on = conjunctsOf(plan.on)
  const type = strengthen(plan.type, conditions, left, right)
  const movable = (condition: Expr): boolean => !isVolatile(condition)

  if (type === 'inner') {
    const all = [...on, ...conditions]
    const [toLeft, others] = split(all, (condition) => movable(condition) && !touches(condition, right))
    const [toRight, both] = split(others, (condition) => movable(condition) && !touches(condition, left))
    const [joins, above] = split(both, (condition) => movable(condition) && !hasSubquery(condition))
    const join: JoinPlan = {
      ...plan,
      type,
      left: push(plan.left, toLeft),
      right: push(plan.right, toRight),
      on: conjunction(joins),
    }
    return filtered(join, above)
  }

  // A condition above an outer join may go to the side whose rows are all kept; a condition of the join itself,
  // to the side that is padded with NULLs.
  const keepsLeft = type === 'left' || type === 'semi' || type === 'anti'
  const keepsRight = type === 'right'
  const [toLeft, others] = split(
    conditions,
    (condition) => keepsLeft && movable(condition) && !touches(condition, right),
  )
  const [toRight, above] = split(
    others,
    (condition) => keepsRight && movable(condition) && !touches(condition, left),
  )
  const [onLeft, onOthers] = split(
    on,
    (condition) => (type === 'right' || type === 'semi') && movable(condition) && !touches(condition, right),
  )
  const [onRight, stay] = split(
    onOthers,
    (condition) =>
      (type === 'left' || type === 'semi' || type === 'anti') &&
      movable(condition) &&
      !touches(condition, left),
  )
  const join: JoinPlan = {
    ...plan,
    type,
    left: push(plan.left, [...toLeft, ...onLeft]),
    right: push(plan.right, [...toRight, ...onRight]),
    on: conjunction(stay),
  }
  return filtered(join, above)
}

/** Conditions on the left side alone go there; the right side may take any, because it sees the left row. */
function pushLateral(plan: LateralPlan, conditions: readonly Expr[]): LogicalPlan {
  const right = new Set(columnsOf(plan.right).map(({ id }) => id))
  const onRight = (condition: Expr): boolean => someColumn(condition, (id) => right.has(id))
  const [toLeft, others] = split(conditions, (condition) => !isVolatile(condition) && !onRight(condition))
  const plain = (condition: Expr): boolean => !isVolatile(condition) && !hasSubquery(condition)
  const [toRight, above] = split(others, (condition) => plan.type === 'inner' && plain(condition))
  const [onInside, stay] = split(conjunctsOf(plan.on), plain)
  const lateral: LateralPlan = {
    ...plan,
    left: push(plan.left, toLeft),
    right: push(plan.right, [...onInside, ...toRight]),
    on: conjunction(stay),
  }
  return filtered(lateral, above)
}

/** An outer join whose padded rows the conditions refuse anyway is a stricter one. */
function strengthen(
  type: JoinPlan['type'],
  conditions: readonly Expr[],
  left: ReadonlySet<number>,
  right: ReadonlySet<number>,
): JoinPlan['type'] {
  const refuses = (side: ReadonlySet<number>): boolean =>
    conditions.some((condition) => refusesNull(condition, side))
  switch (type) {
    case 'left':
      return refuses(right) ? 'inner' : 'left'
    case 'right':
      return refuses(left) ? 'inner' : 'right'
    case 'full': {
      const noLeft = refuses(left)
      const noRight = refuses(right)
      return noLeft && noRight ? 'inner' : noLeft ? 'left' : noRight ? 'right' : 'full'
    }
    default:
      return type
  }
}

/** True when the condition cannot be true for a row whose columns of this side are all NULL. */
function refusesNull(condition: Expr, side: ReadonlySet<number>): boolean {
  if (condition.kind === 'is' && condition.test === 'null' && condition.negated)
    return nullWith(condition.operand, side)
  return nullWith(condition, side)
}

/** True when the expression is NULL as soon as the columns of this side are. */
function nullWith(expr: Expr, side: ReadonlySet<number>): boolean {
  if (expr.kind === 'column') return side.has(expr.column.id)
  if (expr.kind === 'call') return expr.fn.strict && expr.args.some((arg) => nullWith(arg, side))
  if (expr.kind === 'not') return nullWith(expr.operand, side)
  if (expr.kind === 'inList') return nullWith(expr.operand, side)
  return false
}

function split<T>(items: readonly T[], test: (item: T) => boolean): [readonly T[], readonly T[]] {
  if (items.length === 0) return [items, items]
  const yes: T[] = []
  const no: T[] = []
  for (const item of items) (test(item) ? yes : no).push(item)
  return [yes, no]
}
