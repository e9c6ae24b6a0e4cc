import type { AggregateFunction, ScalarFunction } from '../../functions/function.ts'
import { resolveAggregate, resolveFunction, resolveOperator } from '../../functions/resolve.ts'
import { variadicFunction } from '../../functions/variadic.ts'
import type { CallExpr, Expr } from '../../plan/expression.ts'
import type { Node } from '../../syntax/ast.ts'
import type { SqlType } from '../../types/type.ts'
import { type BindContext, positionOf } from '../context.ts'
import { coerce } from './coerce.ts'

export { isAggregate } from '../../functions/resolve.ts'

const typesOf = (args: readonly Expr[]): SqlType[] => args.map(({ type }) => type)

/** Arguments as the overload takes them. The choice was made, so every cast that it needs is allowed. */
function casted(context: BindContext, node: Node, args: readonly Expr[], types: readonly SqlType[]): Expr[] {
  return args.map((arg, i) => coerce(context, node, arg, types[i] ?? arg.type, 'explicit'))
}

function callOf(
  context: BindContext,
  node: Node,
  fn: ScalarFunction,
  form: CallExpr['form'],
  args: readonly Expr[],
): CallExpr {
  return { kind: 'call', type: fn.returns, fn, form, args: casted(context, node, args, fn.args) }
}

/** @throws 42883 when no operator takes these types */
export function operatorCall(
  context: BindContext,
  node: Node,
  sign: string,
  args: readonly [Expr] | readonly [Expr, Expr],
): CallExpr {
  const [first, second] = args
  const position = positionOf(context, node)
  if (second === undefined)
    return callOf(context, node, resolveOperator(sign, null, first.type, position), 'prefix', args)
  return callOf(context, node, resolveOperator(sign, first.type, second.type, position), 'infix', args)
}

/** @throws 42883 when no function of that name takes these types */
export function functionCall(
  context: BindContext,
  node: Node,
  name: string,
  args: readonly Expr[],
): CallExpr {
  const fn = resolveFunction(name, typesOf(args), positionOf(context, node))
  return callOf(context, node, fn, 'function', args)
}

/** The same where the last argument is an array of all further ones. @throws 42883, 42804 */
export function variadicCall(
  context: BindContext,
  node: Node,
  name: string,
  args: readonly Expr[],
): CallExpr {
  const fn = variadicFunction(name, typesOf(args), positionOf(context, node))
  return callOf(context, node, fn, 'function', args)
}

export interface BoundAggregate {
  readonly fn: AggregateFunction
  readonly args: readonly Expr[]
}

/** @throws 42883 */
export function aggregateFunction(
  context: BindContext,
  node: Node,
  name: string,
  args: readonly Expr[],
): BoundAggregate {
  const fn = resolveAggregate(name, typesOf(args), positionOf(context, node))
  return { fn, args: casted(context, node, args, fn.args) }
}
