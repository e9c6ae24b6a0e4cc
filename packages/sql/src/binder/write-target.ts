import type { Letter } from '../access/privileges.ts'
import type { Use } from '../access/requirement.ts'
import { shownName, writtenName } from '../catalog/names.ts'
import type { TableSchema, ViewSchema } from '../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type { Column, Expr } from '../plan/expression.ts'
import type { Check } from '../plan/statement.ts'
import type { Expression, QualifiedName, Query, Select, TableName } from '../syntax/ast.ts'
import { parseStatement } from '../syntax/parse.ts'
import { rowScope } from './bind-assignment.ts'
import { bindCondition } from './bind-expression.ts'
import { targetTable } from './bind-from.ts'
import type { BindContext, Scope } from './context.ts'
import { namesInside } from './view-names.ts'

/** What a statement writes to: a table, or a view that shows some of its rows and columns. */
export interface WriteTargetTable {
  readonly table: TableSchema
  /** The name that it goes by without an alias. */
  readonly name: string
  /** The table under the view's names; columns that the view does not show have names that nobody can write. */
  readonly seen: TableSchema
  /** The columns seen, by position in the table, in the view's order. */
  readonly order: readonly number[]
  /** The views that it is seen through, the outermost first: their owners need the right to the table. */
  readonly views: readonly string[]
  /** Where the columns that are written are noted, and those that are read of the views. */
  readonly use: Use
  /** Conditions of views, from the table upwards. */
  readonly conditions: readonly ViewCondition[]
}

interface ViewCondition {
  readonly view: string
  readonly where: Expression | null
  /** Rows that are written must meet it. */
  readonly checked: boolean
  /** The table under the names that the condition uses, and the name that the table goes by in it. */
  readonly seen: TableSchema
  readonly alias: string
  readonly context: BindContext
}

type Word = 'insert into' | 'update' | 'delete from'

/** No column that can be written has such a name. */
const HIDDEN = '\u0000'

const letterOf: Readonly<Record<Word, Letter>> = { 'insert into': 'a', update: 'w', 'delete from': 'd' }

/** @throws 42P01, 42809, 55000 for a view that is more than some rows and columns of a table */
export function writeTarget(context: BindContext, name: QualifiedName, word: Word): WriteTargetTable {
  const entry = context.names.entry(writtenName(name))
  if (entry?.kind === 'view') return throughView(context, entry, word)
  // Inside a view a table has the columns that it had when the view was made, under the names of then.
  const used = targetTable(context, name)
  const now = context.names.byKey(context.names.keyOf(used))
  const table = now?.kind === 'table' ? now : used
  const use = context.access.use(context, table, letterOf[word])
  const { views } = context
  if (table === used) {
    const order = table.columns.map((_, position) => position)
    return { table, name: table.name, seen: table, order, views, use, conditions: [] }
  }
  const order = used.columns.map(({ slot }) => table.columns.findIndex((column) => column.slot === slot))
  const names = new Map(order.map((position, i) => [position, used.columns[i]?.name ?? '']))
  return { table, name: table.name, seen: withNames(table, names), order, views, use, conditions: [] }
}

/** The table with its columns under other names; those without one cannot be named. */
const withNames = (table: TableSchema, names: ReadonlyMap<number, string>): TableSchema => ({
  ...table,
  columns: table.columns.map((column, position) => ({
    ...column,
    name: names.get(position) ?? `${HIDDEN}${position}`,
  })),
})

function throughView(context: BindContext, view: ViewSchema, word: Word): WriteTargetTable {
  const statement = parseStatement(view.text)
  const select = statement.kind === 'query' ? simpleSelect(statement) : null
  const from = select?.from[0]
  if (select === null || from?.kind !== 'table') throw notUpdatable(view, word)
  context.access.use(context, view, letterOf[word])
  const inner: BindContext = {
    ...context,
    source: null,
    names: namesInside(context.names, view),
    views: [...context.views, context.names.keyOf(view)],
  }
  const base = writeTarget(inner, from.name, word)
  const alias = from.alias?.name.name ?? from.name.parts.at(-1)?.name ?? ''
  const shown = columnsShown(select, from, base)
  const names = new Map<number, string>()
  const order: number[] = []
  shown.forEach((position, i) => {
    const name = view.result[i]?.name ?? ''
    if (position === null || names.has(position)) return
    names.set(position, name)
    order.push(position)
  })
  if (order.length === 0) throw notUpdatable(view, word)
  const checkedBelow = view.checkOption === 'cascaded'
  const own: ViewCondition = {
    view: view.name,
    where: select.where,
    checked: view.checkOption !== null,
    seen: base.seen,
    alias,
    context: inner,
  }
  return {
    table: base.table,
    name: view.name,
    views: base.views,
    use: base.use,
    // Columns of the view that are computed cannot be set: they are not there at all.
    seen: withNames(base.seen, names),
    order,
    conditions: [...base.conditions.map((one) => (checkedBelow ? { ...one, checked: true } : one)), own],
  }
}

