import { parseWrittenName, writtenName } from '../catalog/names.ts'
import { asksCatalog } from '../functions/catalog.ts'
import { takesLocks } from '../functions/locks.ts'
import type { CallExpression, Copy, Expression, QualifiedName, Statement, TypeName } from '../syntax/ast.ts'
import { isBuiltInType } from '../types/resolve-name.ts'

/** What a statement names, in the form of `writtenName`. */
export interface UsedNames {
  /** Tables, views and sequences that it may read or write. */
  readonly relations: ReadonlySet<string>
  /** Those of them whose rows it writes, or whose columns' sequences it asks for. */
  readonly targets: ReadonlySet<string>
  /** Types that are not built in. */
  readonly types: ReadonlySet<string>
  /** Tables of WITH: names that may well stand for nothing in the catalog. */
  readonly local: ReadonlySet<string>
  /** True when it asks the catalog about itself. */
  readonly asksCatalog: boolean
  /** True when it uses locks of the cluster. */
  readonly takesLocks: boolean
}

interface Found {
  readonly relations: Set<string>
  readonly targets: Set<string>
  readonly types: Set<string>
  readonly local: Set<string>
  asksCatalog: boolean
  takesLocks: boolean
}

/** Functions whose first argument is the name of a relation. */
const namingFunctions = new Set([
  'cluster_partition_of',
  'nextval',
  'currval',
  'setval',
  'pg_get_serial_sequence',
])
const catalogTypes = new Set(['regclass', 'regtype', 'regnamespace'])
/** ALTER TABLE may write rows anew, and reads the defaults of their columns. */
const writeKinds = new Set<unknown>(['insert', 'update', 'delete', 'merge', 'alterTable'])

/**
 * The names in a statement, or a part of one: what they stand for is read from the catalog before the statement is
 * bound.
 */
export function collectNames(statement: Statement | Expression | TypeName): UsedNames {
  const found: Found = {
    relations: new Set(),
    targets: new Set(),
    types: new Set(),
    local: new Set(),
    asksCatalog: false,
    takesLocks: false,
  }
  visit(statement, found)
  return found
}

function visit(value: unknown, found: Found): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, found)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const node = value as { readonly kind?: unknown }
  switch (node.kind) {
    case 'name':
      found.relations.add(writtenName(value as QualifiedName))
      return
    case 'typeName':
      addType((value as TypeName).name, found)
      return
    case 'call':
      visitCall(value as CallExpression, found)
      return
    case 'cast':
      visitCast(value as { readonly type: TypeName; readonly operand?: Expression }, found)
      break
    default:
      if (node.kind === 'refresh' && 'name' in node)
        found.targets.add(writtenName(node.name as QualifiedName))
      if (node.kind === 'copy' && (node as Copy).direction === 'from' && (node as Copy).table !== null)
        found.targets.add(writtenName((node as Copy).table as QualifiedName))
      if (writeKinds.has(node.kind) && 'table' in node)
        found.targets.add(writtenName(node.table as QualifiedName))
      if ('with' in node && Array.isArray(node.with))
        for (const item of node.with as readonly { readonly name?: { readonly name: string } }[])
          if (item.name !== undefined) found.local.add(item.name.name)
  }
  // Spans are most of a tree's objects, and have no names in them.
  for (const key in node) if (key !== 'span') visit((node as Readonly<Record<string, unknown>>)[key], found)
}

function addType(name: string, found: Found): void {
  if (catalogTypes.has(name)) found.asksCatalog = true
  if (!isBuiltInType(name)) found.types.add(parseWrittenName(name))
}

/** A function's name is no table's, but its argument may be. */
function visitCall(node: CallExpression, found: Found): void {
  const { name, args } = node
  const [first] = args
  const word = name.parts.at(-1)?.name ?? ''
  if (asksCatalog.has(word)) found.asksCatalog = true
  if (takesLocks.has(word)) found.takesLocks = true
  if (namingFunctions.has(word) && first?.kind === 'string') {
    const written = parseWrittenName(first.value)
    found.relations.add(written)
    if (word === 'pg_get_serial_sequence') found.targets.add(written)
  }
  visit({ ...node, name: null, kind: null }, found)
}

/** `'items'::regclass` */
function visitCast(
  { type, operand }: { readonly type: TypeName; readonly operand?: Expression },
  found: Found,
): void {
  if (type.name === 'regclass' && operand?.kind === 'string')
    found.relations.add(parseWrittenName(operand.value))
}
