import { columnExpr } from '../plan/build.ts'
import type { Column, Expr } from '../plan/expression.ts'
import { columnsOf, type LogicalPlan } from '../plan/logical.ts'
import {
  columnsIn,
  exprsOf,
  freeColumns,
  hasSubquery,
  mapExprs,
  mapInputs,
  rewrite,
} from '../plan/traverse.ts'

/** Lets every operator give only the columns that someone above it needs; scans ask storage for no others. */
export function pruneColumns(plan: LogicalPlan, wanted: readonly Column[]): LogicalPlan {
  return prune(pruneSubqueries(plan), new Set(wanted.map(({ id }) => id)))
}

function prune(plan: LogicalPlan, wanted: ReadonlySet<number>): LogicalPlan {
  switch (plan.kind) {
    case 'scan':
    case 'virtualScan':
    case 'cteScan':
      return { ...plan, columns: plan.columns.filter(({ column }) => wanted.has(column.id)) }
    case 'functionScan':
      return plan
    case 'values': {
      const kept = plan.columns.flatMap(({ id }, position) => (wanted.has(id) ? [position] : []))
      if (kept.length === plan.columns.length) return plan
      return {
        ...plan,
        columns: kept.map((position) => plan.columns[position] as Column),
        rows: plan.rows.map((row) => kept.map((position) => row[position] as Expr)),
      }
    }
    case 'filter':
    case 'sort':
    case 'limit':
      return { ...plan, input: prune(plan.input, neededBy(plan, wanted)) }
    case 'project': {
      const outputs = plan.outputs.filter(({ column }) => wanted.has(column.id))
      return { ...plan, outputs, input: prune(plan.input, columnsOfExprs(outputs.map(({ expr }) => expr))) }
    }
    case 'window': {
      const calls = plan.calls.filter(({ column }) => wanted.has(column.id))
      if (calls.length === 0) return prune(plan.input, wanted)
      const pruned = { ...plan, calls }
      const own = columnsOfExprs(exprsOf(pruned))
      return { ...pruned, input: prune(plan.input, new Set([...wanted, ...own])) }
    }
    case 'single':
      return { ...plan, input: prune(plan.input, wanted) }
    case 'lateral': {
      const needed = neededBy(plan, wanted)
      const taken = freeColumns(plan.right).keys()
      return {
        ...plan,
        left: prune(plan.left, new Set([...needed, ...taken])),
        right: prune(plan.right, needed),
      }
    }
    case 'with':
      return {
        ...plan,
        tables: plan.tables.map((table) => ({ ...table, plan: pruneExactly(table.plan) })),
        input: prune(plan.input, wanted),
      }
    case 'recursive':
      return { ...plan, base: pruneExactly(plan.base), step: pruneExactly(plan.step) }
    case 'join': {
      const needed = neededBy(plan, wanted)
      return { ...plan, left: prune(plan.left, needed), right: prune(plan.right, needed) }
    }
    case 'aggregate': {
      const calls = plan.calls.filter(({ column }) => wanted.has(column.id))
      const pruned = { ...plan, calls }
      return { ...pruned, input: prune(plan.input, columnsOfExprs(exprsOf(pruned))) }
    }
    case 'distinct': {
      // All columns are compared unless some are named.
      const compared = plan.on ?? columnsOf(plan.input)
      return { ...plan, input: prune(plan.input, new Set([...wanted, ...compared.map(({ id }) => id)])) }
    }
    case 'set':
      return { ...plan, left: pruneExactly(plan.left), right: pruneExactly(plan.right) }
  }
}

/** What is wanted of a plan, and what its own expressions name. */
function neededBy(plan: LogicalPlan, wanted: ReadonlySet<number>): Set<number> {
  const needed = columnsOfExprs(exprsOf(plan))
  for (const id of wanted) needed.add(id)
  return needed
}

/** Columns of set operations go by position: a side keeps exactly those it has, in their order. */
function pruneExactly(plan: LogicalPlan): LogicalPlan {
  const columns = columnsOf(plan)
  const pruned = prune(plan, new Set(columns.map(({ id }) => id)))
  const now = columnsOf(pruned)
  if (now.length === columns.length && now.every(({ id }, i) => id === columns[i]?.id)) return pruned
  return {
    kind: 'project',
    input: pruned,
    outputs: columns.map((column) => ({ column, expr: columnExpr(column) })),
  }
}

function columnsOfExprs(exprs: readonly Expr[]): Set<number> {
  const columns = new Map<number, Column>()
  for (const expr of exprs) columnsIn(expr, columns)
  return new Set(columns.keys())
}

function pruneSubqueries(plan: LogicalPlan): LogicalPlan {
  const own = mapExprs(plan, (expr) => (hasSubquery(expr) ? rewrite(expr, pruneSubquery) : expr))
  return mapInputs(own, pruneSubqueries)
}

function pruneSubquery(part: Expr): Expr {
  switch (part.kind) {
    case 'scalarQuery':
      return { ...part, plan: pruneColumns(part.plan, [part.column]) }
    case 'exists':
      return { ...part, plan: pruneColumns(part.plan, []) }
    case 'quantified':
      return { ...part, plan: pruneColumns(part.plan, part.columns) }
    default:
      return part
  }
}
