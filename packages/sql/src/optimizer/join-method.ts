import { isPlainIndex } from '../binder/write/stored-index.ts'
import type { IndexSchema, KeyConstraint } from '../catalog/schema.ts'
import type { Column, Expr } from '../plan/expression.ts'
import { columnsOf, type LogicalPlan, type ScanPlan } from '../plan/logical.ts'
import { knownRows } from '../plan/table-statistics.ts'
import {
  comparesAlike,
  conjunctsOf,
  hasSubquery,
  isEquality,
  isVolatile,
  someColumn,
} from '../plan/traverse.ts'

export interface JoinKey {
  readonly left: Expr
  readonly right: Expr
  /** The equality that it came from. */
  readonly condition: Expr
}

export interface JoinKeys {
  /** Equal for every pair that joins; empty: a nested loop must look at all pairs. */
  readonly keys: readonly JoinKey[]
  readonly residual: readonly Expr[]
}

/** Finds the equalities of a join condition that a hash table can answer. */
export function joinKeys(on: Expr, left: readonly Column[], right: readonly Column[]): JoinKeys {
  const leftIds = new Set(left.map(({ id }) => id))
  const rightIds = new Set(right.map(({ id }) => id))
  const keys: JoinKey[] = []
  const residual: Expr[] = []
  const only = (expr: Expr, own: ReadonlySet<number>, other: ReadonlySet<number>): boolean =>
    someColumn(expr, (id) => own.has(id)) && !someColumn(expr, (id) => other.has(id))
  for (const condition of conjunctsOf(on)) {
    const [a, b] = condition.kind === 'call' ? condition.args : []
    const usable =
      isEquality(condition) && comparesAlike(condition) && !isVolatile(condition) && !hasSubquery(condition)
    if (usable && a && b && only(a, leftIds, rightIds) && only(b, rightIds, leftIds))
      keys.push({ left: a, right: b, condition })
    else if (usable && a && b && only(b, leftIds, rightIds) && only(a, rightIds, leftIds))
      keys.push({ left: b, right: a, condition })
    else residual.push(condition)
  }
  return { keys, residual }
}

/** More left rows than this are not worth a look-up each … */
const LOOKUPS_MAX = 20
/** … unless the table is so many times as large. */
const ROWS_A_LOOKUP = 400

export interface Lookup {
  readonly scan: ScanPlan
  readonly index: IndexSchema | null
  /** Over the left side, one for each key column. */
  readonly keys: readonly Expr[]
  readonly residual: readonly Expr[]
}

/**
 * How the right side can be looked up row by row: it is a table, perhaps with conditions, and the join's
 * equalities fix a whole key of it.
 */
export function lookupFor(
  left: LogicalPlan,
  right: LogicalPlan,
  on: Expr,
  estimateRows: (plan: LogicalPlan) => number,
): Lookup | null {
  const scan = right.kind === 'filter' ? right.input : right
  if (scan.kind !== 'scan') return null
  const lookups = estimateRows(left)
  if (lookups > Math.max(LOOKUPS_MAX, (knownRows(scan.table) ?? 0) / ROWS_A_LOOKUP)) return null
  const own = right.kind === 'filter' ? conjunctsOf(right.predicate) : []
  // A table that its own conditions narrow to a few rows is read once instead.
  if (estimateRows(right) <= LOOKUPS_MAX || own.some((one) => hasSubquery(one) || isVolatile(one)))
    return null
  const { keys, residual } = joinKeys(on, columnsOf(left), columnsOf(right))
  const { primaryKey, indexes } = scan.table
  const candidates: readonly (readonly [KeyConstraint, IndexSchema | null])[] = [
    ...(primaryKey === null ? [] : [[primaryKey, null] as const]),
    ...indexes
      .filter((index) => index.unique && index.ready && isPlainIndex(index))
      .map((index) => [index, index] as const),
  ]
  for (const [key, index] of candidates) {
    const used = key.columns.map((position) =>
      keys.find(({ right: expr }) => positionOf(scan, expr) === position),
    )
    if (!used.every((one) => one !== undefined)) continue
    const others = keys.filter((one) => !used.includes(one)).map(({ condition }) => condition)
    return { scan, index, keys: used.map((one) => one.left), residual: [...others, ...residual, ...own] }
  }
  return null
}

function positionOf(scan: ScanPlan, expr: Expr): number | null {
  if (expr.kind !== 'column') return null
  return scan.columns.find(({ column }) => column.id === expr.column.id)?.position ?? null
}
