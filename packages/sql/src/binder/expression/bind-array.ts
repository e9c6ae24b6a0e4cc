import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { arrayMaker } from '../../functions/array.ts'
import { type CastContext, castFor } from '../../functions/cast.ts'
import type { ScalarFunction } from '../../functions/function.ts'
import { loosely, strictly } from '../../functions/generic.ts'
import { interned } from '../../functions/interned.ts'
import { resolveAggregate } from '../../functions/resolve.ts'
import { columnExpr, constant } from '../../plan/build.ts'
import type { CallExpr, ColumnExpr, Expr } from '../../plan/expression.ts'
import type {
  ArrayExpression,
  ArrayQueryExpression,
  Expression,
  QuantifiedArrayExpression,
  SubscriptExpression,
} from '../../syntax/ast.ts'
import { itemAt, sliceOf } from '../../types/array.ts'
import { fromArray, toArray } from '../../types/array-text.ts'
import {
  arrayOf,
  BOOLEAN,
  elementOf,
  INTEGER,
  type SqlType,
  TEXT,
  typeName,
  unmodified,
} from '../../types/type.ts'
import { type BindContext, type BoundQuery, errorAt, newColumn } from '../context.ts'
import { bindMembers } from '../query/bind-members.ts'
import { coerce, settle, unify } from './coerce.ts'
import { operatorCall } from './overloads.ts'

type Bind = (expression: Expression) => Expr

const call = (fn: ScalarFunction, args: readonly Expr[]): CallExpr => ({
  kind: 'call',
  type: fn.returns,
  fn,
  form: 'function',
  args,
})

/**
 * `ARRAY[…]`.
 * @param wanted the array's type when a cast stands around it; null: the items decide
 * @throws 42P18 for an empty one without a cast
 */
export function bindArray(
  context: BindContext,
  expression: ArrayExpression,
  bind: Bind,
  wanted: SqlType | null = null,
): Expr {
  const { items } = expression
  if (items.length === 0) {
    if (wanted !== null) return constant(wanted, '{}')
    throw errorAt(
      context,
      expression,
      SQLSTATE.indeterminateDatatype,
      'cannot determine type of empty array',
      {
        hint: 'Explicitly cast to the desired type, for example ARRAY[]::integer[].',
      },
    )
  }
  const bound = items.map((item) =>
    item.kind === 'array' ? bindArray(context, item, bind, wanted) : bind(item),
  )
  const element = wanted === null ? null : elementOf(wanted)
  const typed =
    element === null
      ? unify(context, items, bound, 'ARRAY')
      : bound.map((expr, i) => {
          const type = expr.type.element === undefined ? element : arrayOf(element)
          return coerce(context, items[i] as Expression, expr, type, 'explicit')
        })
  const [first] = typed as [Expr]
  const type = first.type.element === undefined ? unmodified(first.type) : first.type
  const fn = interned('array', [type], String(typed.length), () => arrayMaker(type, typed.length))
  return call(fn, typed)
}

/** `ARRAY(query)`: the only column of all rows, in their order; an empty array without rows. */
export function bindArrayQuery(
  context: BindContext,
  expression: ArrayQueryExpression,
  { plan, columns }: BoundQuery,
): Expr {
  const [only] = columns
  if (only === undefined || columns.length !== 1)
    throw errorAt(context, expression, SQLSTATE.syntaxError, 'subquery must return only one column')
  const value = settle(context, columnExpr(only.column))
  const fn = resolveAggregate('array_agg', [value.type])
  const column = newColumn(context, 'array', fn.returns)
  const collected: Expr = {
    kind: 'scalarQuery',
    type: fn.returns,
    column,
    plan: {
      kind: 'aggregate',
      input: plan,
      groups: [],
      sets: null,
      calls: [{ column, fn, args: [value], distinct: false, filter: null, orderBy: [] }],
    },
  }
  return { kind: 'coalesce', type: fn.returns, args: [collected, constant(fn.returns, '{}')] }
}

/** `name[0]`, as tools ask whether a name of the catalog begins with an underscore: PostgreSQL's names are arrays of bytes. */
const isFirst = ([only, ...more]: readonly SubscriptExpression[]): boolean =>
  more.length === 0 && only?.slice === false && only.lower?.kind === 'number' && only.lower.text === '0'

