import type { Row } from '@cluster/core'
import type { CheckConstraint, ForeignKey, TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import { missingParents } from '../executor/write/foreign-key-reads.ts'
import { parseExpression } from '../syntax/parse.ts'
import { type DdlContext, keyOf } from './context.ts'
import { definedCondition, tableScope } from './expressions.ts'
import { rowsOf } from './rows.ts'

/** Looks whether the rows that are there have a value. @throws 23502 */
export async function checkNotNull(
  context: DdlContext,
  table: TableSchema,
  positions: readonly number[],
): Promise<void> {
  for await (const rows of rowsOf(table, context.transaction))
    for (const { row } of rows)
      for (const position of positions)
        if ((row[position] ?? null) === null) {
          const name = table.columns[position]?.name ?? ''
          throw sqlError(
            SQLSTATE.notNullViolation,
            `column "${name}" of relation "${table.name}" contains null values`,
            { table: table.name, column: name },
          )
        }
}

/** Looks at rows, and throws for the first that is not as it must be. */
export type RowsCheck = (rows: readonly Row[]) => Promise<void>

/** @throws 23514 */
export function rowChecker(
  context: DdlContext,
  table: TableSchema,
  checks: readonly CheckConstraint[],
): RowsCheck {
  const inner: DdlContext = { ...context, bind: { ...context.bind, source: null } }
  const scope = tableScope(inner, table.name, table.columns)
  const where = { place: 'check constraints', word: 'CHECK', what: 'check constraint' }
  const exprs = checks.map(({ text }) => definedCondition(inner, scope, parseExpression(text), where))
  const compute = context.rowMapper(scope.row, exprs)
  return async (rows) => {
    for (const results of await compute(rows))
      results.forEach((result, i) => {
        if (result === false)
          throw sqlError(
            SQLSTATE.checkViolation,
            `check constraint "${checks[i]?.name}" of relation "${table.name}" is violated by some row`,
            { table: table.name, constraint: checks[i]?.name },
          )
      })
  }
}

/** @throws 23503 */
export async function childChecker(
  context: DdlContext,
  table: TableSchema,
  key: ForeignKey,
): Promise<RowsCheck> {
  const { catalog, transaction, database } = context
  const parent = key.table === keyOf(context, table) ? table : await catalog.entry(transaction, key.table)
  if (parent?.kind !== 'table') throw new TypeError(`foreign key ${key.name} points at no table`)
  return async (rows) => {
    const [first] = await missingParents({ database, transaction }, { child: table, parent, key }, rows)
    if (first !== undefined) throw first
  }
}

/** Looks at all rows that are there. @throws 23514, 23503 */
export async function checkAllRows(context: DdlContext, table: TableSchema, check: RowsCheck): Promise<void> {
  for await (const rows of rowsOf(table, context.transaction)) await check(rows.map(({ row }) => row))
}
