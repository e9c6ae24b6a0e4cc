import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts'
import { nearest, SQLSTATE, sqlError } from '../../errors.ts'
import { rowMaker } from '../../functions/record.ts'
import { columnExpr, constant } from '../../plan/build.ts'
import type { Column, Expr } from '../../plan/expression.ts'
import type {
  Assignment,
  Identifier,
  Insert,
  InsertValue,
  Node,
  Query,
  TargetColumn,
} from '../../syntax/ast.ts'
import { recordOf, type SqlType, typeName } from '../../types/type.ts'
import { type BindContext, errorAt, newColumn, positionOf } from '../context.ts'
import { bindExpression } from '../expression/bind-expression.ts'
import { fieldAt } from '../expression/bind-row.ts'
import { tryCoerce } from '../expression/coerce.ts'
import { refuseValue } from '../expression/refuse-value.ts'
import type { Place } from '../place.ts'
import type { Scope } from '../scope.ts'
import { assignPart } from './assign-part.ts'
import { defaultExpression } from './defaults.ts'

/**
 * The columns that INSERT names, by position; all of them when it names none. Several parts of one column give its position
 * several times.
 * @throws 42703, 42701
 */
export function targetPositions(
  context: BindContext,
  table: TableSchema,
  columns: readonly TargetColumn[],
): readonly number[] {
  if (columns.length === 0) return table.columns.map((_, position) => position)
  const positions = columns.map((column) => columnPosition(context, table, column))
  const twice = columns.find((column, i) =>
    columns
      .slice(0, i)
      .some((before, k) => positions[k] === positions[i] && !(isPart(before) && isPart(column))),
  )
  if (twice !== undefined)
    throw errorAt(context, twice, SQLSTATE.duplicateColumn, `column "${twice.name}" specified more than once`)
  return positions
}

export function columnPosition(context: BindContext, table: TableSchema, column: Identifier): number {
  const position = table.columns.findIndex(({ name }) => name === column.name)
  if (position >= 0) return position
  const near = nearest(
    column.name,
    table.columns.map(({ name }) => name),
  )
  throw errorAt(
    context,
    column,
    SQLSTATE.undefinedColumn,
    `column "${column.name}" of relation "${table.name}" does not exist`,
    near === null ? {} : { hint: `Perhaps you meant the column "${near}".` },
  )
}

const isPart = ({ path }: TargetColumn): boolean => path.length > 0

/** A part of a column, and what it is to be. */
export interface GivenPart {
  readonly column: TargetColumn
  readonly node: Node
  readonly value: Expr
}

/** The value of a column of which INSERT names parts: all others are NULL, whatever the default is. */
export function valueOfParts(
  place: Place,
  table: TableSchema,
  position: number,
  parts: readonly GivenPart[],
  overriding: Insert['overriding'] = null,
): Expr {
  refuseValue(table, table.columns[position] as ColumnSchema, 'insert', overriding)
  const nothing: Expr = constant(typeOf(table, position), null)
  return parts.reduce<Expr>(
    (value, { column, ...given }) =>
      assignPart(place, value, column.path, { ...given, name: column.name, target: column }),
    nothing,
  )
}

/** What is written for a part. @throws 0A000 for DEFAULT */
export function givenPart(place: Place, column: TargetColumn, value: InsertValue): GivenPart {
  if (value.kind !== 'default') return { column, node: value, value: bindExpression(place, value) }
  throw errorAt(
    place.context,
    column,
    SQLSTATE.featureNotSupported,
    `cannot set ${column.path.at(0)?.kind === 'field' ? 'a subfield' : 'an array element'} to DEFAULT`,
  )
}

export const typeOf = (table: TableSchema, position: number): SqlType => {
  const column = table.columns[position]
  if (column === undefined) throw new RangeError(`table ${table.name} has no column ${position}`)
  return column.type
}

/** The value of one column: what was written, its default, or NULL. */
export function valueFor(
  place: Place,
  table: TableSchema,
  position: number,
  value: InsertValue | undefined,
  statement: 'insert' | 'update' = 'insert',
  overriding: Insert['overriding'] = null,
): Expr {
  const { context } = place
  const column = table.columns[position]
  if (column === undefined) throw new RangeError(`table ${table.name} has no column ${position}`)
  const ignored = overriding === 'user' && column.identity !== null
  if (value !== undefined && value.kind !== 'default' && !ignored) {
    refuseValue(table, column, statement, overriding)
    return assign(context, value, bindExpression(place, value), table, position)
  }
  return defaultExpression(context, table, column) ?? constant(column.type, null)
}

