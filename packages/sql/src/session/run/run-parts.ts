import type { DataStatement } from '../../binder/bind-statement.ts'
import type { BindContext } from '../../binder/context.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { LocalStore } from '../../local/local-store.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import type { Definition, Statement } from '../../syntax/ast.ts'
import { readsAlone } from '../../syntax/changes.ts'

/** Values put by for a statement that nobody knows the rows of. */
export const SEQUENCE_ROWS = 2_048

/** Does what ON COMMIT of temporary tables says. */
export function endLocally(catalog: Catalog, local: LocalStore): void {
  for (const table of catalog.ownTables(local)) {
    if (table.temporary === 'preserve rows') continue
    for (const { relation } of [table, ...table.indexes]) local.clear(relation)
    if (table.temporary === 'drop') catalog.forgetOwn(local, table)
  }
  local.commit()
}

/** Rows that a plan may take values of sequences for before it lets others put more by. */
export function rowsAtMost(plan: PhysicalPlan): number {
  if (plan.kind === 'values') return plan.rows.length
  return plan.kind === 'map' ? rowsAtMost(plan.input) : SEQUENCE_ROWS
}

/** What a statement needs the right to do, as far as it is bound. */
export const needsOf = ({ access }: BindContext) => ({
  requirements: access.requirements(),
  secrets: [...access.secrets],
})

/** True for statements that write nothing whatever they find. */
export function readsOnly(statement: Statement): boolean {
  if (statement.kind === 'explain') return !statement.analyze || readsOnly(statement.statement)
  return (
    readsAlone(statement) ||
    statement.kind === 'show' ||
    statement.kind === 'set' ||
    statement.kind === 'lockTable' ||
    statement.kind === 'maintain' ||
    statement.kind === 'listen' ||
    statement.kind === 'unlisten' ||
    statement.kind === 'setRole' ||
    statement.kind === 'setSessionAuthorization' ||
    statement.kind === 'setConstraints'
  )
}

/** True for statements that read rows with the rights of whoever runs them. */
export const fills = ({ kind }: Definition): boolean =>
  kind === 'createTableAs' || kind === 'createMaterializedView' || kind === 'refresh'

/** Statements that are planned. */
export function isData(statement: Statement): statement is DataStatement {
  return ['query', 'insert', 'update', 'delete', 'merge'].includes(statement.kind)
}
