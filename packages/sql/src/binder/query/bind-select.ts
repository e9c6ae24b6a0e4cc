import { SQLSTATE } from '../../errors.ts'
import { columnExpr, filtered } from '../../plan/build.ts'
import type { Column, Expr } from '../../plan/expression.ts'
import type { LogicalPlan, Output, SortKey } from '../../plan/logical.ts'
import { sameExpr } from '../../plan/same-expr.ts'
import { columnsIn } from '../../plan/traverse.ts'
import type { Expression, ExpressionItem, Select, SelectItem, SortItem } from '../../syntax/ast.ts'
import { sameType } from '../../types/type.ts'
import { type BindContext, type BoundQuery, errorAt, newColumn, type OutputColumn } from '../context.ts'
import { bindCondition, bindExpression } from '../expression/bind-expression.ts'
import { spreadFields } from '../expression/bind-row.ts'
import { settle } from '../expression/coerce.ts'
import { needsEquality, needsOrder } from '../expression/comparable.ts'
import type { Place } from '../place.ts'
import { type Scope, starColumns } from '../scope.ts'
import { AggregateScope } from './aggregate-scope.ts'
import { type BoundFrom, bindFrom } from './bind-from.ts'
import { nameOf } from './column-names.ts'
import { Grouping } from './grouping.ts'
import { groupingSets } from './grouping-sets.ts'
import { ordinalOf } from './ordinal.ts'
import { SetScope } from './set-scope.ts'
import { WindowScope } from './window-scope.ts'

/** A select item after `*` was spread. */
interface Item {
  readonly name: string
  readonly expr: Expr
  /** Null: it came from a star. */
  readonly source: ExpressionItem | null
}

/**
 * Binds SELECT with its ORDER BY, which may name columns of FROM, of the select list, or both.
 * @param locking the words of its locking clause
 */
