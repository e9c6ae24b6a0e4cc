import type { Value } from '@cluster/core'
import type { ScalarFunction } from '../functions/function.ts'
import { sameType } from '../types/type.ts'
import type { Expr } from './expression.ts'
import { childrenOf, isSubquery } from './traverse.ts'

/** True when both compute the same value by the same steps. Subqueries are the same only as one object. */
export function sameExpr(a: Expr, b: Expr): boolean {
  if (a === b) return true
  if (a.kind !== b.kind || isSubquery(a) || !sameType(a.type, b.type) || !sameNode(a, b)) return false
  const left = childrenOf(a)
  const right = childrenOf(b)
  return left.length === right.length && left.every((child, i) => sameExpr(child, right[i] as Expr))
}

/** Functions that take any type are made anew for each call: their name and their types tell which they are. */
function sameFunction(a: ScalarFunction, b: ScalarFunction): boolean {
  if (a === b) return true
  return (
    a.name === b.name &&
    a.args.length === b.args.length &&
    sameType(a.returns, b.returns) &&
    a.args.every((type, i) => sameType(type, b.args[i] as typeof type))
  )
}

function sameValue(a: Value, b: Value): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array)
    return a.length === b.length && a.every((byte, i) => byte === b[i])
  return Object.is(a, b)
}

function sameNode(a: Expr, b: Expr): boolean {
  if (a.kind === 'constant' && b.kind === 'constant') return sameValue(a.value, b.value)
  if (a.kind === 'parameter' && b.kind === 'parameter') return a.index === b.index
  if (a.kind === 'column' && b.kind === 'column') return a.column.id === b.column.id
  if (a.kind === 'call' && b.kind === 'call')
    // A cast is known by its types, which were compared.
    return (
      (sameFunction(a.fn, b.fn) && a.fn.volatility !== 'volatile') || (a.form === 'cast' && b.form === 'cast')
    )
  if (a.kind === 'is' && b.kind === 'is') return a.test === b.test && a.negated === b.negated
  if (a.kind === 'distinctFrom' && b.kind === 'distinctFrom') return a.negated === b.negated
  if (a.kind === 'inList' && b.kind === 'inList') return a.negated === b.negated
  return true
}
