import { columnExpr } from '../plan/build.ts'
import type { CallExpr, Column, Expr } from '../plan/expression.ts'
import { columnsOf, type LogicalPlan } from '../plan/logical.ts'
import { type JoinNode, type PassedKey, type PhysicalPlan, physicalColumns } from '../plan/physical.ts'
import { knownRows } from '../plan/table-statistics.ts'
import { conjunctsOf, isEquality, isVolatile } from '../plan/traverse.ts'
import { hashableAsIs } from '../types/hash-as-is.ts'
import { estimateRows } from './estimate.ts'
import { distinctOf } from './selectivity.ts'

/** A table with fewer rows is read as fast as it is asked about. */
const ROWS_MIN = 1_000
/** At least so many times as many different keys must the scanned side have. */
const FEWER = 2

/**
 * Lets the side of a join that is read first tell its keys to a scan on the other side: rows that no key meets are dropped
 * there, before conditions, other joins and groupings below the join see them.
 * @param first the side that is read first, as a logical plan; `second` the other one
 */
export function passKeys(
  join: JoinNode,
  { first, second }: { readonly first: LogicalPlan; readonly second: LogicalPlan },
  nextId: () => number,
): JoinNode {
  const { method, type } = join
  // A mark join keeps the left side, and what marks nothing is of no use to it, anti or not.
  const marks = method === 'mark'
  if (!marks && (method !== 'hash' || (type !== 'inner' && type !== 'semi'))) return join
  const rows = estimateRows(first)
  const passes: PassedKey[] = []
  let below = marks ? join.right : join.left
  for (const { left, right } of join.keys) {
    const [told, wanted] = marks ? [left, right] : [right, left]
    // Other types would have to be made comparable, row by row, before anything is spared.
    if (wanted.kind !== 'column' || !hashableAsIs(wanted.type) || isVolatile(told)) continue
    const there = distinctOf(second, wanted, Number.POSITIVE_INFINITY)
    const given = told.kind === 'column' ? differentValues(first, told.column) : rows
    if (there === null || given * FEWER > there) continue
    const id = nextId()
    const keyed = withKeys(below, wanted.column.id, id)
    if (keyed === null) continue
    below = keyed
    passes.push({ id, expr: told })
  }
  if (passes.length === 0) return join
  return marks ? { ...join, right: below, passes } : { ...join, left: below, passes }
}

/** About how many different values a column has: no more than the inputs have that it is joined with. */
function differentValues(plan: LogicalPlan, column: Column): number {
  const has = (side: LogicalPlan, { id }: Column): boolean => columnsOf(side).some((one) => one.id === id)
  const rows = estimateRows(plan)
  const least = Math.min(rows, distinctOf(plan, columnExpr(column), rows) ?? rows)
  if (plan.kind === 'filter' || plan.kind === 'sort')
    return Math.min(least, differentValues(plan.input, column))
  if (plan.kind !== 'join' || (plan.type !== 'inner' && plan.type !== 'semi')) return least
  const [own, other] = has(plan.left, column) ? [plan.left, plan.right] : [plan.right, plan.left]
  const partners = conjunctsOf(plan.on).flatMap((condition) => {
    const partner = isEquality(condition) ? otherColumn(condition, column) : null
    return partner !== null && has(other, partner) ? [differentValues(other, partner)] : []
  })
  return Math.min(least, differentValues(own, column), ...partners)
}

/** The column that an equality compares this one with. */
function otherColumn({ args: [left, right] }: CallExpr, { id }: Column): Column | null {
  if (left?.kind !== 'column' || right?.kind !== 'column') return null
  if (left.column.id === id) return right.column
  return right.column.id === id ? left.column : null
}

/** The plan with a scan in it that drops rows by the keys; null: the column does not come from one unchanged. */
function withKeys(plan: PhysicalPlan, column: number, id: number): PhysicalPlan | null {
  switch (plan.kind) {
    case 'tableScan': {
      const own = plan.columns.find((one) => one.column.id === column)?.column
      // A limit counts the rows that it would drop.
      if (own === undefined || plan.limit !== null || plan.access.kind === 'keys') return null
      if ((knownRows(plan.table) ?? 0) < ROWS_MIN) return null
      return { ...plan, keyed: [...(plan.keyed ?? []), { id, column: own }] }
    }
    case 'map': {
      const { filter, outputs } = plan
      if (filter !== null && isVolatile(filter)) return null
      if (outputs === null) return over(plan, column, id)
      if (outputs.some(({ expr }) => isVolatile(expr))) return null
      const from = columnBehind(outputs, column)
      return from === null ? null : over(plan, from, id)
    }
    case 'sort':
      return over(plan, column, id)
    case 'distinct':
      return plan.on === null || plan.on.some((one) => one.id === column) ? over(plan, column, id) : null
    case 'aggregate': {
      const from = plan.sets === null ? columnBehind(plan.groups, column) : null
      return from === null ? null : over(plan, from, id)
    }
    case 'join': {
      if (plan.type === 'full') return null
      const left = withinSide(plan.left, column, id)
      if (left !== null) return { ...plan, left }
      const right = plan.type === 'inner' ? withinSide(plan.right, column, id) : null
      return right === null ? null : { ...plan, right }
    }
    case 'lookupJoin': {
      const left = withinSide(plan.left, column, id)
      return left === null ? null : { ...plan, left }
    }
    default:
      return null
  }
}

function over<T extends PhysicalPlan & { readonly input: PhysicalPlan }>(
  plan: T,
  column: number,
  id: number,
): T | null {
  const input = withKeys(plan.input, column, id)
  return input === null ? null : { ...plan, input }
}

const withinSide = (side: PhysicalPlan, column: number, id: number): PhysicalPlan | null =>
  physicalColumns(side).some((one) => one.id === column) ? withKeys(side, column, id) : null

/** The column of the input that an output passes on as it is. */
function columnBehind(
  outputs: readonly { readonly column: { readonly id: number }; readonly expr: Expr }[],
  column: number,
): number | null {
  const expr = outputs.find((output) => output.column.id === column)?.expr
  return expr?.kind === 'column' ? expr.column.id : null
}
