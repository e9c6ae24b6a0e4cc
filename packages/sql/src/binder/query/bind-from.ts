import { unreachable } from '@cluster/core'
import { shownName, writtenName } from '../../catalog/names.ts'
import type { TableSchema, ViewSchema } from '../../catalog/schema.ts'
import { sequenceTable } from '../../catalog/sequence-table.ts'
import { nearest, SQLSTATE } from '../../errors.ts'
import { type LogicalPlan, ROW_KEY } from '../../plan/logical.ts'
import type {
  DerivedTable,
  Identifier,
  QualifiedName,
  TableAlias,
  TableName,
  TableReference,
} from '../../syntax/ast.ts'
import { parseStatement } from '../../syntax/parse.ts'
import { type BindContext, type Ctes, errorAt, newColumn } from '../context.ts'
import type { Scope, ScopeTable } from '../scope.ts'
import { bindFunctionTable } from './bind-function-table.ts'
import { bindJoin } from './bind-join.ts'
import { scanTableOfWith } from './bind-with.ts'
import {
  type BoundFrom,
  type FromPlace,
  joined,
  lateralScope,
  named,
  plainScope,
  renamed,
  together,
} from './from-parts.ts'
import { namesInside } from './view-names.ts'

export type { BoundFrom } from './from-parts.ts'

/** One row without columns: what SELECT without FROM reads. */
export const NO_TABLES: BoundFrom = {
  plan: { kind: 'values', columns: [], rows: [[]] },
  tables: [],
  columns: [],
}

/** Binds the comma list of FROM. @throws 42712 when two tables have one name */
export function bindFrom(
  context: BindContext,
  references: readonly TableReference[],
  outer: Scope | null,
): BoundFrom {
  let all = null as BoundFrom | null
  for (const reference of references) {
    const left: BoundFrom | null = all
    const right = bindReference(context, reference, { outer, siblings: left })
    all = together(left, right)
    if (left !== null) all = { ...all, plan: joined(context, reference, 'inner', left, right) }
  }
  if (all === null) return NO_TABLES
  checkAliases(context, references, all.tables)
  return all
}

/** @throws 42712 when two tables have one name */
export function checkAliases(
  context: BindContext,
  references: readonly TableReference[],
  tables: readonly ScopeTable[],
): void {
  const seen = new Set<string>()
  for (const { alias } of tables) {
    const [node] = references
    if (seen.has(alias) && node !== undefined)
      throw errorAt(
        context,
        node,
        SQLSTATE.duplicateAlias,
        `table name "${alias}" specified more than once`,
        { hint: 'Give one of them another name: table AS name.' },
      )
    seen.add(alias)
  }
}

function bindReference(context: BindContext, reference: TableReference, place: FromPlace): BoundFrom {
  switch (reference.kind) {
    case 'table':
      return bindTable(context, reference)
    case 'derived':
      return bindDerived(context, reference, place)
    case 'functionTable':
      return bindFunctionTable(context, reference, place)
    case 'join':
      return bindJoin(context, reference, place, bindReference)
    default:
      return unreachable(reference)
  }
}

/** A name as it stands in messages. */
export const tableName = (name: QualifiedName): string => shownName(writtenName(name))

function bindTable(context: BindContext, reference: TableName): BoundFrom {
  const name = writtenName(reference.name)
  if (reference.name.parts.length === 1)
    for (let ctes = context.ctes; ctes !== null; ctes = ctes.next)
      if (ctes.name === name) return bindCte(context, reference, ctes)
  const own = reference.name.parts.at(-1) as Identifier
  const entry = context.names.entry(name)
  if (entry?.kind === 'table') {
    if (entry.materialized?.populated === false)
      throw errorAt(context, reference, '55000', `materialized view "${entry.name}" has not been populated`, {
        hint: 'Use the REFRESH MATERIALIZED VIEW command.',
      })
    return scanTable(context, entry, reference.alias, own.name)
  }
  if (entry?.kind === 'view') return bindView(context, reference, entry)
  const virtual = entry?.kind === 'sequence' ? sequenceTable(entry) : context.names.virtual(name)
  if (virtual !== null) {
    if (entry?.kind === 'sequence') context.access.sequence(context, entry, ['r'])
    if (virtual.secret === true) context.access.secrets.add(own.name)
    const columns = virtual.columns.map((column, position) => ({
      position,
      column: newColumn(context, column.name, column.type),
    }))
    const plan: LogicalPlan = {
      kind: 'virtualScan',
      table: virtual,
      alias: reference.alias?.name.name ?? own.name,
      columns,
    }
    const outputs = columns.map(({ column }) => ({ name: column.name, column }))
    return named(context, { plan, columns: outputs }, reference.alias, own.name)
  }
  throw undefinedTable(context, reference.name)
}

