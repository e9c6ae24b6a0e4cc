import { errorAt } from '../binder/context.ts'
import { schemaKey } from '../catalog/names.ts'
import { type CatalogEntry, isTypeEntry, type TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { Comment, QualifiedName } from '../syntax/ast.ts'
import { constraintNames } from './constraint-names.ts'
import { change, type DdlContext, hintNear, lookUp, shown } from './context.ts'

/** COMMENT ON. @throws 42P01, 42703, 42704, 42809 */
export async function comment(context: DdlContext, statement: Comment): Promise<void> {
  // An empty text is no comment, as in PostgreSQL.
  const text = statement.text === '' ? null : statement.text
  const { object, name } = statement
  if (object === 'database') return
  if (object === 'column') return commentColumn(context, name, text)
  if (object === 'constraint') return commentConstraint(context, statement, text)
  const entry = await needObject(context, object, name)
  if (entry.kind !== 'index') {
    await change(context, { ...entry, comment: text })
    return
  }
  const table = await context.catalog.entry(context.transaction, entry.table)
  if (table?.kind === 'table') await change(context, withKeyComment(table, entry.name, text))
}

async function needObject(
  context: DdlContext,
  object: Exclude<Comment['object'], 'column' | 'database' | 'constraint'>,
  name: QualifiedName,
): Promise<CatalogEntry> {
  const text = shown(name)
  if (object === 'schema') {
    const schema = await context.catalog.entry(context.transaction, schemaKey(name.parts.at(-1)?.name ?? ''))
    if (schema === null) throw sqlError('3F000', `schema "${text}" does not exist`)
    return schema
  }
  const entry = await lookUp(context, name)
  if (entry === null)
    throw errorAt(
      context.bind,
      name,
      object === 'type' || object === 'domain' ? SQLSTATE.undefinedObject : SQLSTATE.undefinedTable,
      `${object === 'type' || object === 'domain' ? 'type' : 'relation'} "${text}" does not exist`,
      await hintNear(context, text),
    )
  const kind =
    entry.kind === 'table' ? (entry.materialized === null ? 'table' : 'materialized view') : entry.kind
  const fits = kind === object || (object === 'type' && isTypeEntry(entry))
  if (!fits)
    throw sqlError(
      SQLSTATE.wrongObjectType,
      `"${entry.name}" is not ${object === 'index' ? 'an' : 'a'} ${object}`,
    )
  return entry
}

async function commentColumn(
  context: DdlContext,
  { parts, span }: QualifiedName,
  text: string | null,
): Promise<void> {
  const column = parts.at(-1)
  if (parts.length < 2 || column === undefined)
    throw sqlError(SQLSTATE.syntaxError, 'column name must be qualified')
  const owner: QualifiedName = { kind: 'name', parts: parts.slice(0, -1), span }
  const table = await lookUp(context, owner)
  if (table === null)
    throw errorAt(context.bind, owner, SQLSTATE.undefinedTable, `relation "${shown(owner)}" does not exist`)
  if (table.kind !== 'table')
    throw sqlError(SQLSTATE.wrongObjectType, `"${table.name}" is not a table`, {
      hint: 'Comments on columns of views are not kept.',
    })
  if (!table.columns.some(({ name }) => name === column.name))
    throw sqlError(
      SQLSTATE.undefinedColumn,
      `column "${column.name}" of relation "${table.name}" does not exist`,
    )
  await change(context, {
    ...table,
    columns: table.columns.map((one) => (one.name === column.name ? { ...one, comment: text } : one)),
  })
}

async function commentConstraint(
  context: DdlContext,
  { name, constraint }: Comment,
  text: string | null,
): Promise<void> {
  const own = constraint?.name ?? ''
  const entry = await lookUp(context, name)
  if (entry?.kind === 'domain') {
    const checks = entry.checks.map((check) => (check.name === own ? { ...check, comment: text } : check))
    await change(context, { ...entry, checks })
    return
  }
  if (entry?.kind !== 'table')
    throw errorAt(context.bind, name, SQLSTATE.undefinedTable, `relation "${shown(name)}" does not exist`)
  if (!constraintNames(entry).includes(own))
    throw sqlError(SQLSTATE.undefinedObject, `constraint "${own}" for table "${entry.name}" does not exist`)
  await change(context, withKeyComment(entry, own, text))
}

function withKeyComment(table: TableSchema, name: string, comment: string | null): TableSchema {
  const told = <T extends { readonly name: string }>(one: T): T =>
    one.name === name ? { ...one, comment } : one
  return {
    ...table,
    primaryKey: table.primaryKey === null ? null : told(table.primaryKey),
    indexes: table.indexes.map(told),
    checks: table.checks.map(told),
    foreignKeys: table.foreignKeys.map(told),
  }
}
