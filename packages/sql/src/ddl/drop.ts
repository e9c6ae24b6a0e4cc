import { tableName } from '../binder/bind-from.ts'
import type { CatalogEntry, TableSchema } from '../catalog/schema.ts'
import { nearest, SQLSTATE, sqlError } from '../errors.ts'
import type { Drop, Truncate } from '../syntax/ast.ts'
import type { DdlContext } from './context.ts'
import { dropIndex } from './indexes.ts'
import { deleteAll } from './rows.ts'

/** Drops tables with their rows, views, or indexes. @throws 42P01, 42704, 2BP01, 42809 */
export async function drop(context: DdlContext, statement: Drop): Promise<void> {
  for (const qualified of statement.names) {
    const name = tableName(qualified)
    if (statement.object === 'index') await dropIndex(context, name, statement.ifExists)
    else await dropRelation(context, statement, name)
  }
}

async function dropRelation(context: DdlContext, statement: Drop, name: string): Promise<void> {
  const { catalog, transaction } = context
  const kind = statement.object === 'table' ? 'table' : 'view'
  const entry = await catalog.entry(transaction, name)
  if (entry === null) {
    if (statement.ifExists) return
    const names = (await catalog.entries(transaction)).map((one) => one.name)
    const near = nearest(name, names)
    throw sqlError(SQLSTATE.undefinedTable, `${kind} "${name}" does not exist`, {
      hint: near === null ? undefined : `Perhaps you meant "${near}".`,
    })
  }
  if (entry.kind !== kind)
    throw sqlError(SQLSTATE.wrongObjectType, `"${name}" is not a ${kind}`, {
      hint: `Use DROP ${entry.kind.toUpperCase()}.`,
    })
  const dependent = await viewsOver(context, name)
  const [first] = dependent
  if (first !== undefined && !statement.cascade)
    throw sqlError(
      SQLSTATE.dependentObjectsStillExist,
      `cannot drop ${kind} ${name} because other objects depend on it`,
      { detail: `view ${first} depends on ${kind} ${name}`, hint: 'Use DROP … CASCADE to drop those too.' },
    )
  for (const view of dependent) await dropView(context, view)
  await remove(context, entry)
}

async function viewsOver({ catalog, transaction }: DdlContext, name: string): Promise<readonly string[]> {
  const entries = await catalog.entries(transaction)
  return entries
    .filter((entry) => entry.kind === 'view' && entry.uses.includes(name))
    .map((entry) => entry.name)
}

/** Drops a view and all that stands on it. */
async function dropView(context: DdlContext, name: string): Promise<void> {
  for (const view of await viewsOver(context, name)) await dropView(context, view)
  context.catalog.delete(context.transaction, name)
}

async function remove(context: DdlContext, entry: CatalogEntry): Promise<void> {
  const { catalog, transaction } = context
  catalog.delete(transaction, entry.name)
  if (entry.kind !== 'table') return
  for (const key of [entry.primaryKey, ...entry.indexes])
    if (key !== null) catalog.delete(transaction, key.name)
  await deleteAll(context, entry)
}

/** Deletes all rows of some tables. */
export async function truncate(context: DdlContext, statement: Truncate): Promise<void> {
  for (const qualified of statement.tables) {
    const name = tableName(qualified)
    const entry = await context.catalog.entry(context.transaction, name)
    if (entry?.kind !== 'table') throw sqlError(SQLSTATE.undefinedTable, `table "${name}" does not exist`)
    const table: TableSchema = entry
    await deleteAll(context, table)
  }
}
