import type { KeyConstraint, TableSchema } from '../../catalog/schema.ts'
import { nearest, SQLSTATE, sqlError } from '../../errors.ts'
import { foldExpr } from '../../optimizer/fold-constants.ts'
import { canonicalOver, covers, shapeOf } from '../../optimizer/index-match.ts'
import { columnExpr } from '../../plan/build.ts'
import type { Column } from '../../plan/expression.ts'
import type { ConflictAction } from '../../plan/statement.ts'
import { conjunctsOf } from '../../plan/traverse.ts'
import type { ConflictTarget, Expression, Identifier, OnConflict } from '../../syntax/ast.ts'
import { type BindContext, errorAt, newColumn } from '../context.ts'
import { bindCondition, bindExpression } from '../expression/bind-expression.ts'
import type { Place } from '../place.ts'
import type { Scope } from '../scope.ts'
import { bindAssignments, rowColumns, rowScope } from './bind-assignment.ts'
import { valuesWithGenerated } from './computed-columns.ts'
import { slotsAt, type WriteTargetTable } from './write-target.ts'

/**
 * Binds ON CONFLICT. SET and WHERE see the row that is there under the name of the table, and the one that was to
 * be inserted as `excluded`.
 * @param table under the names that the statement knows its columns by
 * @param alias the name that the table goes by
 * @param target the table under its own names
 */
export function bindConflict(
  context: BindContext,
  table: TableSchema,
  alias: string,
  clause: OnConflict,
  target: WriteTargetTable,
): ConflictAction {
  const arbiters = arbitersOf(context, table, alias, clause)
  const { update } = clause
  if (update === null) return { arbiters, update: null }
  if (clause.target === null)
    throw errorAt(
      context,
      clause,
      SQLSTATE.syntaxError,
      'ON CONFLICT DO UPDATE requires inference specification or constraint name',
      { hint: 'For example, ON CONFLICT (column_name).' },
    )
  const key = newColumn(context, 'key', { id: 'bytea', length: null, precision: null, scale: null })
  const stored = target.table
  const old = rowColumns(context, table)
  const place = { ...context, views: target.views }
  const slots = stored.columns.map(({ slot }) => slot)
  context.access.stands(context.access.use(place, stored, 'r', false), old, slots)
  const excluded = rowColumns(context, table)
  const scope = conflictScope(alias, stored, old, excluded)
  const clausePlace: Place = { context, scope, aggregates: null, name: 'ON CONFLICT DO UPDATE' }
  const assigned = bindAssignments(clausePlace, table, update.assignments, null)
  const where =
    update.where === null ? null : bindCondition({ ...clausePlace, name: 'WHERE' }, update.where, 'WHERE')
  const given = old.map((column, position) => assigned.get(position) ?? columnExpr(column))
  context.access.use(place, stored, 'w').add(slotsAt(stored, assigned.keys()))
  const values = valuesWithGenerated(context, stored, given)
  return { arbiters, update: { key, old, excluded, values, where } }
}

function conflictScope(
  alias: string,
  { oid, schema, name }: TableSchema,
  old: readonly Column[],
  excluded: readonly Column[],
): Scope {
  const named = (columns: readonly Column[]) => columns.map((column) => ({ name: column.name, column }))
  return {
    tables: [
      {
        alias,
        schema: 'public',
        columns: named(old),
        rowType: { oid, schema, name },
        system: { oid, present: null },
      },
      { alias: 'excluded', schema: null, columns: named(excluded) },
    ],
    columns: [...named(old), ...named(excluded)],
    outer: null,
  }
}

/** The constraints that the clause is about. @throws 42P10, 42704 */
function arbitersOf(
  context: BindContext,
  table: TableSchema,
  alias: string,
  { target }: OnConflict,
): readonly KeyConstraint[] {
  const unique: readonly KeyConstraint[] = [
    ...(table.primaryKey === null ? [] : [table.primaryKey]),
    ...table.indexes.filter((index) => index.unique),
  ]
  const late: readonly KeyConstraint[] = [
    ...(table.primaryKey?.deferrable === true ? [table.primaryKey] : []),
    ...table.indexes.filter(({ deferral }) => deferral !== undefined),
  ]
  if (target === null) {
    if (late.length > 0) throw noArbiter()
    return unique
  }
  if (target.by === 'constraint') {
    // An index that no constraint made has no name of a constraint.
    const named = unique.filter((key) => !('constraint' in key) || key.constraint)
    if (late.some(({ name }) => name === target.constraint.name)) throw noArbiter()
    return [constraintNamed(context, table, named, target.constraint)]
  }
  const found = inferred(context, table, alias, target)
  if (found.some((key) => late.includes(key))) throw noArbiter()
  if (found.length > 0) return found
  throw errorAt(
    context,
    target.parts[0] as Expression,
    SQLSTATE.invalidColumnReference,
    'there is no unique or exclusion constraint matching the ON CONFLICT specification',
  )
}

const noArbiter = () =>
  sqlError(
    '55000',
    'ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters',
  )

/** The keys that have exactly these parts, on rows that meet the condition at least. */
function inferred(
  context: BindContext,
  table: TableSchema,
  alias: string,
  { parts, where }: Extract<ConflictTarget, { by: 'key' }>,
): readonly KeyConstraint[] {
  const row = rowColumns(context, table)
  const positions = new Map(row.map(({ id }, position) => [id, position]))
  const canonical = canonicalOver(({ id }) => positions.get(id) ?? null)
  const place: Place = {
    context,
    scope: rowScope(table, row, alias),
    aggregates: null,
    name: 'index expressions',
  }
  const wanted = new Set(
    parts.map((part) => {
      const [column] = part.kind === 'column' && part.parts.length === 1 ? part.parts : []
      const position = table.columns.findIndex(({ name }) => name === column?.name)
      return position < 0 ? canonical(foldExpr(bindExpression(place, part))) : position
    }),
  )
  const isWanted = (keys: readonly (number | string)[]): boolean =>
    new Set(keys).size === wanted.size && keys.every((key) => wanted.has(key))
  const conditions =
    where === null
      ? []
      : conjunctsOf(foldExpr(bindCondition({ ...place, name: 'index predicate' }, where, 'WHERE')))
  return [
    ...(table.primaryKey !== null && isWanted(table.primaryKey.columns) ? [table.primaryKey] : []),
    ...table.indexes.filter((index) => {
      if (!(index.unique || index.deferral !== undefined) || !index.ready) return false
      const shape = shapeOf(table, index)
      return isWanted(shape.keys) && covers(shape, conditions, canonical)
    }),
  ]
}

function constraintNamed(
  context: BindContext,
  table: TableSchema,
  unique: readonly KeyConstraint[],
  constraint: Identifier,
): KeyConstraint {
  const found = unique.find(({ name }) => name === constraint.name)
  if (found !== undefined) return found
  const near = nearest(
    constraint.name,
    unique.map(({ name }) => name),
  )
  throw errorAt(
    context,
    constraint,
    SQLSTATE.undefinedObject,
    `constraint "${constraint.name}" for table "${table.name}" does not exist`,
    near === null ? {} : { hint: `Perhaps you meant the constraint "${near}".` },
  )
}
