import type { Value } from '@cluster/core'
import { isPlainIndex } from '../binder/write/stored-index.ts'
import type { TableSchema } from '../catalog/schema.ts'
import { summaryOf } from '../plan/column-summary.ts'
import type { Expr } from '../plan/expression.ts'
import type { LogicalPlan, ScanPlan } from '../plan/logical.ts'
import { type ColumnStatistics, columnStatistics, knownRows } from '../plan/table-statistics.ts'
import { columnsIn, conjunctsOf, inputsOf, isEquality } from '../plan/traverse.ts'
import { comparisonOf, equalShare } from './summary-share.ts'

/** What is assumed where nothing is known. */
const EQUAL = 0.1
const OTHER = 0.3
/** Rows of a sample that a condition is tried on. */
const TRIED = 256

/** The share of a table's rows that conditions leave. Bounds of one column on both sides are one range. */
export function shareOf(conditions: readonly Expr[], scan: ScanPlan | null): number {
  if (scan === null) return conditions.reduce((share, condition) => share * guessOf(condition), 1)
  let share = 1
  const ranges = new Map<number, { lower: number; upper: number; nulls: number }>()
  for (const condition of conditions) {
    const comparison = comparisonOf(condition, scan)
    if (comparison === null) share *= shareOfOne(condition, scan)
    else if (comparison.sign === '=') share *= Math.max(LEAST, comparison.share)
    else {
      const { position, sign, nulls } = comparison
      const range = ranges.get(position) ?? { lower: 1 - nulls, upper: 1 - nulls, nulls }
      ranges.set(position, range)
      if (sign === '<' || sign === '<=') range.upper = Math.min(range.upper, comparison.share)
      else range.lower = Math.min(range.lower, comparison.share)
    }
  }
  for (const { lower, upper, nulls } of ranges.values()) share *= Math.max(LEAST, lower + upper - (1 - nulls))
  return share
}

/** What no row of a sample meets may still be met by some. */
const LEAST = 0.0002

const guessOf = (condition: Expr): number => (isEquality(condition) ? EQUAL : OTHER)

function shareOfOne(condition: Expr, scan: ScanPlan): number {
  const guess = guessOf(condition)
  const positions = new Map<number, number>()
  for (const id of columnsIn(condition).keys()) {
    const found = scan.columns.find(({ column }) => column.id === id)
    if (found === undefined) return knownShare(condition, scan) ?? guess
    positions.set(id, found.position)
  }
  return triedShare(condition, scan.table, positions) ?? knownShare(condition, scan) ?? guess
}

/** Tries the condition on the rows of the sample; null when there is none, or it cannot be tried. */
function triedShare(
  condition: Expr,
  table: TableSchema,
  positions: ReadonlyMap<number, number>,
): number | null {
  const columns = new Map<number, ColumnStatistics>()
  for (const [id, position] of positions) {
    const known = columnStatistics(table, position)
    if (known === null) return null
    columns.set(id, known)
  }
  const [first, ...others] = columns.values()
  if (first === undefined || first.values.length === 0) return null
  if (others.some(({ sample }) => sample !== first.sample)) return null
  const { length } = first.values
  const step = Math.max(1, Math.floor(length / TRIED))
  let tried = 0
  let met = 0
  for (let row = 0; row < length; row += step) {
    const value = sampledValue(condition, (id) => columns.get(id)?.values[row] ?? null)
    if (value === undefined) return null
    tried++
    if (value === true) met++
  }
  if (met > 0) return met / tried
  const least = isEquality(condition)
    ? 1 / Math.max(...[...columns.values()].map(({ distinct }) => distinct))
    : 1
  return Math.min(least, 0.5 / tried)
}

/** An equality with something that is not known now. */
function knownShare(condition: Expr, scan: ScanPlan): number | null {
  if (!isEquality(condition)) return null
  for (const arg of condition.args) {
    if (arg.kind !== 'column') continue
    const found = scan.columns.find(({ column }) => column.id === arg.column.id)
    const distinct = found === undefined ? null : distinctIn(scan.table, found.position)
    if (distinct !== null) return 1 / distinct
  }
  return null
}

