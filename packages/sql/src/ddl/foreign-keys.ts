import { errorAt } from '../binder/context.ts'
import type { ColumnSchema, ForeignKey, KeyConstraint, TableSchema } from '../catalog/schema.ts'
import { isSqlError, nearest, SQLSTATE, sqlError } from '../errors.ts'
import { castFor } from '../functions/cast.ts'
import { resolveOperator } from '../functions/resolve.ts'
import type { Deferral, Identifier, Node, References } from '../syntax/ast.ts'
import { formatType, type SqlType } from '../types/type.ts'
import type { ConstraintNames } from './constraint-names.ts'
import { change, type DdlContext, drawOid, keyOf, lookUp, noRelation } from './context.ts'

/** A foreign key as a statement has it. */
export interface ForeignKeyClause extends References, Deferral {
  readonly node: Node
  readonly name: string | null
  readonly columns: readonly Identifier[]
}

const invalidKey = '42830'

/**
 * Finds what a foreign key points at.
 * @param child the table that has it, its keys already in it: it may point at itself
 * @throws 42P01, 42830, 42703, 42804
 */
export async function makeForeignKey(
  context: DdlContext,
  names: ConstraintNames,
  child: TableSchema,
  clause: ForeignKeyClause,
  validated: boolean,
): Promise<ForeignKey> {
  const { bind } = context
  if (clause.match === 'partial')
    throw errorAt(bind, clause.node, SQLSTATE.featureNotSupported, 'MATCH PARTIAL not yet implemented')
  const parent = await parentOf(context, child, clause)
  const columns = positionsOf(context, child, clause.columns)
  const key = targetOf(context, parent, clause)
  if (key.columns.length !== columns.length)
    throw errorAt(
      bind,
      clause.node,
      invalidKey,
      'number of referencing and referenced columns for foreign key disagree',
    )
  const referenced =
    clause.referenced.length === 0 ? key.columns : positionsOf(context, parent, clause.referenced)
  const slotOf = (table: TableSchema) => (position: number) => (table.columns[position] as ColumnSchema).slot
  const parts = [...clause.columns.map(({ name }) => name), 'fkey']
  const name = names.takeOwn(clause.name, parts)
  checkTypes(name, child, columns, parent, referenced)
  refuseGenerated(child, columns, clause)
  const cleared = positionsOf(context, child, clause.onDeleteColumns)
  const outside = clause.onDeleteColumns.find((_, i) => !columns.includes(cleared[i] as number))
  if (outside !== undefined)
    throw errorAt(
      bind,
      outside,
      SQLSTATE.invalidColumnReference,
      `column "${outside.name}" referenced in ON DELETE SET action must be part of foreign key`,
    )
  return {
    name,
    oid: await drawOid(context, child.schema),
    columns: columns.map(slotOf(child)),
    table: keyOf(context, parent),
    referenced: referenced.map(slotOf(parent)),
    target: key.name,
    match: clause.match,
    onDelete: clause.onDelete,
    onUpdate: clause.onUpdate,
    onDeleteColumns: cleared.map(slotOf(child)),
    deferrable: clause.deferrable,
    initiallyDeferred: clause.initiallyDeferred,
    validated,
    comment: null,
  }
}

async function parentOf(
  context: DdlContext,
  child: TableSchema,
  { table }: References,
): Promise<TableSchema> {
  const entry = await lookUp(context, table)
  const schema = table.parts.at(-2)?.name
  const isSelf = table.parts.at(-1)?.name === child.name && (schema === undefined || schema === child.schema)
  if (isSelf && (entry === null || keyOf(context, entry) === keyOf(context, child))) return child
  if (entry === null) throw await noRelation(context, table)
  if (entry.kind !== 'table' || entry.materialized !== null)
    throw sqlError(SQLSTATE.wrongObjectType, `referenced relation "${entry.name}" is not a table`)
  if ((entry.temporary === null) !== (child.temporary === null))
    throw sqlError(
      SQLSTATE.invalidTableDefinition,
      child.temporary === null
        ? 'constraints on permanent tables may reference only permanent tables'
        : 'constraints on temporary tables may reference only temporary tables',
    )
  return entry
}

function positionsOf(
  context: DdlContext,
  table: TableSchema,
  names: readonly Identifier[],
): readonly number[] {
  return names.map((name) => {
    const position = table.columns.findIndex((column) => column.name === name.name)
    if (position >= 0) return position
    const near = nearest(
      name.name,
      table.columns.map((column) => column.name),
    )
    throw errorAt(
      context.bind,
      name,
      SQLSTATE.undefinedColumn,
      `column "${name.name}" referenced in foreign key constraint does not exist`,
      near === null ? {} : { hint: `Perhaps you meant the column "${near}".` },
    )
  })
}

