import { writtenName } from '../../catalog/names.ts'
import { SQLSTATE } from '../../errors.ts'
import { columnExpr, constant } from '../../plan/build.ts'
import type { Column, Expr } from '../../plan/expression.ts'
import { columnsOf, type LogicalPlan, type Output } from '../../plan/logical.ts'
import type { MergeStatement } from '../../plan/statement.ts'
import type { InsertValue, Merge, MergeBranch, TableAlias } from '../../syntax/ast.ts'
import { BOOLEAN, INTEGER } from '../../types/type.ts'
import { type BindContext, errorAt, newColumn } from '../context.ts'
import { bindCondition } from '../expression/bind-expression.ts'
import { equalTo } from '../expression/equal.ts'
import type { Place } from '../place.ts'
import { bindFrom, scanTable, targetTable } from '../query/bind-from.ts'
import type { Scope } from '../scope.ts'
import {
  bindAssignments,
  givenPart,
  rowColumns,
  targetPositions,
  valueFor,
  valueOfParts,
} from './bind-assignment.ts'
import { partsOf, targetOf } from './bind-write.ts'
import { withGenerated } from './computed-columns.ts'
import { slotsAt } from './write-target.ts'

/**
 * Binds MERGE: each row of the source with the rows of the target that match it, or with none; which branch it
 * takes; and the row that the branch makes.
 */
export function bindMerge(context: BindContext, merge: Merge): MergeStatement {
  const view = context.names.entry(writtenName(merge.table))
  const unfit = view?.kind === 'view' || (view?.kind === 'table' && view.materialized !== null)
  if (unfit)
    throw errorAt(
      context,
      merge.table,
      SQLSTATE.featureNotSupported,
      `cannot execute MERGE on relation "${view.name}"`,
      {
        detail: `This operation is not supported for ${view.kind === 'view' ? 'views' : 'materialized views'}.`,
      },
    )
  const table = targetTable(context, merge.table)
  const alias: TableAlias | null =
    merge.alias === null ? null : { name: merge.alias, columns: [], span: merge.alias.span }
  const target = scanTable(context, table, alias, table.name, true)
  const source = bindFrom(context, [merge.source], null)
  const name = alias?.name.name ?? table.name
  if (source.tables.some((one) => one.alias === name))
    throw errorAt(context, merge.source, SQLSTATE.duplicateAlias, `name "${name}" specified more than once`, {
      detail: 'The name is used both as MERGE target table and data source.',
    })
  const scope: Scope = {
    tables: [...target.tables, ...source.tables],
    columns: [...target.columns, ...source.columns],
    outer: null,
  }
  const sourceScope: Scope = {
    tables: source.tables,
    columns: source.columns,
    hidden: target.tables,
    outer: null,
  }
  const place = (of: Scope, word: string): Place => ({ context, scope: of, aggregates: null, name: word })
  const on = bindCondition(place(scope, 'JOIN conditions'), merge.on, 'JOIN/ON')
  const scanned = target.plan.kind === 'scan' ? target.plan.columns.map(({ column }) => column) : []
  const key = scanned.at(-1) as Column
  const old = scanned.slice(0, -1)
  let input: LogicalPlan = { kind: 'join', type: 'left', left: source.plan, right: target.plan, on }

  const conditions = merge.branches.map((branch) => {
    const own = branch.matched ? scope : sourceScope
    const { condition } = branch
    return condition === null
      ? null
      : bindCondition(place(own, 'MERGE WHEN AND conditions'), condition, 'WHEN AND')
  })
  const rows = merge.branches.map((branch): ReadonlyMap<number, Expr> | null => {
    const { action } = branch
    if (action.kind === 'update')
      return bindAssignments(place(scope, 'UPDATE'), table, action.assignments, (query) => {
        const bound = context.bindQuery(query, context, scope)
        const right: LogicalPlan = { kind: 'single', input: bound.plan }
        input = { kind: 'lateral', type: 'left', left: input, right, on: constant(BOOLEAN, true) }
        return bound.columns.map(({ column }) => columnExpr(column))
      })
    return action.kind === 'insert' ? insertedRow(context, merge, branch, place(sourceScope, 'VALUES')) : null
  })

  const action = newColumn(context, 'action', INTEGER)
  const chosen = { column: action, expr: choice(merge.branches, conditions, key) }
  const passed = [...new Map(columnsFor(input, [key, ...old]).map((one) => [one.id, one])).values()]
  const decided: LogicalPlan = {
    kind: 'project',
    input,
    outputs: [...passed.map((column) => ({ column, expr: columnExpr(column) })), chosen],
  }
  const given = rowColumns(context, table)
  merge.branches.forEach(({ action: made }, i) => {
    const letter = made.kind === 'update' ? 'w' : made.kind === 'insert' ? 'a' : 'd'
    if (made.kind === 'nothing') return
    const use = context.access.use(context, table, letter)
    if (made.kind === 'insert') use.add(slotsAt(table, targetPositions(context, table, made.columns)))
    if (made.kind === 'update') use.add(slotsAt(table, rows[i]?.keys() ?? []))
  })
  const computed = given.map((column, position): Output => {
    const branches = rows.flatMap((row, branch) => {
      if (row === null) return []
      const kept = columnExpr(old[position] as Column)
      return [{ when: isBranch(context, action, branch), result: row.get(position) ?? kept }]
    })
    const otherwise = constant(column.type, null)
    return { column, expr: { kind: 'case', type: column.type, branches, otherwise } }
  })
  const kept = [key, ...old, action]
  const outputs = [...kept.map((column) => ({ column, expr: columnExpr(column) })), ...computed]
  const rowsMade = { plan: { kind: 'project', input: decided, outputs } as const, columns: given }
  const { plan, columns: values } = withGenerated(context, table, rowsMade, kept)
  return {
    kind: 'merge',
    target: targetOf(context, table, values),
    source: plan,
    key,
    old,
    action,
    values,
    actions: merge.branches.map((branch) => branch.action.kind),
    returning: null,
  }
}

