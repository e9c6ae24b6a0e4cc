import { SQLSTATE } from '../../errors.ts'
import { needsOrder } from '../../functions/ordered-set.ts'
import type { Expr } from '../../plan/expression.ts'
import type { AggregateCall } from '../../plan/logical.ts'
import { sameExpr } from '../../plan/same-expr.ts'
import { columnsIn } from '../../plan/traverse.ts'
import type { CallExpression, Expression } from '../../syntax/ast.ts'
import { type AggregateSink, type BindContext, errorAt, newColumn, type Scope } from '../context.ts'
import { coerceToBoolean, settle } from '../expression/coerce.ts'
import { needsEquality, needsOrder as needsOrderOf } from '../expression/comparable.ts'
import { aggregateFunction } from '../expression/overloads.ts'
import type { Place } from '../place.ts'
import { orderedSetCall } from './ordered-set-call.ts'

/** Where the arguments of an aggregate stand. */
export const IN_AGGREGATE = 'aggregate function calls'

/**
 * Binds a call of an aggregate to the column that will hold its value. One whose columns are all of an outer query
 * belongs to that query.
 * @throws 42803 where there must be none
 */
export function bindAggregate(
  place: Place,
  expression: CallExpression,
  name: string,
  bind: (place: Place, expression: Expression) => Expr,
): Expr {
  const { context, aggregates } = place
  refuseBareCount(context, expression, name)
  const call = (): AggregateCall => {
    const inner: Place = {
      ...place,
      windows: null,
      sets: null,
      refusedSets: IN_AGGREGATE,
      name: IN_AGGREGATE,
    }
    if (expression.withinGroup.length > 0 || needsOrder(name))
      return orderedSetCall(inner, expression, name, bind)
    const bound = expression.args.map((arg) => bind(inner, arg))
    const { fn, args } = aggregateFunction(context, expression, name, bound)
    const filter =
      expression.filter === null
        ? null
        : coerceToBoolean(
            context,
            expression.filter,
            bind({ ...inner, aggregates: null, name: 'FILTER' }, expression.filter),
            'FILTER',
          )
    const orderBy = expression.orderBy.map(({ expression: key, descending, nulls }) => ({
      expr: settle(context, bind(inner, key)),
      descending,
      nulls,
    }))
    if (expression.distinct && orderBy.some((key) => !args.some((arg) => sameExpr(arg, key.expr))))
      throw errorAt(
        context,
        expression.orderBy[0]?.expression ?? expression,
        SQLSTATE.invalidColumnReference,
        'in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list',
      )
    if (expression.distinct)
      for (const [i, arg] of args.entries()) needsEquality(context, expression.args[i] ?? expression, arg)
    for (const [i, key] of orderBy.entries())
      needsOrderOf(context, expression.orderBy[i]?.expression ?? expression, key.expr)
    const column = newColumn(context, name, fn.returns)
    // Where order cannot show it is not worth keeping the rows for.
    const ordered = fn.ordered ? (expression.distinct && orderBy.length === 0 ? sorted(args) : orderBy) : []
    return { column, fn, args, distinct: expression.distinct, filter, orderBy: ordered }
  }
  const made = aggregates === null ? call() : aggregates.within(context, expression, call)
  const sink = sinkOf(place, made)
  if (sink !== null) return sink.add(made)
  throw errorAt(
    context,
    expression,
    SQLSTATE.groupingError,
    `aggregate functions are not allowed in ${place.name}`,
  )
}

/** @throws 42809 for `count()` */
export function refuseBareCount(context: BindContext, expression: CallExpression, name: string): void {
  if (name !== 'count' || expression.star || expression.args.length > 0) return
  throw errorAt(
    context,
    expression,
    SQLSTATE.wrongObjectType,
    'count(*) must be used to call a parameterless aggregate function',
  )
}

/** DISTINCT sorts, and where order shows it is seen that it did. */
const sorted = (args: readonly Expr[]): AggregateCall['orderBy'] =>
  args.map((expr) => ({ expr, descending: false, nulls: 'last' }))

/** The query that the aggregate is over: the innermost whose columns it names, else the one it stands in. */
function sinkOf(
  { scope, aggregates }: Place,
  { args, filter, orderBy }: AggregateCall,
): AggregateSink | null {
  const named = new Set<number>()
  for (const expr of [...args, ...(filter === null ? [] : [filter]), ...orderBy.map((key) => key.expr)])
    for (const id of columnsIn(expr).keys()) named.add(id)
  if (named.size === 0 || scope === null || holds(scope, named)) return aggregates
  for (let level = scope.outer; level !== null; level = level.outer)
    if (holds(level, named)) return level.aggregates ?? null
  return aggregates
}

const holds = ({ tables, columns }: Scope, named: ReadonlySet<number>): boolean =>
  [...columns, ...tables.flatMap((table) => table.columns)].some(({ column }) => named.has(column.id))
