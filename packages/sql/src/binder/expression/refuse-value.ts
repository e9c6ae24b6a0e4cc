import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts'
import { sqlError } from '../../errors.ts'
import type { Insert } from '../../syntax/ast.ts'

/** @throws 428C9 for a value given to a column that has values of its own */
export function refuseValue(
  table: TableSchema,
  column: ColumnSchema,
  statement: 'insert' | 'update',
  overriding: Insert['overriding'] = null,
): void {
  const computed = column.generated !== null
  if (!computed && (column.identity !== 'always' || overriding !== null)) return
  throw sqlError(
    '428C9',
    statement === 'insert'
      ? `cannot insert a non-DEFAULT value into column "${column.name}"`
      : `column "${column.name}" can only be updated to DEFAULT`,
    {
      detail: computed
        ? `Column "${column.name}" is a generated column.`
        : `Column "${column.name}" is an identity column defined as GENERATED ALWAYS.`,
      hint: computed || statement === 'update' ? undefined : 'Use OVERRIDING SYSTEM VALUE to override.',
      table: table.name,
      column: column.name,
    },
  )
}