/** Columns of the input; those of the target among them in any case. */
const columnsFor = (input: LogicalPlan, own: readonly Column[]): readonly Column[] => [
  ...own,
  ...columnsOf(input),
]

const isBranch = (context: BindContext, action: Column, branch: number): Expr =>
  equalTo(context, columnExpr(action), constant(INTEGER, branch))

/** The number of the first branch that fits; NULL: none. */
function choice(branches: readonly MergeBranch[], conditions: readonly (Expr | null)[], key: Column): Expr {
  const cases = branches.map(({ matched }, i) => {
    const present: Expr = {
      kind: 'is',
      type: BOOLEAN,
      test: 'null',
      operand: columnExpr(key),
      negated: matched,
    }
    const condition = conditions[i] ?? null
    const when: Expr =
      condition === null ? present : { kind: 'and', type: BOOLEAN, operands: [present, condition] }
    return { when, result: constant(INTEGER, i) as Expr }
  })
  return { kind: 'case', type: INTEGER, branches: cases, otherwise: constant(INTEGER, null) }
}

/** The values of a row to be inserted, by position. @throws 42601 for too many or too few */
function insertedRow(
  context: BindContext,
  merge: Merge,
  branch: MergeBranch,
  place: Place,
): ReadonlyMap<number, Expr> {
  const table = targetTable(context, merge.table)
  const { action } = branch
  if (action.kind !== 'insert') throw new TypeError('a branch that inserts nothing')
  const { values } = action
  const positions = targetPositions(context, table, action.columns)
  if (values !== null && values.length > positions.length)
    throw errorAt(
      context,
      values[positions.length] ?? branch,
      SQLSTATE.syntaxError,
      'INSERT has more expressions than target columns',
    )
  if (values !== null && action.columns.length > values.length)
    throw errorAt(
      context,
      action.columns[values.length] ?? branch,
      SQLSTATE.syntaxError,
      'INSERT has more target columns than expressions',
    )
  return new Map(
    table.columns.map((_, position) => {
      const at = values === null ? -1 : positions.indexOf(position)
      const parts = values === null ? [] : partsOf(action.columns, positions, at)
      if (parts.length > 0) {
        const given = parts.map(([column, i]) => givenPart(place, column, values?.[i] as InsertValue))
        return [position, valueOfParts(place, table, position, given, action.overriding)]
      }
      const value = at < 0 ? undefined : values?.[at]
      return [position, valueFor(place, table, position, value, 'insert', action.overriding)]
    }),
  )
}