export function bindSelect(
  context: BindContext,
  select: Select,
  orderBy: readonly SortItem[],
  outer: Scope | null,
  locking: string | null = null,
): BoundQuery {
  const from = bindFrom(context, select.from, outer)
  const { tables, columns: known, hidden = [] } = from
  const plain: Scope = { tables, columns: known, hidden, outer }
  const input = whereOf(context, select, from, plain)
  const aggregates = new AggregateScope()
  const scope: Scope = { ...plain, aggregates }
  const windows = new WindowScope(context, select.windows)
  const place = (name: string): Place => ({ context, scope, aggregates, windows, name })
  const sets = new SetScope()
  const items = bindItems({ ...place('SELECT'), sets }, select.items)
  const groups = groupingSets(context, select, (expression) => {
    const key = groupKey(context, scope, expression, items, new SetScope(sets))
    refuseInGroup(context, expression, key, aggregates, windows)
    needsEquality(context, expression, key)
    return key
  })
  const having =
    select.having === null
      ? null
      : bindCondition({ ...place('HAVING'), windows: null }, select.having, 'HAVING')
  const sortKeys = orderBy.map((item) =>
    sortKey({ ...place('ORDER BY'), sets: new SetScope(sets) }, item, items),
  )
  const distinctOn = select.distinctOn.map((expression) =>
    listedOrInput(place('DISTINCT ON'), expression, items),
  )

  const unlockable = aggregates.isUsed
    ? 'aggregate functions'
    : windows.isUsed
      ? 'window functions'
      : sets.isUsed
        ? 'set-returning functions in the target list'
        : null
  if (locking !== null && unlockable !== null)
    throw errorAt(
      context,
      select,
      SQLSTATE.featureNotSupported,
      `${locking} is not allowed with ${unlockable}`,
    )
  const grouped = select.groupBy.length > 0 || aggregates.isUsed || having !== null
  const grouping = grouped ? new Grouping(context, from, groups, aggregates.calls) : null
  const regroup = (expr: Expr, node: Expression | null): Expr =>
    grouping === null ? expr : grouping.rewrite(expr, node ?? select)
  const outputs = asOutputs(
    context,
    items.map((item) => ({ ...item, expr: regroup(item.expr, item.source?.expression ?? null) })),
  )
  windows.regroup(regroup)
  const condition = having === null ? null : regroup(having, select.having)

  // Sort keys that are not in the list are computed beside it and dropped at the end.
  const added: Output[] = []
  const keyColumn = (expr: Expr, node: Expression): Column => {
    const known = [...outputs, ...added].find((output) => sameExpr(output.expr, expr))
    if (known !== undefined) return known.column
    if (select.distinct === 'distinct')
      throw errorAt(
        context,
        node,
        SQLSTATE.invalidColumnReference,
        'for SELECT DISTINCT, ORDER BY expressions must appear in select list',
      )
    const taken =
      expr.kind === 'column' && [...outputs, ...added].some(({ column }) => column.id === expr.column.id)
    const column = expr.kind === 'column' && !taken ? expr.column : newColumn(context, 'sort key', expr.type)
    added.push({ column, expr })
    return column
  }
  if (select.distinct === 'distinct')
    for (const [i, { expr }] of outputs.entries())
      needsEquality(context, items[i]?.source?.expression ?? select, expr)
  for (const [i, expr] of distinctOn.entries()) needsEquality(context, select.distinctOn[i] ?? select, expr)
  for (const { item, expr } of sortKeys) needsOrder(context, item.expression, expr)
  const keys = sortKeys.map(({ item, expr }): SortKey => {
    const column = keyColumn(regroup(expr, item.expression), item.expression)
    return { expr: columnExpr(column), descending: item.descending, nulls: item.nulls }
  })
  const on = distinctOn.map((expr, i) =>
    keyColumn(regroup(expr, select.distinctOn[i] ?? null), select.distinctOn[i] as Expression),
  )

  const keyed = new Set(groups.flat().flatMap((key) => [...columnsIn(key).keys()]))
  const source = sets.planGrouped(context, input, keyed)
  let plan = grouping === null ? source : grouping.plan(source)
  if (condition !== null) plan = filtered(plan, [condition])
  plan = sets.plan(context, windows.plan(plan), regroup)
  plan = { kind: 'project', input: plan, outputs: [...outputs, ...added] }
  if (select.distinct === 'on') plan = distinctOnPlan(context, select, plan, on, keys)
  else {
    if (select.distinct === 'distinct') plan = { kind: 'distinct', input: plan, on: null }
    if (keys.length > 0) plan = { kind: 'sort', input: plan, keys }
  }
  const columns = outputs.map(({ column }, i): OutputColumn => ({ name: items[i]?.name ?? '', column }))
  return { plan, columns }
}

function whereOf(context: BindContext, select: Select, from: BoundFrom, scope: Scope): LogicalPlan {
  if (select.where === null) return from.plan
  const place: Place = { context, scope, aggregates: null, name: 'WHERE' }
  return filtered(from.plan, [bindCondition(place, select.where, 'WHERE')])
}

function bindItems(place: Place, items: readonly SelectItem[]): Item[] {
  const { context, scope } = place
  return items.flatMap((item): Item[] => {
    if (item.kind === 'star') {
      const columns = scope === null ? [] : starColumns(context, scope, item)
      if (
        columns.length === 0 &&
        item.qualifier.length === 0 &&
        (scope === null || scope.tables.length === 0)
      )
        throw errorAt(context, item, SQLSTATE.syntaxError, 'SELECT * with no tables specified is not valid')
      return columns.map(({ name, column }) => ({ name, expr: columnExpr(column), source: null }))
    }
    if (item.expression.kind === 'fields')
      return spreadFields(place, item.expression, (part) => bindExpression(place, part)).map((field) => ({
        ...field,
        source: null,
      }))
    const expr = bindExpression(place, item.expression)
    return [{ name: item.alias?.name ?? nameOf(item.expression), expr, source: item }]
  })
}

