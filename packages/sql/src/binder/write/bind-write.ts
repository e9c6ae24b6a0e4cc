import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts'
import { SQLSTATE } from '../../errors.ts'
import { isSetFunction } from '../../functions/set-returning.ts'
import { columnExpr, constant, filtered } from '../../plan/build.ts'
import type { Column, Expr } from '../../plan/expression.ts'
import type { LogicalPlan, Output } from '../../plan/logical.ts'
import type {
  Check,
  DeleteStatement,
  InsertStatement,
  Returning,
  Target,
  UpdateStatement,
} from '../../plan/statement.ts'
import { substitute } from '../../plan/traverse.ts'
import type {
  Delete,
  Expression,
  ExpressionItem,
  Insert,
  InsertValue,
  Node,
  QualifiedName,
  Select,
  SelectItem,
  TableAlias,
  TableReference,
  TargetColumn,
  Update,
} from '../../syntax/ast.ts'
import { type BindContext, type BoundQuery, errorAt } from '../context.ts'
import { bindCondition, bindExpression } from '../expression/bind-expression.ts'
import { spreadFields } from '../expression/bind-row.ts'
import { settle } from '../expression/coerce.ts'
import { refuseValue } from '../expression/refuse-value.ts'
import type { Place } from '../place.ts'
import { type BoundFrom, bindFrom, checkAliases, scanTable } from '../query/bind-from.ts'
import { nameOf } from '../query/column-names.ts'
import { converted, settled } from '../query/convert-query.ts'
import { type Scope, type ScopeTable, starColumns } from '../scope.ts'
import {
  bindAssignments,
  checkAssignable,
  givenPart,
  rowColumns,
  targetPositions,
  typeOf,
  valueFor,
  valueOfParts,
} from './bind-assignment.ts'
import { bindConflict } from './bind-conflict.ts'
import { checksOver, withGenerated } from './computed-columns.ts'
import { relatedTables } from './related-tables.ts'
import { callsIn } from './updatable-view.ts'
import {
  byColumn,
  type ComputedValue,
  computedOver,
  readsTarget,
  refuseComputed,
  seenScope,
  slotsAt,
  viewChecks,
  viewConditions,
  type WriteTargetTable,
  writeTarget,
} from './write-target.ts'

/** Binds INSERT: its source becomes rows as wide as the table, every value cast to its column's type. */
export function bindInsert(context: BindContext, insert: Insert): InsertStatement {
  const target = writeTarget(context, insert.table, 'insert into')
  const { table, seen, order } = target
  for (const column of insert.columns)
    refuseComputed(context, insert.table, target, column.name, 'insert into')
  const named = insert.columns.length > 0
  const positions = named ? targetPositions(context, seen, insert.columns) : order
  const width = named ? positions.length : null
  target.use.add(slotsAt(table, positions))
  // Without names values go to the columns in the view's order, computed ones among them.
  const given = (count: number): void => {
    if (named) return
    for (const one of target.layout.slice(0, count))
      if (typeof one !== 'number') refuseComputed(context, insert.table, target, one.name, 'insert into')
  }
  const rows = insertSource(context, insert, seen, positions, width, given)
  const source = withGenerated(context, table, rows)
  const row = rowColumns(context, table)
  const name = insert.alias?.name ?? target.name
  const computed = computedOver(context, target, row)
  const seenRow = seenScope(target, row, name, computed)
  const scope = insert.onConflict === null ? seenRow : { ...seenRow, hidden: [EXCLUDED] }
  const written = targetOf(context, table, row, viewChecks(target, row))
  const { onConflict } = insert
  const conflict = onConflict === null ? null : bindConflict(context, seen, name, onConflict, target)
  // Checks read the row too, for which nobody needs a right.
  if (insert.returning.length > 0) readsTarget(context, insert.table, target, row)
  return {
    kind: 'insert',
    target: written,
    source: source.plan,
    sourceColumns: source.columns,
    conflict,
    returning: bindReturning(context, insert.returning, scope, byColumn(computed)),
  }
}

/** For messages: RETURNING does not see it. */
const EXCLUDED: ScopeTable = { alias: 'excluded', schema: null, columns: [] }

interface RowSource {
  readonly plan: LogicalPlan
  readonly columns: readonly Column[]
}

