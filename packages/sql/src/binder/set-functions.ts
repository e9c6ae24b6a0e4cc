import type { Value } from '@cluster/core'
import { SQLSTATE } from '../errors.ts'
import { contextual } from '../functions/define.ts'
import type { ScalarFunction } from '../functions/function.ts'
import { strictly } from '../functions/generic.ts'
import { resolveSetFunction, type SetReturning } from '../functions/set-returning.ts'
import type { Expr } from '../plan/expression.ts'
import type { SetFunction } from '../plan/logical.ts'
import type { CallExpression } from '../syntax/ast.ts'
import { textArray, toArray } from '../types/array-text.ts'
import { arrayOf, type SqlType, TEXT, typeName } from '../types/type.ts'
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
  // The only one that asks its session: what that knows comes as an array.
  if (name === 'pg_listening_channels' && args.length === 0)
    return setFunction(context, { ...call, args: [] }, 'unnest', [listeningChannels()])
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

function listeningChannels(): Expr {
  const type = arrayOf(TEXT)
  const fn: ScalarFunction = {
    ...contextual('pg_listening_channels', [], 'array', 'stable', ({ channels }) => textArray(channels())),
    returns: type,
  }
  return { kind: 'call', type, fn, form: 'function', args: [] }
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
