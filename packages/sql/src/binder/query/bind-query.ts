import { unreachable } from '@cluster/core'
import { SQLSTATE } from '../../errors.ts'
import { columnExpr } from '../../plan/build.ts'
import type { Expr } from '../../plan/expression.ts'
import type { LogicalPlan, SortKey } from '../../plan/logical.ts'
import type { Expression, Query, QueryBody, SetOperation, SortItem, Values } from '../../syntax/ast.ts'
import { BIGINT, type SqlType } from '../../types/type.ts'
import { type BindContext, type BoundQuery, errorAt, newColumn, type OutputColumn } from '../context.ts'
import { bindExpression, bindScalar } from '../expression/bind-expression.ts'
import { commonType, settle, unify } from '../expression/coerce.ts'
import { needsEquality, needsOrder } from '../expression/comparable.ts'
import type { Place } from '../place.ts'
import { EMPTY_SCOPE, type Scope } from '../scope.ts'
import { bindSelect } from './bind-select.ts'
import { bindWith, withTables } from './bind-with.ts'
import { converted } from './convert-query.ts'
import { checkLocking, lockingWord } from './locking.ts'
import { ordinalOf } from './ordinal.ts'

/**
 * Binds a query with all that surrounds it.
 * @param scope what it may refer to outside of itself; null: nothing
 */
export function bindQuery(query: Query, context: BindContext, scope: Scope | null): BoundQuery {
  const { context: inner, tables } = bindWith(context, query, scope, { bindBody, bindWrite: null })
  checkLocking(inner, query)
  const { body } = query
  const bound =
    body.kind === 'select'
      ? bindSelect(inner, body, query.orderBy, scope, lockingWord(query))
      : sorted(inner, bindBody(inner, body, scope), query.orderBy, body.kind === 'setOperation')
  const { plan, columns } = limited(inner, bound, query)
  return { plan: withTables(tables, plan), columns }
}

export function bindBody(context: BindContext, body: QueryBody, scope: Scope | null): BoundQuery {
  switch (body.kind) {
    case 'select':
      return bindSelect(context, body, [], scope)
    case 'query':
      return bindQuery(body, context, scope)
    case 'values':
      return bindValues(context, body, scope)
    case 'setOperation':
      return bindSetOperation(context, body, scope)
    default:
      return unreachable(body)
  }
}

function bindValues(context: BindContext, { rows }: Values, scope: Scope | null): BoundQuery {
  const place: Place = { context, scope, aggregates: null, name: 'VALUES' }
  const bound = rows.map((row) => row.map((item) => bindExpression(place, item)))
  const width = rows[0]?.length ?? 0
  const columns: OutputColumn[] = []
  const typed: Expr[][] = rows.map(() => [])
  for (let c = 0; c < width; c++) {
    const nodes = rows.map((row) => row[c] as Expression)
    const exprs = unify(
      context,
      nodes,
      bound.map((row) => row[c] as Expr),
      'VALUES',
    )
    for (const [r, expr] of exprs.entries()) typed[r]?.push(expr)
    const name = `column${c + 1}`
    columns.push({ name, column: newColumn(context, name, (exprs[0] as Expr).type) })
  }
  return { plan: { kind: 'values', columns: columns.map(({ column }) => column), rows: typed }, columns }
}

function bindSetOperation(context: BindContext, body: SetOperation, scope: Scope | null): BoundQuery {
  const { operator, all } = body
  const left = bindBody(context, body.left, scope)
  const right = bindBody(context, body.right, scope)
  const word = operator.toUpperCase()
  if (left.columns.length !== right.columns.length)
    throw errorAt(
      context,
      body.right,
      SQLSTATE.syntaxError,
      `each ${word} query must have the same number of columns`,
    )
  const types = left.columns.map(({ column }, i) => {
    const other = (right.columns[i] as OutputColumn).column
    return commonType(context, body, [column.type, other.type], word)
  })
  if (operator !== 'union' || !all) for (const type of types) needsEquality(context, body.left, { type })
  const columns = left.columns.map(({ name }, i) => ({
    name,
    column: newColumn(context, name, types[i] as SqlType),
  }))
  const plan: LogicalPlan = {
    kind: 'set',
    operator,
    all,
    left: converted(context, body.left, left, types),
    right: converted(context, body.right, right, types),
    columns: columns.map(({ column }) => column),
  }
  return { plan, columns }
}

/** ORDER BY of a query whose columns are all there is to sort by: set operations and VALUES. */
function sorted(
  context: BindContext,
  bound: BoundQuery,
  items: readonly SortItem[],
  setOperation: boolean,
): BoundQuery {
  if (items.length === 0) return bound
  const scope: Scope = { ...EMPTY_SCOPE, columns: bound.columns }
  const place: Place = { context, scope, aggregates: null, name: 'ORDER BY' }
  const keys = items.map((item): SortKey => {
    const { expression, descending, nulls } = item
    const ordinal = ordinalOf(context, expression, bound.columns.length, 'ORDER BY')
    const column = ordinal === null ? null : (bound.columns[ordinal] as OutputColumn).column
    if (setOperation && column === null && expression.kind !== 'column')
      throw errorAt(
        context,
        expression,
        SQLSTATE.featureNotSupported,
        'invalid UNION/INTERSECT/EXCEPT ORDER BY clause',
        {
          detail: 'Only result column names can be used, not expressions or functions.',
          hint: 'Add the expression/function to every SELECT, or move the UNION into a FROM clause.',
        },
      )
    const expr = column === null ? settle(context, bindExpression(place, expression)) : columnExpr(column)
    needsOrder(context, expression, expr)
    return {
      expr,
      descending,
      nulls,
    }
  })
  return { plan: { kind: 'sort', input: bound.plan, keys }, columns: bound.columns }
}

function limited(context: BindContext, bound: BoundQuery, query: Query): BoundQuery {
  if (query.limit === null && query.offset === null) return bound
  const limit = query.limit === null ? null : bindScalar(context, query.limit, BIGINT, 'LIMIT')
  const offset = query.offset === null ? null : bindScalar(context, query.offset, BIGINT, 'OFFSET')
  return {
    plan: {
      kind: 'limit',
      input: bound.plan,
      limit,
      offset,
      ties: query.withTies ? sortKeysOf(bound.plan) : null,
    },
    columns: bound.columns,
  }
}

/** What the rows are sorted by. */
function sortKeysOf(plan: LogicalPlan): readonly SortKey[] {
  if (plan.kind === 'sort') return plan.keys
  return plan.kind === 'distinct' ? sortKeysOf(plan.input) : []
}
