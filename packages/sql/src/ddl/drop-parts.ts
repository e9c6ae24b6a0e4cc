import { catalogKey } from '../catalog/names.ts'
import type { KeyConstraint, TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { Identifier } from '../syntax/ast.ts'
import { constraintMissing, needColumn } from './alter-table.ts'
import { constraintNames } from './constraint-names.ts'
import { change, type DdlContext, discard, keyOf } from './context.ts'
import { dropAll } from './drop.ts'
import { retract } from './foreign-keys.ts'
import { columnNamesIn } from './references.ts'

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

export async function removeForeignKey(
  context: DdlContext,
  table: TableSchema,
  name: string,
): Promise<TableSchema> {
  const key = table.foreignKeys.find((one) => one.name === name)
  if (key === undefined) return table
  const without = { ...table, foreignKeys: table.foreignKeys.filter((one) => one !== key) }
  return change(context, await retract(context, without, [key]))
}

/** Takes an index, a unique constraint or the primary key off a table. Rows stay under the keys they have. */
export async function removeIndex(
  context: DdlContext,
  table: TableSchema,
  name: string,
): Promise<TableSchema> {
  context.catalog.delete(context.transaction, catalogKey(table.schema, name))
  const index = table.indexes.find((one) => one.name === name)
  if (index !== undefined) discard(context, table, index.relation)
  return change(context, {
    ...table,
    primaryKey: table.primaryKey?.name === name ? null : table.primaryKey,
    indexes: table.indexes.filter((one) => one !== index),
  })
}

/** Takes a column off a table, with the keys, checks and foreign keys that it is part of. */
export async function removeColumn(
  context: DdlContext,
  before: TableSchema,
  slot: number,
): Promise<TableSchema> {
  let table = before
  const position = table.columns.findIndex((column) => column.slot === slot)
  const column = table.columns[position]
  if (column === undefined) return table
  const uses = (key: KeyConstraint): boolean => key.columns.includes(position)
  for (const key of table.foreignKeys)
    if (key.columns.includes(slot)) table = await removeForeignKey(context, table, key.name)
  if (table.primaryKey !== null && uses(table.primaryKey))
    table = await removeIndex(context, table, table.primaryKey.name)
  for (const index of table.indexes) {
    const texts = [index.where, ...(index.keys ?? []).map(({ text }) => text)]
    const named = texts.some((text) => text !== null && columnNamesIn(text).has(column.name))
    if (uses(index) || named) table = await removeIndex(context, table, index.name)
  }
  const moved = <Key extends KeyConstraint>(key: Key): Key => ({
    ...key,
    columns: key.columns.map((at) => (at > position ? at - 1 : at)),
  })
  return change(context, {
    ...table,
    columns: table.columns.filter((one) => one.slot !== slot),
    primaryKey: table.primaryKey === null ? null : moved(table.primaryKey),
    indexes: table.indexes.map(moved),
    checks: table.checks.filter(({ text }) => !columnNamesIn(text).has(column.name)),
  })
}
