import type { Query, Statement } from './ast.ts'

/** True for a query whose WITH clause changes rows. Below the top level that is refused, so only the top counts. */
export const changesRows = (query: Query): boolean => query.with.some((table) => table.query.kind !== 'query')

/** True for a query that asks for rows to stay as they are (FOR UPDATE and its like) at its top level. */
export const locksRows = (query: Query): boolean =>
  query.locking.length > 0 || (query.body.kind === 'query' && locksRows(query.body))

/** True for a query that neither writes nor claims anything. */
export function readsAlone(statement: Statement): boolean {
  if (statement.kind === 'copy')
    return statement.direction === 'to' && (statement.query === null || readsAlone(statement.query))
  return (
    statement.kind === 'query' &&
    !changesRows(statement) &&
    !locksRows(statement) &&
    !changesSequences(statement)
  )
}

const sequenceChanges = new WeakMap<Statement, boolean>()

/** True for a statement that calls `nextval`, `setval` or `pg_notify`. */
function changesSequences(statement: Statement): boolean {
  let known = sequenceChanges.get(statement)
  if (known === undefined) {
    known = callsAny(statement)
    sequenceChanges.set(statement, known)
  }
  return known
}

function callsAny(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(callsAny)
  if (typeof value !== 'object' || value === null) return false
  const { kind, name } = value as { kind?: unknown; name?: { parts?: readonly { name: string }[] } }
  if (kind === 'call' && ['nextval', 'setval', 'pg_notify'].includes(name?.parts?.at(-1)?.name ?? ''))
    return true
  return Object.entries(value).some(([key, item]) => key !== 'span' && callsAny(item))
}
