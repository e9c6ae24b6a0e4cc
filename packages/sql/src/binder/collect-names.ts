import type { CallExpression, QualifiedName, Statement } from '../syntax/ast.ts'

/**
 * The names of all tables and views that a statement may read or write, WITH tables among them: they are read
 * from the catalog before the statement is bound.
 */
export function collectNames(statement: Statement): ReadonlySet<string> {
  const names = new Set<string>()
  visit(statement, names)
  return names
}

function visit(value: unknown, names: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, names)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const node = value as { readonly kind?: unknown }
  if (node.kind === 'name') {
    const { parts } = value as QualifiedName
    const texts = parts.map(({ name }) => name)
    names.add(
      texts.length > 1 && texts.at(-2) !== 'public' ? texts.slice(-2).join('.') : (texts.at(-1) ?? ''),
    )
  }
  if (node.kind === 'call') {
    const { name, args } = value as CallExpression
    const [first] = args
    if (name.parts.at(-1)?.name === 'cluster_partition_of' && first?.kind === 'string') names.add(first.value)
    // A function's name is no table's.
    visit({ ...value, name: null, kind: null }, names)
    return
  }
  // Spans are most of a tree's objects, and have no names in them.
  for (const key in node) if (key !== 'span') visit((node as Readonly<Record<string, unknown>>)[key], names)
}