/** A query that shows rows of one table as they are; null for any other. */
function simpleSelect(query: Query): Select | null {
  const { body, with: tables, limit, offset } = query
  if (body.kind !== 'select' || tables.length > 0 || limit !== null || offset !== null) return null
  const plain =
    body.distinct === 'all' &&
    body.from.length === 1 &&
    body.groupBy.length === 0 &&
    body.having === null &&
    body.windows.length === 0
  return plain ? body : null
}

/** For each column of the view the position in the table; null for one that is computed. */
function columnsShown(select: Select, from: TableName, base: WriteTargetTable): readonly (number | null)[] {
  const { seen } = base
  const names = seen.columns.map(({ name }, position) => from.alias?.columns[position]?.name ?? name)
  return select.items.flatMap((item): readonly (number | null)[] => {
    if (item.kind === 'star') return base.order
    const { expression } = item
    if (expression.kind !== 'column') return [null]
    const position = names.indexOf(expression.parts.at(-1)?.name ?? '')
    return [position < 0 ? null : position]
  })
}

const doing: Readonly<Record<Word, string>> = {
  'insert into': 'inserting into',
  update: 'updating',
  'delete from': 'deleting from',
}

const notUpdatable = (view: ViewSchema, word: Word) =>
  sqlError('55000', `cannot ${word} view "${view.name}"`, {
    detail:
      'Views that are more than some rows and columns of a single table or view are not automatically updatable.',
    hint: `For ${doing[word]} it, write to the tables that it reads.`,
  })

/** A computed column of a view cannot be set. @throws 0A000 */
export function refuseComputed(
  context: BindContext,
  name: QualifiedName,
  target: WriteTargetTable,
  column: string,
): void {
  const entry = context.names.entry(writtenName(name))
  if (entry?.kind !== 'view' || target.seen.columns.some((one) => one.name === column)) return
  if (!entry.result.some((one) => one.name === column)) return
  throw sqlError(
    SQLSTATE.featureNotSupported,
    `cannot update column "${column}" of view "${shownName(writtenName(name))}"`,
    { detail: 'View columns that are not columns of their base relation are not updatable.' },
  )
}

/** The conditions of the views over the columns of a row. */
export function viewConditions({ conditions }: WriteTargetTable, row: readonly Column[]): readonly Expr[] {
  return conditions.flatMap((one) => (one.where === null ? [] : [boundOver(one, row)]))
}

/** The conditions that rows must meet which are written through views. */
export function viewChecks({ conditions }: WriteTargetTable, row: readonly Column[]): readonly Check[] {
  return conditions.flatMap((one): Check[] =>
    one.where === null || !one.checked
      ? []
      : [{ name: one.view, domain: null, view: true, expr: boundOver(one, row) }],
  )
}

function boundOver({ where, seen, alias, context }: ViewCondition, row: readonly Column[]): Expr {
  if (where === null) throw new TypeError('a view without a condition')
  const named = row.map((column, position) => ({
    ...column,
    name: seen.columns[position]?.name ?? column.name,
  }))
  const place = { context, scope: rowScope(seen, named, alias), aggregates: null, name: 'WHERE' }
  return bindCondition(place, where, 'WHERE')
}

/** The columns of the table at some positions, as access rights know them. */
export const slotsAt = ({ columns }: TableSchema, positions: Iterable<number>): readonly number[] =>
  Array.from(positions, (position) => columns[position]?.slot ?? -1)

/** From now on the columns of a row stand for what the statement reads of its target. */
export function readsTarget(
  context: BindContext,
  name: QualifiedName,
  { table, views }: WriteTargetTable,
  row: readonly Column[],
): void {
  const slots = table.columns.map(({ slot }) => slot)
  const entry = context.names.entry(writtenName(name))
  // Through a view it is the view that is read here, and the table by the view's owner.
  if (entry?.kind === 'view')
    context.access.stands(context.access.use(context, entry, 'r', false), row, slots)
  context.access.stands(context.access.use({ ...context, views }, table, 'r', false), row, slots)
}

/** The scope of a row of the target, without what a view does not show, in the view's order. */
export function seenScope({ seen, order }: WriteTargetTable, row: readonly Column[], alias: string): Scope {
  const columns = order.map((position) => ({
    name: seen.columns[position]?.name ?? '',
    column: row[position] as Column,
  }))
  return { tables: [{ alias, schema: 'public', columns }], columns, outer: null }
}
