import type { TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { Identifier } from '../syntax/ast.ts'
import { constraintNames } from './constraint-names.ts'
import { change, type DdlContext, keyOf } from './context.ts'
import { dropAll } from './drop.ts'
import { constraintMissing, needColumn } from './parts.ts'

interface Part {
  readonly name: Identifier
  readonly ifExists: boolean
  readonly cascade: boolean
}

/** DROP COLUMN: rows stay as they are. @throws 42703, 2BP01 */
export async function dropColumn(
  context: DdlContext,
  table: TableSchema,
  { name, ifExists, cascade }: Part,
): Promise<TableSchema> {
  if (ifExists && !table.columns.some((column) => column.name === name.name)) return table
  const { slot } = needColumn(context, table, name)
  const key = keyOf(context, table)
  await dropAll(context, [{ kind: 'column', key, table, slot }], cascade)
  return again(context, table)
}

/** DROP CONSTRAINT. @throws 42704, 2BP01 */
export async function dropConstraint(
  context: DdlContext,
  table: TableSchema,
  { name, ifExists, cascade }: Part,
): Promise<TableSchema> {
  const own = name.name
  if (!constraintNames(table).includes(own)) {
    if (ifExists) return table
    throw constraintMissing(context, table, name)
  }
  if (table.checks.some((check) => check.name === own))
    return change(context, { ...table, checks: table.checks.filter((check) => check.name !== own) })
  const kind = table.foreignKeys.some((foreign) => foreign.name === own) ? 'foreignKey' : 'key'
  await dropAll(context, [{ kind, key: keyOf(context, table), table, name: own }], cascade)
  return again(context, table)
}

/** The table as the catalog has it now. */
async function again({ catalog, transaction }: DdlContext, table: TableSchema): Promise<TableSchema> {
  const entry = await catalog.entry(transaction, catalog.keyOf(table))
  if (entry?.kind !== 'table')
    throw sqlError(SQLSTATE.dependentObjectsStillExist, `table ${table.name} went with what it depends on`)
  return entry
}
