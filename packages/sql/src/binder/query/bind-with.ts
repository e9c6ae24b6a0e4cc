import { SQLSTATE } from '../../errors.ts'
import { columnExpr } from '../../plan/build.ts'
import type { Column } from '../../plan/expression.ts'
import type { CteScanPlan, CteTable, LogicalPlan } from '../../plan/logical.ts'
import type { WriteStatementPlan } from '../../plan/statement.ts'
import type {
  CommonTable,
  Identifier,
  Query,
  QueryBody,
  WithTables,
  WriteStatement,
} from '../../syntax/ast.ts'
import { formatType, type SqlType } from '../../types/type.ts'
import {
  type BindContext,
  type BoundQuery,
  type CteBinding,
  type Ctes,
  errorAt,
  newColumn,
  type OutputColumn,
  type Scope,
} from '../context.ts'
import { commonType } from '../expression/coerce.ts'
import { converted, settled } from './convert-query.ts'
import { checkClauses, extended } from './search-cycle.ts'
import { inOrder, recursiveTerms, refersTo } from './with-references.ts'

/** A WITH table that changes rows; its rows are what RETURNING gives. */
export interface WriteTable {
  readonly id: number
  readonly name: string
  readonly statement: WriteStatementPlan
}

export interface BoundWith {
  /** Sees the tables. */
  readonly context: BindContext
  /** Each sees those before it. */
  readonly tables: readonly (CteTable | WriteTable)[]
}

/** What binding WITH needs of others, so that files need not know each other in a circle. */
export interface WithParts {
  bindBody(context: BindContext, body: QueryBody, scope: Scope | null): BoundQuery
  /** Null below the top level, where rows may not be changed. */
  readonly bindWrite: ((context: BindContext, statement: WriteStatement) => WriteStatementPlan) | null
}

/** Binds the tables of WITH. @throws 42712, 42P19, 0A000 and what binding each of them throws */
export function bindWith(
  context: BindContext,
  { with: list, recursive }: WithTables,
  scope: Scope | null,
  parts: WithParts,
): BoundWith {
  checkNames(context, list)
  const tables: (CteTable | WriteTable)[] = []
  let ctes = context.ctes
  const ordered = recursive ? inOrder(context, list) : list
  for (const [i, table] of ordered.entries()) {
    const laterCtes = [...(context.laterCtes ?? []), ...ordered.slice(i).map(({ name }) => name.name)]
    const inner: BindContext = { ...context, ctes, laterCtes }
    const binding = bindTable(inner, table, scope, recursive, parts, tables)
    ctes = { name: table.name.name, binding, next: ctes }
  }
  return { context: { ...context, ctes }, tables }
}

function checkNames(context: BindContext, list: readonly CommonTable[]): void {
  const seen = new Set<string>()
  for (const table of list) {
    const { name } = table.name
    if (seen.has(name))
      throw errorAt(
        context,
        table,
        SQLSTATE.duplicateAlias,
        `WITH query name "${name}" specified more than once`,
      )
    seen.add(name)
  }
}

function bindTable(
  context: BindContext,
  table: CommonTable,
  scope: Scope | null,
  recursive: boolean,
  parts: WithParts,
  tables: (CteTable | WriteTable)[],
): CteBinding {
  const { query } = table
  const { name } = table.name
  const id = context.nextColumnId()
  if (query.kind !== 'query') {
    if (parts.bindWrite === null)
      throw errorAt(
        context,
        query,
        SQLSTATE.featureNotSupported,
        'WITH clause containing a data-modifying statement must be at the top level',
      )
    const statement = parts.bindWrite(context, query)
    tables.push({ id, name, statement })
    const returned = statement.returning
    if (returned === null) return { kind: 'silent' }
    const columns = returned.result.map((result) => ({
      name: result.name,
      column: newColumn(context, result.name, result.type),
    }))
    return { kind: 'table', id, columns: named(context, table, columns) }
  }
  const loops = recursive && refersTo(query, name)
  if (!loops && (table.search !== null || table.cycle !== null))
    throw errorAt(context, table, SQLSTATE.syntaxError, 'WITH query is not recursive')
  // Asked not to keep the rows, and free to do so, every use has a plan of its own.
  if (table.materialized === false && !loops)
    return { kind: 'anew', query, scope, outer: context.ctes, names: table.columns }
  const bound = loops
    ? bindRecursive(context, table, query, scope, parts)
    : settled(context, query, context.bindQuery(query, context, scope))
  const columns = named(context, table, bound.columns)
  tables.push({
    id,
    name,
    plan: exactly(bound),
    columns: bound.columns.map(({ column }) => column),
    materialized: table.materialized === true ? true : null,
  })
  return { kind: 'table', id, columns }
}

