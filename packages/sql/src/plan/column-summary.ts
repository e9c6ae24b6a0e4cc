import type { Value } from '@cluster/core'
import { comparatorOf } from '../types/compare.ts'
import { hashKey } from '../types/key.ts'
import type { SqlType } from '../types/type.ts'
import type { ColumnStatistics } from './table-statistics.ts'

/** Most common values kept, and bounds of the histogram less one, at most: PostgreSQL's `default_statistics_target`. */
const TARGET = 100
/** A value is common when it comes so many times as often as the average one. */
const COMMON = 1.25

/** What a sample says of how the values of a column are spread. */
export interface ColumnSummary {
  /** The share of NULLs, 0 to 1. */
  readonly nulls: number
  /** Values that come more often than others, the most common first, each with its share of all rows. */
  readonly common: readonly { readonly value: Value; readonly share: number }[]
  /** Ascending values that part all others but NULL into parts of about as many rows; at least two, or none. */
  readonly bounds: readonly Value[]
  /** The share of rows that `bounds` is about. */
  readonly rest: number
  /** About how many different values those rows have; at least 1 where there are any. */
  readonly restDistinct: number
}

const summaries = new WeakMap<ColumnStatistics, ColumnSummary>()

/** Computed when it is first asked for; plans ask for few columns. */
export function summaryOf(known: ColumnStatistics, type: SqlType): ColumnSummary {
  let summary = summaries.get(known)
  if (summary === undefined) {
    summary = summarize(known, type)
    summaries.set(known, summary)
  }
  return summary
}

/** @see PostgreSQL's compute_scalar_stats, which chooses alike */
function summarize({ values, distinct }: ColumnStatistics, type: SqlType): ColumnSummary {
  const counts = new Map<unknown, { readonly value: Value; count: number }>()
  let some = 0
  for (const value of values) {
    if (value === null) continue
    some++
    const key = hashKey(type, value)
    const found = counts.get(key)
    if (found === undefined) counts.set(key, { value, count: 1 })
    else found.count++
  }
  const rows = Math.max(1, values.length)
  const byCount = [...counts.values()].sort((a, b) => b.count - a.count)
  // Where the sample has all values, and few, each of them is known.
  const all = byCount.length <= TARGET && byCount.length >= distinct
  const least = all ? 1 : Math.max(2, (COMMON * some) / Math.max(1, distinct))
  const common = byCount.slice(0, TARGET).filter(({ count }) => count >= least)
  const others = byCount.slice(common.length)
  const left = others.reduce((sum, { count }) => sum + count, 0)
  return {
    nulls: (values.length - some) / rows,
    common: common.map(({ value, count }) => ({ value, share: count / rows })),
    bounds: boundsOf(others, left, type),
    rest: left / rows,
    restDistinct: Math.max(1, distinct - common.length),
  }
}

function boundsOf(
  others: readonly { readonly value: Value; readonly count: number }[],
  rows: number,
  type: SqlType,
): readonly Value[] {
  if (others.length < 2) return []
  const compare = comparatorOf(type)
  const sorted = [...others].sort((a, b) => compare(a.value, b.value))
  const parts = Math.min(TARGET, rows - 1)
  const bounds: Value[] = []
  let seen = 0
  let at = 0
  for (let part = 0; part <= parts; part++) {
    // The row of the sorted ones that stands there.
    const row = Math.round((part * (rows - 1)) / parts)
    while (at < sorted.length - 1 && seen + (sorted[at]?.count ?? 0) <= row) seen += sorted[at++]?.count ?? 0
    bounds.push(sorted[at]?.value ?? null)
  }
  return bounds
}
