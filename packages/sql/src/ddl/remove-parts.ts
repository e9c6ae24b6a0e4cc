import { catalogKey } from '../catalog/names.ts'
import type { KeyConstraint, TableSchema } from '../catalog/schema.ts'
import { change, type DdlContext, discard } from './context.ts'
import { retract } from './foreign-keys.ts'
import { columnNamesIn } from './references.ts'

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
