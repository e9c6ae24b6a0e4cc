import { SQLSTATE } from '../../errors.ts'
import { commonType as commonTypeOf } from '../../functions/cast.ts'
import {
  isWindowFunction,
  type WindowFunctionName,
  windowArguments,
  windowResult,
} from '../../functions/window.ts'
import type { Expr } from '../../plan/expression.ts'
import type { Frame, SortKey, WindowFunction } from '../../plan/logical.ts'
import type { CallExpression, Expression, SortItem, WindowFrame, WindowSpec } from '../../syntax/ast.ts'
import { INTEGER, typeName } from '../../types/type.ts'
import { type BindContext, errorAt, newColumn } from '../context.ts'
import { coerce, coerceToBoolean, settle, tryCoerce } from '../expression/coerce.ts'
import { aggregateFunction, isAggregate } from '../expression/overloads.ts'
import type { Place } from '../place.ts'
import { refuseBareCount } from './aggregates.ts'
import { bindFrame } from './window-frame.ts'
import type { WindowScope } from './window-scope.ts'

type Bind = (place: Place, expression: Expression) => Expr

/** Binds a call with OVER to the column that will hold its value. */
export function bindWindowCall(
  place: Place,
  scope: WindowScope,
  expression: CallExpression,
  name: string,
  bind: Bind,
): Expr {
  const { context } = place
  const isPlain = isWindowFunction(name)
  checkCall(context, expression, name, isPlain)
  return scope.within(context, expression, () => {
    const inner: Place = { ...place, sets: null, name: 'window function calls' }
    const bound = expression.args.map((arg) => bind(inner, arg))
    const { fn, args } = isPlain
      ? plainFunction(context, expression, name, bound)
      : aggregateOver(context, expression, name, bound)
    const filter =
      expression.filter === null
        ? null
        : coerceToBoolean(context, expression.filter, bind(inner, expression.filter), 'FILTER')
    const window = windowOf(context, scope, expression)
    const defining: Place = { ...place, windows: null, sets: null, name: 'window definitions' }
    const partitionBy = window.partitionBy.map((part) => settle(context, bind(defining, part)))
    const orderBy = window.orderBy.map(
      ({ expression: key, descending, nulls }): SortKey => ({
        expr: settle(context, bind(defining, key)),
        descending,
        nulls,
      }),
    )
    const returns = fn.kind === 'aggregate' ? fn.aggregate.returns : windowResult(fn.name)
    const column = newColumn(context, name, returns ?? (args[0] as Expr).type)
    const frame = frameOf(place, window, orderBy, bind)
    return scope.add({ column, fn, args, filter, frame, partitionBy, orderBy, node: expression })
  })
}

/** @throws 42809, 0A000 for what cannot stand before OVER */
function checkCall(context: BindContext, call: CallExpression, name: string, isPlain: boolean): void {
  const refuse = (what: string) => errorAt(context, call, SQLSTATE.featureNotSupported, what)
  if (call.withinGroup.length > 0) throw refuse(`OVER is not supported for ordered-set aggregate ${name}`)
  if (!isPlain && !isAggregate(name))
    throw errorAt(
      context,
      call,
      SQLSTATE.wrongObjectType,
      `OVER specified, but ${name} is not a window function nor an aggregate function`,
    )
  if (call.distinct) throw refuse('DISTINCT is not implemented for window functions')
  if (call.orderBy.length > 0) throw refuse('aggregate ORDER BY is not implemented for window functions')
  if (isPlain && call.filter !== null)
    throw refuse('FILTER is not implemented for non-aggregate window functions')
}

interface Resolved {
  readonly fn: WindowFunction
  readonly args: readonly Expr[]
}

function aggregateOver(
  context: BindContext,
  call: CallExpression,
  name: string,
  bound: readonly Expr[],
): Resolved {
  refuseBareCount(context, call, name)
  const { fn, args } = aggregateFunction(context, call, name, bound)
  return { fn: { kind: 'aggregate', aggregate: fn }, args }
}

