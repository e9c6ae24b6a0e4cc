import type { Value } from '@cluster/core'
import { SQLSTATE, withPosition } from '../../errors.ts'
import { type CastContext, castFor, commonType as commonTypeOf, relativeCast } from '../../functions/cast.ts'
import { constant } from '../../plan/build.ts'
import type { Expr } from '../../plan/expression.ts'
import type { Node } from '../../syntax/ast.ts'
import {
  BOOLEAN,
  formatType,
  type SqlType,
  sameType,
  TEXT,
  typeCategory,
  typeName,
  unmodified,
} from '../../types/type.ts'
import { type BindContext, errorAt, positionOf } from '../context.ts'

/**
 * The expression as a value of the type. A literal of no type is read at once, so that a wrong one is
 * reported where it stands; a parameter that nothing has decided becomes one of this type.
 * @throws 42804 when there is no cast in this context
 */
export function coerce(context: BindContext, node: Node, expr: Expr, type: SqlType, how: CastContext): Expr {
  const cast = tryCoerce(context, node, expr, type, how)
  if (cast !== null) return cast
  throw errorAt(
    context,
    node,
    how === 'explicit' ? SQLSTATE.cannotCoerce : SQLSTATE.datatypeMismatch,
    `cannot ${how === 'explicit' ? 'cast' : 'convert'} type ${typeName(expr.type)} to ${typeName(type)}`,
  )
}

/** As `coerce`, but null where there is no such cast. */
export function tryCoerce(
  context: BindContext,
  node: Node,
  expr: Expr,
  type: SqlType,
  how: CastContext,
): Expr | null {
  if (type.id === 'unknown') return expr
  if (expr.kind === 'parameter' && expr.type.id === 'unknown') {
    // It takes no modifiers from where it stands: the value is fitted behind it.
    context.parameters.decide(expr.index, unmodified(type))
    const decided = context.parameters.use(expr.index) ?? type
    return tryCoerce(context, node, { ...expr, type: decided }, type, how)
  }
  if (sameType(expr.type, type)) return expr
  const relative =
    expr.kind === 'constant' && expr.type.id === 'unknown' ? relativeCast(expr.value, type) : null
  const fn = relative ?? castFor(expr.type, type, how)
  if (fn === null) return null
  if (fn === 'same') return { ...expr, type }
  if (expr.kind === 'constant') {
    if (expr.value === null) return constant(type, null)
    if (expr.type.id === 'unknown' && fn.volatility === 'immutable')
      return constant(
        type,
        convert(context, node, () => fn.impl(expr.value)),
      )
  }
  return { kind: 'call', type, fn, form: 'cast', args: [expr] }
}

function convert(context: BindContext, node: Node, run: () => Value): Value {
  try {
    return run()
  } catch (error) {
    const position = positionOf(context, node)
    throw position === undefined ? error : withPosition(error, position)
  }
}

/** CAST. @throws 42846 */
export function explicitCast(context: BindContext, node: Node, expr: Expr, type: SqlType): Expr {
  return coerce(context, node, expr, type, 'explicit')
}

/** @throws 42804 */
export function coerceToBoolean(context: BindContext, node: Node, expr: Expr, word: string): Expr {
  const cast = tryCoerce(context, node, expr, BOOLEAN, 'implicit')
  if (cast !== null) return cast
  throw errorAt(
    context,
    node,
    SQLSTATE.datatypeMismatch,
    `argument of ${word} must be type boolean, not type ${formatType(expr.type)}`,
  )
}

/** An expression whose type nothing will decide any more: what is still unknown is text. */
export function settle(context: BindContext, expr: Expr): Expr {
  if (expr.type.id !== 'unknown') return expr
  return coerce(context, { span: { start: 0, end: 0 } }, expr, TEXT, 'implicit')
}

/** The type that all can take. @throws 42804, 42846 */
export function commonType(
  context: BindContext,
  node: Node,
  types: readonly SqlType[],
  word: string,
): SqlType {
  const common = commonTypeOf(types)
  if ('type' in common) return common.type
  const [one, other] = common.clash
  // Types of one category go together as such; what fails is making one of the other.
  if (typeCategory(one.id) === typeCategory(other.id))
    throw errorAt(
      context,
      node,
      SQLSTATE.cannotCoerce,
      `${word === 'CASE' ? 'CASE/WHEN' : word} could not convert type ${typeName(other)} to ${typeName(one)}`,
    )
  throw errorAt(
    context,
    node,
    SQLSTATE.datatypeMismatch,
    `${word} types ${typeName(one)} and ${typeName(other)} cannot be matched`,
  )
}

/** All expressions as values of one type. @throws 42804, 42846 */
export function unify(
  context: BindContext,
  nodes: readonly Node[],
  exprs: readonly Expr[],
  word: string,
): Expr[] {
  const type = commonType(
    context,
    nodes.at(-1) as Node,
    exprs.map((expr) => expr.type),
    word,
  )
  return exprs.map((expr, i) => coerce(context, nodes[i] as Node, expr, type, 'implicit'))
}