/** A single row of VALUES is what SELECT gives for its list, so that functions in it may give several rows. */
function asQuery({ source, span }: Insert): Insert['source'] {
  const [row, more] = source.kind === 'rows' ? source.rows : []
  if (row === undefined || more !== undefined) return source
  if (!callsIn(row).some(({ name }) => isSetFunction(name))) return source
  const items = row.flatMap((expression): ExpressionItem[] =>
    expression.kind === 'default' ? [] : [{ kind: 'item', expression, alias: null, span }],
  )
  // DEFAULT is no value of a list.
  if (items.length < row.length) return source
  const body: Select = {
    kind: 'select',
    distinct: 'all',
    distinctOn: [],
    items,
    from: [],
    where: null,
    groupBy: [],
    distinctGroups: false,
    having: null,
    windows: [],
    span,
  }
  const plain = { with: [], recursive: false, orderBy: [], limit: null, offset: null, withTies: false }
  return { kind: 'query', query: { kind: 'query', body, ...plain, locking: [], span } }
}

function insertSource(
  context: BindContext,
  insert: Insert,
  table: TableSchema,
  positions: readonly number[],
  width: number | null,
  given: (count: number) => void,
): RowSource {
  const source = asQuery(insert)
  if (source.kind === 'query') {
    const bound = context.bindQuery(source.query, context, null)
    given(bound.columns.length)
    checkWidth(context, source.query, bound.columns.length, positions.length, width)
    return querySource(context, insert, source.query, bound, table, positions)
  }
  const rows = source.kind === 'rows' ? source.rows : [[]]
  given(rows[0]?.length ?? 0)
  const place: Place = { context, scope: null, aggregates: null, name: 'VALUES' }
  const exprs = rows.map((row) => {
    const node = row[positions.length] ?? row.at(-1) ?? insert
    if (source.kind === 'rows') checkWidth(context, node, row.length, positions.length, width)
    return table.columns.map((_, position) => {
      const at = source.kind === 'rows' ? positions.indexOf(position) : -1
      const parts = partsOf(insert.columns, positions, at)
      if (parts.length === 0)
        return valueFor(place, table, position, at < 0 ? undefined : row[at], 'insert', insert.overriding)
      const given = parts.map(([column, i]) => givenPart(place, column, row[i] as InsertValue))
      return valueOfParts(place, table, position, given, insert.overriding)
    })
  })
  const columns = rowColumns(context, table)
  return { plan: { kind: 'values', columns, rows: exprs }, columns }
}

/** The parts that INSERT names of the column at one place of its list, each with its place; none where it is named as a whole. */
export const partsOf = (
  columns: readonly TargetColumn[],
  positions: readonly number[],
  at: number,
): readonly (readonly [column: TargetColumn, at: number])[] =>
  (columns[at]?.path.length ?? 0) === 0
    ? []
    : columns.flatMap((column, i) => (positions[i] === positions[at] ? [[column, i] as const] : []))

/** @param asked how many columns the statement named; null: none, then fewer values are all right */
function checkWidth(
  context: BindContext,
  node: Node,
  given: number,
  positions: number,
  asked: number | null,
): void {
  if (given > positions)
    throw errorAt(context, node, SQLSTATE.syntaxError, 'INSERT has more expressions than target columns')
  if (asked !== null && given < asked)
    throw errorAt(context, node, SQLSTATE.syntaxError, 'INSERT has more target columns than expressions')
}

function querySource(
  context: BindContext,
  { overriding, columns: named }: Insert,
  node: Node,
  bound: BoundQuery,
  table: TableSchema,
  positions: readonly number[],
): RowSource {
  // What becomes part of a column is converted where it is put in.
  const isWhole = (i: number): boolean => (named[i]?.path.length ?? 0) === 0
  const types = bound.columns.map(({ column }, i) =>
    isWhole(i) ? typeOf(table, positions[i] as number) : column.type,
  )
  // OVERRIDING USER VALUE: identity columns take none of what is given.
  const ignores = (position: number): boolean =>
    overriding === 'user' && table.columns[position]?.identity !== null
  bound.columns.forEach(({ column }, i) => {
    const position = positions[i] as number
    if (!ignores(position)) refuseValue(table, table.columns[position] as ColumnSchema, 'insert', overriding)
    if (isWhole(i)) checkAssignable(context, node, columnExpr(column), table, position)
  })
  const plan = converted(context, node, bound, types, 'assignment')
  const given = plan.kind === 'project' ? plan.outputs : []
  const place: Place = { context, scope: null, aggregates: null, name: 'VALUES' }
  const columns = rowColumns(context, table)
  const outputs = columns.map((column, position): Output => {
    const at = ignores(position) ? -1 : positions.indexOf(position)
    const from = at < 0 ? undefined : given[at]
    const parts = partsOf(named, positions, at).map(([part, i]) => ({
      column: part,
      node,
      value: columnExpr((given[i] as Output).column),
    }))
    if (parts.length > 0) return { column, expr: valueOfParts(place, table, position, parts, overriding) }
    return {
      column,
      expr: from === undefined ? valueFor(place, table, position, undefined) : columnExpr(from.column),
    }
  })
  return { plan: { kind: 'project', input: plan, outputs }, columns }
}