/** An item that is meant by its place or name may be made of groups itself. @throws 42803, 42P20 */
function refuseInGroup(
  context: BindContext,
  node: Expression,
  key: Expr,
  aggregates: AggregateScope,
  windows: WindowScope,
): void {
  const used = columnsIn(key)
  if (aggregates.calls.some(({ column }) => used.has(column.id)))
    throw errorAt(context, node, SQLSTATE.groupingError, 'aggregate functions are not allowed in GROUP BY')
  if (windows.calls.some(({ column }) => used.has(column.id)))
    throw errorAt(context, node, SQLSTATE.windowingError, 'window functions are not allowed in GROUP BY')
}

/** A grouping expression: an ordinal, a column of FROM, or else a name of the select list. */
function groupKey(
  context: BindContext,
  scope: Scope,
  expression: Expression,
  items: readonly Item[],
  sets: SetScope,
): Expr {
  const ordinal = ordinalOf(context, expression, items.length, 'GROUP BY')
  if (ordinal !== null) return (items[ordinal] as Item).expr
  const place: Place = { context, scope, aggregates: null, sets, name: 'GROUP BY' }
  if (expression.kind === 'column' && expression.parts.length === 1) {
    const name = expression.parts[0]?.name
    const isInput = scope.columns.some((column) => column.name === name)
    const named = items.filter((item) => item.name === name)
    if (!isInput && named[0] !== undefined) return named[0].expr
  }
  return settle(context, bindExpression(place, expression))
}

interface BoundSortKey {
  readonly item: SortItem
  readonly expr: Expr
}

function sortKey(place: Place, item: SortItem, items: readonly Item[]): BoundSortKey {
  const expr = listedOrInput(place, item.expression, items)
  // An item of the list stays what it is, so that it is found there.
  const listed = items.some((one) => one.expr === expr)
  return { item, expr: listed ? expr : settle(place.context, expr) }
}

/** An ordinal, a name of the select list, or else an expression over FROM. @throws 42702, 42P10 */
function listedOrInput(place: Place, expression: Expression, items: readonly Item[]): Expr {
  const ordinal = ordinalOf(place.context, expression, items.length, place.name)
  return ordinal === null ? outputOrInput(place, expression, items) : (items[ordinal] as Item).expr
}

/** A bare name means a column of the select list if there is one, else of FROM. @throws 42702 */
function outputOrInput(place: Place, expression: Expression, items: readonly Item[]): Expr {
  if (expression.kind === 'column' && expression.parts.length === 1) {
    const name = expression.parts[0]?.name ?? ''
    const named = items.filter((item) => item.name === name)
    const [first] = named
    if (first !== undefined) {
      if (named.some((item) => !sameExpr(item.expr, first.expr)))
        throw errorAt(
          place.context,
          expression,
          SQLSTATE.ambiguousColumn,
          `${place.name} "${name}" is ambiguous`,
        )
      return first.expr
    }
  }
  return bindExpression(place, expression)
}

/** A column that goes on as it is keeps its identity, unless it is there already. */
function asOutputs(context: BindContext, items: readonly Item[]): Output[] {
  const used = new Set<number>()
  return items.map(({ name, expr }) => {
    if (expr.kind === 'column' && !used.has(expr.column.id) && sameType(expr.type, expr.column.type)) {
      used.add(expr.column.id)
      return { column: expr.column, expr }
    }
    return { column: newColumn(context, name, expr.type), expr }
  })
}

/** The first row of each set of equal values, in the order asked for. */
function distinctOnPlan(
  context: BindContext,
  select: Select,
  input: LogicalPlan,
  on: readonly Column[],
  keys: readonly SortKey[],
): LogicalPlan {
  const leading = keys.slice(0, on.length)
  const fits = leading.every(({ expr }) =>
    [...columnsIn(expr).keys()].every((id) => on.some((one) => one.id === id)),
  )
  if (!fits)
    throw errorAt(
      context,
      select.distinctOn[0] ?? select,
      SQLSTATE.invalidColumnReference,
      'SELECT DISTINCT ON expressions must match initial ORDER BY expressions',
    )
  const sorted: LogicalPlan = keys.length === 0 ? input : { kind: 'sort', input, keys }
  return { kind: 'distinct', input: sorted, on }
}
