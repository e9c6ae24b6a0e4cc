import type { Value } from '@cluster/core'
import { SQLSTATE } from '../../errors.ts'
import { contextual } from '../../functions/define.ts'
import type { ScalarFunction } from '../../functions/function.ts'
import { isPopulate, resolvePopulate } from '../../functions/json/populate.ts'
import { numberedAcl } from '../../functions/privileges.ts'
import { resolveSetFunction } from '../../functions/set-returning.ts'
import type { Expr } from '../../plan/expression.ts'
import type { SetFunction } from '../../plan/logical.ts'
import type { CallExpression } from '../../syntax/ast.ts'
import { textArray } from '../../types/array-text.ts'
import { arrayOf, type RecordField, type SqlType, TEXT, typeName } from '../../types/type.ts'
import { type BindContext, errorAt } from '../context.ts'
import { coerce } from '../expression/coerce.ts'

export interface BoundSetFunction {
  readonly rows: SetFunction
  readonly args: readonly Expr[]
  readonly type: SqlType
}

/**
 * A function that gives rows.
 * @param definition the columns that the call declares for rows of no type
 * @throws 42883 when there is none of that name for these types
 */
export function setFunction(
  context: BindContext,
  call: CallExpression,
  name: string,
  args: readonly Expr[],
  definition: readonly RecordField[] | null = null,
): BoundSetFunction {
  // The only one that asks its session: what that knows comes as an array.
  if (name === 'pg_listening_channels' && args.length === 0)
    return setFunction(context, { ...call, args: [] }, 'unnest', [listeningChannels()])
  // Its roles are told by name, and their numbers are known to the session.
  if (name === 'aclexplode' && args.length === 1) {
    const type = arrayOf(TEXT)
    const list = args.map((arg, i) => coerce(context, call.args[i] ?? call, arg, type, 'explicit'))
    args = [{ kind: 'call', type, fn: numberedAcl, form: 'function', args: list }]
  }
  const types = args.map(({ type }) => type)
  // It could be an array or a multirange.
  if (name === 'unnest' && types.length === 1 && types[0]?.id === 'unknown')
    throw errorAt(context, call, SQLSTATE.ambiguousFunction, 'function unnest(unknown) is not unique', {
      hint: 'Could not choose a best candidate function. You might need to add explicit type casts.',
    })
  const populate = isPopulate(name) ? resolvePopulate(name, types, definition) : null
  const fn = populate === null ? resolveSetFunction(name, types) : null
  const found = populate ?? fn
  if (found === null)
    throw errorAt(
      context,
      call,
      SQLSTATE.undefinedFunction,
      `function ${name}(${types.map(typeName).join(', ')}) does not exist`,
      {
        hint: 'No function matches the given name and argument types. You might need to add explicit type casts.',
      },
    )
  const typed = args.map((arg, i) =>
    coerce(context, call.args[i] ?? call, arg, found.args[i] ?? arg.type, 'explicit'),
  )
  if (populate !== null) return { rows: populate.rows, args: typed, type: populate.returns }
  // NULL for any argument gives no rows.
  const rows = (...values: readonly Value[]): Iterable<Value> =>
    values.includes(null) ? [] : found.rows(...(values as readonly never[]))
  return { rows, args: typed, type: found.returns }
}

function listeningChannels(): Expr {
  const type = arrayOf(TEXT)
  const fn: ScalarFunction = {
    ...contextual('pg_listening_channels', [], 'array', 'stable', (context) => textArray(context.channels())),
    returns: type,
  }
  return { kind: 'call', type, fn, form: 'function', args: [] }
}
