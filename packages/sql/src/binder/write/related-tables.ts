import type { TableSchema } from '../../catalog/schema.ts'
import { columnExpr } from '../../plan/build.ts'
import type { Expr } from '../../plan/expression.ts'
import type { RelatedTable } from '../../plan/statement.ts'
import type { BindContext } from '../context.ts'
import { rowColumns } from './bind-assignment.ts'
import { checksOver, valuesWithGenerated } from './computed-columns.ts'
import { defaultExpression } from './defaults.ts'

/**
 * The tables that foreign keys tie to one that a statement writes: its parents, and whatever its children's actions may
 * change, each with what a changed row of it needs.
 */
export function relatedTables(context: BindContext, table: TableSchema): readonly RelatedTable[] {
  if (table.foreignKeys.length === 0 && table.referencedBy.length === 0) return []
  const found = new Map<string, RelatedTable>()
  const visit = (one: TableSchema): void => {
    const key = context.names.keyOf(one)
    if (found.has(key)) return
    found.set(key, related(context, key, one))
    for (const { table: parent } of one.foreignKeys) {
      const entry = context.names.byKey(parent)
      if (entry?.kind === 'table' && !found.has(parent)) found.set(parent, related(context, parent, entry))
    }
    for (const { table: child } of one.referencedBy) {
      const entry = context.names.byKey(child)
      // A parent of something else so far: its own children count now.
      if (entry?.kind === 'table' && !visited.has(child)) {
        visited.add(child)
        found.delete(child)
        visit(entry)
      }
    }
  }
  const visited = new Set([context.names.keyOf(table)])
  visit(table)
  return [...found.values()]
}

function related(context: BindContext, key: string, table: TableSchema): RelatedTable {
  const row = rowColumns(context, table)
  const given = row.map(columnExpr)
  const values = valuesWithGenerated(context, table, given)
  // Only columns of its foreign keys are ever set to their defaults.
  const slots = new Set(
    table.foreignKeys
      .filter(({ onDelete, onUpdate }) => [onDelete, onUpdate].includes('set default'))
      .flatMap(({ columns }) => columns),
  )
  const defaults = table.columns.map((column): Expr | null =>
    slots.has(column.slot) ? defaultExpression(context, table, column) : null,
  )
  const isComputed = values.some((value, i) => value !== given[i])
  return {
    key,
    table,
    row,
    values: isComputed ? values : null,
    defaults,
    checks: checksOver(context, table, row),
  }
}
