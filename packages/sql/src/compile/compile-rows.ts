import type { Database } from '@cluster/core'
import type { ExecutionContext } from '../executor/context.ts'
import { rowsThere } from '../executor/cte.ts'
import { mapSource } from '../executor/pipeline.ts'
import { optimize } from '../optimizer/optimize.ts'
import { physicalPlan } from '../optimizer/physical.ts'
import { columnExpr, filtered } from '../plan/build.ts'
import type { Column, Expr } from '../plan/expression.ts'
import type { LogicalPlan } from '../plan/logical.ts'
import { physicalColumns } from '../plan/physical.ts'
import type { Batch } from './batch.ts'
import { compileMap, Layout, Slots } from './compile-map.ts'
import { compilePlan } from './compile-plan.ts'

export interface RowsOptions {
  readonly database: Database
  readonly nextColumnId: () => number
  readonly optimize: boolean
}

/** Computes from rows that are there what needs more than the row itself. */
export type RowsMap = (batches: readonly Batch[], context: ExecutionContext) => Promise<readonly Batch[]>

/**
 * Expressions with subqueries over rows that a statement has in hand: a plan of its own, which reads those rows as
 * it would read a WITH table.
 */
export function compileRows(
  columns: readonly Column[],
  where: Expr | null,
  exprs: readonly Expr[],
  { database, nextColumnId, optimize: optimizes }: RowsOptions,
): RowsMap {
  const id = nextColumnId()
  const scanned = columns.map((column, position) => ({ column, position }))
  const scan: LogicalPlan = { kind: 'cteScan', id, name: 'rows', alias: 'rows', columns: scanned }
  const outputs = exprs.map((expr) => ({
    column: { id: nextColumnId(), name: 'value', type: expr.type },
    expr,
  }))
  const wanted = outputs.map(({ column }) => column)
  const plan: LogicalPlan = {
    kind: 'project',
    input: where === null ? scan : filtered(scan, [where]),
    outputs,
  }
  const physical = physicalPlan(optimizes ? optimize(plan, wanted) : plan, {
    nextColumnId,
    optimize: optimizes,
  })
  const slots = new Slots()
  const { source } = compilePlan(physical, database, slots)
  const layout = new Layout(physicalColumns(physical))
  const exact = mapSource(source, compileMap(layout, slots, null, wanted.map(columnExpr)))
  return async (batches, context) => {
    const own = context.fork(context.transaction)
    own.tables.set(id, rowsThere(batches))
    const made: Batch[] = []
    for await (const batch of exact.open(own)) made.push(batch)
    return made
  }
}
