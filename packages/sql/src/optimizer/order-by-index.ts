import { EXPRESSION, type IndexSchema, type TableSchema } from '../catalog/schema.ts'
import { conjunction } from '../plan/build.ts'
import type { Expr } from '../plan/expression.ts'
import type { ScanPlan, SortKey } from '../plan/logical.ts'
import type { Access, PhysicalPlan, TableScanNode } from '../plan/physical.ts'
import { knownRows } from '../plan/table-statistics.ts'
import { conjunctsOf } from '../plan/traverse.ts'
import { usableIndexes, wholeOrderAccess } from './access-path.ts'
import { shareOf } from './selectivity.ts'

/** What a row costs that is looked up by its entry in an index, in rows of a scan that reads all of them. */
const LOOKUP = 50
/** First rows of a table of which nothing is known that are looked up rather than found by reading all of it. */
const UNKNOWN_MOST = 1_000

/**
 * The first rows of a sort by columns of an index need no sorting: the index has them in order, both ways, and who wants
 * few rows reads no further than they go.
 * @param wanted how many rows are wanted; null: all
 * @returns the input, made to read in that order; null when no index has it, or reading all rows costs less
 */
export function orderByIndex(
  input: PhysicalPlan,
  keys: readonly SortKey[],
  wanted: number | null,
): PhysicalPlan | null {
  if (wanted === null) return null
  if (input.kind === 'tableScan') return inOrder(input, [], keys, wanted)?.scan ?? null
  if (input.kind !== 'map') return null
  if (input.outputs?.some(({ column, expr }) => expr.kind === 'column' && expr.column.id !== column.id))
    return null
  if (input.input.kind === 'tableScan') {
    const conditions = input.filter === null ? [] : conjunctsOf(input.filter)
    const found = inOrder(input.input, conditions, keys, wanted)
    if (found === null) return null
    return { ...input, input: found.scan, filter: found.rest.length === 0 ? null : conjunction(found.rest) }
  }
  // Nobody knows how many rows a filter above other operators leaves.
  if (input.filter !== null) return null
  const below = orderByIndex(input.input, keys, wanted)
  return below === null ? null : { ...input, input: below }
}

interface Ordered {
  readonly scan: TableScanNode
  readonly rest: readonly Expr[]
}

function inOrder(
  scan: TableScanNode,
  conditions: readonly Expr[],
  keys: readonly SortKey[],
  wanted: number,
): Ordered | null {
  const descending = keys[0]?.descending ?? false
  const order = descending ? 'descending' : 'ascending'
  const { table, access, alias, columns } = scan
  if (access.kind === 'range' && access.index !== null) {
    const given = orderOfIndex(table, access.index, access.equal.length)
    const fixed = access.index.columns.slice(0, access.equal.length)
    return startsWith(scan, given, fixed, keys, descending)
      ? { scan: { ...scan, order }, rest: conditions }
      : null
  }
  if (access.kind !== 'all') return null
  const plan: ScanPlan = { kind: 'scan', table, alias, columns }
  for (const index of usableIndexes(plan, conditions)) {
    if (!startsWith(scan, orderOfIndex(table, index, 0), [], keys, descending)) continue
    const chosen = wholeOrderAccess(plan, index, conditions)
    if (worthwhile(plan, chosen.rest, wanted))
      return { scan: { ...scan, access: chosen.access, order }, rest: chosen.rest }
  }
  return null
}

function worthwhile(plan: ScanPlan, rest: readonly Expr[], wanted: number): boolean {
  const known = knownRows(plan.table)
  if (known === null) return rest.length === 0 && wanted <= UNKNOWN_MOST
  return (wanted / shareOf(rest, plan)) * LOOKUP < known
}

/** Positions of the columns that entries are sorted by behind the first `from`, as far as they are columns. */
export function orderOfIndex(table: TableSchema, index: IndexSchema, from: number): readonly number[] {
  const end = index.columns.indexOf(EXPRESSION, from)
  if (end >= 0) return index.columns.slice(from, end)
  // Entries with the same columns are sorted by the key of the row, where there can be several.
  return [...index.columns.slice(from), ...(table.primaryKey?.columns ?? [])]
}

/** How the rows of a scan in order are sorted, by positions of columns. */
export function orderOfScan(table: TableSchema, access: Access): readonly number[] {
  if (access.kind === 'range' && access.index !== null)
    return orderOfIndex(table, access.index, access.equal.length)
  return table.primaryKey?.columns ?? []
}

/** @param fixed columns that have one value in all rows */
function startsWith(
  { table, columns }: TableScanNode,
  order: readonly number[],
  fixed: readonly number[],
  keys: readonly SortKey[],
  descending: boolean,
): boolean {
  let at = 0
  return keys.every(({ expr, descending: down, nulls }) => {
    if (expr.kind !== 'column') return false
    const position = columns.find(({ column }) => column.id === expr.column.id)?.position
    if (position === undefined || position < 0) return false
    if (fixed.includes(position)) return true
    if (position !== order[at++] || down !== descending) return false
    // Keys have NULL behind every value.
    return nulls === (descending ? 'first' : 'last') || table.columns[position]?.notNull === true
  })
}