/** Exactly the columns of the query, in order, each with an id of its own. */
function exactly({ plan, columns }: BoundQuery): LogicalPlan {
  const outputs = columns.map(({ column }) => ({ column, expr: columnExpr(column) }))
  const ids = new Set(columns.map(({ column }) => column.id))
  if (ids.size < columns.length) throw new TypeError('a query gives one column twice')
  return { kind: 'project', input: plan, outputs }
}

function named(
  context: BindContext,
  table: CommonTable,
  columns: readonly OutputColumn[],
): readonly OutputColumn[] {
  const extra = table.columns[columns.length]
  if (extra !== undefined)
    throw errorAt(
      context,
      extra,
      SQLSTATE.invalidColumnReference,
      `WITH query "${table.name.name}" has ${columns.length} columns available but ${table.columns.length} columns specified`,
    )
  return columns.map((column, i) => ({ ...column, name: table.columns[i]?.name ?? column.name }))
}

/** The first term decides names and types. @throws 42804 when the other one would need wider types */
function bindRecursive(
  context: BindContext,
  table: CommonTable,
  query: Query,
  scope: Scope | null,
  parts: WithParts,
): BoundQuery {
  const terms = recursiveTerms(context, table, query)
  const { name } = table.name
  const id = context.nextColumnId()
  const first = bindWith(context, query, scope, { ...parts, bindWrite: null })
  const bindBase = (body: QueryBody): BoundQuery =>
    settled(context, query, parts.bindBody(first.context, body, scope))
  let bound = bindBase(terms.base)
  let columns = named(context, table, bound.columns)
  let step = terms.step
  if (table.search !== null || table.cycle !== null) {
    const names = columns.map((column) => column.name)
    checkClauses(context, table, names)
    const extension = extended(context, table, names, terms)
    bound = bindBase(extension.base)
    // They are there by their names, but `*` of the recursive term does not mean them.
    columns = bound.columns.map((column, i) => (i < names.length ? column : { ...column, hidden: true }))
    step = extension.step
  }
  const working: Ctes = { name, binding: { kind: 'table', id, columns }, next: context.ctes }
  // The query's own WITH tables may name the table as well.
  const inside = bindWith({ ...context, ctes: working }, query, scope, { ...parts, bindWrite: null })
  const next = parts.bindBody(inside.context, step, scope)
  if (next.columns.length !== columns.length)
    throw errorAt(
      context,
      step,
      SQLSTATE.syntaxError,
      'each UNION query must have the same number of columns',
    )
  const types = columns.map(({ column }, i): SqlType => {
    const other = (next.columns[i] as OutputColumn).column.type
    const common = commonType(context, step, [column.type, other], 'UNION')
    if (common.id === column.type.id) return column.type
    throw errorAt(
      context,
      terms.base,
      SQLSTATE.datatypeMismatch,
      `recursive query "${name}" column ${i + 1} has type ${formatType(column.type)} in non-recursive term but type ${formatType(common)} overall`,
      { hint: 'Cast the output of the non-recursive term to the correct type.' },
    )
  })
  const results = columns.map((column) => ({
    name: column.name,
    column: newColumn(context, column.name, column.column.type),
  }))
  const plan: LogicalPlan = {
    kind: 'recursive',
    id,
    name,
    all: terms.all,
    base: withTables(first.tables, converted(context, query, bound, types)),
    step: withTables(inside.tables, converted(context, query, next, types)),
    columns: results.map(({ column }) => column),
  }
  return { plan, columns: results }
}

/** The plan, for which the tables are there. */
export function withTables(tables: readonly (CteTable | WriteTable)[], input: LogicalPlan): LogicalPlan {
  const plain = tables.filter((table) => 'plan' in table)
  return plain.length === 0 ? input : { kind: 'with', tables: plain, input }
}

/** The rows of a WITH table under new columns. */
export function scanTableOfWith(
  context: BindContext,
  name: string,
  alias: Identifier | null,
  { id, columns }: CteBinding & { kind: 'table' },
): BoundQuery {
  const outputs = columns.map((one) => ({
    ...one,
    column: newColumn(context, one.name, one.column.type) satisfies Column,
  }))
  const plan: CteScanPlan = {
    kind: 'cteScan',
    id,
    name,
    alias: alias?.name ?? name,
    columns: outputs.map(({ column }, position) => ({ column, position })),
  }
  return { plan, columns: outputs }
}
