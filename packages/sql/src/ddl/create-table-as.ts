import type { BoundQuery } from '../binder/context.ts'
import { settled } from '../binder/query/convert-query.ts'
import type { ColumnSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { CreateTableAs, Identifier } from '../syntax/ast.ts'
import { alreadyExists, type DdlContext, newName, takenBy } from './context.ts'
import { storeTable } from './create-table.ts'
import { plainColumn } from './like.ts'

/** A table with the columns of a query, and its rows. @returns how many; null when the table exists already */
export async function createTableAs(
  context: DdlContext,
  statement: CreateTableAs,
): Promise<{ readonly rows: number | null } | null> {
  const { bind } = context
  const named = await newName(context, statement.table, statement.temporary)
  if ((await takenBy(context, named)) !== null) {
    if (statement.ifNotExists) return null
    throw alreadyExists(named.name)
  }
  const bound = settled(bind, statement.query, bind.bindQuery(statement.query, bind, null))
  const table = await storeTable(context, named, {
    columns: columnsOf(bound, statement.columns, 'CREATE TABLE AS'),
    placement: 'hashed',
    temporary: statement.temporary ? 'preserve rows' : null,
  })
  if (!statement.withData) return { rows: null }
  return { rows: await context.fill(table, statement.query, bound) }
}

/** The columns of a table that holds what a query gives. @throws 42701, 42601 for too many names */
export function columnsOf(
  bound: BoundQuery,
  names: readonly Identifier[],
  statement: string,
): readonly ColumnSchema[] {
  if (names.length > bound.columns.length)
    throw sqlError(SQLSTATE.syntaxError, `too many column names were specified`, {
      detail: `${statement} names ${names.length} columns, and the query has ${bound.columns.length}.`,
    })
  const columns = bound.columns.map(({ name, column }, slot) =>
    plainColumn({ name: names[slot]?.name ?? name, type: column.type }, slot),
  )
  const twice = columns.find(({ name }, i) => columns.findIndex((column) => column.name === name) !== i)
  if (twice !== undefined)
    throw sqlError(SQLSTATE.duplicateColumn, `column "${twice.name}" specified more than once`)
  return columns
}
