import { columnExpr } from '../plan/build.ts'
import type { Column } from '../plan/expression.ts'
import type { SortKey } from '../plan/logical.ts'
import type { JoinNode, PhysicalPlan, TableScanNode } from '../plan/physical.ts'
import { hashableAsIs } from '../types/hash-as-is.ts'
import { orderByKey } from './order-by-key.ts'

/** What a join is taken to read and to give. */
export interface JoinSizes {
  readonly left: number
  readonly right: number
  readonly rows: number
}

/*
 * Costs as measured, in times of looking a row up in a hash table. What is read in the order of keys is merged from the
 * partitions row by row, so all of two tables are seldom joined so: but the first rows of two large ones are.
 */
const IN_ORDER = 7
const KEEPING = 2
const COMPARING = 0.2

/** A hash join of two tables by keys that both are stored by. */
export function joinsByStoredKeys(join: JoinNode): boolean {
  return join.method === 'hash' && storedKeys(join) !== null
}

/**
 * Joins two tables in the order of their keys where the rows are wanted in that order: nothing is kept and nothing sorted, and
 * who wants a few rows reads no further than they go.
 * @param wanted how many rows are wanted; null: all
 * @returns null when the order is another one, or a hash table and a sort cost less
 */
export function mergeByKey(
  plan: PhysicalPlan,
  keys: readonly SortKey[],
  sizesOf: (join: JoinNode) => JoinSizes | null,
  wanted: number | null,
): PhysicalPlan | null {
  if (plan.kind === 'map' && (plan.outputs === null || plan.outputs.every(passesOn))) {
    // A filter keeps an unknown share of the rows, so it is not known how far a limit reads.
    const input = mergeByKey(plan.input, keys, sizesOf, plan.filter === null ? wanted : null)
    return input === null ? null : { ...plan, input }
  }
  if (plan.kind !== 'join' || plan.method !== 'hash' || plan.passes !== undefined) return null
  const sizes = sizesOf(plan)
  const stored = storedKeys(plan)
  if (sizes === null || stored === null || mergeCost(sizes, wanted) >= hashCost(sizes, wanted)) return null
  const leftKeys = keys.map((key) => onLeft(plan, key))
  const [first] = keys
  if (first === undefined || leftKeys.some((key) => key === null)) return null
  const { descending, nulls } = first
  const inOrder = (columns: readonly Column[]): readonly SortKey[] =>
    columns.map((column) => ({ expr: columnExpr(column), descending, nulls }))
  const byKey = inOrder(stored.map(({ left }) => left))
  const sorted = leftKeys as readonly SortKey[]
  // What is sorted by first must be what is joined by; behind that the left side's key may go on.
  const left = orderByKey(plan.left, sorted.length > byKey.length ? sorted : byKey)
  const prefix = byKey.every(({ expr }, i) => i >= sorted.length || sameColumn(expr, sorted[i]?.expr ?? expr))
  const right = orderByKey(plan.right, inOrder(stored.map((pair) => pair.right)))
  if (left === null || right === null || !prefix) return null
  return { ...plan, method: 'merge', left, right, descending }
}

const hashCost = ({ left, right, rows }: JoinSizes, wanted: number | null): number =>
  left + right * KEEPING + rows * COMPARING * Math.log2(Math.max(2, Math.min(rows, wanted ?? rows)))

const mergeCost = ({ left, right, rows }: JoinSizes, wanted: number | null): number =>
  (left + right) * IN_ORDER * Math.min(1, (wanted ?? rows) / Math.max(1, rows))

const passesOn = ({ column, expr }: { column: { id: number }; expr: SortKey['expr'] }): boolean =>
  expr.kind !== 'column' || expr.column.id === column.id

const sameColumn = (one: SortKey['expr'], other: SortKey['expr']): boolean =>
  one.kind === 'column' && other.kind === 'column' && one.column.id === other.column.id

/** The sort key as one of the left side: an inner join has equal keys on both. */
function onLeft({ type, keys }: JoinNode, key: SortKey): SortKey | null {
  const { expr } = key
  if (expr.kind !== 'column') return null
  if (type !== 'inner') return key
  const pair = keys.find(({ right }) => sameColumn(right, expr))
  return pair === undefined ? key : { ...key, expr: pair.left }
}

/** The columns that both sides are joined by, in the order in which both primary keys begin with them; null: they do not. */
export function storedKeys({
  type,
  left,
  right,
  keys,
}: JoinNode): readonly { readonly left: Column; readonly right: Column }[] | null {
  if (type === 'full' || keys.length === 0) return null
  const [one, other] = [scanOf(left), scanOf(right)]
  if (one === null || other === null) return null
  const pairs: { left: Column; right: Column }[] = []
  for (let i = 0; i < keys.length; i++) {
    const [leftColumn, rightColumn] = [keyColumn(one, i), keyColumn(other, i)]
    // Of these types keys are stored in the order in which their values compare.
    if (leftColumn === null || rightColumn === null || !hashableAsIs(leftColumn.type)) return null
    const joined = keys.some(
      (key) => sameColumn(key.left, columnExpr(leftColumn)) && sameColumn(key.right, columnExpr(rightColumn)),
    )
    if (!joined) return null
    pairs.push({ left: leftColumn, right: rightColumn })
  }
  return pairs
}

function keyColumn({ table, columns }: TableScanNode, i: number): Column | null {
  const position = table.primaryKey?.columns[i]
  return columns.find((one) => one.position === position)?.column ?? null
}

function scanOf(plan: PhysicalPlan): TableScanNode | null {
  if (plan.kind === 'map' && (plan.outputs === null || plan.outputs.every(passesOn)))
    return scanOf(plan.input)
  return plan.kind === 'tableScan' ? plan : null
}