/** `array[…][…]`, with slices if any bound has a colon; a jsonb takes keys and positions. */
export function bindSubscript(context: BindContext, expression: SubscriptExpression, bind: Bind): Expr {
  const chain: SubscriptExpression[] = []
  let base: Expression = expression
  while (base.kind === 'subscript') {
    chain.unshift(base)
    base = base.operand
  }
  const operand = bind(base)
  if (operand.type.id === 'jsonb') return bindMembers(context, expression, chain, operand, bind)
  if (operand.type.id === 'text' && isFirst(chain)) {
    const fn = strictly('subscript', [TEXT], TEXT, (text: string) => [...text][0] ?? '')
    return call(fn, [operand])
  }
  if (operand.type.element === undefined)
    throw errorAt(
      context,
      base,
      SQLSTATE.datatypeMismatch,
      `cannot subscript type ${typeName(operand.type)} because it does not support subscripting`,
    )
  const position = (part: Expression | null): Expr =>
    part === null ? constant(INTEGER, null) : coerce(context, part, bind(part), INTEGER, 'assignment')
  const element = elementOf(operand.type)
  if (!chain.some(({ slice }) => slice)) {
    const subscripts = chain.map(({ lower }) => position(lower))
    const types = [operand.type, ...subscripts.map(() => INTEGER)]
    const fn = interned('subscript', types, '', () =>
      strictly('subscript', types, element, (text: string, ...at: readonly number[]) => {
        const array = toArray(element, text)
        const found = itemAt(array, at)
        return found === null ? null : (array.items[found] ?? null)
      }),
    )
    return call(fn, [operand, ...subscripts])
  }
  const open = chain.map(
    ({ lower, upper, slice }) => [slice && lower === null, slice && upper === null] as const,
  )
  const bounds = chain.flatMap(({ lower, upper, slice }) =>
    slice ? [position(lower), position(upper)] : [constant(INTEGER, 1), position(lower)],
  )
  const fn = interned('slice', [operand.type, ...bounds.map(() => INTEGER)], JSON.stringify(open), () =>
    loosely(
      'slice',
      [operand.type, ...bounds.map(() => INTEGER)],
      operand.type,
      (text: Value, ...at: readonly Value[]) => {
        if (text === null) return null
        // A bound that is NULL, not left out, gives NULL.
        if (at.some((bound, i) => bound === null && open[i >> 1]?.[i % 2] !== true)) return null
        const pairs = chain.map(
          (_, i) => [at[i * 2] as number | null, at[i * 2 + 1] as number | null] as const,
        )
        return fromArray(element, sliceOf(toArray(element, text as string), pairs))
      },
    ),
  )
  return call(fn, [operand, ...bounds])
}

/**
 * `left operator ANY (array)`, `left operator ALL (array)`.
 * @throws 42809 for what is no array, 42883
 */
export function bindQuantifiedArray(
  context: BindContext,
  expression: QuantifiedArrayExpression,
  bind: Bind,
): Expr {
  const { quantifier, operator } = expression
  const left = bind(expression.left)
  const bound =
    expression.array.kind === 'array' && left.type.id !== 'unknown' && expression.array.items.length === 0
      ? constant(arrayOf(left.type), '{}')
      : bind(expression.array)
  const array =
    bound.type.id === 'unknown'
      ? coerce(context, expression.array, bound, arrayOf(unmodified(settle(context, left).type)), 'implicit')
      : bound
  if (array.type.element === undefined)
    throw errorAt(
      context,
      expression.array,
      SQLSTATE.wrongObjectType,
      'op ANY/ALL (array) requires array on right side',
    )
  const element = elementOf(array.type)
  const item: ColumnExpr = columnExpr(newColumn(context, 'item', element))
  const test = operatorCall(context, { span: expression.operatorSpan }, operator, [left, item])
  if (test.type.id !== 'boolean')
    throw errorAt(
      context,
      expression,
      SQLSTATE.wrongObjectType,
      'op ANY/ALL (array) requires operator to yield boolean',
    )
  const [operand] = test.args as [Expr, Expr]
  const type = test.fn.args[1] as SqlType
  const items = constantItems(array, type)
  const listed = (operator === '=' && quantifier === 'any') || (operator === '<>' && quantifier === 'all')
  if (items !== null && items.length > 0 && listed) {
    const equal = operator === '=' ? test : operatorCall(context, expression, '=', [left, item])
    return { kind: 'inList', type: BOOLEAN, operand, list: items, equal, negated: operator === '<>' }
  }
  return call(quantified(test.fn, operand.type, array.type, type, quantifier), [operand, array])
}

/** The items when all of them are known now, as values of the type that the operator takes. */
function constantItems(array: Expr, type: SqlType): readonly Expr[] | null {
  const element = elementOf(array.type)
  const convert = itemCast(element, type, 'explicit')
  if (convert === null) return null
  if (array.kind === 'constant' && typeof array.value === 'string')
    return toArray(element, array.value).items.map((value) => constant(type, convert(value)))
  if (array.kind !== 'call' || array.fn.name !== 'array') return null
  const values = array.args.map((arg) =>
    arg.kind === 'constant' && arg.type.element === undefined ? constant(type, convert(arg.value)) : null,
  )
  return values.every((value) => value !== null) ? values : null
}

function itemCast(from: SqlType, to: SqlType, how: CastContext): ((value: Value) => Value) | null {
  const cast = castFor(from, to, how)
  if (cast === null || (cast !== 'same' && cast.contextual !== null)) return null
  return (value) => (cast === 'same' || value === null ? value : cast.impl(value))
}

/** NULL items make the answer NULL unless another one decides. */
function quantified(
  test: ScalarFunction,
  left: SqlType,
  array: SqlType,
  type: SqlType,
  quantifier: 'any' | 'all',
): ScalarFunction {
  const element = elementOf(array)
  const convert = itemCast(element, type, 'explicit')
  if (convert === null || test.contextual !== null)
    throw sqlError(
      SQLSTATE.featureNotSupported,
      `${quantifier.toUpperCase()} over ${typeName(array)} is not supported`,
    )
  const decides = quantifier === 'any'
  return loosely(quantifier, [left, array], BOOLEAN, (value: Value, text: Value) => {
    if (text === null) return null
    let unknown = false
    for (const item of toArray(element, text as string).items) {
      const result = value === null || item === null ? null : test.impl(value, convert(item))
      if (result === decides) return decides
      if (result === null) unknown = true
    }
    return unknown ? null : !decides
  })
}
