import { EXPRESSION, type IndexSchema } from '../catalog/schema.ts'
import type { CallExpr, Expr } from '../plan/expression.ts'
import type { ScanPlan } from '../plan/logical.ts'
import type { Access, Bound } from '../plan/physical.ts'
import { columnsIn, comparesAlike, hasSubquery, isVolatile } from '../plan/traverse.ts'
import { type Canonical, canonicalOver, covers, shapeOf } from './index-match.ts'

/** Most keys that a scan looks up one by one; with more, reading the range is no worse. */
const KEYS_MAX = 1_000

export interface ChosenAccess {
  readonly access: Access
  /** Conditions that the access has not answered. */
  readonly rest: readonly Expr[]
}

/** A condition that ties a column of the table to values known before the scan. */
type Tie =
  | { readonly kind: 'equal'; readonly values: readonly Expr[] }
  | { readonly kind: 'lower' | 'upper'; readonly bound: Bound }

interface Tied {
  readonly condition: Expr
  /** The position of a column, or an expression in canonical form. */
  readonly operand: number | string
  readonly tie: Tie
}

/**
 * Chooses how to reach the rows of a table: whole keys of the primary key or a unique index first, then the
 * longest run of leading key columns that are fixed, perhaps with bounds on the next; else all rows.
 */
export function chooseAccess(scan: ScanPlan, conditions: readonly Expr[]): ChosenAccess {
  const { table } = scan
  const { primaryKey } = table
  const ties = tiesOfAll(scan, conditions)
  const usable = usableIndexes(scan, conditions).filter(({ where }) => ties.length > 0 || where !== null)
  if (ties.length === 0 && usable.length === 0) return { access: { kind: 'all' }, rest: conditions }
  const keys: readonly (readonly [readonly (number | string)[], IndexSchema | null, boolean])[] = [
    ...(primaryKey === null ? [] : [[primaryKey.columns, null, true] as const]),
    ...usable.map((index) => [shapeOf(table, index).keys, index, index.unique] as const),
  ]
  let best: (ChosenAccess & { readonly score: number }) | null = null
  for (const [key, index, unique] of keys) {
    const choice = accessBy(key, index, unique, ties, conditions)
    if (choice !== null && (best === null || choice.score > best.score)) best = choice
  }
  return best ?? { access: { kind: 'all' }, rest: conditions }
}

/** Indexes that have all rows that meet the conditions. */
export function usableIndexes(scan: ScanPlan, conditions: readonly Expr[]): readonly IndexSchema[] {
  const canonical = canonicalOf(scan)
  return scan.table.indexes.filter(
    (index) => index.ready && covers(shapeOf(scan.table, index), conditions, canonical),
  )
}

/** Reads all that an index has, or the part of it that conditions on its first column leave. */
export function wholeOrderAccess(
  scan: ScanPlan,
  index: IndexSchema,
  conditions: readonly Expr[],
): ChosenAccess {
  const [first] = shapeOf(scan.table, index).keys
  const { lower, upper, used } = boundsOn(first, tiesOfAll(scan, conditions))
  const rest = conditions.filter((condition) => !used.includes(condition))
  return { access: { kind: 'range', index, equal: [], lower, upper }, rest }
}

function canonicalOf(scan: ScanPlan): Canonical {
  const own = new Map(scan.columns.map(({ column, position }) => [column.id, position]))
  return canonicalOver(({ id }) => own.get(id) ?? null)
}

function tiesOfAll(scan: ScanPlan, conditions: readonly Expr[]): readonly Tied[] {
  const computed = scan.table.indexes.some(({ columns }) => columns.includes(EXPRESSION))
  const canonical = computed ? canonicalOf(scan) : null
  return conditions.flatMap((condition) => tiesOf(scan, condition, canonical))
}

/** The bounds that conditions set to one part of a key. */
function boundsOn(
  operand: number | string | undefined,
  ties: readonly Tied[],
): { readonly lower: Bound | null; readonly upper: Bound | null; readonly used: readonly Expr[] } {
  const bounds = { lower: null as Bound | null, upper: null as Bound | null }
  const used: Expr[] = []
  for (const { operand: tied, tie, condition } of ties) {
    if (tied !== operand || tie.kind === 'equal' || bounds[tie.kind] !== null) continue
    bounds[tie.kind] = tie.bound
    used.push(condition)
  }
  return { ...bounds, used }
}