/** What a statement writes to, with the checks of its rows. */
export function targetOf(
  context: BindContext,
  table: TableSchema,
  row: readonly Column[],
  more: readonly Check[] = [],
): Target {
  return {
    table,
    row,
    checks: [...checksOver(context, table, row), ...more],
    related: relatedTables(context, table),
  }
}

/** @param by what stands for columns that are not in the row */
function bindReturning(
  context: BindContext,
  items: readonly SelectItem[],
  scope: Scope,
  by: ReadonlyMap<number, Expr>,
): Returning | null {
  if (items.length === 0) return null
  const place: Place = { context, scope, aggregates: null, name: 'RETURNING' }
  const bound = items.flatMap((item) =>
    item.kind === 'star'
      ? starColumns(context, scope, item).map(({ name, column }) => ({
          name,
          expr: columnExpr(column) as Expr,
        }))
      : item.expression.kind === 'fields'
        ? spreadFields(place, item.expression, (part) => bindExpression(place, part))
        : [
            {
              name: item.alias?.name ?? nameOf(item.expression),
              expr: settle(context, bindExpression(place, item.expression)),
            },
          ],
  )
  return {
    exprs: bound.map(({ expr }) => substitute(expr, by)),
    result: bound.map(({ name, expr }) => ({ name, type: expr.type })),
  }
}

interface WriteSource {
  readonly target: WriteTargetTable
  readonly table: TableSchema
  readonly scan: BoundFrom & { readonly computed: readonly ComputedValue[] }
  readonly key: Column
  readonly old: readonly Column[]
  /** All tables in view, the target first. */
  readonly from: BoundFrom
  readonly scope: Scope
  /** Columns of the other tables. */
  readonly others: readonly Column[]
}

/** The rows that UPDATE or DELETE goes over: those of the target, joined with the other tables. */
function writeSource(
  context: BindContext,
  statement: Update | Delete,
  references: readonly TableReference[],
): WriteSource {
  const target = writeTarget(context, statement.table, statement.kind === 'update' ? 'update' : 'delete from')
  const { table } = target
  const alias: TableAlias | null =
    statement.alias === null ? null : { name: statement.alias, columns: [], span: statement.alias.span }
  const scan = scannedTarget(context, statement.table, target, alias)
  const others = references.length === 0 ? null : bindFrom(context, references, null)
  if (others !== null) checkAliases(context, references, [...scan.tables, ...others.tables])
  const from: BoundFrom =
    others === null
      ? scan
      : {
          plan: { kind: 'join', type: 'inner', left: scan.plan, right: others.plan, on: constantTrue },
          tables: [...scan.tables, ...others.tables],
          columns: [...scan.columns, ...others.columns],
        }
  const scanned = scannedColumns(scan.plan)
  return {
    target,
    table,
    scan,
    key: scanned.at(-1) as Column,
    old: scanned.slice(0, -1),
    from,
    scope: { tables: from.tables, columns: from.columns, outer: null },
    others: others?.columns.map(({ column }) => column) ?? [],
  }
}