/** The key of the parent that makes what is referenced unique. */
function targetOf(context: DdlContext, parent: TableSchema, clause: ForeignKeyClause): KeyConstraint {
  if (clause.referenced.length === 0) {
    if (parent.primaryKey?.deferrable === true) throw late(parent, 'primary key')
    if (parent.primaryKey !== null) return parent.primaryKey
    throw sqlError(SQLSTATE.undefinedObject, `there is no primary key for referenced table "${parent.name}"`)
  }
  const wanted = positionsOf(context, parent, clause.referenced)
  const same = ({ columns }: KeyConstraint): boolean =>
    columns.length === wanted.length && columns.every((position) => wanted.includes(position))
  if (new Set(wanted).size !== wanted.length)
    throw sqlError(invalidKey, 'foreign key referenced-columns list must not contain duplicates')
  if (parent.primaryKey !== null && same(parent.primaryKey)) {
    if (parent.primaryKey.deferrable === true) throw late(parent, 'unique')
    return parent.primaryKey
  }
  const unique = parent.indexes.find(
    (index) => index.unique && index.ready && index.where === null && same(index),
  )
  if (unique !== undefined) return unique
  if (parent.indexes.some((index) => index.deferral !== undefined && same(index)))
    throw sqlError('55000', `cannot use a deferrable unique constraint for referenced table "${parent.name}"`)
  throw sqlError(
    invalidKey,
    `there is no unique constraint matching given keys for referenced table "${parent.name}"`,
  )
}

/** What is looked at later cannot be relied on. */
const late = ({ name }: TableSchema, kind: 'unique' | 'primary key') =>
  sqlError(
    '55000',
    kind === 'unique'
      ? `cannot use a deferrable unique constraint for referenced table "${name}"`
      : `cannot use a deferrable primary key for referenced table "${name}"`,
  )

/** Types whose values are compared with each other by one kind of index. */
const FAMILIES: readonly (readonly string[])[] = [
  ['smallint', 'integer', 'bigint'],
  ['real', 'double'],
  ['date', 'timestamp', 'timestamptz'],
]

/** A value of the child can be looked up among those of the parent. */
function comparable(child: SqlType, parent: SqlType): boolean {
  if (child.id === parent.id) return true
  if (FAMILIES.some((family) => family.includes(child.id) && family.includes(parent.id))) return true
  if (castFor(child, parent, 'implicit') === null) return false
  try {
    resolveOperator('=', parent, child)
    return true
  } catch (error) {
    if (!isSqlError(error) || error.detail.sqlstate !== SQLSTATE.undefinedFunction) throw error
    return false
  }
}

function checkTypes(
  name: string,
  child: TableSchema,
  columns: readonly number[],
  parent: TableSchema,
  referenced: readonly number[],
): void {
  columns.forEach((position, i) => {
    const own = child.columns[position] as ColumnSchema
    const other = parent.columns[referenced[i] as number] as ColumnSchema
    if (!comparable(own.type, other.type))
      throw sqlError(SQLSTATE.datatypeMismatch, `foreign key constraint "${name}" cannot be implemented`, {
        detail: `Key columns "${own.name}" and "${other.name}" are of incompatible types: ${formatType(own.type)} and ${formatType(other.type)}.`,
      })
  })
}

/** A generated column cannot be set by an action. */
function refuseGenerated(child: TableSchema, columns: readonly number[], clause: ForeignKeyClause): void {
  if (!columns.some((position) => child.columns[position]?.generated !== null)) return
  const sets = (action: string): boolean => action.startsWith('set')
  const word =
    sets(clause.onUpdate) || clause.onUpdate === 'cascade'
      ? 'UPDATE'
      : sets(clause.onDelete)
        ? 'DELETE'
        : null
  if (word === null) return
  const action = word === 'UPDATE' ? clause.onUpdate : clause.onDelete
  throw sqlError(
    SQLSTATE.syntaxError,
    `invalid ON ${word} action for foreign key constraint containing generated column`,
    { detail: `The action is ${action.toUpperCase()}.` },
  )
}

/** Tells the parents of a table's foreign keys of them. The table itself, when it is one, comes back changed. */
export async function announce(
  context: DdlContext,
  child: TableSchema,
  keys: readonly ForeignKey[],
): Promise<TableSchema> {
  const own = keyOf(context, child)
  let self = child
  for (const key of keys) {
    const incoming = { table: own, name: key.name }
    if (key.table === own) {
      self = { ...self, referencedBy: [...self.referencedBy, incoming] }
      continue
    }
    const parent = await context.catalog.entry(context.transaction, key.table)
    if (parent?.kind !== 'table')
      throw new TypeError(`a foreign key points at ${key.table}, which is no table`)
    await change(context, { ...parent, referencedBy: [...parent.referencedBy, incoming] })
  }
  return self
}

/** Takes foreign keys of a table off the lists of their parents. */
export async function retract(
  context: DdlContext,
  child: TableSchema,
  keys: readonly ForeignKey[],
): Promise<TableSchema> {
  const own = keyOf(context, child)
  let self = child
  for (const { table, name } of keys) {
    const without = (parent: TableSchema): TableSchema => ({
      ...parent,
      referencedBy: parent.referencedBy.filter((one) => one.table !== own || one.name !== name),
    })
    if (table === own) {
      self = without(self)
      continue
    }
    const parent = await context.catalog.entry(context.transaction, table)
    if (parent?.kind === 'table') await change(context, without(parent))
  }
  return self
}