export function undefinedTable(context: BindContext, name: QualifiedName) {
  const text = tableName(name)
  const missing = `relation "${text}" does not exist`
  if (name.parts.length === 1 && context.laterCtes?.includes(text) === true)
    return errorAt(context, name, SQLSTATE.undefinedTable, missing, {
      detail: `There is a WITH item named "${text}", but it cannot be referenced from this part of the query.`,
      hint: 'Use WITH RECURSIVE, or re-order the WITH items to remove forward references.',
    })
  const near = nearest(text, context.names.all)
  return errorAt(
    context,
    name,
    SQLSTATE.undefinedTable,
    missing,
    near === null ? {} : { hint: `Perhaps you meant "${near}".` },
  )
}

/** The table that a statement writes to. @throws 42P01, 42809 for anything but a table */
export function targetTable(context: BindContext, name: QualifiedName): TableSchema {
  const entry = context.names.entry(writtenName(name))
  if (entry?.kind === 'table') {
    if (entry.materialized === null) return entry
    throw errorAt(
      context,
      name,
      SQLSTATE.wrongObjectType,
      `cannot change materialized view "${entry.name}"`,
      { hint: 'Use REFRESH MATERIALIZED VIEW to make its rows anew.' },
    )
  }
  if (entry === null && context.names.virtual(writtenName(name)) === null) throw undefinedTable(context, name)
  throw errorAt(context, name, SQLSTATE.wrongObjectType, `"${tableName(name)}" is not a table`, {
    hint: 'Only tables can be written.',
  })
}

/** @param rowKey true: the rows' own keys come as the last column, without a name */
export function scanTable(
  context: BindContext,
  table: TableSchema,
  alias: TableAlias | null,
  name: string,
  rowKey = false,
): BoundFrom {
  const columns = table.columns.map((column, position) => ({
    position,
    column: newColumn(context, column.name, column.type),
  }))
  const outputs = columns.map(({ column }) => ({ name: column.name, column }))
  const key = {
    position: ROW_KEY,
    column: newColumn(context, 'row key', { id: 'text', length: null, precision: null, scale: null }),
  }
  const use = context.access.use(context, table, 'r', !rowKey)
  context.access.stands(
    use,
    columns.map(({ column }) => column),
    table.columns.map(({ slot }) => slot),
  )
  const plan: LogicalPlan = {
    kind: 'scan',
    table,
    alias: alias?.name.name ?? name,
    columns: rowKey ? [...columns, key] : columns,
  }
  const bound = withRowType(named(context, { plan, columns: outputs }, alias, name), alias, table)
  const never = table.columns.findIndex(({ notNull }) => notNull)
  const system = { oid: table.oid, present: columns[never]?.column ?? null }
  return { ...bound, tables: bound.tables.map((one) => ({ ...one, system })) }
}

/** Columns that go by other names make rows of no type. */
function withRowType(
  bound: BoundFrom,
  alias: TableAlias | null,
  { oid, schema, name }: TableSchema,
): BoundFrom {
  if ((alias?.columns.length ?? 0) > 0) return bound
  return {
    ...bound,
    tables: bound.tables.map((table) => ({
      ...table,
      schema: alias === null ? schema : null,
      rowType: { oid, schema, name },
    })),
  }
}

function bindCte(context: BindContext, reference: TableName, { name, binding }: Ctes): BoundFrom {
  if (binding.kind === 'silent')
    throw errorAt(
      context,
      reference,
      SQLSTATE.featureNotSupported,
      `WITH query "${name}" does not have a RETURNING clause`,
    )
  const bound =
    binding.kind === 'table'
      ? scanTableOfWith(context, name, reference.alias?.name ?? null, binding)
      : renamed(
          context,
          context.bindQuery(binding.query, { ...context, ctes: binding.outer }, binding.scope),
          binding.names,
          name,
        )
  return named(context, bound, reference.alias, name)
}

function bindView(context: BindContext, reference: TableName, view: ViewSchema): BoundFrom {
  if (context.views.includes(context.names.keyOf(view)))
    throw errorAt(context, reference, '42P17', `infinite recursion detected in view "${view.name}"`)
  context.access.use(context, view, 'r')
  const statement = parseStatement(view.text)
  if (statement.kind !== 'query') throw new TypeError(`view ${view.name} is not a query`)
  const names = namesInside(context.names, view)
  const key = names.keyOf(view)
  const inner: BindContext = { ...context, names, source: null, ctes: null, views: [...context.views, key] }
  const bound = context.bindQuery(statement, inner, null)
  const columns = bound.columns.map((column, i) => ({ ...column, name: view.columns[i] ?? column.name }))
  return named(context, { plan: bound.plan, columns }, reference.alias, view.name)
}

function bindDerived(context: BindContext, reference: DerivedTable, place: FromPlace): BoundFrom {
  const scope = reference.lateral ? lateralScope(place) : plainScope(place)
  const bound = context.bindQuery(reference.query, context, scope)
  return named(context, bound, reference.alias, reference.alias.name.name)
}
