import { unreachable } from '@cluster/core'
import type { TableSchema, ViewSchema } from '../catalog/schema.ts'
import { nearest, SQLSTATE } from '../errors.ts'
import { columnExpr, conjunction, TRUE } from '../plan/build.ts'
import type { Expr } from '../plan/expression.ts'
import { type LogicalPlan, type Output, ROW_KEY } from '../plan/logical.ts'
import type {
  DerivedTable,
  FunctionTable,
  Identifier,
  Join,
  QualifiedName,
  Query,
  TableAlias,
  TableName,
  TableReference,
} from '../syntax/ast.ts'
import { parseStatement } from '../syntax/parse.ts'
import { bindCondition, bindExpression } from './bind-expression.ts'
import { scanTableOfWith } from './bind-with.ts'
import { coerce } from './coerce.ts'
import {
  type BindContext,
  type BoundQuery,
  type Ctes,
  errorAt,
  newColumn,
  type OutputColumn,
  unsupported,
} from './context.ts'
import { operatorCall } from './overloads.ts'
import type { Scope, ScopeColumn, ScopeTable } from './scope.ts'
import { setFunction } from './set-functions.ts'

/** What FROM gives: rows, and the names under which its columns are known. */
export interface BoundFrom {
  readonly plan: LogicalPlan
  readonly tables: readonly ScopeTable[]
  readonly columns: readonly ScopeColumn[]
}

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
  const parts = references.map((reference) => bindReference(context, reference, outer))
  const [first, ...rest] = parts
  if (first === undefined) return NO_TABLES
  const all = rest.reduce((left, right) => {
    const plan: LogicalPlan = { kind: 'join', type: 'inner', left: left.plan, right: right.plan, on: TRUE }
    return { plan, tables: [...left.tables, ...right.tables], columns: [...left.columns, ...right.columns] }
  }, first)
  checkAliases(context, references, all.tables)
  return all
}

