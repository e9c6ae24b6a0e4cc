import { errorAt, positionOf } from '../binder/context.ts'
import { declaredType } from '../binder/expression/declared-type.ts'
import { SYSTEM_COLUMNS } from '../catalog/names.ts'
import type { ColumnSchema, SequenceSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { ColumnConstraint, ColumnDefinition, SequenceOption } from '../syntax/ast.ts'
import { checkCollation } from '../syntax/collations.ts'
import type { SqlType } from '../types/type.ts'
import type { DdlContext } from './context.ts'
import { checkedDefault, textOf } from './expressions.ts'
import { createOwnedSequence, nextvalText } from './sequences.ts'

/** The table that a column is made for. */
export interface ColumnOwner {
  readonly schema: string
  readonly name: string
  readonly temporary: boolean
}

const serials: Readonly<Record<string, SequenceSchema['type']>> = {
  serial: 'integer',
  serial4: 'integer',
  bigserial: 'bigint',
  serial8: 'bigint',
  smallserial: 'smallint',
  serial2: 'smallint',
}

/** A column as it is defined, with its sequence. What it says of keys and checks is left to the table. @throws 42601, 42704 … */
export async function makeColumn(
  context: DdlContext,
  owner: ColumnOwner,
  definition: ColumnDefinition,
  slot: number,
): Promise<ColumnSchema> {
  const { bind } = context
  const name = definition.name.name
  const { constraints } = definition
  if (SYSTEM_COLUMNS.has(name))
    throw sqlError(SQLSTATE.duplicateColumn, `column name "${name}" conflicts with a system column name`)
  const serial = Object.hasOwn(serials, definition.type.name) ? serials[definition.type.name] : undefined
  const declared =
    serial === undefined
      ? declaredType(bind, definition.type)
      : { ...declaredType(bind, { ...definition.type, name: serial }), domain: null, notNull: false }
  checkColumnCollation(context, definition)
  checkNulls(context, owner.name, name, constraints)
  const identity = constraints.find((constraint) => constraint.kind === 'identity')
  const written = constraints.find((constraint) => constraint.kind === 'default')
  const generated = constraints.find((constraint) => constraint.kind === 'generated')
  refuseTwo(context, owner, name, constraints, serial !== undefined)
  let column: ColumnSchema = {
    name,
    type: declared.type,
    notNull:
      constraints.some(({ kind }) => kind === 'notNull') || serial !== undefined || identity !== undefined,
    defaultText: null,
    slot,
    missing: null,
    generated: generated === undefined ? null : textOf(context, generated.expression),
    identity: null,
    sequence: null,
    domain: declared.domain,
    comment: null,
  }
  if (written !== undefined) {
    column = { ...column, defaultText: checkedDefault(context, written.expression, name, column) }
  }
  if (generated?.kind === 'generated' && !generated.always)
    throw errorAt(
      bind,
      generated,
      SQLSTATE.syntaxError,
      'for a generated column, GENERATED ALWAYS must be specified',
    )
  if (serial !== undefined) {
    const sequence = await createOwnedSequence(context, owner, { name, slot, type: serial }, [])
    column = { ...column, defaultText: nextvalText(sequence), sequence: context.catalog.keyOf(sequence) }
  }
  if (identity !== undefined)
    column = await withIdentity(context, owner, column, identity.always, identity.options)
  return column
}

/** Gives a column its identity and the sequence for it. @throws 22023 for a type without one */
export async function withIdentity(
  context: DdlContext,
  owner: ColumnOwner,
  column: ColumnSchema,
  always: boolean,
  options: readonly SequenceOption[],
): Promise<ColumnSchema> {
  const id = checkIdentityType(column)
  const sequence = await createOwnedSequence(context, owner, { ...column, type: id }, options)
  return {
    ...column,
    notNull: true,
    identity: always ? 'always' : 'by default',
    sequence: context.catalog.keyOf(sequence),
  }
}

function checkColumnCollation(context: DdlContext, { collation, type }: ColumnDefinition): void {
  const name = collation?.parts.at(-1)?.name
  if (collation === null || name === undefined) return
  const declared: SqlType = declaredType(context.bind, type).type
  if (!['text', 'varchar', 'char'].includes(declared.id))
    throw errorAt(
      context.bind,
      collation,
      SQLSTATE.datatypeMismatch,
      `collations are not supported by type ${type.name}`,
    )
  checkCollation(collation, positionOf(context.bind, collation))
}

/** @throws 22023 */
export function checkIdentityType({ type: { id } }: ColumnSchema): 'smallint' | 'integer' | 'bigint' {
  if (id === 'smallint' || id === 'integer' || id === 'bigint') return id
  throw sqlError(SQLSTATE.invalidParameterValue, 'identity column type must be smallint, integer, or bigint')
}

function checkNulls(
  context: DdlContext,
  table: string,
  name: string,
  constraints: readonly ColumnConstraint[],
): void {
  const nullable = constraints.find(({ kind }) => kind === 'nullable')
  if (nullable === undefined || !constraints.some(({ kind }) => kind === 'notNull')) return
  throw errorAt(
    context.bind,
    nullable,
    SQLSTATE.syntaxError,
    `conflicting NULL/NOT NULL declarations for column "${name}" of table "${table}"`,
  )
}

/** A column has one source of values. */
function refuseTwo(
  { bind }: DdlContext,
  { name: table }: ColumnOwner,
  name: string,
  constraints: readonly ColumnConstraint[],
  serial: boolean,
): void {
  const of = (kind: ColumnConstraint['kind']) => constraints.filter((constraint) => constraint.kind === kind)
  const place = `column "${name}" of table "${table}"`
  const [defaults, identities, generated] = [of('default'), of('identity'), of('generated')]
  const refuse = (node: ColumnConstraint | undefined, message: string) => {
    if (node !== undefined) throw errorAt(bind, node, SQLSTATE.syntaxError, message)
  }
  refuse(defaults[1], `multiple default values specified for ${place}`)
  if (serial) refuse(defaults[0], `multiple default values specified for ${place}`)
  refuse(identities[1], `multiple identity specifications for ${place}`)
  refuse(generated[1], `multiple generation clauses specified for ${place}`)
  if (defaults.length > 0 || serial) refuse(identities[0], `both default and identity specified for ${place}`)
  if (defaults.length > 0 || serial)
    refuse(generated[0], `both default and generation expression specified for ${place}`)
  if (identities.length > 0)
    refuse(generated[0], `both identity and generation expression specified for ${place}`)
}
