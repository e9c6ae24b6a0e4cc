import type { Row } from '@cluster/core'
import type { TableSchema } from '../catalog/schema.ts'
import { TableWriter } from '../executor/write/table-writer.ts'
import type { Column, Expr } from '../plan/expression.ts'
import { asIndexError } from './build-index.ts'
import { type DdlContext, discard, drawRelation } from './context.ts'
import { rowsOf } from './rows.ts'

/** How the values of a new row come from those of an old one. */
export interface RowChangePlan {
  readonly row: readonly Column[]
  readonly exprs: readonly Expr[]
}

/**
 * Writes all rows of a table anew, in other relations, as another definition wants them. What was there is swept away
 * after the commit.
 * @param plan null: the values stay
 * @returns the table with its new relations; the caller puts it into the catalog
 * @throws 23505
 */
export async function rewriteTable(
  context: DdlContext,
  before: TableSchema,
  after: TableSchema,
  plan: RowChangePlan | null,
): Promise<TableSchema> {
  const fresh = await withNewRelations(context, {
    ...after,
    columns: after.columns.map((column) => ({ ...column, missing: null })),
  })
  const writer = new TableWriter({
    database: context.database,
    transaction: context.transaction,
    table: fresh,
    makeRowKey: () => {
      throw new TypeError('rows that are written anew keep their keys')
    },
  })
  const compute = plan === null ? null : context.rowMapper(plan.row, plan.exprs)
  try {
    for await (const rows of rowsOf(before, context.transaction)) {
      const values: readonly Row[] =
        compute === null ? rows.map(({ row }) => row) : await compute(rows.map(({ row }) => row))
      await writer.place(rows.map(({ key }, i) => ({ key, row: values[i] as Row })))
    }
  } catch (error) {
    throw asIndexError(error)
  }
  discard(context, before, before.relation)
  for (const { relation } of before.indexes) discard(context, before, relation)
  return fresh
}

/** The table over relations that nothing is in yet. */
export async function withNewRelations(context: DdlContext, table: TableSchema): Promise<TableSchema> {
  const indexes: TableSchema['indexes'][number][] = []
  for (const index of table.indexes)
    indexes.push({ ...index, relation: await drawRelation(context, table.schema) })
  return { ...table, relation: await drawRelation(context, table.schema), indexes }
}
