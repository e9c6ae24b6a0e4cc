import type { Expr } from '../plan/expression.ts'
import type { SortKey } from '../plan/logical.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { orderOfScan } from './order-by-index.ts'

/** One column that rows are sorted by. */
interface Given {
  readonly column: number
  readonly descending: boolean
  readonly nulls: SortKey['nulls']
}

/** True when the rows come in this order without sorting. */
export function comesSorted(plan: PhysicalPlan, keys: readonly SortKey[]): boolean {
  return startsWith(orderOf(plan), keys)
}

/** True when rows of one partition come together, sorted among themselves; in whatever order the partitions come. */
export function comesTogether(
  plan: PhysicalPlan,
  partitionBy: readonly Expr[],
  orderBy: readonly SortKey[],
): boolean {
  const given = orderOf(plan)
  const wanted = new Set(partitionBy.map((expr) => (expr.kind === 'column' ? expr.column.id : -1)))
  const first = given.slice(0, wanted.size)
  if (first.length < wanted.size || !first.every(({ column }) => wanted.has(column))) return false
  return startsWith(given.slice(wanted.size), orderBy)
}

function startsWith(given: readonly Given[], keys: readonly SortKey[]): boolean {
  return keys.every(({ expr, descending, nulls }, i) => {
    const one = given[i]
    return (
      one !== undefined &&
      expr.kind === 'column' &&
      one.column === expr.column.id &&
      one.descending === descending &&
      one.nulls === nulls
    )
  })
}

/** The order in which a plan gives its rows, as far as it is one by columns that it gives. */
function orderOf(plan: PhysicalPlan): readonly Given[] {
  switch (plan.kind) {
    case 'sort':
    case 'top':
      return leading(plan.keys.map(given))
    case 'window':
    case 'limit':
    case 'apply':
    case 'single':
    case 'with':
    case 'distinct':
      return orderOf(plan.input)
    case 'map': {
      const { outputs } = plan
      const order = orderOf(plan.input)
      if (outputs === null) return order
      // Only what keeps its identity is still known by it.
      const passed = new Set(
        outputs.flatMap(({ column, expr }) =>
          expr.kind === 'column' && expr.column.id === column.id ? [column.id] : [],
        ),
      )
      const end = order.findIndex(({ column }) => !passed.has(column))
      return end < 0 ? order : order.slice(0, end)
    }
    case 'tableScan': {
      if (plan.order === 'any') return []
      const descending = plan.order === 'descending'
      return leading(
        orderOfScan(plan.table, plan.access).map((position): Given | null => {
          const found = plan.columns.find((one) => one.position === position)
          return found === undefined
            ? null
            : { column: found.column.id, descending, nulls: descending ? 'first' : 'last' }
        }),
      )
    }
    case 'join': {
      if (plan.method !== 'merge') return []
      const order = orderOf(plan.left)
      const end = order.findIndex(({ column }) => !plan.outputs.some(({ id }) => id === column))
      return end < 0 ? order : order.slice(0, end)
    }
    default:
      return []
  }
}

const given = ({ expr, descending, nulls }: SortKey): Given | null =>
  expr.kind === 'column' ? { column: expr.column.id, descending, nulls } : null

function leading(order: readonly (Given | null)[]): readonly Given[] {
  const known: Given[] = []
  for (const one of order) {
    if (one === null) break
    known.push(one)
  }
  return known
}