/** The rows of the target, under the names that the statement knows; those that its views show. */
function scannedTarget(
  context: BindContext,
  name: QualifiedName,
  target: WriteTargetTable,
  alias: TableAlias | null,
): BoundFrom & { readonly computed: readonly ComputedValue[] } {
  const { table, views } = target
  const scan = scanTable({ ...context, views }, table, alias, target.name, true)
  if (target.seen === table) return { ...scan, computed: [] }
  const row = scannedColumns(scan.plan).slice(0, -1)
  const computed = computedOver(context, target, row)
  const { tables, columns } = seenScope(target, row, alias?.name.name ?? target.name, computed)
  const shown = filtered(scan.plan, viewConditions(target, row))
  const passed = scannedColumns(scan.plan).map((column) => ({ column, expr: columnExpr(column) as Expr }))
  const plan: LogicalPlan =
    computed.length === 0
      ? shown
      : {
          kind: 'project',
          input: shown,
          outputs: [...passed, ...computed.map(({ column, expr }) => ({ column, expr }))],
        }
  readsTarget(context, name, target, row)
  return { plan, tables, columns, computed }
}

/** The columns of the scan of a target, the row's key last. */
function scannedColumns(plan: LogicalPlan): readonly Column[] {
  if (plan.kind === 'filter' || plan.kind === 'project') return scannedColumns(plan.input)
  return plan.kind === 'scan' ? plan.columns.map(({ column }) => column) : []
}

const constantTrue: Expr = constant({ id: 'boolean', length: null, precision: null, scale: null }, true)

function whereOf(context: BindContext, source: WriteSource, where: Expression | null): LogicalPlan {
  if (where === null) return source.from.plan
  const place: Place = { context, scope: source.scope, aggregates: null, name: 'WHERE' }
  return filtered(source.from.plan, [bindCondition(place, where, 'WHERE')])
}

export function bindUpdate(context: BindContext, update: Update): UpdateStatement {
  const source = writeSource(context, update, update.from)
  const { table, old, key, others } = source
  let input = whereOf(context, source, update.where)
  const place: Place = { context, scope: source.scope, aggregates: null, name: 'UPDATE' }
  for (const assignment of update.assignments)
    for (const column of assignment.kind === 'assignment' ? [assignment.column] : assignment.columns)
      refuseComputed(context, update.table, source.target, column.name, 'update')
  const assigned = bindAssignments(place, source.target.seen, update.assignments, (query) => {
    const row = settled(context, query, context.bindQuery(query, context, source.scope))
    const right: LogicalPlan = { kind: 'single', input: row.plan }
    input = { kind: 'lateral', type: 'left', left: input, right, on: constantTrue }
    return row.columns.map(({ column }) => columnExpr(column))
  })
  source.target.use.add(slotsAt(table, assigned.keys()))
  const kept = [key, ...old, ...others]
  const given = rowColumns(context, table)
  const outputs: Output[] = [
    ...kept.map((column) => ({ column, expr: columnExpr(column) })),
    ...given.map((column, position) => ({
      column,
      expr: assigned.get(position) ?? columnExpr(old[position] as Column),
    })),
  ]
  const assignedRows = { plan: { kind: 'project', input, outputs } as const, columns: given }
  const { plan, columns: values } = withGenerated(context, table, assignedRows, kept)
  return {
    kind: 'update',
    target: targetOf(context, table, values, viewChecks(source.target, values)),
    source: plan,
    key,
    old,
    values,
    others,
    returning: returningOver(context, update.returning, source, values),
  }
}

/** RETURNING sees the row as it was written: names of its columns mean the new values. */
function returningOver(
  context: BindContext,
  items: readonly SelectItem[],
  { scope, old, target, scan }: WriteSource,
  row: readonly Column[],
): Returning | null {
  const returning = bindReturning(context, items, scope, new Map())
  if (returning === null) return null
  const by = new Map(old.map(({ id }, i) => [id, columnExpr(row[i] as Column) as Expr]))
  const computed = computedOver(context, target, row)
  scan.computed.forEach(({ column }, i) => {
    const now = computed[i]
    if (now !== undefined) by.set(column.id, now.expr)
  })
  return { ...returning, exprs: returning.exprs.map((expr) => substitute(expr, by)) }
}

export function bindDelete(context: BindContext, statement: Delete): DeleteStatement {
  const source = writeSource(context, statement, statement.using)
  const { table, old, key, others } = source
  const input = whereOf(context, source, statement.where)
  const outputs = [key, ...old, ...others].map((column) => ({ column, expr: columnExpr(column) }))
  return {
    kind: 'delete',
    target: { table, row: old, checks: [], related: relatedTables(context, table) },
    source: { kind: 'project', input, outputs },
    key,
    old,
    others,
    returning: bindReturning(context, statement.returning, source.scope, byColumn(source.scan.computed)),
  }
}
