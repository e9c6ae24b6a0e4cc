import type { ScalarFunction } from '../../functions/function.ts'
import { interned } from '../../functions/interned.ts'
import type { Expr } from '../../plan/expression.ts'
import type { Expression } from '../../syntax/ast.ts'
import { compareValues } from '../../types/compare.ts'
import type { BindContext } from '../context.ts'
import { unify } from '../expression/coerce.ts'

/** GREATEST and LEAST skip NULLs; NULL only when all are. @throws 42804 */
export function extremeCall(
  context: BindContext,
  kind: 'greatest' | 'least',
  nodes: readonly Expression[],
  bound: readonly Expr[],
): Expr {
  const args = unify(context, nodes, bound, kind.toUpperCase())
  const { type } = args[0] as Expr
  const types = args.map((arg) => arg.type)
  const sign = kind === 'greatest' ? 1 : -1
  const make = (): ScalarFunction => ({
    name: kind,
    args: types,
    returns: type,
    strict: false,
    volatility: 'immutable',
    impl: (...values) =>
      values.reduce((best, value) => {
        if (best === null) return value
        return value !== null && compareValues(type, value, best) * sign > 0 ? value : best
      }, null),
    contextual: null,
    js: null,
  })
  return { kind: 'call', type, fn: interned(kind, types, '', make), form: 'function', args }
}
