import type { IndexSchema, TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { TableChange } from '../syntax/ast.ts'
import { addKeys } from './add-constraint.ts'
import { ConstraintNames, constraintNames } from './constraint-names.ts'
import { change, type DdlContext } from './context.ts'
import { noClauses } from './create-table.ts'
import { removeIndex } from './remove-parts.ts'
import { renameConstraint } from './rename.ts'

/**
 * ADD CONSTRAINT … USING INDEX: a unique index becomes a constraint, under the name of the constraint. Rows are kept under their
 * primary key, so for that one they are visited.
 * @throws 42704, 55000, 42809, 42710
 */
export async function adoptIndex(
  context: DdlContext,
  table: TableSchema,
  { index: identifier, name, primary }: TableChange & { readonly kind: 'adoptIndex' },
): Promise<TableSchema> {
  const index = usable(table, identifier.name)
  const own = name?.name ?? index.name
  if (own !== index.name && constraintNames(table).includes(own))
    throw sqlError(
      SQLSTATE.duplicateObject,
      `constraint "${own}" for relation "${table.name}" already exists`,
    )
  if (primary) {
    const without = await removeIndex(context, table, index.name)
    const { columns } = index
    const clause = { node: identifier, name: own, columns, deferrable: false, initiallyDeferred: false }
    const names = ConstraintNames.of(context, without)
    return addKeys(context, without, { ...noClauses(), primaryKeys: [clause] }, names, false)
  }
  const indexes = table.indexes.map((one) => (one === index ? { ...one, constraint: true } : one))
  const adopted = await change(context, { ...table, indexes })
  if (own === index.name) return adopted
  return change(context, await renameConstraint(context, adopted, index.name, own))
}

function usable({ indexes, primaryKey }: TableSchema, name: string): IndexSchema {
  const index = indexes.find((one) => one.name === name)
  if (index?.constraint === true || primaryKey?.name === name)
    throw sqlError('55000', `index "${name}" is already associated with a constraint`)
  if (index === undefined) throw sqlError(SQLSTATE.undefinedObject, `index "${name}" does not exist`)
  const refuse = (what: string) =>
    sqlError(SQLSTATE.wrongObjectType, what, {
      detail: 'Cannot create a primary key or unique constraint using such an index.',
    })
  if (!index.unique) throw refuse(`"${name}" is not a unique index`)
  if (index.keys?.some(({ text }) => text !== null)) throw refuse(`index "${name}" contains expressions`)
  if (index.where !== null) throw refuse(`"${name}" is a partial index`)
  if (index.keys?.some(({ descending }) => descending))
    throw refuse(`index "${name}" column number 1 does not have default sorting behavior`)
  return index
}
