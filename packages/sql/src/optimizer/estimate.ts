import { isPlainIndex } from '../binder/write/stored-index.ts'
import type { Expr } from '../plan/expression.ts'
import type { AggregatePlan, JoinPlan, LogicalPlan, ScanPlan } from '../plan/logical.ts'
import { knownRows } from '../plan/table-statistics.ts'
import { columnsIn, conjunctsOf, isEquality } from '../plan/traverse.ts'
import { distinctOf, joinShare, shareOf } from './selectivity.ts'

/** What a table is taken to hold as long as nobody has read all of it. */
const TABLE_ROWS = 1_000

/** The share of pairs that a condition leaves which is no equality. */
const OTHER = 0.3

/** What a WITH table is taken to hold, and how often a recursive one is taken to go on. */
const CTE_ROWS = 100
const TURNS = 10

/**
 * How many rows a plan may give: from samples of the tables where there are some, else a guess from its shape alone, good
 * enough to put small inputs first. A complete key gives one row, an equality a tenth, any other condition a third.
 */
export function estimateRows(plan: LogicalPlan): number {
  switch (plan.kind) {
    case 'scan':
      return Math.max(1, knownRows(plan.table) ?? TABLE_ROWS)
    case 'virtualScan':
      return 100
    case 'functionScan':
      return 100
    case 'values':
      return plan.rows.length
    case 'filter': {
      const conditions = conjunctsOf(plan.predicate)
      if (plan.input.kind === 'scan' && namesWholeKey(plan.input, conditions)) return 1
      const scan = plan.input.kind === 'scan' ? plan.input : null
      return Math.max(1, estimateRows(plan.input) * shareOf(conditions, scan))
    }
    case 'cteScan':
      return CTE_ROWS
    case 'recursive':
      return estimateRows(plan.base) * TURNS
    case 'single':
      return 1
    case 'lateral':
      return Math.max(1, estimateRows(plan.left) * estimateRows(plan.right))
    case 'project':
    case 'sort':
    case 'window':
    case 'with':
      return estimateRows(plan.input)
    case 'join':
      return estimateJoin(plan)
    case 'aggregate':
      return plan.groups.length === 0 ? 1 : estimateGroups(plan)
    case 'distinct':
      return Math.max(1, estimateRows(plan.input) / 2)
    case 'limit': {
      const rows = estimateRows(plan.input)
      const limit = plan.limit?.kind === 'constant' ? Number(plan.limit.value ?? rows) : rows
      return Math.min(rows, limit)
    }
    case 'set':
      return estimateRows(plan.left) + estimateRows(plan.right)
  }
}

/** As many as there are combinations, but no more than rows. */
function estimateGroups(plan: AggregatePlan): number {
  const rows = estimateRows(plan.input)
  let combinations = 1
  for (const { expr } of plan.groups) {
    const distinct = distinctOf(plan.input, expr, rows)
    if (distinct === null) return Math.max(1, rows / 10)
    combinations *= distinct
  }
  return Math.max(1, Math.min(combinations, rows))
}

/** The rows of the left side that find one on the right: by how many of its values are there. */
function estimateSemi({ left, right, on }: JoinPlan, leftRows: number, rightRows: number): number {
  for (const condition of conjunctsOf(on)) {
    if (!isEquality(condition)) continue
    const values = condition.args.map((arg) => distinctOf(left, arg, Number.POSITIVE_INFINITY))
    const others = condition.args.map((arg) => distinctOf(right, arg, rightRows))
    const [wanted, there] = [values.find((one) => one !== null), others.find((one) => one !== null)]
    if (wanted && there) return leftRows * Math.min(1, there / wanted)
  }
  return leftRows / 2
}

function estimateJoin(plan: JoinPlan): number {
  const left = estimateRows(plan.left)
  const right = estimateRows(plan.right)
  switch (plan.type) {
    case 'semi':
      return Math.max(1, estimateSemi(plan, left, right))
    case 'anti':
      return Math.max(1, left - estimateSemi(plan, left, right), left / 10)
    case 'left':
      return Math.max(left, pairs(plan, left, right))
    case 'right':
      return Math.max(right, pairs(plan, left, right))
    case 'full':
      return Math.max(left + right, pairs(plan, left, right))
    case 'inner':
      return pairs(plan, left, right)
  }
}

function pairs({ left, right, on }: JoinPlan, leftRows: number, rightRows: number): number {
  const conditions = conjunctsOf(on)
  const share = joinShare(left, right, conditions, { left: leftRows, right: rightRows })
  if (share === null) return joinedRows(leftRows, rightRows, conditions)
  const others = conditions.filter((condition) => !isEquality(condition)).length
  return Math.max(1, leftRows * rightRows * share * OTHER ** others)
}

/** An equality between the sides is taken for a reference to a key among `TABLE_ROWS`. */
export function joinedRows(left: number, right: number, on: readonly Expr[]): number {
  const equalities = on.filter(isEquality).length
  const others = on.length - equalities
  const pairs = equalities > 0 ? (left * right) / Math.max(left, right, TABLE_ROWS) : left * right
  return Math.max(1, pairs * OTHER ** others * 0.5 ** Math.max(0, equalities - 1))
}

/** True when equalities fix all columns of the primary key or of a unique index. */
function namesWholeKey(scan: ScanPlan, conditions: readonly Expr[]): boolean {
  const fixed = new Set<number>()
  for (const condition of conditions) {
    if (!isEquality(condition)) continue
    for (const [one, other] of [condition.args, [...condition.args].reverse()]) {
      if (one?.kind !== 'column' || other === undefined || columnsIn(other).has(one.column.id)) continue
      const found = scan.columns.find(({ column }) => column.id === one.column.id)
      if (found !== undefined) fixed.add(found.position)
    }
  }
  const keys = scan.table.indexes.filter((index) => index.unique && index.ready && isPlainIndex(index))
  return [scan.table.primaryKey, ...keys].some(
    (key) => key?.columns.every((position) => fixed.has(position)) === true,
  )
}
