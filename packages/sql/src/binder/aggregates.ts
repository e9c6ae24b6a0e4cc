import type { Expr } from '../plan/expression.ts'
import type { CallExpression, Expression } from '../syntax/ast.ts'
import type { AggregateScope } from './aggregate-scope.ts'
import { coerceToBoolean, settle } from './coerce.ts'
import { newColumn } from './context.ts'
import { aggregateFunction } from './overloads.ts'
import type { Place } from './place.ts'

/** Where the arguments of an aggregate stand. */
export const IN_AGGREGATE = 'aggregate function calls'

/** Binds a call of an aggregate to the column that will hold its value. */
export function bindAggregate(
  place: Place,
  scope: AggregateScope,
  expression: CallExpression,
  name: string,
  bind: (place: Place, expression: Expression) => Expr,
): Expr {
  const { context } = place
  return scope.within(context, expression, () => {
    const inner: Place = { ...place, windows: null, name: IN_AGGREGATE }
    const bound = expression.args.map((arg) => bind(inner, arg))
    const { fn, args } = aggregateFunction(context, expression, name, bound)
    const filter =
      expression.filter === null
        ? null
        : coerceToBoolean(context, expression.filter, bind(inner, expression.filter), 'FILTER')
    const orderBy = expression.orderBy.map(({ expression: key, descending, nulls }) => ({
      expr: settle(context, bind(inner, key)),
      descending,
      nulls,
    }))
    const column = newColumn(context, name, fn.returns)
    // Where order cannot show it is not worth keeping the rows for.
    return scope.add({
      column,
      fn,
      args,
      distinct: expression.distinct,
      filter,
      orderBy: fn.ordered ? orderBy : [],
    })
  })
}