function checkAliases(
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

function bindReference(context: BindContext, reference: TableReference, outer: Scope | null): BoundFrom {
  switch (reference.kind) {
    case 'table':
      return bindTable(context, reference)
    case 'derived':
      return bindDerived(context, reference, outer)
    case 'functionTable':
      return bindFunction(context, reference, outer)
    case 'join':
      return bindJoin(context, reference, outer)
    default:
      return unreachable(reference)
  }
}

/** The catalog's name for a table as written: `public` is the schema of all tables. */
export function tableName(name: QualifiedName): string {
  const parts = name.parts.map((part) => part.name)
  if (parts.length > 1 && parts.at(-2) === 'public') return parts.at(-1) as string
  return parts.slice(-2).join('.')
}

function bindTable(context: BindContext, reference: TableName): BoundFrom {
  const name = tableName(reference.name)
  if (reference.name.parts.length === 1)
    for (let ctes = context.ctes; ctes !== null; ctes = ctes.next)
      if (ctes.name === name) return bindCte(context, reference, ctes)
  const own = reference.name.parts.at(-1) as Identifier
  const entry = context.names.entry(name)
  if (entry?.kind === 'table') return scanTable(context, entry, reference.alias, own.name)
  if (entry?.kind === 'view') return bindView(context, reference, entry)
  const virtual = context.names.virtual(name)
  if (virtual !== null) {
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
  const near = nearest(text, context.names.all)
  return errorAt(
    context,
    name,
    SQLSTATE.undefinedTable,
    `relation "${text}" does not exist`,
    near === null ? {} : { hint: `Perhaps you meant "${near}".` },
  )
}

/** The table that a statement writes to. @throws 42P01, 42809 for anything but a table */
export function targetTable(context: BindContext, name: QualifiedName): TableSchema {
  const entry = context.names.entry(tableName(name))
  if (entry?.kind === 'table') return entry
  if (entry === null && context.names.virtual(tableName(name)) === null) throw undefinedTable(context, name)
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
  const plan: LogicalPlan = {
    kind: 'scan',
    table,
    alias: alias?.name.name ?? name,
    columns: rowKey ? [...columns, key] : columns,
  }
  return named(context, { plan, columns: outputs }, alias, name)
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
  if (context.views.includes(view.name))
    throw errorAt(context, reference, '42P17', `infinite recursion detected in view "${view.name}"`)
  const statement = parseStatement(view.text)
  if (statement.kind !== 'query') throw new TypeError(`view ${view.name} is not a query`)
  const inner: BindContext = { ...context, source: null, ctes: null, views: [...context.views, view.name] }
  const bound = context.bindQuery(statement, inner, null)
  const columns = bound.columns.map((column, i) => ({ ...column, name: view.columns[i] ?? column.name }))
  return named(context, { plan: bound.plan, columns }, reference.alias, view.name)
}

function bindDerived(context: BindContext, reference: DerivedTable, outer: Scope | null): BoundFrom {
  if (reference.lateral) throw unsupported(context, reference, 'LATERAL')
  const bound = context.bindQuery(reference.query as Query, context, outer)
  return named(context, bound, reference.alias, reference.alias.name.name)
}

function bindFunction(context: BindContext, reference: FunctionTable, outer: Scope | null): BoundFrom {
  const place = { context, scope: outer, aggregates: null, name: 'functions in FROM' }
  const { call } = reference
  const name = call.name.parts.at(-1)?.name ?? ''
  const bound = call.args.map((arg) => bindExpression(place, arg))
  const { rows, args, type } = setFunction(context, call, name, bound)
  const alias = reference.alias?.name.name ?? name
  const column = newColumn(context, alias, type)
  const plan: LogicalPlan = {
    kind: 'functionScan',
    name,
    args,
    column,
    ordinality: null,
    rows,
  }
  return named(context, { plan, columns: [{ name: alias, column }] }, reference.alias, alias)
}

/** Gives a table its alias, and its columns theirs. */
function named(context: BindContext, bound: BoundQuery, alias: TableAlias | null, name: string): BoundFrom {
  const { plan, columns } = renamed(context, bound, alias?.columns ?? [], alias?.name.name ?? name)
  const table = { alias: alias?.name.name ?? name, schema: alias === null ? 'public' : null, columns }
  return { plan, tables: [table], columns }
}

function renamed(
  context: BindContext,
  bound: BoundQuery,
  names: readonly Identifier[],
  table: string,
): BoundQuery {
  const extra = names[bound.columns.length]
  if (extra !== undefined)
    throw errorAt(
      context,
      extra,
      SQLSTATE.invalidColumnReference,
      `table "${table}" has ${bound.columns.length} columns available but ${names.length} columns specified`,
    )
  const columns: OutputColumn[] = bound.columns.map((column, i) => ({
    ...column,
    name: names[i]?.name ?? column.name,
  }))
  return { plan: bound.plan, columns }
}

function bindJoin(context: BindContext, join: Join, outer: Scope | null): BoundFrom {
  const left = bindReference(context, join.left, outer)
  const right = bindReference(context, join.right, outer)
  const tables = [...left.tables, ...right.tables]
  const { condition } = join
  const type = join.type === 'cross' ? 'inner' : join.type
  if (condition === null || condition.kind === 'on') {
    const columns = [...left.columns, ...right.columns]
    const place = {
      context,
      scope: { tables, columns, outer },
      aggregates: null,
      name: 'JOIN conditions',
    }
    const on = condition === null ? TRUE : bindCondition(place, condition.expression, 'JOIN/ON')
    return { plan: { kind: 'join', type, left: left.plan, right: right.plan, on }, tables, columns }
  }
  const names =
    condition.kind === 'using'
      ? condition.columns
      : left.columns
          .filter(({ name }) => right.columns.some((other) => other.name === name))
          .map(({ name }): Identifier => ({ kind: 'identifier', name, span: join.span }))
  return bindUsing(context, join, { left, right, tables, type, names })
}

interface UsingParts {
  readonly left: BoundFrom
  readonly right: BoundFrom
  readonly tables: readonly ScopeTable[]
  readonly type: 'inner' | 'left' | 'right' | 'full'
  readonly names: readonly Identifier[]
}

/** USING and NATURAL: equal columns by name, which bare names and `*` then see once. */
function bindUsing(
  context: BindContext,
  join: Join,
  { left, right, tables, type, names }: UsingParts,
): BoundFrom {
  const conditions: Expr[] = []
  const merged: ScopeColumn[] = []
  const computed: Output[] = []
  for (const identifier of names) {
    const { name } = identifier
    const one = onlyColumn(context, left, identifier, 'left')
    const other = onlyColumn(context, right, identifier, 'right')
    const equal = operatorCall(context, join, '=', [columnExpr(one.column), columnExpr(other.column)])
    conditions.push(equal)
    if (type === 'inner' || type === 'left') merged.push({ name, column: one.column })
    else if (type === 'right') merged.push({ name, column: other.column })
    else {
      const type = equal.kind === 'call' ? (equal.args[0] as Expr).type : one.column.type
      const args = [one, other].map(({ column }) =>
        coerce(context, join, columnExpr(column), type, 'implicit'),
      )
      const column = newColumn(context, name, type)
      computed.push({ column, expr: { kind: 'coalesce', type, args } })
      merged.push({ name, column })
    }
  }
  const isMerged = ({ name }: ScopeColumn): boolean => names.some((identifier) => identifier.name === name)
  const columns = [
    ...merged,
    ...left.columns.filter((column) => !isMerged(column)),
    ...right.columns.filter((column) => !isMerged(column)),
  ]
  const joined: LogicalPlan = {
    kind: 'join',
    type,
    left: left.plan,
    right: right.plan,
    on: conjunction(conditions),
  }
  if (computed.length === 0) return { plan: joined, tables, columns }
  const all = [...left.columns, ...right.columns, ...tables.flatMap((table) => table.columns)]
  const kept = all.map(({ column }) => column)
  const seen = new Set<number>()
  const passed = kept
    .filter(({ id }) => !seen.has(id) && seen.add(id))
    .map((column) => ({ column, expr: columnExpr(column) }))
  return { plan: { kind: 'project', input: joined, outputs: [...computed, ...passed] }, tables, columns }
}

function onlyColumn(
  context: BindContext,
  from: BoundFrom,
  { name, span, kind }: Identifier,
  side: 'left' | 'right',
): ScopeColumn {
  const found = from.columns.filter((column) => column.name === name)
  const node: Identifier = { name, span, kind }
  if (found.length > 1)
    throw errorAt(
      context,
      node,
      SQLSTATE.ambiguousColumn,
      `common column name "${name}" appears more than once in ${side} table`,
    )
  if (found[0] === undefined)
    throw errorAt(
      context,
      node,
      SQLSTATE.undefinedColumn,
      `column "${name}" specified in USING clause does not exist in ${side} table`,
    )
  return found[0]
}
