import { isAggregate } from '../../functions/resolve.ts'
import { isSetFunction } from '../../functions/set-returning.ts'
import type { Query } from '../../syntax/ast.ts'

export const NOT_SINGLE =
  'Views that do not select from a single table or view are not automatically updatable.'

/** Why rows cannot be written through a view of the query, in PostgreSQL's words and order; null: they can. */
export function whyNotUpdatable({ body, with: tables, limit, offset }: Query): string | null {
  const containing = (what: string): string => `Views containing ${what} are not automatically updatable.`
  if (body.kind === 'select') {
    if (body.distinct !== 'all') return containing('DISTINCT')
    if (body.groupBy.length > 0) return containing('GROUP BY')
    if (body.having !== null) return containing('HAVING')
  }
  if (body.kind === 'setOperation') return containing('UNION, INTERSECT, or EXCEPT')
  if (tables.length > 0) return containing('WITH')
  if (limit !== null || offset !== null) return containing('LIMIT or OFFSET')
  if (body.kind !== 'select') return NOT_SINGLE
  const calls = body.items.flatMap(callsIn)
  const returning = (what: string): string => `Views that return ${what} are not automatically updatable.`
  if (calls.some(({ name, over }) => over === null && isAggregate(name)))
    return returning('aggregate functions')
  if (calls.some(({ over }) => over !== null)) return returning('window functions')
  if (calls.some(({ name }) => isSetFunction(name))) return returning('set-returning functions')
  return body.from.length === 1 && body.from[0]?.kind === 'table' ? null : NOT_SINGLE
}

interface Call {
  readonly name: string
  readonly over: unknown
}

/** The calls of functions in a part of a query, but for those in subqueries. */
export function callsIn(node: unknown): readonly Call[] {
  if (typeof node !== 'object' || node === null) return []
  if (Array.isArray(node)) return node.flatMap(callsIn)
  const fields = node as Readonly<Record<string, unknown>>
  if (fields['kind'] === 'query') return []
  const inside = Object.values(fields).flatMap(callsIn)
  if (fields['kind'] !== 'call') return inside
  const { parts } = fields['name'] as { readonly parts: readonly { readonly name: string }[] }
  return [{ name: parts.at(-1)?.name ?? '', over: fields['over'] ?? null }, ...inside]
}
