import { bindExpression } from '../binder/expression/bind-expression.ts'
import { coerce } from '../binder/expression/coerce.ts'
import { defaultExpression } from '../binder/write/defaults.ts'
import type { ColumnSchema, TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import { columnExpr, constant } from '../plan/build.ts'
import type { Expr } from '../plan/expression.ts'
import { someExpr } from '../plan/traverse.ts'
import type { ColumnDefinition } from '../syntax/ast.ts'
import { parseExpression } from '../syntax/parse.ts'
import { addKeys } from './add-constraint.ts'
import { makeColumn } from './columns.ts'
import { ConstraintNames } from './constraint-names.ts'
import { change, type DdlContext } from './context.ts'
import { addColumnConstraint, type Clauses, noClauses, withGenerated } from './create-table.ts'
import { tableScope } from './expressions.ts'
import { rewriteTable } from './rewrite.ts'
import { hasRows } from './rows.ts'

/**
 * ADD COLUMN. Rows that are there are left as they are when the new column has the same value in all of them.
 * @throws 42701, 23502, and what is wrong with the definition
 */
export async function addColumn(
  context: DdlContext,
  table: TableSchema,
  definition: ColumnDefinition,
  ifNotExists: boolean,
): Promise<TableSchema> {
  const name = definition.name.name
  if (table.columns.some((column) => column.name === name)) {
    if (ifNotExists) return table
    throw sqlError(SQLSTATE.duplicateColumn, `column "${name}" of relation "${table.name}" already exists`)
  }
  const owner = { schema: table.schema, name: table.name, temporary: table.temporary !== null }
  const column = await makeColumn(context, owner, definition, table.slots)
  const primary = definition.constraints.some(({ kind }) => kind === 'primaryKey')
  const widened: TableSchema = { ...table, columns: [...table.columns, column], slots: table.slots + 1 }
  const wide = withGenerated(context, widened, column.name, definition)
  const filled = await withValues(context, table, wide, column, primary)
  const clauses: Clauses = noClauses()
  for (const constraint of definition.constraints)
    addColumnConstraint(clauses, constraint, definition.name, wide.columns.length - 1)
  return addKeys(context, filled, clauses, ConstraintNames.of(context, filled), false)
}

/** Gives the rows that are there their values. */
async function withValues(
  context: DdlContext,
  table: TableSchema,
  wide: TableSchema,
  column: ColumnSchema,
  primary: boolean,
): Promise<TableSchema> {
  if (!(await hasRows(table, context.transaction))) return change(context, wide)
  const { row, scope } = tableScope(context, table.name, table.columns)
  const value = newValue(context, wide, column, scope)
  const varies = column.generated !== null || someExpr(value, isVarying)
  if (varies) {
    const exprs: Expr[] = [...row.map(columnExpr), value]
    return change(context, await rewriteTable(context, table, wide, { row, exprs }))
  }
  const missing = await context.evaluate(value)
  if (missing === null && (column.notNull || primary))
    throw sqlError(
      SQLSTATE.notNullViolation,
      `column "${column.name}" of relation "${table.name}" contains null values`,
      { table: table.name, column: column.name },
    )
  const columns = wide.columns.map((one) => (one === column ? { ...column, missing } : one))
  return change(context, { ...wide, columns })
}

const isVarying = (part: Expr): boolean => part.kind === 'call' && part.fn.volatility === 'volatile'

function newValue(
  context: DdlContext,
  table: TableSchema,
  column: ColumnSchema,
  scope: ReturnType<typeof tableScope>['scope'],
): Expr {
  const bind = { ...context.bind, source: null }
  if (column.generated !== null) {
    const node = parseExpression(column.generated)
    const bound = bindExpression(
      { context: bind, scope, aggregates: null, name: 'generation expressions' },
      node,
    )
    return coerce(bind, node, bound, column.type, 'assignment')
  }
  return defaultExpression(bind, table, column) ?? constant(column.type, null)
}
