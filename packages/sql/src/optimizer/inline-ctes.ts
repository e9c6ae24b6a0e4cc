import { columnExpr } from '../plan/build.ts'
import type { Column } from '../plan/expression.ts'
import type { CteScanPlan, CteTable, LogicalPlan, WithPlan } from '../plan/logical.ts'
import { exprsOf, inputsOf, isVolatile, mapInputs, mapSubqueries, someExpr } from '../plan/traverse.ts'

/**
 * Puts a WITH table that is read once in the place where it is read, so that conditions reach it; forgets one that
 * nobody reads. Tables that were asked to be materialized stay, and so do volatile ones, and those that a recursive
 * step would compute again every turn.
 */
export function inlineCtes(plan: LogicalPlan): LogicalPlan {
  const inner = everywhere(plan, inlineCtes)
  return inner.kind === 'with' ? inlineTables(inner) : inner
}

function inlineTables(plan: WithPlan): LogicalPlan {
  let { input } = plan
  let tables = [...plan.tables]
  // From the last: what only a table that is dropped had read may be dropped as well.
  for (const { id } of plan.tables.toReversed()) {
    const table = tables.find((one) => one.id === id) as CteTable
    const others = tables.filter((other) => other !== table)
    const uses = [input, ...others.map((other) => other.plan)].flatMap((part) => usesOf(part, table.id))
    const [only, second] = uses
    if (only === undefined) tables = others
    else if (second === undefined && !only.repeated && mayMove(table)) {
      const into = (part: LogicalPlan): LogicalPlan => replaced(part, table)
      input = into(input)
      tables = others.map((other) => ({ ...other, plan: into(other.plan) }))
    }
  }
  return tables.length === 0 ? input : { ...plan, tables, input }
}

const mayMove = ({ materialized, plan }: CteTable): boolean => materialized === null && !isVolatilePlan(plan)

function isVolatilePlan(plan: LogicalPlan): boolean {
  return (
    exprsOf(plan).some(
      (expr) => isVolatile(expr) || someExpr(expr, (part) => 'plan' in part && isVolatilePlan(part.plan)),
    ) || inputsOf(plan).some(isVolatilePlan)
  )
}

interface Use {
  /** True inside a recursive step. */
  readonly repeated: boolean
}

function usesOf(plan: LogicalPlan, id: number, repeated = false): readonly Use[] {
  if (plan.kind === 'cteScan') return plan.id === id ? [{ repeated }] : []
  const uses: Use[] = []
  for (const expr of exprsOf(plan))
    someExpr(expr, (part) => {
      if ('plan' in part) uses.push(...usesOf(part.plan, id, repeated))
      return false
    })
  for (const input of inputsOf(plan)) {
    const again = repeated || (plan.kind === 'recursive' && input === plan.step)
    uses.push(...usesOf(input, id, again))
  }
  return uses
}

function replaced(plan: LogicalPlan, table: CteTable): LogicalPlan {
  if (plan.kind === 'cteScan') return plan.id === table.id ? asProjection(plan, table) : plan
  return everywhere(plan, (part) => replaced(part, table))
}

function asProjection(scan: CteScanPlan, table: CteTable): LogicalPlan {
  const outputs = scan.columns.map(({ column, position }) => ({
    column,
    expr: columnExpr(table.columns[position] as Column),
  }))
  return { kind: 'project', input: table.plan, outputs }
}

/** Applies it to the inputs and to the plans of subqueries. */
const everywhere = (plan: LogicalPlan, apply: (part: LogicalPlan) => LogicalPlan): LogicalPlan =>
  mapSubqueries(mapInputs(plan, apply), apply)
