import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Expr } from '../../plan/expression.ts'
import { parseExpression } from '../../syntax/parse.ts'
import { typeName } from '../../types/type.ts'
import type { BindContext } from '../context.ts'
import { bindExpression } from '../expression/bind-expression.ts'
import { tryCoerce } from '../expression/coerce.ts'
import { nextvalOf } from '../expression/sequence-calls.ts'

/** What a column gets when nothing was said: from its identity, its default or its domain's. Null: NULL. */
export function defaultExpression(
  context: BindContext,
  table: TableSchema,
  column: ColumnSchema,
): Expr | null {
  const inner: BindContext = { ...context, source: null }
  if (column.identity !== null && column.sequence !== null) {
    const sequence = context.names.byKey(column.sequence)
    if (sequence?.kind !== 'sequence') throw new TypeError(`identity column ${column.name} has no sequence`)
    return cast(inner, table, column, nextvalOf(inner, sequence), null)
  }
  const domain = column.domain === null ? null : context.names.byKey(column.domain)
  const text = column.defaultText ?? (domain?.kind === 'domain' ? domain.defaultText : null)
  if (text === null) return null
  const node = parseExpression(text)
  const place = { context: inner, scope: null, aggregates: null, name: 'DEFAULT expressions' }
  return cast(inner, table, column, bindExpression(place, node), node)
}

function cast(
  context: BindContext,
  table: TableSchema,
  column: ColumnSchema,
  expr: Expr,
  node: ReturnType<typeof parseExpression> | null,
): Expr {
  const span = node ?? { span: { start: 0, end: 0 } }
  const value = tryCoerce(context, span, expr, column.type, 'assignment')
  if (value !== null) return value
  throw sqlError(
    SQLSTATE.datatypeMismatch,
    `column "${column.name}" is of type ${typeName(column.type)} but default expression is of type ${typeName(expr.type)}`,
    { table: table.name, column: column.name },
  )
}
