import { SYSTEM_COLUMNS } from '../catalog/names.ts'
import { nearest, SQLSTATE } from '../errors.ts'
import type { Column } from '../plan/expression.ts'
import type { ColumnReference, Identifier, Node } from '../syntax/ast.ts'
import { type BindContext, errorAt, type Scope, type ScopeColumn, type ScopeTable } from './context.ts'

export type { Scope, ScopeColumn, ScopeTable } from './context.ts'

export const EMPTY_SCOPE: Scope = { tables: [], columns: [], outer: null }

/** The table that goes by that name here or in a query around. */
export function findTable(scope: Scope | null, parts: readonly Identifier[]): ScopeTable | null {
  for (let level = scope; level !== null; level = level.outer) {
    const [table] = tablesNamed(level, parts)
    if (table !== undefined) return table
  }
  return null
}

/** Finds the column that a reference names. @throws 42703, 42702, 42P01 */
export function resolveColumn(context: BindContext, scope: Scope | null, reference: ColumnReference): Column {
  const found = findColumn(context, scope, reference)
  if (found !== null) return found
  throw missing(
    context,
    scope,
    reference,
    reference.parts.map(({ name }) => name),
  )
}

/** As `resolveColumn`, but null when there is no such column. @throws 42702 */
export function findColumn(
  context: BindContext,
  scope: Scope | null,
  reference: ColumnReference,
): Column | null {
  const names = reference.parts.map(({ name }) => name)
  const name = names.at(-1) as string
  for (let level = scope; level !== null; level = level.outer) {
    const found =
      names.length === 1
        ? level.columns.filter((column) => column.name === name)
        : tablesNamed(level, reference.parts.slice(0, -1)).flatMap(({ columns }) =>
            columns.filter((column) => column.name === name),
          )
    if (found.length > 1)
      throw errorAt(context, reference, SQLSTATE.ambiguousColumn, `column reference "${name}" is ambiguous`, {
        hint: `Write the table's name in front of it: ${candidates(level, name)}.`,
      })
    if (found[0] !== undefined) {
      context.access.named(found[0].column)
      return found[0].column
    }
    if (names.length > 1 && tablesNamed(level, reference.parts.slice(0, -1)).length > 0) break
  }
  return null
}

function tablesNamed(scope: Scope, qualifier: readonly Identifier[]): readonly ScopeTable[] {
  const alias = qualifier.at(-1)?.name
  const schema = qualifier.length > 1 ? qualifier[0]?.name : undefined
  return scope.tables.filter(
    (table) => table.alias === alias && (schema === undefined || schema === table.schema),
  )
}

const candidates = (scope: Scope, name: string): string =>
  scope.tables
    .filter(({ columns }) => columns.some((column) => column.name === name))
    .map(({ alias }) => `${alias}.${name}`)
    .join(' or ')

function missing(
  context: BindContext,
  scope: Scope | null,
  reference: ColumnReference,
  names: readonly string[],
) {
  const name = names.at(-1) as string
  const levels: Scope[] = []
  for (let level = scope; level !== null; level = level.outer) levels.push(level)
  const tables = levels.flatMap((level) => level.tables)
  const hidden = levels.flatMap((level) => level.hidden ?? [])
  if (SYSTEM_COLUMNS.has(name) && tables.some(({ system }) => system !== undefined))
    return errorAt(
      context,
      reference,
      SQLSTATE.featureNotSupported,
      `system columns such as ${name} are not supported`,
    )
  if (names.length > 1) {
    const alias = names.at(-2) as string
    const table = tables.find((candidate) => candidate.alias === alias)
    if (table === undefined) return missingTable(context, reference, alias, tables, hidden)
    return errorAt(
      context,
      reference,
      SQLSTATE.undefinedColumn,
      `column ${alias}.${name} does not exist`,
      hintFor(name, [table]),
    )
  }
  const beside = hidden.find(({ columns }) => columns.some((column) => column.name === name))
  return errorAt(
    context,
    reference,
    SQLSTATE.undefinedColumn,
    `column "${name}" does not exist`,
    beside === undefined
      ? hintFor(name, tables)
      : {
          hint: `There is a column named "${name}" in table "${beside.alias}", but it cannot be referenced from this part of the query.`,
        },
  )
}

function hintFor(name: string, tables: readonly ScopeTable[]): { hint?: string } {
  const near = nearest(
    name,
    tables.flatMap(({ columns }) => columns.map((column) => column.name)),
  )
  const table = tables.find(({ columns }) => columns.some((column) => column.name === near))
  if (near === null || table === undefined) return {}
  return { hint: `Perhaps you meant to reference the column "${table.alias}.${near}".` }
}

/** 42P01 for a table that is not in FROM, or not to be seen from here. */
function missingTable(
  context: BindContext,
  node: Node,
  alias: string,
  tables: readonly ScopeTable[],
  hidden: readonly ScopeTable[],
) {
  const invalid = (hint: string) =>
    errorAt(
      context,
      node,
      SQLSTATE.undefinedTable,
      `invalid reference to FROM-clause entry for table "${alias}"`,
      { hint },
    )
  const renamed = tables.find(({ rowType }) => rowType?.name === alias)
  if (renamed !== undefined)
    return invalid(`Perhaps you meant to reference the table alias "${renamed.alias}".`)
  if (hidden.some((one) => one.alias === alias))
    return invalid(
      `There is an entry for table "${alias}", but it cannot be referenced from this part of the query.`,
    )
  const near = nearest(
    alias,
    tables.map((candidate) => candidate.alias),
  )
  return errorAt(
    context,
    node,
    SQLSTATE.undefinedTable,
    `missing FROM-clause entry for table "${alias}"`,
    near === null ? {} : { hint: `Perhaps you meant the table "${near}".` },
  )
}

/** The columns that `*` or `table.*` stands for. @throws 42P01 */
export function starColumns(
  context: BindContext,
  scope: Scope,
  star: { readonly qualifier: readonly Identifier[]; readonly span: { start: number; end: number } },
): readonly ScopeColumn[] {
  const [table] = star.qualifier.length === 0 ? [scope] : tablesNamed(scope, star.qualifier)
  if (table !== undefined) {
    const shown = table.columns.filter(({ hidden }) => hidden !== true)
    for (const { column } of shown) context.access.named(column)
    return shown
  }
  const alias = star.qualifier.at(-1)?.name ?? ''
  throw missingTable(context, star, alias, scope.tables, scope.hidden ?? [])
}
