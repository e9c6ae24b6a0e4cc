import type { Letter } from '../../access/privileges.ts'
import type { Use } from '../../access/requirement.ts'
import { shownName, writtenName } from '../../catalog/names.ts'
import type { TableSchema, ViewSchema } from '../../catalog/schema.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Column, Expr } from '../../plan/expression.ts'
import type { Check } from '../../plan/statement.ts'
import { substitute } from '../../plan/traverse.ts'
import type { Expression, QualifiedName, Select, TableName } from '../../syntax/ast.ts'
import { parseStatement } from '../../syntax/parse.ts'
import { type BindContext, newColumn, type Scope } from '../context.ts'
import { bindCondition, bindExpression } from '../expression/bind-expression.ts'
import { settle } from '../expression/coerce.ts'
import type { Place } from '../place.ts'
import { targetTable } from '../query/bind-from.ts'
import { namesInside } from '../query/view-names.ts'
import { NOT_SINGLE, whyNotUpdatable } from './updatable-view.ts'

/** What a statement writes to: a table, or a view that shows some of its rows and columns. */
export interface WriteTargetTable {
  readonly table: TableSchema
  /** The name that it goes by without an alias. */
  readonly name: string
  /** The table under the view's names; columns that the view does not show have names that nobody can write. */
  readonly seen: TableSchema
  /** The columns seen, by position in the table, in the view's order. */
  readonly order: readonly number[]
  /** All columns in the view's order: by position in the table, or computed by the view. */
  readonly layout: readonly (number | ComputedColumn)[]
  /** The views that it is seen through, the outermost first: their owners need the right to the table. */
  readonly views: readonly string[]
  /** Where the columns that are written are noted, and those that are read of the views. */
  readonly use: Use
  /** Conditions of views, from the table upwards. */
  readonly conditions: readonly ViewCondition[]
}

/** What a view reads, under the name that it goes by there. */
interface ViewInside {
  readonly base: WriteTargetTable
  readonly alias: string
  readonly context: BindContext
}

interface ViewCondition {
  readonly view: string
  readonly where: Expression | null
  /** Rows that are written must meet it. */
  readonly checked: boolean
  readonly inside: ViewInside
}

/** A column of a view that is no column of its table. */
export interface ComputedColumn {
  readonly name: string
  readonly expression: Expression
  readonly inside: ViewInside
}

/** The value of a computed column, and the column that stands for it. */
export interface ComputedValue {
  readonly of: ComputedColumn
  readonly column: Column
  readonly expr: Expr
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
    return { table, name: table.name, seen: table, order, layout: order, views, use, conditions: [] }
  }
  const order = used.columns.map(({ slot }) => table.columns.findIndex((column) => column.slot === slot))
  const names = new Map(order.map((position, i) => [position, used.columns[i]?.name ?? '']))
  const seen = withNames(table, names)
  return { table, name: table.name, seen, order, layout: order, views, use, conditions: [] }
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
  const query = statement.kind === 'query' ? statement : null
  const obstacle = query === null ? NOT_SINGLE : whyNotUpdatable(query)
  const select = query?.body.kind === 'select' ? query.body : null
  const from = select?.from[0]
  if (select === null || obstacle !== null || from?.kind !== 'table')
    throw notUpdatable(view, word, obstacle ?? NOT_SINGLE)
  context.access.use(context, view, letterOf[word])
  const inner: BindContext = {
    ...context,
    source: null,
    names: namesInside(context.names, view),
    views: [...context.views, context.names.keyOf(view)],
  }
  if (inner.names.entry(writtenName(from.name)) === null) throw notUpdatable(view, word, NOT_SINGLE)
  const base = writeTarget(inner, from.name, word)
  const alias = from.alias?.name.name ?? from.name.parts.at(-1)?.name ?? ''
  const inside: ViewInside = { base, alias, context: inner }
  const names = new Map<number, string>()
  const order: number[] = []
  const layout = columnsShown(select, from, base).map((shown, i) => {
    const name = view.result[i]?.name ?? ''
    if (typeof shown !== 'number') return { name, expression: shown, inside }
    const again = names.get(shown)
    // A column that is shown twice can be written by its first name.
    if (again !== undefined) return { name, expression: columnNamed(base, shown), inside }
    names.set(shown, name)
    order.push(shown)
    return shown
  })
  if (order.length === 0 && word !== 'delete from')
    throw notUpdatable(view, word, 'Views that have no updatable columns are not automatically updatable.')
  const checkedBelow = view.checkOption === 'cascaded'
  const own: ViewCondition = {
    view: view.name,
    where: select.where,
    checked: view.checkOption !== null,
    inside,
  }
  return {
    table: base.table,
    name: view.name,
    views: base.views,
    use: base.use,
    // Columns of the view that are computed cannot be set: they are not there at all.
    seen: withNames(base.seen, names),
    order,
    layout,
    conditions: [...base.conditions.map((one) => (checkedBelow ? { ...one, checked: true } : one)), own],
  }
}