/** @throws 42804 */
function assign(context: BindContext, node: Node, expr: Expr, table: TableSchema, position: number): Expr {
  const cast = tryCoerce(context, node, expr, typeOf(table, position), 'assignment')
  if (cast === null) throw notAssignable(context, node, expr, table, position)
  return cast
}

export function checkAssignable(
  context: BindContext,
  node: Node,
  expr: Expr,
  table: TableSchema,
  position: number,
): void {
  if (tryCoerce(context, node, expr, typeOf(table, position), 'assignment') === null)
    throw notAssignable(context, node, expr, table, position)
}

function notAssignable(context: BindContext, node: Node, expr: Expr, table: TableSchema, position: number) {
  const column = table.columns[position]
  const type = typeName(typeOf(table, position))
  return sqlError(
    SQLSTATE.datatypeMismatch,
    `column "${column?.name}" is of type ${type} but expression is of type ${typeName(expr.type)}`,
    {
      position: positionOf(context, node),
      table: table.name,
      column: column?.name,
      hint: 'You will need to rewrite or cast the expression.',
    },
  )
}

/** Columns that stand for the values of one row of the table. */
export const rowColumns = (context: BindContext, table: TableSchema): readonly Column[] =>
  table.columns.map(({ name, type }) => newColumn(context, name, type))

export function rowScope(table: TableSchema, row: readonly Column[], alias: string): Scope {
  const columns = row.map((column) => ({ name: column.name, column }))
  const system = { oid: table.oid, present: null }
  return { tables: [{ alias, schema: 'public', columns, system }], columns, outer: null }
}

/** Makes the columns of a query of one row part of every row that is changed. */
export type JoinRow = (query: Query) => readonly Expr[]

/** The new values of SET, by position. @throws 42703, 42601 for two of one column */
export function bindAssignments(
  place: Place,
  table: TableSchema,
  assignments: readonly Assignment[],
  joinRow: JoinRow | null,
): ReadonlyMap<number, Expr> {
  const { context } = place
  const assigned = new Map<number, Expr>()
  const whole = new Set<number>()
  for (const assignment of assignments) {
    if (assignment.kind === 'assignment') {
      const { column, value } = assignment
      if (isPart(column)) assignToPart(givenPart(place, column, value))
      else assignTo(column, (position) => valueFor(place, table, position, value, 'update'))
      continue
    }
    const { columns, query } = assignment
    const given = joinRow === null ? fieldsOfQuery(place, query) : joinRow(query)
    if (given.length !== columns.length)
      throw errorAt(context, query, SQLSTATE.syntaxError, 'number of columns does not match number of values')
    columns.forEach((column, i) => {
      const value = given[i] as Expr
      if (isPart(column)) assignToPart({ column, node: query, value })
      else
        assignTo(column, (position) => {
          refuseValue(table, table.columns[position] as ColumnSchema, 'update')
          return assign(context, query, value, table, position)
        })
    })
  }
  return assigned

  function once(column: TargetColumn): number {
    const position = columnPosition(context, table, column)
    if (isPart(column) ? !whole.has(position) : !assigned.has(position)) return position
    throw errorAt(
      context,
      column,
      SQLSTATE.syntaxError,
      `multiple assignments to same column "${column.name}"`,
    )
  }

  function assignTo(column: TargetColumn, valueAt: (position: number) => Expr): void {
    const position = once(column)
    assigned.set(position, valueAt(position))
    whole.add(position)
  }

  /** Several parts of one column may change. */
  function assignToPart({ column, ...given }: GivenPart): void {
    const position = once(column)
    const schema = table.columns[position] as ColumnSchema
    refuseValue(table, schema, 'update')
    const seen = place.scope?.tables[0]?.columns[position]?.column
    const old =
      assigned.get(position) ?? (seen === undefined ? constant(schema.type, null) : columnExpr(seen))
    const part = { ...given, name: column.name, target: column }
    assigned.set(position, assignPart(place, old, column.path, part))
  }
}

/** The values of a query of one row, taken out of that row. */
function fieldsOfQuery(place: Place, query: Query): readonly Expr[] {
  const { context } = place
  const { plan, columns } = context.bindQuery(query, context, place.scope)
  const type = recordOf(columns.map(({ name, column }) => ({ name, type: column.type })))
  const column = newColumn(context, 'row', type)
  const fn = rowMaker(type)
  const made: Expr = {
    kind: 'call',
    type,
    fn,
    form: 'function',
    args: columns.map((one) => columnExpr(one.column)),
  }
  const row: Expr = {
    kind: 'scalarQuery',
    type,
    column,
    plan: { kind: 'project', input: plan, outputs: [{ column, expr: made }] },
  }
  return columns.map((_, at) => fieldAt(row, at))
}
