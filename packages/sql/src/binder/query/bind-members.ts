import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { canCast, castFor } from '../../functions/cast.ts'
import { loosely, strictly } from '../../functions/generic.ts'
import { interned } from '../../functions/interned.ts'
import { memberAt, withMember } from '../../functions/json/subscript.ts'
import type { CallExpr, Expr } from '../../plan/expression.ts'
import type { Expression, Node } from '../../syntax/ast.ts'
import { INTEGER, JSONB, TEXT, typeName } from '../../types/type.ts'
import { type BindContext, errorAt } from '../context.ts'
import { coerce } from '../expression/coerce.ts'

/** One subscript of a jsonb. */
interface Subscript {
  readonly slice: boolean
  readonly lower: Expression | null
}

interface Keys {
  /** Texts, all of them. */
  readonly keys: readonly Expr[]
  /** True when the first one is a number. */
  readonly list: boolean
}

/** @throws 42804 for slices and for what is neither number nor text */
function bindKeys(
  context: BindContext,
  node: Node,
  chain: readonly Subscript[],
  bind: (part: Expression) => Expr,
): Keys {
  let list = false
  const keys = chain.map(({ slice, lower }, i) => {
    if (slice || lower === null)
      throw errorAt(context, node, SQLSTATE.datatypeMismatch, 'jsonb subscript does not support slices')
    const key = bind(lower)
    const { type } = key
    const wanted =
      type.id === 'unknown' ? TEXT : [INTEGER, TEXT].find((one) => canCast(type, one, 'implicit'))
    if (wanted === undefined)
      throw errorAt(
        context,
        lower,
        SQLSTATE.datatypeMismatch,
        `subscript type ${typeName(type)} is not supported`,
        { hint: 'jsonb subscript must be coercible to either integer or text.' },
      )
    if (wanted === INTEGER && i === 0) list = true
    const cast = coerce(context, lower, key, wanted, 'implicit')
    return castFor(wanted, TEXT, 'implicit') === 'same'
      ? cast
      : coerce(context, lower, cast, TEXT, 'explicit')
  })
  return { keys, list }
}

/** `j['a'][2]`. @throws 42804 */
export function bindMembers(
  context: BindContext,
  node: Node,
  chain: readonly Subscript[],
  operand: Expr,
  bind: (part: Expression) => Expr,
): CallExpr {
  const { keys } = bindKeys(context, node, chain, bind)
  const types = [JSONB, ...keys.map(() => TEXT)]
  const fn = interned('subscript', types, 'jsonb', () =>
    strictly('subscript', types, JSONB, (text: string, ...path: readonly string[]) => memberAt(text, path)),
  )
  return { kind: 'call', type: JSONB, fn, form: 'function', args: [operand, ...keys] }
}

/** `j['a'][2] = put`: the new value of all of it. @throws 42804 */
export function assignMember(
  context: BindContext,
  node: Node,
  chain: readonly Subscript[],
  old: Expr,
  put: Expr,
  bind: (part: Expression) => Expr,
): CallExpr {
  const { keys, list } = bindKeys(context, node, chain, bind)
  const types = [JSONB, JSONB, ...keys.map(() => TEXT)]
  const fn = interned('assign_member', types, String(list), () =>
    loosely('assign_member', types, JSONB, (text: Value, item: Value, ...path: readonly Value[]) => {
      if (path.includes(null)) throw sqlError('22004', 'jsonb subscript in assignment must not be null')
      return withMember(text as string | null, path as readonly string[], (item ?? 'null') as string, list)
    }),
  )
  return { kind: 'call', type: JSONB, fn, form: 'function', args: [old, put, ...keys] }
}
