import { errorAt } from '../binder/context.ts'
import type { TableSchema } from '../catalog/schema.ts'
import { SQLSTATE } from '../errors.ts'
import { buildIndex } from './build-index.ts'
import type { ConstraintNames } from './constraint-names.ts'
import { change, type DdlContext } from './context.ts'
import { type Clauses, putTable } from './create-table.ts'
import { announce, makeForeignKey } from './foreign-keys.ts'
import { makeCheck, makePrimaryKey, makeUnique } from './keys.ts'
import { rewriteTable } from './rewrite.ts'
import { checkAllRows, checkNotNull, childChecker, rowChecker } from './validate.ts'
import { isLong, validateLater } from './validate-later.ts'

/** Adds constraints to a table that may have rows; those are looked at unless NOT VALID. */
export async function addKeys(
  context: DdlContext,
  before: TableSchema,
  clauses: Clauses,
  names: ConstraintNames,
  notValid: boolean,
): Promise<TableSchema> {
  let table = before
  for (const clause of clauses.primaryKeys) {
    if (table.primaryKey !== null)
      throw errorAt(
        context.bind,
        clause.node,
        SQLSTATE.invalidTableDefinition,
        `multiple primary keys for table "${table.name}" are not allowed`,
      )
    const primaryKey = await makePrimaryKey(context, table, names, table.columns, clause)
    const keyed: TableSchema = {
      ...table,
      primaryKey,
      columns: table.columns.map((column, at) =>
        primaryKey.columns.includes(at) ? { ...column, notNull: true } : column,
      ),
    }
    await checkNotNull(context, keyed, primaryKey.columns)
    // A row is kept under its primary key, so all of them move.
    table = await rewriteTable(context, table, keyed, null)
    putTable(context, table, [primaryKey])
  }
  for (const clause of clauses.uniques) {
    const index = await makeUnique(context, table, names, table.columns, clause)
    table = await change(context, { ...table, indexes: [...table.indexes, index] })
    putTable(context, table, [index])
    table = await buildIndex(context, table, index)
  }
  for (const clause of clauses.checks) {
    const long = !notValid && (await isLong(context, table))
    const check = await makeCheck(context, names, table, clause, !notValid && !long)
    if (!notValid && !long) await checkAllRows(context, table, rowChecker(context, table, [check]))
    if (long) validateLater(context, table, check.name, true)
    table = await change(context, { ...table, checks: [...table.checks, check] })
  }
  for (const clause of clauses.foreignKeys) {
    const long = !notValid && (await isLong(context, table))
    const key = await makeForeignKey(context, names, table, clause, !notValid && !long)
    if (!notValid && !long) await checkAllRows(context, table, await childChecker(context, table, key))
    if (long) validateLater(context, table, key.name, true)
    const told = await announce(context, { ...table, foreignKeys: [...table.foreignKeys, key] }, [key])
    table = await change(context, told)
  }
  return table
}
