import { collectNames } from '../binder/collect-names.ts'
import type { BoundQuery } from '../binder/context.ts'
import { errorAt } from '../binder/context.ts'
import { settled } from '../binder/query/convert-query.ts'
import { namesInside, usesOf } from '../binder/query/view-names.ts'
import { whyNotUpdatable } from '../binder/write/updatable-view.ts'
import { TEMPORARY_PREFIX } from '../catalog/names.ts'
import type { StoredQuery, TableSchema, ViewSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { CreateMaterializedView, CreateView, Query, Refresh } from '../syntax/ast.ts'
import { quoteIdentifier } from '../syntax/keywords.ts'
import { parseStatement } from '../syntax/parse.ts'
import { formatType, sameType } from '../types/type.ts'
import {
  alreadyExists,
  change,
  type DdlContext,
  discard,
  lookUp,
  newName,
  newObject,
  noRelation,
  takenBy,
} from './context.ts'
import { storeTable } from './create-table.ts'
import { columnsOf } from './create-table-as.ts'
import { withNewRelations } from './rewrite.ts'

/** Keeps a query under a name. @throws 42P07, 42P16, and whatever is wrong with the query */
export async function createView(context: DdlContext, statement: CreateView): Promise<void> {
  const { bind, catalog, transaction } = context
  const query = statement.recursive ? recursiveQuery(statement) : statement.query
  const text = statement.recursive ? recursiveText(statement) : statement.text
  const usesTemporary = [...collectNames(query).relations].some((written) =>
    bind.names.entry(written)?.schema.startsWith(TEMPORARY_PREFIX),
  )
  const named = await newName(context, statement.name, statement.temporary || usesTemporary)
  const known = await takenBy(context, named)
  if (known !== null && !(statement.orReplace && known.kind === 'view')) {
    if (!statement.orReplace) throw alreadyExists(named.name)
    throw sqlError(SQLSTATE.wrongObjectType, `"${named.name}" is not a view`)
  }
  const bound = settled(bind, query, bind.bindQuery(query, { ...bind, views: [named.key] }, null))
  const columns = statement.columns.map((column) => column.name)
  if (columns.length > bound.columns.length)
    throw sqlError(SQLSTATE.syntaxError, 'CREATE VIEW specifies more column names than columns')
  const result = bound.columns.map(({ name, column }, i) => ({ name: columns[i] ?? name, type: column.type }))
  const twice = result.find(({ name }, i) => result.findIndex((one) => one.name === name) !== i)
  if (twice !== undefined)
    throw errorAt(
      bind,
      statement,
      SQLSTATE.duplicateColumn,
      `column "${twice.name}" specified more than once`,
    )
  if (known?.kind === 'view') checkReplacement(known, result)
  const obstacle = statement.checkOption === null ? null : whyNotUpdatable(query)
  if (obstacle !== null)
    throw sqlError(
      SQLSTATE.featureNotSupported,
      'WITH CHECK OPTION is supported only on automatically updatable views',
      { hint: obstacle },
    )
  const view: ViewSchema = {
    kind: 'view',
    ...(known ?? (await newObject(context, named))),
    ...storedQuery(context, query, text, columns),
    result,
    checkOption: statement.checkOption,
  } as ViewSchema
  if (known === null) catalog.put(transaction, view)
  else await change(context, view)
}

const storedQuery = (
  { bind }: DdlContext,
  query: Query,
  text: string,
  columns: readonly string[],
): StoredQuery => {
  const { relations, types } = collectNames(query)
  return { text, columns, uses: usesOf(bind.names, [...relations, ...types]) }
}

/** `CREATE RECURSIVE VIEW v (n) AS q` is `WITH RECURSIVE v (n) AS (q) SELECT n FROM v`. */
function recursiveText({ name, columns, text }: CreateView): string {
  const own = quoteIdentifier(name.parts.at(-1)?.name ?? '')
  const list = columns.map((column) => quoteIdentifier(column.name)).join(', ')
  return `WITH RECURSIVE ${own} (${list}) AS (${text}) SELECT ${list} FROM ${own}`
}

function recursiveQuery(statement: CreateView): Query {
  const made = parseStatement(recursiveText(statement))
  if (made.kind !== 'query') throw new TypeError('a recursive view is a query')
  return made
}

type Result = ViewSchema['result']

/** CREATE OR REPLACE VIEW may add columns at the end, and nothing else. @throws 42P16 */
function checkReplacement(old: ViewSchema, result: Result): void {
  if (result.length < old.result.length)
    throw sqlError(SQLSTATE.invalidTableDefinition, 'cannot drop columns from view')
  old.result.forEach((before, i) => {
    const after = result[i]
    if (after === undefined) return
    if (after.name !== before.name)
      throw sqlError(
        SQLSTATE.invalidTableDefinition,
        `cannot change name of view column "${before.name}" to "${after.name}"`,
        { hint: 'Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.' },
      )
    if (!sameType(after.type, before.type))
      throw sqlError(
        SQLSTATE.invalidTableDefinition,
        `cannot change data type of view column "${before.name}" from ${formatType(before.type)} to ${formatType(after.type)}`,
      )
  })
}

/** A table with the rows of a query, and the query. @returns how many rows; null: it exists already */
export async function createMaterializedView(
  context: DdlContext,
  statement: CreateMaterializedView,
): Promise<{ readonly rows: number | null } | null> {
  const { bind } = context
  const named = await newName(context, statement.name)
  if ((await takenBy(context, named)) !== null) {
    if (statement.ifNotExists) return null
    throw alreadyExists(named.name)
  }
  const bound = settled(bind, statement.query, bind.bindQuery(statement.query, bind, null))
  const names = statement.columns.map((column) => column.name)
  const table = await storeTable(context, named, {
    columns: columnsOf(bound, statement.columns, 'CREATE MATERIALIZED VIEW'),
    placement: 'hashed',
    temporary: null,
    materialized: {
      ...storedQuery(context, statement.query, statement.text, names),
      populated: statement.withData,
    },
  })
  if (!statement.withData) return { rows: null }
  return { rows: await context.fill(table, statement.query, bound) }
}

/** REFRESH: the rows of the query as they are now, in relations of their own. @throws 42P01, 42809 */
export async function refresh(context: DdlContext, statement: Refresh): Promise<void> {
  const table = await lookUp(context, statement.name)
  if (table === null) throw await noRelation(context, statement.name)
  if (table.kind !== 'table' || table.materialized === null)
    throw sqlError(SQLSTATE.featureNotSupported, `"${table.name}" is not a materialized view`)
  discard(context, table, table.relation)
  for (const { relation } of table.indexes) discard(context, table, relation)
  const fresh = await change(context, {
    ...(await withNewRelations(context, table)),
    materialized: { ...table.materialized, populated: statement.withData },
  } satisfies TableSchema)
  if (!statement.withData) return
  const { query, bound } = await boundAgain(context, table.materialized)
  await context.fill(fresh, query, bound)
}

/** A stored query, bound to what it names today. */
async function boundAgain(
  context: DdlContext,
  stored: StoredQuery,
): Promise<{ readonly query: Query; readonly bound: BoundQuery }> {
  const query = parseStatement(stored.text)
  if (query.kind !== 'query') throw new TypeError('a materialized view is not a query')
  const bind = { ...context.bind, source: null, names: namesInside(context.bind.names, stored) }
  return { query, bound: settled(bind, query, bind.bindQuery(query, bind, null)) }
}
