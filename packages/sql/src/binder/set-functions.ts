import type { Value } from '@cluster/core'
import { SQLSTATE } from '../errors.ts'
import { resolveSetFunction } from '../functions/set-returning.ts'
import type { Expr } from '../plan/expression.ts'
import type { SetFunction } from '../plan/logical.ts'
import type { CallExpression } from '../syntax/ast.ts'
import { type SqlType, typeName } from '../types/type.ts'
import { coerce } from './coerce.ts'
import { type BindContext, errorAt } from './context.ts'

export { isSetFunction } from '../functions/set-returning.ts'

export interface BoundSetFunction {
  readonly rows: SetFunction
  readonly args: readonly Expr[]
  readonly type: SqlType
}

/** A function that gives rows. @throws 42883 when there is none of that name for these types */
export function setFunction(
  context: BindContext,
  call: CallExpression,
  name: string,
  args: readonly Expr[],
): BoundSetFunction {
  const fn = resolveSetFunction(
    name,
    args.map(({ type }) => type),
  )
  if (fn === null)
    throw errorAt(
      context,
      call,
      SQLSTATE.undefinedFunction,
      `function ${name}(${args.map(({ type }) => typeName(type)).join(', ')}) does not exist`,
      {
        hint: 'No function matches the given name and argument types. You might need to add explicit type casts.',
      },
    )
  const typed = args.map((arg, i) =>
    coerce(context, call.args[i] ?? call, arg, fn.args[i] ?? arg.type, 'explicit'),
  )
  // NULL for any argument gives no rows.
  const rows = (...values: readonly Value[]): Iterable<Value> =>
    values.includes(null) ? [] : fn.rows(...(values as readonly never[]))
  return { rows, args: typed, type: fn.returns }
}
