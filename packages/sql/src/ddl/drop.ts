import { errorAt } from '../binder/context.ts'
import { PUBLIC, schemaKey } from '../catalog/names.ts'
import type { CatalogEntry, TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { Drop, ObjectKind, QualifiedName } from '../syntax/ast.ts'
import { change, type DdlContext, discard, hintNear, keyOf, lookUp, schemaExists, shown } from './context.ts'
import { type Dependent, dependentsOf, describe, idOf, type Target } from './dependents.ts'
import { removeColumn, removeForeignKey, removeIndex } from './remove-parts.ts'
import { removeSequence } from './sequences.ts'

/** Drops objects, and with CASCADE what stands on them. @throws 42P01, 42704, 3F000, 2BP01, 42809 */
export async function drop(context: DdlContext, statement: Drop): Promise<void> {
  const targets: Target[] = []
  for (const name of statement.names) {
    const entry = await found(context, statement, name)
    if (entry === null) continue
    if (entry.kind === 'index') targets.push(await indexTarget(context, entry))
    else targets.push({ kind: 'entry', key: keyOf(context, entry), entry })
  }
  await dropAll(context, targets, statement.cascade)
}

const kindOf = (entry: CatalogEntry): ObjectKind => {
  if (entry.kind === 'table') return entry.materialized === null ? 'table' : 'materialized view'
  return entry.kind === 'enum' || entry.kind === 'composite' ? 'type' : entry.kind
}

const article = (word: string): string => (word === 'index' ? `an ${word}` : `a ${word}`)

async function found(
  context: DdlContext,
  { object, ifExists }: Drop,
  name: QualifiedName,
): Promise<CatalogEntry | null> {
  if (object === 'schema') return foundSchema(context, name, ifExists)
  const entry = await lookUp(context, name)
  const text = shown(name)
  if (entry === null) {
    const schema = name.parts.at(-2)?.name
    if (ifExists) return null
    if (schema !== undefined && !(await schemaExists(context, schema)))
      throw errorAt(context.bind, name, '3F000', `schema "${schema}" does not exist`)
    const code =
      object === 'type' || object === 'domain' || object === 'index'
        ? SQLSTATE.undefinedObject
        : SQLSTATE.undefinedTable
    const word = object === 'domain' ? 'type' : object
    throw sqlError(code, `${word} "${text}" does not exist`, await hintNear(context, text))
  }
  const kind = kindOf(entry)
  if (kind === object || (object === 'type' && kind === 'domain')) return entry
  throw sqlError(SQLSTATE.wrongObjectType, `"${entry.name}" is not ${article(object)}`, {
    hint: `Use DROP ${kind.toUpperCase()} to remove ${article(kind)}.`,
  })
}

async function foundSchema(
  context: DdlContext,
  name: QualifiedName,
  ifExists: boolean,
): Promise<CatalogEntry | null> {
  const own = name.parts.at(-1)?.name ?? ''
  if (own === PUBLIC)
    throw sqlError(SQLSTATE.featureNotSupported, 'schema "public" cannot be dropped', {
      hint: 'Drop what is in it.',
    })
  const entry = await context.catalog.entry(context.transaction, schemaKey(own))
  if (entry === null && !ifExists) throw sqlError('3F000', `schema "${own}" does not exist`)
  return entry
}

async function indexTarget(context: DdlContext, entry: CatalogEntry & { kind: 'index' }): Promise<Target> {
  const table = await context.catalog.entry(context.transaction, entry.table)
  if (table?.kind !== 'table') throw new TypeError(`index ${entry.name} belongs to no table`)
  const index = table.indexes.find(({ name }) => name === entry.name)
  if (index === undefined || index.constraint)
    throw sqlError(
      SQLSTATE.dependentObjectsStillExist,
      `cannot drop index ${entry.name} because constraint ${entry.name} on table ${table.name} requires it`,
      { hint: `You can drop constraint ${entry.name} on table ${table.name} instead.` },
    )
  return { kind: 'key', key: entry.table, table, name: entry.name }
}

/** Drops all of them together, with what stands on them. @throws 2BP01 unless `cascade` */
export async function dropAll(
  context: DdlContext,
  targets: readonly Target[],
  cascade: boolean,
): Promise<void> {
  const entries = await context.catalog.entries(context.transaction)
  const key = (entry: CatalogEntry): string => keyOf(context, entry)
  const all = new Map(targets.map((target) => [idOf(target), target]))
  const blocking: { readonly dependent: Dependent; readonly on: Target }[] = []
  const queue = [...targets]
  for (let target = queue.shift(); target !== undefined; target = queue.shift())
    for (const dependent of dependentsOf(target, entries, key)) {
      const id = idOf(dependent.target)
      if (all.has(id) || isPartOf(dependent.target, all)) continue
      if (!dependent.automatic) blocking.push({ dependent, on: target })
      all.set(id, dependent.target)
      queue.push(dependent.target)
    }
  if (!cascade && blocking.length > 0) throw stillNeeded(targets, blocking)
  // Parts of objects first: what is left of an object is dropped with it.
  const order = ['foreignKey', 'default', 'key', 'column', 'entry']
  const sorted = [...all.values()].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
  for (const target of sorted)
    if (!isPartOf(target, all) || target.kind === 'foreignKey') await remove(context, target)
}

/** True for a part of something that is dropped as a whole. */
const isPartOf = (target: Target, all: ReadonlyMap<string, Target>): boolean =>
  (target.kind !== 'entry' && all.has(`entry ${target.key}`)) ||
  (target.kind === 'default' && all.has(`column ${target.key} ${target.slot}`))

function stillNeeded(
  targets: readonly Target[],
  blocking: readonly { readonly dependent: Dependent; readonly on: Target }[],
) {
  const [first] = blocking
  const identity =
    first?.on.kind === 'entry' &&
    first.on.entry.kind === 'sequence' &&
    first.dependent.target.kind === 'column'
  if (first !== undefined && identity) {
    const column = describe(first.dependent.target)
    return sqlError(
      SQLSTATE.dependentObjectsStillExist,
      `cannot drop ${describe(first.on)} because ${column} requires it`,
      { hint: `You can drop ${column} instead.` },
    )
  }
  const only = targets.length === 1 ? targets[0] : undefined
  const nameOf = (target: Target): string =>
    target.kind === 'key' &&
    target.table.indexes.some(({ name, constraint }) => name === target.name && !constraint)
      ? `index ${target.name}`
      : describe(target)
  return sqlError(
    SQLSTATE.dependentObjectsStillExist,
    only === undefined
      ? 'cannot drop desired object(s) because other objects depend on them'
      : `cannot drop ${nameOf(only)} because other objects depend on it`,
    {
      detail: blocking
        .map(({ dependent, on }) => {
          const base = on.kind === 'key' ? `index ${on.name}` : describe(on)
          return `${describe(dependent.target)} depends on ${base}`
        })
        .join('\n'),
      hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
    },
  )
}

async function remove(context: DdlContext, target: Target): Promise<void> {
  const { catalog, transaction } = context
  if (target.kind === 'entry') {
    const entry = await catalog.entry(transaction, target.key)
    if (entry !== null) await removeEntry(context, entry)
    return
  }
  const table = await catalog.entry(transaction, target.key)
  if (table?.kind !== 'table') return
  switch (target.kind) {
    case 'foreignKey':
      await removeForeignKey(context, table, target.name)
      return
    case 'key':
      await removeIndex(context, table, target.name)
      return
    case 'column':
      await removeColumn(context, table, target.slot)
      return
    case 'default':
      await change(context, {
        ...table,
        columns: table.columns.map((column) =>
          column.slot === target.slot ? { ...column, defaultText: null } : column,
        ),
      })
  }
}

async function removeEntry(context: DdlContext, entry: CatalogEntry): Promise<void> {
  if (entry.kind === 'sequence') {
    removeSequence(context, entry)
    return
  }
  if (entry.kind === 'table') await removeTable(context, entry)
  context.catalog.delete(context.transaction, keyOf(context, entry))
}

async function removeTable(context: DdlContext, before: TableSchema): Promise<void> {
  const { catalog, transaction } = context
  let table = before
  for (const { name } of table.foreignKeys) table = await removeForeignKey(context, table, name)
  const keys = [table.primaryKey, ...table.indexes]
  for (const key of keys)
    if (key !== null)
      catalog.delete(transaction, keyOf(context, { ...table, kind: 'index', name: key.name } as never))
  discard(context, table, table.relation)
  for (const { relation } of table.indexes) discard(context, table, relation)
}
