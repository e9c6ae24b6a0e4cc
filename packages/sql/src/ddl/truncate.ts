import type { TableSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { Truncate } from '../syntax/ast.ts'
import { change, type DdlContext, discard, keyOf, needTable } from './context.ts'
import { withNewRelations } from './rewrite.ts'
import { restartIdentity } from './sequences.ts'

/** Empties tables: they get new relations, and what was in the old ones is swept away later. @throws 42P01, 0A000 */
export async function truncate(context: DdlContext, statement: Truncate): Promise<void> {
  const tables = new Map<string, TableSchema>()
  for (const name of statement.tables) {
    const table = await needTable(context, name)
    tables.set(keyOf(context, table), table)
  }
  for (const [key, table] of tables)
    for (const { table: child } of table.referencedBy) {
      if (child === key || tables.has(child)) continue
      const entry = await context.catalog.entry(context.transaction, child)
      if (entry?.kind !== 'table') continue
      if (!statement.cascade) throw referenced(table, entry)
      // A map is gone through in the order in which it grows.
      tables.set(child, entry)
    }
  for (const table of tables.values()) {
    discard(context, table, table.relation)
    for (const { relation } of table.indexes) discard(context, table, relation)
    await change(context, await withNewRelations(context, table))
    if (statement.restartIdentity) await restartIdentity(context, table)
  }
}

const referenced = (table: TableSchema, child: TableSchema) =>
  sqlError(SQLSTATE.featureNotSupported, 'cannot truncate a table referenced in a foreign key constraint', {
    detail: `Table "${child.name}" references "${table.name}".`,
    hint: `Truncate table "${child.name}" at the same time, or use TRUNCATE ... CASCADE.`,
  })