const columnNamed = ({ seen }: WriteTargetTable, position: number): Expression => {
  const span = { start: 0, end: 0 }
  const name = seen.columns[position]?.name ?? ''
  return { kind: 'column', parts: [{ kind: 'identifier', name, span }], span }
}

/** For each column of the view the position in the table, or how it is computed. */
function columnsShown(
  select: Select,
  from: TableName,
  base: WriteTargetTable,
): readonly (number | Expression)[] {
  const { seen, layout } = base
  const names = seen.columns.map(({ name }, position) => from.alias?.columns[position]?.name ?? name)
  return select.items.flatMap((item): readonly (number | Expression)[] => {
    if (item.kind === 'star')
      return layout.map((one) =>
        typeof one === 'number'
          ? one
          : {
              kind: 'column',
              parts: [{ kind: 'identifier', name: one.name, span: item.span }],
              span: item.span,
            },
      )
    const { expression } = item
    if (expression.kind !== 'column') return [expression]
    const position = names.indexOf(expression.parts.at(-1)?.name ?? '')
    return [position < 0 ? expression : position]
  })
}

const doing: Readonly<Record<Word, readonly [string, string]>> = {
  'insert into': ['inserting into', 'INSERT'],
  update: ['updating', 'UPDATE'],
  'delete from': ['deleting from', 'DELETE'],
}

function notUpdatable(view: ViewSchema, word: Word, detail: string) {
  const [act, event] = doing[word]
  return sqlError('55000', `cannot ${word} view "${view.name}"`, {
    detail,
    hint: `To enable ${act} the view, provide an INSTEAD OF ${event} trigger or an unconditional ON ${event} DO INSTEAD rule.`,
  })
}

/** A computed column of a view cannot be set. @throws 0A000 */
export function refuseComputed(
  context: BindContext,
  name: QualifiedName,
  target: WriteTargetTable,
  column: string,
  word: 'insert into' | 'update',
): void {
  const entry = context.names.entry(writtenName(name))
  if (entry?.kind !== 'view' || target.seen.columns.some((one) => one.name === column)) return
  if (!entry.result.some((one) => one.name === column)) return
  throw sqlError(
    SQLSTATE.featureNotSupported,
    `cannot ${word} column "${column}" of view "${shownName(writtenName(name))}"`,
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

function boundOver({ where, inside }: ViewCondition, row: readonly Column[]): Expr {
  if (where === null) throw new TypeError('a view without a condition')
  return within(inside, row, (place) => bindCondition({ ...place, name: 'WHERE' }, where, 'WHERE'))
}

/** Binds an expression of a view over a row of the table that it shows. */
function within(
  { base, alias, context }: ViewInside,
  row: readonly Column[],
  bind: (place: Place) => Expr,
): Expr {
  const computed = computedOver(context, base, row)
  const scope = seenScope(base, row, alias, computed)
  const bound = bind({ context, scope, aggregates: null, name: 'SELECT' })
  return substitute(bound, byColumn(computed))
}

/** The values of the columns that a view computes, over a row of its table. */
export const computedOver = (
  context: BindContext,
  { layout }: WriteTargetTable,
  row: readonly Column[],
): readonly ComputedValue[] =>
  layout.flatMap((of) => {
    if (typeof of === 'number') return []
    const expr = within(of.inside, row, (place) =>
      settle(of.inside.context, bindExpression(place, of.expression)),
    )
    return [{ of, expr, column: newColumn(context, of.name, expr.type) }]
  })

export const byColumn = (computed: readonly ComputedValue[]): ReadonlyMap<number, Expr> =>
  new Map(computed.map(({ column, expr }) => [column.id, expr]))

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
export function seenScope(
  { seen, layout }: WriteTargetTable,
  row: readonly Column[],
  alias: string,
  computed: readonly ComputedValue[],
): Scope {
  const columns = layout.flatMap((one) => {
    const made = typeof one === 'number' ? row[one] : computed.find(({ of }) => of === one)?.column
    const name = typeof one === 'number' ? (seen.columns[one]?.name ?? '') : one.name
    return made === undefined ? [] : [{ name, column: made }]
  })
  const system = { oid: seen.oid, present: null }
  return { tables: [{ alias, schema: 'public', columns, system }], columns, outer: null }
}
