import { SQLSTATE } from '../../errors.ts'
import type { AggregateFunction } from '../../functions/function.ts'
import {
  hypothetical,
  isOrderedSet,
  mode,
  type OrderedSetName,
  orderedSetKind,
  percentile,
} from '../../functions/ordered-set.ts'
import type { Expr } from '../../plan/expression.ts'
import type { AggregateCall, SortKey } from '../../plan/logical.ts'
import type { CallExpression, Expression } from '../../syntax/ast.ts'
import { arrayOf, DOUBLE, INTERVAL, type SqlType, typeName } from '../../types/type.ts'
import { errorAt, newColumn } from '../context.ts'
import { coerce, coerceToBoolean, settle, tryCoerce, unify } from '../expression/coerce.ts'
import type { Place } from '../place.ts'

/** Binds `name(arguments) WITHIN GROUP (ORDER BY …)`. @throws 42809, 42883 */
export function orderedSetCall(
  place: Place,
  call: CallExpression,
  name: string,
  bind: (place: Place, expression: Expression) => Expr,
): AggregateCall {
  const { context } = place
  const wrong = (message: string) => errorAt(context, call, SQLSTATE.wrongObjectType, message)
  if (!isOrderedSet(name))
    throw wrong(`${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP`)
  if (call.withinGroup.length === 0) throw wrong(`WITHIN GROUP is required for ordered-set aggregate ${name}`)
  if (call.distinct) throw wrong('cannot use DISTINCT with WITHIN GROUP')
  const direct = call.args.map((arg) => bind(place, arg))
  const keys = call.withinGroup.map(
    ({ expression, descending, nulls }): SortKey => ({
      expr: settle(context, bind(place, expression)),
      descending,
      nulls,
    }),
  )
  const filter =
    call.filter === null ? null : coerceToBoolean(context, call.filter, bind(place, call.filter), 'FILTER')
  const missing = () =>
    errorAt(
      context,
      call,
      SQLSTATE.undefinedFunction,
      `function ${name}(${[...direct, ...keys.map(({ expr }) => expr)].map(({ type }) => typeName(type)).join(', ')}) does not exist`,
      {
        hint: 'No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.',
      },
    )
  const { fn, args, orderBy } = resolved()
  return {
    column: newColumn(context, name, fn.returns),
    fn,
    args,
    distinct: false,
    filter,
    orderBy,
  }

  function resolved(): Resolved {
    const [key, second] = keys
    const ordered = name as OrderedSetName
    if (orderedSetKind(ordered) === 'hypothetical') return asIfPresent()
    if (key === undefined || second !== undefined) throw missing()
    if (ordered === 'mode') {
      if (direct.length > 0) throw missing()
      return { fn: mode(key.expr.type), args: [key.expr], orderBy: keys }
    }
    const [fraction, more] = direct
    const many = fraction?.type.element !== undefined
    const wanted = many ? arrayOf(DOUBLE) : DOUBLE
    const part = fraction === undefined ? null : tryCoerce(context, call, fraction, wanted, 'implicit')
    if (part === null || more !== undefined) throw missing()
    const continuous = key.expr.type.id === 'interval' ? INTERVAL : DOUBLE
    const type: SqlType = ordered === 'percentile_cont' ? continuous : key.expr.type
    const value = tryCoerce(context, call, key.expr, type, 'implicit')
    if (value === null) throw missing()
    const kind = ordered === 'percentile_cont' ? 'percentile_cont' : 'percentile_disc'
    return { fn: percentile(kind, type, many), args: [value, part], orderBy: [{ ...key, expr: value }] }
  }

  /** The arguments are a row that is sorted among the others: of the same types. */
  function asIfPresent(): Resolved {
    if (direct.length !== keys.length) throw missing()
    const pairs = keys.map((key, i) => {
      const nodes = [call.withinGroup[i]?.expression ?? call, call.args[i] ?? call]
      const [own, given] = unify(context, nodes, [key.expr, direct[i] as Expr], 'WITHIN GROUP')
      return {
        ...key,
        expr: own as Expr,
        given: coerce(context, call, given as Expr, (own as Expr).type, 'implicit'),
      }
    })
    const orders = pairs.map(({ expr, descending, nulls }) => ({ type: expr.type, descending, nulls }))
    return {
      fn: hypothetical(name as 'rank', orders),
      args: [...pairs.map(({ expr }) => expr), ...pairs.map(({ given }) => given)],
      orderBy: pairs.map(({ expr, descending, nulls }) => ({ expr, descending, nulls })),
    }
  }
}

interface Resolved {
  readonly fn: AggregateFunction
  readonly args: readonly Expr[]
  readonly orderBy: readonly SortKey[]
}
