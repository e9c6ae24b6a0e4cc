import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { Expr } from '../plan/expression.ts'
import type { SetFunction } from '../plan/logical.ts'
import type { CallExpression } from '../syntax/ast.ts'
import { BIGINT, INTEGER, type SqlType, typeName } from '../types/type.ts'
import { coerce } from './coerce.ts'
import { type BindContext, errorAt } from './context.ts'

export interface BoundSetFunction {
  readonly rows: SetFunction
  readonly args: readonly Expr[]
  readonly type: SqlType
}

/** A function in FROM. @throws 42883 for anything but generate_series over whole numbers */
export function setFunction(
  context: BindContext,
  call: CallExpression,
  name: string,
  args: readonly Expr[],
): BoundSetFunction {
  const whole = args.every(({ type }) => ['smallint', 'integer', 'bigint', 'unknown'].includes(type.id))
  if (name !== 'generate_series' || args.length < 2 || args.length > 3 || !whole)
    throw errorAt(
      context,
      call,
      SQLSTATE.undefinedFunction,
      `function ${name}(${args.map(({ type }) => typeName(type)).join(', ')}) does not exist`,
      { hint: 'The function that gives rows is generate_series(start, stop[, step]) of whole numbers.' },
    )
  const type = args.some((arg) => arg.type.id === 'bigint') ? BIGINT : INTEGER
  const typed = args.map((arg, i) => coerce(context, call.args[i] ?? call, arg, type, 'implicit'))
  return { rows: type === BIGINT ? bigSeries : series, args: typed, type }
}

const zeroStep = () => sqlError(SQLSTATE.invalidParameterValue, 'step size cannot equal zero')

function* series(start: Value, stop: Value, step: Value = 1): Generator<Value> {
  if (typeof start !== 'number' || typeof stop !== 'number' || typeof step !== 'number') return
  if (step === 0) throw zeroStep()
  for (let value = start; step > 0 ? value <= stop : value >= stop; value += step) yield value
}

function* bigSeries(start: Value, stop: Value, step: Value = 1n): Generator<Value> {
  if (typeof start !== 'bigint' || typeof stop !== 'bigint' || typeof step !== 'bigint') return
  if (step === 0n) throw zeroStep()
  for (let value = start; step > 0n ? value <= stop : value >= stop; value += step) yield value
}