/** @throws 42883 */
function plainFunction(
  context: BindContext,
  call: CallExpression,
  name: WindowFunctionName,
  bound: readonly Expr[],
): Resolved {
  const wanted = windowArguments(name, bound.length)
  const missing = () =>
    errorAt(
      context,
      call,
      SQLSTATE.undefinedFunction,
      `function ${name}(${bound.map(({ type }) => typeName(type)).join(', ')}) does not exist`,
      {
        hint: 'No function matches the given name and argument types. You might need to add explicit type casts.',
      },
    )
  if (wanted === null || call.star) throw missing()
  const at = wanted.flatMap((kind, i) => (kind === 'value' ? [i] : []))
  const common = commonTypeOf(at.map((i) => (bound[i] as Expr).type))
  if (!('type' in common)) throw missing()
  const values = at.map((i) =>
    coerce(context, call.args[i] ?? call, bound[i] as Expr, common.type, 'implicit'),
  )
  const args = wanted.map((kind, i) => {
    if (kind === 'value') return settle(context, values[at.indexOf(i)] as Expr)
    const cast = tryCoerce(context, call.args[i] ?? call, bound[i] as Expr, INTEGER, 'implicit')
    if (cast === null) throw missing()
    return cast
  })
  return { fn: { kind: 'function', name }, args }
}

interface Window {
  readonly partitionBy: readonly Expression[]
  readonly orderBy: readonly SortItem[]
  readonly frame: WindowFrame | null
}

/** The window that OVER means, with what it takes over from windows it is made of. @throws 42704, 42P20 */
function windowOf(context: BindContext, scope: WindowScope, { over }: CallExpression): Window {
  if (over === null) throw new TypeError('a window function without OVER')
  if (over.kind === 'window') return completed(context, scope, over, true)
  const found = scope.definitions.get(over.name)
  if (found === undefined)
    throw errorAt(context, over, SQLSTATE.undefinedObject, `window "${over.name}" does not exist`)
  return completed(context, scope, found, false)
}

function completed(context: BindContext, scope: WindowScope, spec: WindowSpec, inOver: boolean): Window {
  const { base } = spec
  if (base === null) return spec
  const definition = scope.definitions.get(base.name)
  // A window sees those defined before it only, so it cannot be made of itself.
  const names = [...scope.definitions.keys()]
  const own = names.find((name) => scope.definitions.get(name) === spec)
  const late = own !== undefined && names.indexOf(base.name) >= names.indexOf(own)
  if (definition === undefined || late)
    throw errorAt(context, base, SQLSTATE.undefinedObject, `window "${base.name}" does not exist`)
  const whole = completed(context, scope, definition, false)
  const refuse = (message: string, hint?: string) =>
    errorAt(context, base, SQLSTATE.windowingError, message, hint === undefined ? {} : { hint })
  if (spec.partitionBy.length > 0)
    throw refuse(`cannot override PARTITION BY clause of window "${base.name}"`)
  if (spec.orderBy.length > 0 && whole.orderBy.length > 0)
    throw refuse(`cannot override ORDER BY clause of window "${base.name}"`)
  if (whole.frame !== null) {
    const bare = inOver && spec.orderBy.length === 0 && spec.frame === null
    throw refuse(
      `cannot copy window "${base.name}" because it has a frame clause`,
      bare ? 'Omit the parentheses in this OVER clause.' : undefined,
    )
  }
  return {
    partitionBy: whole.partitionBy,
    orderBy: spec.orderBy.length > 0 ? spec.orderBy : whole.orderBy,
    frame: spec.frame,
  }
}

const wholeFrame: Frame = {
  mode: 'range',
  start: { kind: 'unbounded preceding' },
  end: { kind: 'current row' },
  exclude: 'no others',
}

function frameOf(place: Place, { frame }: Window, orderBy: readonly SortKey[], bind: Bind): Frame {
  return frame === null ? wholeFrame : bindFrame(place, frame, orderBy, bind)
}