function accessBy(
  key: readonly (number | string)[],
  index: IndexSchema | null,
  unique: boolean,
  ties: readonly Tied[],
  conditions: readonly Expr[],
): (ChosenAccess & { readonly score: number }) | null {
  const used: Expr[] = []
  const equal: (readonly Expr[])[] = []
  for (const operand of key) {
    const tied = ties.find((candidate) => candidate.operand === operand && candidate.tie.kind === 'equal')
    if (tied?.tie.kind !== 'equal') break
    equal.push(tied.tie.values)
    used.push(tied.condition)
  }
  const rest = (): Expr[] => conditions.filter((condition) => !used.includes(condition))
  if (unique && equal.length === key.length) {
    const tuples = product(equal)
    if (tuples.length <= KEYS_MAX)
      return { access: { kind: 'keys', index, tuples }, rest: rest(), score: index === null ? 1_000 : 900 }
  }
  // A list of values fixes a column only for whole keys.
  const listed = equal.findIndex((values) => values.length > 1)
  if (listed >= 0) {
    equal.length = listed
    used.length = listed
  }
  const bounds = boundsOn(key[equal.length], ties)
  used.push(...bounds.used)
  const bounded = Number(bounds.lower !== null) + Number(bounds.upper !== null)
  // All of a partial index may be few rows.
  const partial = index?.where != null
  if (equal.length === 0 && bounded === 0 && !partial) return null
  // Reading through an index costs a look-up for each row, so it must promise few: a lone bound does not.
  if (index !== null && equal.length === 0 && bounded < 2 && !partial) return null
  const values = equal.map((one) => one[0] as Expr)
  return {
    access: { kind: 'range', index, equal: values, lower: bounds.lower, upper: bounds.upper },
    rest: rest(),
    score: equal.length * 10 + bounded * 2 + (index === null ? 1 : 0) + (partial ? 1 : 0),
  }
}

/** @param canonical set where some index is on expressions */
function tiesOf(scan: ScanPlan, condition: Expr, canonical: Canonical | null): Tied[] {
  const own = new Map(scan.columns.map(({ column, position }) => [column.id, position]))
  const known = (expr: Expr): boolean =>
    !isVolatile(expr) && !hasSubquery(expr) && ![...columnsIn(expr).keys()].some((id) => own.has(id))
  const positionOf = (expr: Expr | undefined): number | string | undefined => {
    if (expr === undefined) return undefined
    if (expr.kind !== 'column') {
      const computed = canonical !== null && !hasSubquery(expr) && !known(expr)
      return computed ? canonical(expr) : undefined
    }
    const position = own.get(expr.column.id)
    return position === undefined || position < 0 ? undefined : position
  }
  if (condition.kind === 'inList' && !condition.negated) {
    const position = positionOf(condition.operand)
    const { type } = condition.operand
    const fits = condition.list.every((item) => item.type.id === type.id && known(item))
    if (position === undefined || !fits || !comparesAlike(condition.equal)) return []
    return [{ condition, operand: position, tie: { kind: 'equal', values: condition.list } }]
  }
  if (condition.kind !== 'call' || condition.form !== 'infix' || !comparesAlike(condition)) return []
  const [left, right] = condition.args
  if (left === undefined || right === undefined) return []
  const leftPosition = positionOf(left)
  if (leftPosition !== undefined && known(right)) return tie(condition, leftPosition, right, false)
  const rightPosition = positionOf(right)
  if (rightPosition !== undefined && known(left)) return tie(condition, rightPosition, left, true)
  return []
}

const mirrored: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '=': '=' }

function tie(condition: CallExpr, operand: number | string, value: Expr, mirror: boolean): Tied[] {
  const { name } = condition.fn
  const operator = mirror ? mirrored[name] : name
  switch (operator) {
    case '=':
      return [{ condition, operand: operand, tie: { kind: 'equal', values: [value] } }]
    case '>':
    case '>=':
      return [
        { condition, operand, tie: { kind: 'lower', bound: { expr: value, inclusive: operator === '>=' } } },
      ]
    case '<':
    case '<=':
      return [
        { condition, operand, tie: { kind: 'upper', bound: { expr: value, inclusive: operator === '<=' } } },
      ]
    default:
      return []
  }
}

/** All combinations of one value from each list. */
function product(lists: readonly (readonly Expr[])[]): Expr[][] {
  let tuples: Expr[][] = [[]]
  for (const list of lists) {
    if (tuples.length * list.length > KEYS_MAX) return Array.from({ length: KEYS_MAX + 1 }, () => [])
    tuples = tuples.flatMap((tuple) => list.map((value) => [...tuple, value]))
  }
  return tuples
}
