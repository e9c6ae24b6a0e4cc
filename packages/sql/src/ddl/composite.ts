import { declaredType } from '../binder/expression/declared-type.ts'
import type { CompositeSchema, TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { AlterComposite, AttributeChange, CreateComposite } from '../syntax/ast.ts'
import type { RecordField, SqlType } from '../types/type.ts'
import { change, type DdlContext, lookUp, newName, newObject, shown, takenBy } from './context.ts'
import { rowsOf } from './rows.ts'

/** CREATE TYPE … AS (…). @throws 42710, 42701, 42704 */
export async function createComposite(context: DdlContext, { name, fields }: CreateComposite): Promise<void> {
  const named = await newName(context, name)
  if ((await takenBy(context, named)) !== null)
    throw sqlError(SQLSTATE.duplicateObject, `type "${named.name}" already exists`)
  const made = fields.map((field, i) => {
    if (fields.findIndex((other) => other.name.name === field.name.name) !== i)
      throw sqlError(SQLSTATE.duplicateColumn, `column "${field.name.name}" specified more than once`)
    return { name: field.name.name, type: declaredType(context.bind, field.type).type }
  })
  const entry = { kind: 'composite' as const, ...(await newObject(context, named)), fields: made }
  context.catalog.put(context.transaction, entry)
}

/**
 * ALTER TYPE … ADD, DROP, ALTER and RENAME ATTRIBUTE. Rows hold fields by their place, so fields come and go only while no
 * row has a value of the type.
 * @throws 42P01, 42809, 42701, 42703, 0A000
 */
export async function alterComposite(context: DdlContext, { name, changes }: AlterComposite): Promise<void> {
  const entry = await lookUp(context, name)
  // Only what has columns is looked for, as PostgreSQL does it.
  if (entry === null || entry.kind === 'enum' || entry.kind === 'domain')
    throw sqlError(SQLSTATE.undefinedTable, `relation "${shown(name)}" does not exist`)
  if (entry.kind !== 'composite')
    throw sqlError(SQLSTATE.wrongObjectType, `"${entry.name}" is not a composite type`)
  const fields = changes.reduce((before, one) => changed(context, entry, before, one), entry.fields)
  const kinds = new Set(changes.map(({ kind }) => kind))
  if (['add', 'drop', 'type'].some((kind) => kinds.has(kind as AttributeChange['kind'])))
    await refuseUsed(context, entry, kinds.has('type'))
  await retype(context, await change(context, { ...entry, fields }))
}

function changed(
  context: DdlContext,
  { name }: CompositeSchema,
  fields: readonly RecordField[],
  what: AttributeChange,
): readonly RecordField[] {
  const free = (field: string): void => {
    if (fields.some((one) => one.name === field))
      throw sqlError(SQLSTATE.duplicateColumn, `column "${field}" of relation "${name}" already exists`)
  }
  if (what.kind === 'add') {
    const { field } = what
    free(field.name.name)
    return [...fields, { name: field.name.name, type: declaredType(context.bind, field.type).type }]
  }
  const at = fields.findIndex((one) => one.name === what.name.name)
  const old = fields[at]
  if (old === undefined) {
    if (what.kind === 'drop' && what.ifExists) return fields
    const of = what.kind === 'rename' ? '' : ` of relation "${name}"`
    throw sqlError(SQLSTATE.undefinedColumn, `column "${what.name.name}"${of} does not exist`)
  }
  if (what.kind === 'drop') return fields.toSpliced(at, 1)
  if (what.kind === 'type')
    return fields.with(at, { ...old, type: declaredType(context.bind, what.type).type })
  free(what.to.name)
  return fields.with(at, { ...old, name: what.to.name })
}

/** True for the type, its arrays, and rows that have fields of it. */
function holds(type: SqlType, oid: number): boolean {
  const own = type.element ?? type
  return own.record?.named?.oid === oid || own.record?.fields.some((field) => holds(field.type, oid)) === true
}

/** @param always also where no row has a value @throws 0A000 */
async function refuseUsed(
  context: DdlContext,
  { oid, name }: CompositeSchema,
  always: boolean,
): Promise<void> {
  for (const table of await context.catalog.entries(context.transaction)) {
    if (table.kind !== 'table') continue
    const positions = table.columns.flatMap(({ type }, at) => (holds(type, oid) ? [at] : []))
    if (positions.length === 0) continue
    const at = always ? positions[0] : await storedIn(context, table, positions)
    if (at === undefined) continue
    throw sqlError(
      SQLSTATE.featureNotSupported,
      `cannot alter type "${name}" because column "${table.name}.${table.columns[at]?.name}" uses it`,
      always ? {} : { hint: 'Set the column to NULL in all rows first.' },
    )
  }
}

/** The position of a column in which some row has a value. */
async function storedIn(
  { transaction }: DdlContext,
  table: TableSchema,
  positions: readonly number[],
): Promise<number | undefined> {
  for await (const rows of rowsOf(table, transaction))
    for (const { row } of rows) {
      const at = positions.find((position) => row[position] !== null)
      if (at !== undefined) return at
    }
  return undefined
}

/** Whatever has values of the type knows its fields. */
async function retype(context: DdlContext, type: CompositeSchema): Promise<void> {
  const renewed = (old: SqlType): SqlType => {
    if (old.element !== undefined) return { ...old, element: renewed(old.element) }
    if (old.record === undefined || !holds(old, type.oid)) return old
    const fields = old.record.named?.oid === type.oid ? type.fields : old.record.fields
    return {
      ...old,
      record: { ...old.record, fields: fields.map((field) => ({ ...field, type: renewed(field.type) })) },
    }
  }
  const typed = <T extends { readonly type: SqlType }>(one: T): T => ({ ...one, type: renewed(one.type) })
  const touches = (list: readonly { readonly type: SqlType }[]): boolean =>
    list.some((one) => holds(one.type, type.oid))
  for (const entry of await context.catalog.entries(context.transaction)) {
    if (entry.kind === 'table' && touches(entry.columns))
      await change(context, { ...entry, columns: entry.columns.map(typed) })
    if (entry.kind === 'domain' && touches([entry])) await change(context, typed(entry))
    if (entry.kind === 'composite' && entry.oid !== type.oid && touches(entry.fields))
      await change(context, { ...entry, fields: entry.fields.map(typed) })
    if (entry.kind === 'view' && touches(entry.result))
      await change(context, { ...entry, result: entry.result.map(typed) })
  }
}
