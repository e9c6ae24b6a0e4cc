import { SQLSTATE } from '../../errors.ts'
import type { Expr } from '../../plan/expression.ts'
import type { CallExpression, Expression } from '../../syntax/ast.ts'
import { errorAt, newColumn } from '../context.ts'
import { positional } from '../expression/named-arguments.ts'
import type { Place } from '../place.ts'
import { IN_AGGREGATE } from './aggregates.ts'
import { setFunction } from './set-functions.ts'

/** Inside of what may leave a value out, no function gives rows. */
export const alwaysOne = (place: Place, name: string): Place =>
  place.sets == null ? place : { ...place, sets: null, refusedSets: name }

/** A function that gives rows, in a select list. @throws 0A000 anywhere else */
export function bindSetCall(
  place: Place,
  expression: CallExpression,
  name: string,
  bind: (place: Place, expression: Expression) => Expr,
): Expr {
  const { context } = place
  if (place.sets == null) throw refused(place, expression)
  const bound = positional(context, expression, name, expression.args).map((arg) => bind(place, arg))
  const { rows, args, type } = setFunction(context, expression, name, bound)
  const column = newColumn(context, name, type)
  return place.sets.add({ name, args, column, rows, node: expression })
}

function refused({ context, name, refusedSets }: Place, expression: CallExpression) {
  const hint = 'You might be able to move the set-returning function into a LATERAL FROM item.'
  const why =
    name === IN_AGGREGATE
      ? 'aggregate function calls cannot contain set-returning function calls'
      : `set-returning functions are not allowed in ${refusedSets ?? name}`
  const movable = name === IN_AGGREGATE || refusedSets !== undefined
  return errorAt(context, expression, SQLSTATE.featureNotSupported, why, movable ? { hint } : {})
}
