import { PUBLIC, schemaKey, TEMPORARY_PREFIX } from '../catalog/names.ts'
import { type CatalogEntry, isTypeEntry, type TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { AlterObject, ObjectChange, QualifiedName } from '../syntax/ast.ts'
import { renameViewColumn, setViewOptions } from './alter-view.ts'
import { constraintNames } from './constraint-names.ts'
import {
  alreadyExists,
  change,
  type DdlContext,
  hintNear,
  keyOf,
  lookUp,
  needSchema,
  newObject,
  shown,
} from './context.ts'
import { keyUnder, renamedIn, withKeyReplaced } from './references.ts'

/** ALTER INDEX, VIEW, MATERIALIZED VIEW and SCHEMA. @throws 42P01, 42704, 3F000, 42809 */
export async function alterObject(context: DdlContext, statement: AlterObject): Promise<void> {
  const { object, name, ifExists, change: what } = statement
  if (object === 'schema') return alterSchema(context, name, objectChange(what))
  const entry = await lookUp(context, name)
  if (entry === null) {
    if (ifExists) return
    throw sqlError(
      SQLSTATE.undefinedTable,
      `relation "${shown(name)}" does not exist`,
      await hintNear(context, shown(name)),
    )
  }
  const fits =
    object === 'index'
      ? entry.kind === 'index'
      : object === 'view'
        ? entry.kind === 'view'
        : entry.kind === 'table' && entry.materialized !== null
  if (!fits)
    throw sqlError(
      SQLSTATE.wrongObjectType,
      `"${entry.name}" is not ${object === 'index' ? 'an' : 'a'} ${object}`,
    )
  if (what.kind === 'unchanged') return
  if (what.kind === 'renameColumn' && (entry.kind === 'view' || entry.kind === 'table'))
    return renameViewColumn(context, entry, what.from, what.to)
  if (what.kind === 'viewOptions' && entry.kind === 'view')
    return setViewOptions(context, entry, what.options, what.reset)
  await changeObject(context, entry, objectChange(what))
}

/** A change of any object. */
function objectChange(what: AlterObject['change']): ObjectChange {
  if (what.kind === 'rename' || what.kind === 'setSchema' || what.kind === 'owner') return what
  throw new TypeError(`${what.kind} is no change of any object`)
}

async function alterSchema(
  context: DdlContext,
  { parts, span }: QualifiedName,
  what: ObjectChange,
): Promise<void> {
  const name = parts.at(-1)?.name ?? ''
  await needSchema(context, name, { span })
  if (what.kind === 'owner') throw ownerWithOthers()
  if (what.kind === 'setSchema') throw sqlError(SQLSTATE.syntaxError, 'a schema is in no schema')
  const to = what.to.name
  if (name === PUBLIC)
    throw sqlError(SQLSTATE.featureNotSupported, 'schema "public" cannot be renamed', {
      hint: 'It is where everything is that has no other schema.',
    })
  refuseReserved(to)
  const { catalog, transaction } = context
  if (to === PUBLIC || (await catalog.entry(transaction, schemaKey(to))) !== null)
    throw sqlError('42P06', `schema "${to}" already exists`)
  for (const entry of await catalog.entries(transaction))
    if (entry.kind !== 'schema' && entry.schema === name) await move(context, entry, to, entry.name)
  const old = await catalog.entry(transaction, schemaKey(name))
  catalog.delete(transaction, schemaKey(name))
  if (old !== null) await change(context, { ...old, name: to })
}

/** OWNER TO that is all of its statement is another statement. */
const ownerWithOthers = () =>
  sqlError(SQLSTATE.featureNotSupported, 'OWNER TO must be the only change of its statement')

/** @throws 42939 */
function refuseReserved(schema: string): void {
  if (schema.startsWith('pg_'))
    throw sqlError('42939', `unacceptable schema name "${schema}"`, {
      detail: 'The prefix "pg_" is reserved for system schemas.',
    })
}

/** RENAME TO, SET SCHEMA, OWNER TO of any object in a schema. */
export async function changeObject(
  context: DdlContext,
  entry: CatalogEntry,
  what: ObjectChange,
): Promise<void> {
  if (what.kind === 'owner') throw ownerWithOthers()
  if (what.kind === 'rename') {
    await move(context, entry, entry.schema, what.to.name)
    return
  }
  const schema = what.schema.name
  await needSchema(context, schema, what.schema)
  if (entry.schema.startsWith(TEMPORARY_PREFIX))
    throw sqlError(SQLSTATE.featureNotSupported, 'cannot move objects into or out of temporary schemas')
  if (schema === entry.schema) return
  if (entry.kind === 'index')
    throw sqlError(SQLSTATE.wrongObjectType, `"${entry.name}" is an index`, {
      hint: 'It is in the schema of its table.',
    })
  await move(context, entry, schema, entry.name)
}

/** Gives an object another name or schema, and tells all that mention it. @throws 42P07 */
async function move(context: DdlContext, entry: CatalogEntry, schema: string, name: string): Promise<void> {
  const { catalog, transaction } = context
  const from = keyOf(context, entry)
  const to = keyUnder(entry, schema, name)
  if ((await catalog.entry(transaction, to)) !== null)
    throw isTypeEntry(entry)
      ? sqlError(SQLSTATE.duplicateObject, `type "${name}" already exists`)
      : alreadyExists(name)
  const sameName = entry.name === name
  const moved: CatalogEntry =
    entry.kind === 'table' && !sameName
      ? { ...renamedIn(entry, { table: [entry.name, name] }), schema, name }
      : { ...entry, schema, name }
  catalog.delete(transaction, from)
  await change(context, withKeyReplaced(moved, from, to))
  for (const other of await catalog.entries(transaction)) {
    if (keyOf(context, other) === to) continue
    const next = withTypeRenamed(withKeyReplaced(other, from, to), entry, schema, name)
    if (next !== other) await change(context, next)
  }
  if (entry.kind === 'index') await renameIndex(context, entry, name)
  if (entry.kind === 'table' && schema !== entry.schema) await takeAlong(context, to, entry, schema)
}

/** Columns know the names of their enum types. */
function withTypeRenamed(
  entry: CatalogEntry,
  type: CatalogEntry,
  schema: string,
  name: string,
): CatalogEntry {
  if (type.kind !== 'enum' || entry.kind !== 'table') return entry
  if (!entry.columns.some((column) => column.type.enum?.oid === type.oid)) return entry
  return {
    ...entry,
    columns: entry.columns.map((column) =>
      column.type.enum?.oid === type.oid
        ? { ...column, type: { ...column.type, enum: { ...column.type.enum, schema, name } } }
        : column,
    ),
  }
}

/** The table keeps the definition of the index. */
async function renameIndex(
  context: DdlContext,
  entry: CatalogEntry & { kind: 'index' },
  name: string,
): Promise<void> {
  const table = await context.catalog.entry(context.transaction, entry.table)
  if (table?.kind !== 'table') throw new TypeError(`index ${entry.name} belongs to no table`)
  await change(context, await withKeyRenamed(context, table, entry.name, name))
}

/** Indexes and owned sequences go to the new schema with their table. */
async function takeAlong(
  context: DdlContext,
  key: string,
  before: TableSchema,
  schema: string,
): Promise<void> {
  const { catalog, transaction } = context
  for (const entry of await catalog.entries(transaction)) {
    const own =
      (entry.kind === 'index' && entry.table === key) ||
      (entry.kind === 'sequence' && entry.ownedBy?.table === key)
    if (own && entry.schema === before.schema) await move(context, entry, schema, entry.name)
  }
}

/** The table with a key or index of it under another name; foreign keys that rely on it are told. */
async function withKeyRenamed(
  context: DdlContext,
  table: TableSchema,
  from: string,
  to: string,
): Promise<TableSchema> {
  const rename = <T extends { readonly name: string }>(one: T): T =>
    one.name === from ? { ...one, name: to } : one
  let renamed: TableSchema = {
    ...table,
    primaryKey: table.primaryKey === null ? null : rename(table.primaryKey),
    indexes: table.indexes.map(rename),
  }
  const own = keyOf(context, table)
  for (const { table: key, name } of table.referencedBy) {
    const child = key === own ? renamed : await context.catalog.entry(context.transaction, key)
    if (child?.kind !== 'table') continue
    const foreignKeys = child.foreignKeys.map((one) =>
      one.name === name && one.target === from ? { ...one, target: to } : one,
    )
    if (key === own) renamed = { ...renamed, foreignKeys }
    else await change(context, { ...child, foreignKeys })
  }
  return renamed
}

/** RENAME CONSTRAINT. @throws 42704, 42710, 42P07 */
export async function renameConstraint(
  context: DdlContext,
  table: TableSchema,
  from: string,
  to: string,
): Promise<TableSchema> {
  const { catalog, transaction } = context
  const names = constraintNames(table)
  if (!names.includes(from))
    throw sqlError(SQLSTATE.undefinedObject, `constraint "${from}" for table "${table.name}" does not exist`)
  if (names.includes(to))
    throw sqlError(SQLSTATE.duplicateObject, `constraint "${to}" for relation "${table.name}" already exists`)
  const key = [table.primaryKey, ...table.indexes].find((one) => one?.name === from)
  if (key != null) {
    const entry = await catalog.entry(transaction, keyUnder({ ...table, kind: 'table' }, table.schema, from))
    if (entry?.kind !== 'index') throw new TypeError(`constraint ${from} has no index in the catalog`)
    await move(context, entry, table.schema, to)
    const changed = await catalog.entry(transaction, keyOf(context, table))
    return changed?.kind === 'table' ? changed : table
  }
  const rename = <T extends { readonly name: string }>(one: T): T =>
    one.name === from ? { ...one, name: to } : one
  let renamed: TableSchema = {
    ...table,
    checks: table.checks.map(rename),
    foreignKeys: table.foreignKeys.map(rename),
  }
  const foreign = table.foreignKeys.find(({ name }) => name === from)
  if (foreign !== undefined) {
    const own = keyOf(context, table)
    const told = (parent: TableSchema): TableSchema => ({
      ...parent,
      referencedBy: parent.referencedBy.map((one) =>
        one.table === own && one.name === from ? { ...one, name: to } : one,
      ),
    })
    if (foreign.table === own) renamed = told(renamed)
    else {
      const parent = await catalog.entry(transaction, foreign.table)
      if (parent?.kind === 'table') await change(context, told(parent))
    }
  }
  return renamed
}

/** CREATE SCHEMA. @returns false when it exists and IF NOT EXISTS was said. @throws 42P06, 42939 */
export async function createSchema(
  context: DdlContext,
  name: string,
  ifNotExists: boolean,
): Promise<boolean> {
  const { catalog, transaction } = context
  refuseReserved(name)
  const taken =
    name === PUBLIC ||
    name === 'information_schema' ||
    (await catalog.entry(transaction, schemaKey(name))) !== null
  if (taken) {
    if (ifNotExists) return false
    throw sqlError('42P06', `schema "${name}" already exists`)
  }
  catalog.put(transaction, { kind: 'schema', ...(await newObject(context, { schema: '', name })) })
  return true
}
