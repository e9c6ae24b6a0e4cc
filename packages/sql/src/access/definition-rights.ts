import { INFORMATION_SCHEMA, PUBLIC, SYSTEM_SCHEMA, TEMPORARY_PREFIX } from '../catalog/names.ts'
import type { CatalogEntry, TableSchema } from '../catalog/schema.ts'
import type { Definition, ObjectKind, QualifiedName, References } from '../syntax/ast.ts'
import { denied, notOwner } from './permit.ts'
import { type AccessContext, DATABASE, find, findSchema, guardedEntry, wordOf } from './statements/context.ts'

/**
 * Checks that a role may run a statement that changes the catalog. What is not there is not complained of here: the
 * statement itself does that.
 * @throws 42501
 */
export async function checkDefinition(context: AccessContext, statement: Definition): Promise<void> {
  switch (statement.kind) {
    case 'createTable':
      if (!statement.temporary) await mayCreate(context, statement.table)
      for (const { constraints } of statement.columns)
        for (const one of constraints) if (one.kind === 'references') await mayReference(context, one)
      for (const one of statement.constraints) if (one.kind === 'foreignKey') await mayReference(context, one)
      return
    case 'createTableAs':
      if (!statement.temporary) await mayCreate(context, statement.table)
      return
    case 'createView':
      if (statement.temporary) return
      if (statement.orReplace) await ownsNamed(context, statement.name)
      return mayCreate(context, statement.name)
    case 'createSequence':
      if (!statement.temporary) await mayCreate(context, statement.name)
      return
    case 'createMaterializedView':
    case 'createEnum':
    case 'createDomain':
      return mayCreate(context, statement.name)
    case 'createSchema':
      if (!context.state.may(context.current.oid, DATABASE, 'C')) throw denied('database', context.database)
      return
    case 'createIndex':
      return ownsNamed(context, statement.table)
    case 'alterTable':
      await ownsNamed(context, statement.table)
      for (const change of statement.changes) {
        if (change.kind === 'addConstraint' && change.constraint.kind === 'foreignKey')
          await mayReference(context, change.constraint)
        if (change.kind === 'addColumn')
          for (const one of change.column.constraints)
            if (one.kind === 'references') await mayReference(context, one)
        if (change.kind === 'setSchema') await mayCreateIn(context, change.schema.name)
      }
      return
    case 'alterComposite':
      return ownsNamed(context, statement.name)
    case 'alterSequence':
    case 'alterEnum':
    case 'alterDomain':
      await ownsNamed(context, statement.name)
      if (statement.change.kind === 'setSchema') await mayCreateIn(context, statement.change.schema.name)
      return
    case 'alterObject':
      if (statement.object === 'schema') return ownsSchema(context, statement.name)
      await ownsNamed(context, statement.name)
      if (statement.change.kind === 'setSchema') await mayCreateIn(context, statement.change.schema.name)
      return
    case 'refresh':
      return ownsNamed(context, statement.name)
    case 'drop':
      for (const name of statement.names) await mayDrop(context, statement.object, name)
      return
    case 'comment': {
      const { object, name } = statement
      if (object === 'schema') return ownsSchema(context, name)
      if (object === 'database') {
        if (!context.state.owns(context.current.oid, DATABASE)) throw notOwner('database', context.database)
        return
      }
      return ownsNamed(context, object === 'column' ? { ...name, parts: name.parts.slice(0, -1) } : name)
    }
    case 'truncate':
      for (const name of statement.tables) await mayTruncate(context, name, statement.cascade)
  }
}

/** @throws 42501 unless new objects may be made where the name says */
async function mayCreate(context: AccessContext, { parts }: QualifiedName): Promise<void> {
  const written = parts.at(-2)?.name
  if (written?.startsWith(TEMPORARY_PREFIX) === true) return
  if (written !== undefined) return mayCreateIn(context, written)
  for (const schema of context.path.schemas)
    if ((await findSchema(context, schema)) !== null) return mayCreateIn(context, schema)
}

async function mayCreateIn(context: AccessContext, schema: string): Promise<void> {
  const found = await findSchema(context, schema)
  if (found !== null && !context.state.may(context.current.oid, found, 'C')) throw denied('schema', schema)
}

/** @throws 42501 */
async function mayReference(context: AccessContext, { table: name, referenced }: References): Promise<void> {
  const { state, current } = context
  const parent = await find(context, name)
  if (parent?.kind !== 'table' || isOwn(parent)) return
  const guarded = await guardedEntry(context, parent)
  if (state.may(current.oid, guarded, 'x')) return
  const positions = parent.primaryKey?.columns ?? []
  const columns =
    referenced.length > 0
      ? parent.columns.filter(({ name: own }) => referenced.some((one) => one.name === own))
      : positions.flatMap((position) => parent.columns[position] ?? [])
  const each = columns.every(({ slot }) => state.mayColumn(current.oid, parent.oid, slot, 'x'))
  if (columns.length === 0 || !each) throw denied('table', parent.name)
}

const isOwn = ({ schema }: CatalogEntry): boolean => schema.startsWith(TEMPORARY_PREFIX)

async function ownsNamed(context: AccessContext, name: QualifiedName): Promise<void> {
  const entry = await find(context, name)
  if (entry !== null) await ownsEntry(context, entry)
}

/** @throws 42501 */
async function ownsEntry(context: AccessContext, entry: CatalogEntry): Promise<void> {
  if (isOwn(entry)) return
  const guarded = await guardedEntry(context, entry)
  if (!context.state.owns(context.current.oid, guarded)) throw notOwner(wordOf(entry), entry.name)
}

async function ownsSchema(context: AccessContext, { parts }: QualifiedName): Promise<void> {
  const name = parts.at(-1)?.name ?? ''
  const schema = [SYSTEM_SCHEMA, INFORMATION_SCHEMA].includes(name) ? null : await findSchema(context, name)
  if (schema !== null && !context.state.owns(context.current.oid, schema)) throw notOwner('schema', name)
}

/** An object may be dropped by its owner, and by that of its schema. */
async function mayDrop(context: AccessContext, object: ObjectKind, name: QualifiedName): Promise<void> {
  if (object === 'schema') return ownsSchema(context, name)
  const entry = await find(context, name)
  if (entry === null) return
  const schema = await findSchema(context, entry.schema === '' ? PUBLIC : entry.schema)
  if (schema !== null && context.state.owns(context.current.oid, schema)) return
  await ownsEntry(context, entry)
}

/** @throws 42501, also for a table that is emptied with it */
async function mayTruncate(context: AccessContext, name: QualifiedName, cascade: boolean): Promise<void> {
  const { state, current, catalog, transaction } = context
  const first = await find(context, name)
  if (first?.kind !== 'table') return
  const all = new Map<string, TableSchema>([[catalog.keyOf(first), first]])
  for (const table of all.values()) {
    if (!isOwn(table) && !state.may(current.oid, await guardedEntry(context, table), 'D'))
      throw denied('table', table.name)
    for (const { table: key } of cascade ? table.referencedBy : []) {
      const child = await catalog.entry(transaction, key)
      if (child?.kind === 'table') all.set(key, child)
    }
  }
}
