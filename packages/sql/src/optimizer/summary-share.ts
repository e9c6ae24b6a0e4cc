import type { Value } from '@cluster/core'
import { type ColumnSummary, summaryOf } from '../plan/column-summary.ts'
import type { Expr } from '../plan/expression.ts'
import type { ScanPlan } from '../plan/logical.ts'
import { columnStatistics } from '../plan/table-statistics.ts'
import { comparesAlike } from '../plan/traverse.ts'
import { compareValues } from '../types/compare.ts'
import type { SqlType } from '../types/type.ts'

/** The same comparison with its sides changed. */
const turned: Readonly<Record<string, Sign>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' }
type Sign = '=' | '<' | '<=' | '>' | '>='

/** A column of a table beside a constant. */
export interface Comparison {
  readonly position: number
  readonly sign: Sign
  /** The share of the table's rows for which it is true. */
  readonly share: number
  /** The share of rows that are NULL there. */
  readonly nulls: number
}

/**
 * What the most common values and the histogram of a column say of a comparison with a constant; null when the condition is
 * none, or nothing is known.
 */
export function comparisonOf(condition: Expr, scan: ScanPlan): Comparison | null {
  if (condition.kind !== 'call' || condition.form !== 'infix' || condition.args.length !== 2) return null
  if (!comparesAlike(condition)) return null
  const [left, right] = condition.args as [Expr, Expr]
  const sign = turned[condition.fn.name]
  if (sign === undefined) return null
  return compared(left, turned[sign] as Sign, right, scan) ?? compared(right, sign, left, scan)
}

function compared(column: Expr, sign: Sign, bound: Expr, scan: ScanPlan): Comparison | null {
  if (column.kind !== 'column' || bound.kind !== 'constant' || bound.value === null) return null
  const position = scan.columns.find((one) => one.column.id === column.column.id)?.position
  const known = position === undefined ? null : columnStatistics(scan.table, position)
  if (position === undefined || known === null || known.values.length === 0) return null
  const summary = summaryOf(known, column.type)
  const share = shareOf(summary, column.type, sign, bound.value)
  return { position, sign, share, nulls: summary.nulls }
}

function shareOf(summary: ColumnSummary, type: SqlType, sign: Sign, bound: Value): number {
  const { common, rest, restDistinct } = summary
  const met = (value: Value): boolean => meets(compareValues(type, value, bound), sign)
  if (sign === '=') return common.find(({ value }) => met(value))?.share ?? rest / restDistinct
  const ofCommon = common.reduce((sum, { value, share }) => sum + (met(value) ? share : 0), 0)
  const below = shareBelow(summary.bounds, type, bound)
  return ofCommon + rest * (sign === '<' || sign === '<=' ? below : 1 - below)
}

function meets(order: number, sign: Sign): boolean {
  switch (sign) {
    case '=':
      return order === 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

/** The share of the values behind a histogram that lie below a value; within one of its parts, numbers tell how far in. */
function shareBelow(bounds: readonly Value[], type: SqlType, value: Value): number {
  if (bounds.length < 2) return 0.5
  let low = 0
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareValues(type, bounds[middle] as Value, value) < 0) low = middle + 1
    else high = middle
  }
  // `low` bounds lie below the value.
  if (low === 0) return 0
  if (low === bounds.length) return 1
  const [from, to, at] = [bounds[low - 1], bounds[low], value].map(placeOf) as [number, number, number]
  const inside = (at - from) / (to - from)
  return (low - 1 + (Number.isFinite(inside) ? Math.min(1, Math.max(0, inside)) : 0.5)) / (bounds.length - 1)
}

/** Where a value lies among others; NaN for what is no number and no time. */
function placeOf(value: Value | undefined): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN
}

/**
 * The share of pairs of rows with equal values, by the most common values of both sides.
 * @see PostgreSQL's eqjoinsel_inner
 */
export function equalShare(one: ColumnSummary, other: ColumnSummary, type: SqlType): number {
  let matched = 0
  let ofOne = 0
  let ofOther = 0
  let pairs = 0
  for (const { value, share } of one.common) {
    const partner = other.common.find((two) => compareValues(type, value, two.value) === 0)
    if (partner === undefined) continue
    matched += share * partner.share
    ofOne += share
    ofOther += partner.share
    pairs++
  }
  const alone = (summary: ColumnSummary, met: number): number =>
    Math.max(0, summary.common.reduce((sum, { share }) => sum + share, 0) - met)
  const byOne = byOneSide(alone(one, ofOne), one.rest, other, alone(other, ofOther), pairs)
  const byOther = byOneSide(alone(other, ofOther), other.rest, one, alone(one, ofOne), pairs)
  return matched + Math.min(byOne, byOther)
}

/** Common values without a common partner meet the rest of the other side, and the rest meets all that is left there. */
function byOneSide(
  alone: number,
  rest: number,
  other: ColumnSummary,
  otherAlone: number,
  pairs: number,
): number {
  const ofCommon = (alone * other.rest) / other.restDistinct
  const different = Math.max(1, other.restDistinct + other.common.length - pairs)
  return ofCommon + (rest * (other.rest + otherAlone)) / different
}
