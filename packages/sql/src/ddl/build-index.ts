import type { IndexSchema, TableSchema } from '../catalog/schema.ts'
import { isSqlError, SQLSTATE, sqlError } from '../errors.ts'
import { TableWriter } from '../executor/table-writer.ts'
import type { DdlContext } from './context.ts'
import { rowsOf } from './rows.ts'

/** Fills an index with the rows that are there. @throws 23505 */
export async function buildIndex(
  context: DdlContext,
  table: TableSchema,
  index: IndexSchema,
): Promise<TableSchema> {
  const writer = new TableWriter({
    database: context.database,
    transaction: context.transaction,
    table,
    makeRowKey: () => {
      throw new TypeError('filling an index makes no rows')
    },
  })
  try {
    for await (const rows of rowsOf(table, context.transaction)) await writer.fillIndex(index, rows)
  } catch (error) {
    throw asIndexError(error)
  }
  return table
}

/** What PostgreSQL says of rows that break an index which is being made. */
export function asIndexError(error: unknown): unknown {
  if (!isSqlError(error) || error.detail.sqlstate !== SQLSTATE.uniqueViolation) return error
  const { table, constraint, detail } = error.detail
  return sqlError(SQLSTATE.uniqueViolation, `could not create unique index "${constraint}"`, {
    detail: detail?.replace(/ already exists\.$/, ' is duplicated.'),
    table,
    constraint,
  })
}
