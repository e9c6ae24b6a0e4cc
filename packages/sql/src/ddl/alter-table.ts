import type { TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { AlterTable, Identifier, TableChange, TableConstraint } from '../syntax/ast.ts'
import { addColumn } from './add-column.ts'
import { addKeys } from './add-constraint.ts'
import { adoptIndex } from './adopt-index.ts'
import { alterColumn } from './alter-column.ts'
import { ConstraintNames, constraintNames } from './constraint-names.ts'
import { change, type DdlContext, keyOf, lookUp, needTable, noRelation } from './context.ts'
import { addTableConstraint, type Clauses, noClauses, placementOf } from './create-table.ts'
import { dropColumn, dropConstraint } from './drop-parts.ts'
import { constraintMissing, needColumn } from './parts.ts'
import { renamedIn } from './references.ts'
import { changeObject, renameConstraint } from './rename.ts'
import { checkAllRows, childChecker, rowChecker } from './validate.ts'
import { isLong, validateLater } from './validate-later.ts'

/** Changes a table, one change after the other. @throws 42P01, 42809 and what is wrong with a change */
export async function alterTable(context: DdlContext, statement: AlterTable): Promise<void> {
  const entry = await lookUp(context, statement.table)
  if (entry === null && statement.ifExists) return
  // Other objects may be renamed by this word too, as in PostgreSQL.
  const [only, ...more] = statement.changes
  const named = only?.kind === 'rename' || only?.kind === 'setSchema' || only?.kind === 'owner'
  if (entry !== null && entry.kind !== 'table' && more.length === 0 && named) {
    if (['view', 'sequence', 'index'].includes(entry.kind)) return changeObject(context, entry, only)
  }
  if (entry === null) throw await noRelation(context, statement.table)
  let table = await needTable(context, statement.table)
  for (const one of statement.changes) table = await applyChange(context, table, one)
}

/** Each change finds what the one before it has written. */
async function applyChange(context: DdlContext, table: TableSchema, one: TableChange): Promise<TableSchema> {
  switch (one.kind) {
    case 'addColumn':
      return addColumn(context, table, one.column, one.ifNotExists)
    case 'dropColumn':
      return dropColumn(context, table, one)
    case 'addConstraint':
      return addConstraint(context, table, one.constraint)
    case 'dropConstraint':
      return dropConstraint(context, table, one)
    case 'alterColumn':
      return alterColumn(context, table, one.column, one.action)
    case 'validateConstraint':
      return validateConstraint(context, table, one.name)
    case 'alterConstraint': {
      const key = table.foreignKeys.find(({ name }) => name === one.name.name)
      if (key === undefined) throw constraintMissing(context, table, one.name)
      return change(context, {
        ...table,
        foreignKeys: table.foreignKeys.map((other) =>
          other === key ? { ...key, ...deferralOf(one) } : other,
        ),
      })
    }
    case 'renameColumn':
      return renameColumn(context, table, one.from, one.to.name)
    case 'renameConstraint':
      return change(context, await renameConstraint(context, table, one.from.name, one.to.name))
    case 'adoptIndex':
      return adoptIndex(context, table, one)
    case 'unchanged':
      return table
    case 'setOptions': {
      const placement = placementOf(context, one.options)
      if (placement === table.placement) return table
      throw sqlError(SQLSTATE.featureNotSupported, 'the redundancy of a table cannot be changed', {
        hint: 'Make a new table with CREATE TABLE … AS and rename it.',
      })
    }
    default: {
      await changeObject(context, table, one)
      const schema = one.kind === 'setSchema' ? one.schema.name : table.schema
      const name = one.kind === 'rename' ? one.to.name : table.name
      const moved = await context.catalog.entry(
        context.transaction,
        keyOf(context, { ...table, schema, name }),
      )
      return moved?.kind === 'table' ? moved : table
    }
  }
}

const deferralOf = ({ deferral }: TableChange & { kind: 'alterConstraint' }) => ({
  deferrable: deferral.deferrable,
  initiallyDeferred: deferral.initiallyDeferred,
})

/** ADD CONSTRAINT. */
async function addConstraint(
  context: DdlContext,
  table: TableSchema,
  constraint: TableConstraint,
): Promise<TableSchema> {
  const given = constraint.name?.name
  if (given !== undefined && constraintNames(table).includes(given))
    throw sqlError(
      SQLSTATE.duplicateObject,
      `constraint "${given}" for relation "${table.name}" already exists`,
      {
        table: table.name,
        constraint: given,
      },
    )
  const clauses: Clauses = noClauses()
  addTableConstraint(context, clauses, constraint, table.columns)
  return addKeys(context, table, clauses, ConstraintNames.of(context, table), constraint.notValid)
}

/** VALIDATE CONSTRAINT. @throws 23514, 23503, 42704 */
async function validateConstraint(
  context: DdlContext,
  table: TableSchema,
  name: Identifier,
): Promise<TableSchema> {
  const check = table.checks.find((one) => one.name === name.name)
  const foreign = table.foreignKeys.find((one) => one.name === name.name)
  if (check === undefined && foreign === undefined) {
    if (!constraintNames(table).includes(name.name)) throw constraintMissing(context, table, name)
    throw sqlError(
      SQLSTATE.wrongObjectType,
      `constraint "${name.name}" of relation "${table.name}" is not a foreign key or check constraint`,
    )
  }
  const waits = (check ?? foreign)?.validated === false
  if (waits && (await isLong(context, table))) {
    validateLater(context, table, name.name, false)
    return table
  }
  if (check !== undefined && !check.validated) {
    await checkAllRows(context, table, rowChecker(context, table, [check]))
    const checks = table.checks.map((one) => (one === check ? { ...check, validated: true } : one))
    return change(context, { ...table, checks })
  }
  if (foreign !== undefined && !foreign.validated) {
    await checkAllRows(context, table, await childChecker(context, table, foreign))
    const foreignKeys = table.foreignKeys.map((one) =>
      one === foreign ? { ...foreign, validated: true } : one,
    )
    return change(context, { ...table, foreignKeys })
  }
  return table
}

/** @throws 42703, 42701 */
async function renameColumn(
  context: DdlContext,
  table: TableSchema,
  from: Identifier,
  to: string,
): Promise<TableSchema> {
  const column = needColumn(context, table, from)
  if (table.columns.some(({ name }) => name === to))
    throw sqlError(SQLSTATE.duplicateColumn, `column "${to}" of relation "${table.name}" already exists`)
  const renamed = renamedIn(table, { column: [column.name, to] })
  return change(context, {
    ...renamed,
    columns: renamed.columns.map((one) => (one.slot === column.slot ? { ...one, name: to } : one)),
  })
}
