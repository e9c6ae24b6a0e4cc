import { SQLSTATE, type SqlError } from '../../errors.ts'
import { isAggregate } from '../../functions/resolve.ts'
import type { CommonTable, Node, Query, TableReference } from '../../syntax/ast.ts'
import { type BindContext, errorAt } from '../context.ts'

/** Any part of a tree, looked at by its fields alone. */
type Part = { readonly kind?: unknown; readonly [field: string]: unknown }

/** True when the tree names a WITH table of that name that is not hidden by another one inside. */
export function refersTo(tree: unknown, name: string): boolean {
  return referencesOf(tree, name, 1).length > 0
}

/** The first `most` references to a table by its bare name. */
function referencesOf(tree: unknown, name: string, most: number): Node[] {
  const found: Node[] = []
  const visit = (part: unknown): void => {
    if (found.length >= most) return
    if (Array.isArray(part)) {
      for (const item of part) visit(item)
      return
    }
    if (typeof part !== 'object' || part === null) return
    const node = part as Part
    if (isReference(node, name)) found.push(node as unknown as Node)
    const tables = node['with']
    if (Array.isArray(tables) && hides(tables as readonly CommonTable[], name, node['recursive'] === true)) {
      visit((tables as readonly CommonTable[]).map(({ query }) => query))
      return
    }
    for (const value of Object.values(node)) visit(value)
  }
  visit(tree)
  return found
}

/** Without RECURSIVE a WITH table of the same name may still be made of the outer one. */
const hides = (tables: readonly CommonTable[], name: string, recursive: boolean): boolean =>
  !recursive && tables.some((table) => table.name.name === name)

function isReference(node: Part, name: string): boolean {
  if (node.kind !== 'table') return false
  const { parts } = (node as unknown as TableReference & { kind: 'table' }).name
  return parts.length === 1 && parts[0]?.name === name
}

/**
 * The tables of WITH RECURSIVE in an order in which each one's own references come before it.
 * @throws 0A000 for tables that need each other
 */
export function inOrder(context: BindContext, tables: readonly CommonTable[]): readonly CommonTable[] {
  const ordered: CommonTable[] = []
  const open = new Set<CommonTable>()
  const place = (table: CommonTable): void => {
    if (ordered.includes(table)) return
    if (open.has(table))
      throw errorAt(
        context,
        table.name,
        SQLSTATE.featureNotSupported,
        'mutual recursion between WITH items is not implemented',
      )
    open.add(table)
    for (const other of tables) if (other !== table && refersTo(table.query, other.name.name)) place(other)
    ordered.push(table)
  }
  for (const table of tables) place(table)
  return ordered
}

/**
 * Checks where the recursive term of a table names the table: once, and where each row of it counts once.
 * @throws 42P19
 */
export function checkRecursiveTerm(context: BindContext, name: string, step: unknown): void {
  const [first, second] = referencesOf(step, name, 2)
  const refuse = (node: Node, where: string): SqlError =>
    errorAt(
      context,
      node,
      SQLSTATE.invalidRecursion,
      `recursive reference to query "${name}" must not appear ${where}`,
    )
  if (first === undefined) return
  walk(step, null)
  if (second !== undefined) throw refuse(second, 'more than once')

  function walk(part: unknown, wrong: string | null): void {
    if (Array.isArray(part)) {
      for (const item of part) walk(item, wrong)
      return
    }
    if (typeof part !== 'object' || part === null) return
    const node = part as Part
    if (isReference(node, name)) {
      if (wrong !== null) throw refuse(node as unknown as Node, wrong)
      return
    }
    switch (node.kind) {
      case 'subquery':
      case 'exists':
      case 'inQuery':
      case 'quantified':
      case 'arrayQuery':
        for (const value of Object.values(node)) walk(value, 'within a subquery')
        return
      case 'join': {
        const outer = 'within an outer join'
        const { type } = node
        walk(node['left'], type === 'right' || type === 'full' ? outer : wrong)
        walk(node['right'], type === 'left' || type === 'full' ? outer : wrong)
        walk(node['condition'], wrong)
        return
      }
      case 'setOperation': {
        const { operator } = node
        const counted = node['all'] === true ? within(operator, wrong) : wrong
        walk(node['left'], counted)
        walk(node['right'], operator === 'except' ? within(operator, wrong) : counted)
        return
      }
      case 'select':
        if (refersTo(node['from'], name)) checkAggregates(node)
    }
    for (const value of Object.values(node)) walk(value, wrong)
  }

  function checkAggregates(select: Part): void {
    const call = aggregateIn([select['items'], select['having'], select['orderBy']])
    if (call === null) return
    throw errorAt(
      context,
      call,
      SQLSTATE.invalidRecursion,
      "aggregate functions are not allowed in a recursive query's recursive term",
    )
  }
}

const within = (operator: unknown, wrong: string | null): string | null =>
  operator === 'intersect' ? 'within INTERSECT' : operator === 'except' ? 'within EXCEPT' : wrong

/** An aggregate that belongs to this query, not to one inside of it. */
function aggregateIn(part: unknown): Node | null {
  if (Array.isArray(part)) {
    for (const item of part) {
      const found = aggregateIn(item)
      if (found !== null) return found
    }
    return null
  }
  if (typeof part !== 'object' || part === null) return null
  const node = part as Part
  if (node.kind === 'query') return null
  if (node.kind === 'call' && node['over'] === null) {
    const { parts } = (node as unknown as { name: { parts: readonly { name: string }[] } }).name
    if (isAggregate(parts.at(-1)?.name ?? '')) return node as unknown as Node
  }
  for (const value of Object.values(node)) {
    const found = aggregateIn(value)
    if (found !== null) return found
  }
  return null
}

/** The two terms of a recursive table. @throws 42P19, 0A000 */
export function recursiveTerms(context: BindContext, table: CommonTable, query: Query) {
  const { name } = table.name
  const { body } = query
  const unable = (what: string) =>
    errorAt(context, table, SQLSTATE.featureNotSupported, `${what} in a recursive query is not implemented`)
  if (body.kind !== 'setOperation' || body.operator !== 'union')
    throw errorAt(
      context,
      table,
      SQLSTATE.invalidRecursion,
      `recursive query "${name}" does not have the form non-recursive-term UNION [ALL] recursive-term`,
    )
  const [inBase] = referencesOf(body.left, name, 1)
  if (inBase !== undefined)
    throw errorAt(
      context,
      inBase,
      SQLSTATE.invalidRecursion,
      `recursive reference to query "${name}" must not appear within its non-recursive term`,
    )
  if (query.orderBy.length > 0) throw unable('ORDER BY')
  if (query.offset !== null) throw unable('OFFSET')
  if (query.limit !== null) throw unable('LIMIT')
  if (query.locking.length > 0) throw unable('FOR UPDATE/SHARE')
  checkRecursiveTerm(context, name, body.right)
  return { base: body.left, step: body.right, all: body.all }
}
