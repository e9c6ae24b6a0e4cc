import type { Value } from '@cluster/core'
import { SQLSTATE } from '../errors.ts'
import { strictly } from '../functions/generic.ts'
import { resolveSetFunction, type SetReturning } from '../functions/set-returning.ts'
import type { Expr } from '../plan/expression.ts'
import type { SetFunction } from '../plan/logical.ts'
import type { CallExpression } from '../syntax/ast.ts'
import { toArray } from '../types/array-text.ts'
import { type SqlType, TEXT, typeName } from '../types/type.ts'
import { coerce } from './coerce.ts'
import { type BindContext, errorAt } from './context.ts'

export { isSetFunction } from '../functions/set-returning.ts'

export interface BoundSetFunction {
  readonly rows: SetFunction
  readonly args: readonly Expr[]
  readonly type: SqlType
  /** What a row is made of, when it is more than one value: see `fieldOf`. */
  readonly fields: SetReturning['fields']
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
  return { rows, args: typed, type: fn.returns, fields: fn.fields }
}

/** One field of a row that a function gave packed. */
export function fieldOf(row: Expr, type: SqlType, position: number): Expr {
  const fn = strictly(
    'field',
    [TEXT],
    type,
    (packed: string) => toArray(TEXT, packed).items[position] ?? null,
  )
  return { kind: 'call', type, fn, form: 'function', args: [row] }
}
