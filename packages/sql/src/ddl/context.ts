import type { Database, RelationId, Row, Transaction, Value } from '@cluster/core'
import { relationId } from '@cluster/core'
import type { BindContext, BoundQuery } from '../binder/context.ts'
import { errorAt } from '../binder/context.ts'
import type { Catalog } from '../catalog/catalog.ts'
import {
  catalogKey,
  INFORMATION_SCHEMA,
  keysOf,
  PUBLIC,
  type SearchPath,
  SYSTEM_SCHEMA,
  schemaKey,
  TEMPORARY_PREFIX,
  writtenName,
} from '../catalog/names.ts'
import type { CatalogEntry, TableSchema } from '../catalog/schema.ts'
import { nearest, SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import { isLocal, type LocalStore, localOf } from '../local/local-store.ts'
import type { Column, Expr } from '../plan/expression.ts'
import type { Node, QualifiedName, Query } from '../syntax/ast.ts'

/** What a statement that changes the catalog works with: all of it happens inside the transaction. */
export interface DdlContext {
  readonly transaction: Transaction
  readonly catalog: Catalog
  readonly database: Database
  /** For expressions in definitions, and for positions in messages. */
  readonly bind: BindContext
  /** The whole text that the statement's offsets point into. */
  readonly source: string
  readonly path: SearchPath
  /** The schema of this session's temporary objects; made when it is asked for first. */
  readonly temporarySchema: () => string
  /** Tables of the system, by `schema.name` or, when a composer made them, by name. */
  readonly reserved: (name: string) => boolean
  /** The value of an expression that reads no row. */
  readonly evaluate: (expr: Expr) => Promise<Value>
  /** Computes expressions over the columns of rows. */
  readonly rowMapper: (
    row: readonly Column[],
    exprs: readonly Expr[],
  ) => (rows: readonly Row[]) => Promise<readonly Row[]>
  /** Inserts the rows of a query into a table, its columns in order. @returns how many */
  readonly fill: (table: TableSchema, query: Query, bound: BoundQuery) => Promise<number>
  /** Set when the statement is alone in its transaction: what is long goes on in transactions of its own after it. */
  readonly later: LaterSteps | null
}

/** Work that follows the commit of a statement, cut into transactions of bounded size. */
export interface LaterSteps {
  add(steps: Later): void
}

/**
 * @param step runs `work` in a transaction of its own, again when it was out of date
 * @throws what makes the statement fail; it has undone then what the statement did
 */
export type Later = (step: RunStep) => Promise<void>
export type RunStep = <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>

/** Where a new object goes. */
export interface NewName {
  readonly schema: string
  readonly name: string
  readonly key: string
}

/** @throws 3F000 for a schema that is not there, 42501 for one of the system */
export async function newName(
  context: DdlContext,
  { parts, span }: QualifiedName,
  temporary = false,
): Promise<NewName> {
  const own = parts.at(-1)?.name ?? ''
  const written = parts.at(-2)?.name
  if (temporary || written === TEMPORARY_PREFIX) {
    if (written !== undefined && !written.startsWith(TEMPORARY_PREFIX))
      throw sqlError(
        SQLSTATE.invalidTableDefinition,
        'cannot create temporary relation in non-temporary schema',
      )
    const schema = context.temporarySchema()
    return { schema, name: own, key: catalogKey(schema, own) }
  }
  const schema = written ?? (await currentSchema(context))
  if (schema === null)
    throw sqlError('3F000', 'no schema has been selected to create in', {
      hint: 'Set search_path to a schema that exists.',
    })
  if (written !== undefined) await needSchema(context, written, { span })
  return { schema, name: own, key: catalogKey(schema, own) }
}

/** The first schema of the search path that there is. */
async function currentSchema(context: DdlContext): Promise<string | null> {
  for (const schema of context.path.schemas) if (await schemaExists(context, schema)) return schema
  return null
}

export async function schemaExists({ catalog, transaction }: DdlContext, name: string): Promise<boolean> {
  return name === PUBLIC || (await catalog.entry(transaction, schemaKey(name))) !== null
}

/** @throws 3F000, 42501 */
export async function needSchema(context: DdlContext, name: string, node: Node): Promise<void> {
  if (name === SYSTEM_SCHEMA || name === INFORMATION_SCHEMA)
    throw sqlError('42501', `permission denied for schema ${name}`, { hint: 'It belongs to the system.' })
  if (await schemaExists(context, name)) return
  throw errorAt(context.bind, node, '3F000', `schema "${name}" does not exist`)
}

/** What holds the name already. @throws 42P07 for a table of the system */
export async function takenBy(
  context: DdlContext,
  { schema, name, key }: NewName,
): Promise<CatalogEntry | null> {
  if (schema === PUBLIC && context.reserved(name))
    throw sqlError(SQLSTATE.duplicateTable, `relation "${name}" already exists`, {
      hint: 'It is a table of the system; choose another name.',
    })
  return context.catalog.entry(context.transaction, key)
}

export const alreadyExists = (name: string) =>
  sqlError(SQLSTATE.duplicateTable, `relation "${name}" already exists`, { table: name })

/** What a name in a statement stands for; null when it is nothing. */
export async function lookUp(context: DdlContext, name: QualifiedName): Promise<CatalogEntry | null> {
  for (const key of keysOf(writtenName(name), context.path)) {
    const entry = await context.catalog.entry(context.transaction, key)
    if (entry !== null) return entry
  }
  return null
}

/** A name as it stands in a message. */
export const shown = ({ parts }: QualifiedName): string => parts.map(({ name }) => name).join('.')

/** "Perhaps you meant", of all names in the catalog. */
export async function hintNear(
  { catalog, transaction }: DdlContext,
  name: string,
): Promise<{ readonly hint?: string }> {
  const names = (await catalog.entries(transaction)).map((entry) => entry.name)
  const near = nearest(name, names)
  return near === null ? {} : { hint: `Perhaps you meant "${near}".` }
}

/** For a name of a relation that is not there. */
export async function noRelation(context: DdlContext, name: QualifiedName): Promise<SqlError> {
  const text = shown(name)
  return errorAt(
    context.bind,
    name,
    SQLSTATE.undefinedTable,
    `relation "${text}" does not exist`,
    await hintNear(context, text),
  )
}

/** The table of that name, for a change. @throws 42P01, 42809, 42501 */
export async function needTable(context: DdlContext, name: QualifiedName): Promise<TableSchema> {
  const entry = await lookUp(context, name)
  if (entry?.kind === 'table' && entry.materialized === null) return entry
  const text = shown(name)
  if (entry === null) {
    if (context.reserved(text) || context.reserved(`${SYSTEM_SCHEMA}.${text}`))
      throw sqlError('42501', `permission denied: "${text}" is a system catalog`)
    throw await noRelation(context, name)
  }
  throw sqlError(SQLSTATE.wrongObjectType, `"${entry.name}" is not a table`, {
    detail: entry.kind === 'view' ? 'This operation is not supported for views.' : undefined,
  })
}

export const keyOf = ({ catalog }: DdlContext, entry: CatalogEntry): string => catalog.keyOf(entry)

/** Where the numbers of an object in a schema come from: those of a session's own objects cost nothing. */
const localFor = ({ transaction }: DdlContext, schema: string): LocalStore | null =>
  schema.startsWith(TEMPORARY_PREFIX) ? localOf(transaction) : null

/** A number for a version of an object in a schema. */
async function draw(context: DdlContext, schema: string): Promise<number> {
  return localFor(context, schema)?.draw() ?? context.catalog.draw(context.transaction)
}

/** Numbers below are PostgreSQL's own. */
const FIRST_OID = 16_384

/** A number for a new object, as `pg_catalog` shows it. */
export async function drawOid(context: DdlContext, schema: string): Promise<number> {
  return localFor(context, schema)?.drawOid() ?? FIRST_OID + (await draw(context, schema))
}

export async function drawRelation(context: DdlContext, schema: string): Promise<RelationId> {
  return localFor(context, schema)?.drawRelation() ?? relationId(await draw(context, schema))
}

/** Writes a changed entry under a new version. */
export async function change<Entry extends CatalogEntry>(context: DdlContext, entry: Entry): Promise<Entry> {
  const changed = { ...entry, version: await draw(context, entry.schema) }
  context.catalog.put(context.transaction, changed)
  return changed
}

/** Leaves the rows of a relation to be swept away after the commit. */
export function discard(
  { catalog, transaction }: DdlContext,
  table: TableSchema,
  relation: RelationId,
): void {
  const local = localOf(transaction)
  if (isLocal(relation)) local?.clear(relation)
  else catalog.discard(transaction, { relation, everywhere: table.placement === 'everywhere' })
}

/** The fields of a new entry that every kind has. */
export async function newObject(context: DdlContext, { schema, name }: Pick<NewName, 'schema' | 'name'>) {
  const oid = await drawOid(context, schema)
  return { schema, name, oid, version: await draw(context, schema), comment: null }
}
