import type { Column, Expr } from '../plan/expression.ts'
import {
  columnsIn,
  comparesAlike,
  conjunctsOf,
  hasSubquery,
  isEquality,
  isVolatile,
} from '../plan/traverse.ts'

export interface JoinKeys {
  /** Equal for every pair that joins; empty: a nested loop must look at all pairs. */
  readonly keys: readonly { readonly left: Expr; readonly right: Expr }[]
  readonly residual: readonly Expr[]
}

/** Finds the equalities of a join condition that a hash table can answer. */
export function joinKeys(on: Expr, left: readonly Column[], right: readonly Column[]): JoinKeys {
  const leftIds = new Set(left.map(({ id }) => id))
  const rightIds = new Set(right.map(({ id }) => id))
  const keys: { left: Expr; right: Expr }[] = []
  const residual: Expr[] = []
  const only = (expr: Expr, own: ReadonlySet<number>, other: ReadonlySet<number>): boolean => {
    const ids = [...columnsIn(expr).keys()]
    return ids.some((id) => own.has(id)) && !ids.some((id) => other.has(id))
  }
  for (const condition of conjunctsOf(on)) {
    const [a, b] = condition.kind === 'call' ? condition.args : []
    const usable =
      isEquality(condition) && comparesAlike(condition) && !isVolatile(condition) && !hasSubquery(condition)
    if (usable && a && b && only(a, leftIds, rightIds) && only(b, rightIds, leftIds))
      keys.push({ left: a, right: b })
    else if (usable && a && b && only(b, leftIds, rightIds) && only(a, rightIds, leftIds))
      keys.push({ left: b, right: a })
    else residual.push(condition)
  }
  return { keys, residual }
}