/** The value of an expression for a row of a sample; undefined when it cannot be known while planning. */
function sampledValue(expr: Expr, read: (column: number) => Value): Value | undefined {
  switch (expr.kind) {
    case 'constant':
      return expr.value
    case 'column':
      return read(expr.column.id)
    case 'call': {
      const { fn } = expr
      if (fn.volatility !== 'immutable' || fn.contextual !== null) return undefined
      const args: Value[] = []
      for (const arg of expr.args) {
        const value = sampledValue(arg, read)
        if (value === undefined) return undefined
        if (value === null && fn.strict) return null
        args.push(value)
      }
      try {
        return fn.impl(...args)
      } catch {
        // The statement says so itself if it gets to such a row.
        return undefined
      }
    }
    case 'and':
    case 'or': {
      let result: Value = expr.kind === 'and'
      for (const operand of expr.operands) {
        const value = sampledValue(operand, read)
        if (value === undefined) return undefined
        if (value === (expr.kind === 'or')) return value
        if (value === null) result = null
      }
      return result
    }
    case 'not': {
      const value = sampledValue(expr.operand, read)
      return typeof value === 'boolean' ? !value : value
    }
    case 'is': {
      const value = sampledValue(expr.operand, read)
      if (value === undefined) return undefined
      return (value === (expr.test === 'null' ? null : expr.test === 'true')) !== expr.negated
    }
    case 'inList': {
      const value = sampledValue(expr.operand, read)
      if (value === undefined || value === null) return value
      for (const item of expr.list) {
        const other = sampledValue(item, read)
        if (other === undefined) return undefined
        if (other !== null && expr.equal.fn.impl(value, other) === true) return !expr.negated
      }
      return expr.negated
    }
    default:
      return undefined
  }
}

/** How many different values a column has; null: nobody knows. */
function distinctIn(table: TableSchema, position: number): number | null {
  const rows = knownRows(table)
  const unique = [table.primaryKey, ...table.indexes.filter((index) => index.unique && isPlainIndex(index))]
  if (rows !== null && unique.some((key) => key?.columns.length === 1 && key.columns[0] === position))
    return Math.max(1, rows)
  return columnStatistics(table, position)?.distinct ?? null
}

/** The table that a column of a plan comes from, unchanged. */
function originOf(
  plan: LogicalPlan,
  column: number,
): { readonly scan: ScanPlan; readonly position: number } | null {
  if (plan.kind === 'scan') {
    const found = plan.columns.find((one) => one.column.id === column)
    return found === undefined ? null : { scan: plan, position: found.position }
  }
  if (plan.kind === 'project') {
    const output = plan.outputs.find((one) => one.column.id === column)
    return output?.expr.kind === 'column' ? originOf(plan.input, output.expr.column.id) : null
  }
  if (plan.kind === 'aggregate') {
    const group = plan.groups.find((one) => one.column.id === column)
    return group?.expr.kind === 'column' ? originOf(plan.input, group.expr.column.id) : null
  }
  if (plan.kind === 'set' || plan.kind === 'recursive') return null
  for (const input of inputsOf(plan)) {
    const found = originOf(input, column)
    if (found !== null) return found
  }
  return null
}

/** How many different values an expression has among the rows of a plan; null: nobody knows. */
export function distinctOf(plan: LogicalPlan, expr: Expr, rows: number): number | null {
  if (expr.kind !== 'column') return null
  const origin = originOf(plan, expr.column.id)
  const distinct = origin === null ? null : distinctIn(origin.scan.table, origin.position)
  return distinct === null ? null : Math.max(1, Math.min(distinct, rows))
}

/** The share of pairs that the equalities of a join leave; null where nothing is known of them. */
export function joinShare(
  left: LogicalPlan,
  right: LogicalPlan,
  on: readonly Expr[],
  rows: { readonly left: number; readonly right: number },
): number | null {
  let share = 1
  let any = false
  for (const condition of on.flatMap(conjunctsOf)) {
    if (!isEquality(condition)) continue
    const spread = spreadShare(left, right, condition.args)
    if (spread !== null) {
      share *= spread
      any = true
      continue
    }
    const known = condition.args.flatMap((arg) => [
      distinctOf(left, arg, Number.POSITIVE_INFINITY) ??
        distinctOf(right, arg, Number.POSITIVE_INFINITY) ??
        [],
    ])
    const most = Math.max(0, ...known.flat())
    if (most === 0) return null
    share /= most
    any = true
  }
  // Several equalities together are seldom stricter than a key of the larger side.
  return any ? Math.max(share, 1 / Math.max(rows.left, rows.right, 1)) : null
}

/** By how the values of both columns are spread; null where there are no samples with common values on both sides. */
function spreadShare(left: LogicalPlan, right: LogicalPlan, [one, other]: readonly Expr[]): number | null {
  if (one?.kind !== 'column' || other?.kind !== 'column' || one.type.id !== other.type.id) return null
  const summaries = [one, other].map(({ column, type }) => {
    const origin = originOf(left, column.id) ?? originOf(right, column.id)
    const known = origin === null ? null : columnStatistics(origin.scan.table, origin.position)
    return known === null ? null : summaryOf(known, type)
  })
  const [first, second] = summaries
  if (!first || !second || first.common.length === 0 || second.common.length === 0) return null
  return Math.max(LEAST ** 2, equalShare(first, second, one.type))
}
