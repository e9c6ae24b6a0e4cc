import type { Value } from '@cluster/core'
import { SQLSTATE } from '../../errors.ts'
import type { ScalarFunction } from '../../functions/function.ts'
import { columnExpr, constant } from '../../plan/build.ts'
import type { CallExpr, Column, Expr } from '../../plan/expression.ts'
import type { AggregateCall, GroupingSets, LogicalPlan, Output } from '../../plan/logical.ts'
import { sameExpr } from '../../plan/same-expr.ts'
import { columnsIn, mapChildren, someExpr } from '../../plan/traverse.ts'
import type { Node } from '../../syntax/ast.ts'
import { INTEGER } from '../../types/type.ts'
import { type BindContext, errorAt, newColumn } from '../context.ts'
import type { BoundFrom } from './from-parts.ts'

/** Stands for GROUPING until the groups are known. */
const GROUPING = 'grouping'

export const groupingCall = (args: readonly Expr[]): CallExpr => ({
  kind: 'call',
  type: INTEGER,
  fn: bitsFunction(args, []),
  form: 'function',
  args,
})

/** Looks up what GROUPING gives in the set of that number. */
const bitsFunction = (args: readonly Expr[], bits: readonly number[]): ScalarFunction => ({
  name: GROUPING,
  args: args.map(({ type }) => type),
  returns: INTEGER,
  strict: true,
  volatility: 'stable',
  impl: (set: Value) => bits[set as number] as number,
  contextual: null,
  js: null,
})

/**
 * A query's groups. What stands outside of aggregates may use grouping expressions only, and the columns of a
 * table whose primary key is among them.
 */
export class Grouping {
  readonly #context: BindContext
  readonly #from: BoundFrom
  readonly #groups: Output[] = []
  readonly #calls: readonly AggregateCall[]
  readonly #sets: GroupingSets | null
  /** Columns that a grouped primary key determines; they join the groups when they are used. */
  readonly #dependent: ReadonlySet<number>

  /** @param sets the grouping expressions of each set; one set unless GROUP BY asks for more */
  constructor(
    context: BindContext,
    from: BoundFrom,
    sets: readonly (readonly Expr[])[],
    calls: readonly AggregateCall[],
  ) {
    this.#context = context
    this.#from = from
    this.#calls = calls
    for (const expr of sets.flat()) {
      if (this.#position(expr) >= 0) continue
      // A plain column stays what it is, so that subqueries which refer to it need no change.
      const column = expr.kind === 'column' ? expr.column : newColumn(context, 'group', expr.type)
      this.#groups.push({ column, expr })
    }
    this.#sets =
      sets.length === 1
        ? null
        : {
            sets: sets.map((set) => set.map((expr) => this.#position(expr))),
            column: newColumn(context, 'grouping set', INTEGER),
          }
    // With several sets a key is not part of each.
    const dependent = this.#sets === null ? dependentColumns(from, this.#groups) : []
    this.#dependent = new Set(dependent.map(({ id }) => id))
  }

  #position(expr: Expr): number {
    return this.#groups.findIndex((known) => sameExpr(known.expr, expr))
  }

  /** The grouped rows, once every expression over them was rewritten. */
  plan(input: LogicalPlan): LogicalPlan {
    return { kind: 'aggregate', input, groups: [...this.#groups], calls: this.#calls, sets: this.#sets }
  }

  /** The expression over the groups. @throws 42803 when it uses a column that the groups do not fix */
  rewrite(expr: Expr, node: Node): Expr {
    const rewritten = this.#replace(expr, node)
    const sets = this.#sets === null ? [] : [this.#sets]
    const allowed = new Set([...this.#groups, ...this.#calls, ...sets].map(({ column }) => column.id))
    for (const [id, column] of columnsIn(rewritten)) {
      if (allowed.has(id)) continue
      if (this.#dependent.has(id)) {
        this.#groups.push({ column, expr: columnExpr(column) })
        continue
      }
      const table = this.#from.tables.find(({ columns }) => columns.some((one) => one.column.id === id))
      if (table === undefined && !this.#from.columns.some((one) => one.column.id === id)) continue
      const own = [...(table?.columns ?? []), ...this.#from.columns].find((one) => one.column.id === id)
      const shown = own?.name ?? column.name
      const name = table === undefined ? shown : `${table.alias}.${shown}`
      const outside = someExpr(rewritten, (part) => part.kind === 'column' && part.column.id === id)
      throw errorAt(
        this.#context,
        node,
        SQLSTATE.groupingError,
        outside
          ? `column "${name}" must appear in the GROUP BY clause or be used in an aggregate function`
          : `subquery uses ungrouped column "${name}" from outer query`,
      )
    }
    return rewritten
  }

  #replace(expr: Expr, node: Node): Expr {
    if (expr.kind === 'call' && expr.fn.name === GROUPING && expr.form === 'function')
      return this.#grouping(expr, node)
    const group = this.#groups.find((known) => sameExpr(known.expr, expr))
    if (group !== undefined) return columnExpr(group.column)
    return mapChildren(expr, (child) => this.#replace(child, node))
  }

  /** One bit for each argument, the last one lowest: set where the row's grouping set leaves it out. */
  #grouping({ args }: CallExpr, node: Node): Expr {
    const positions = args.map((arg) => this.#position(arg))
    if (positions.includes(-1))
      throw errorAt(
        this.#context,
        node,
        SQLSTATE.groupingError,
        'arguments to GROUPING must be grouping expressions of the associated query level',
      )
    if (this.#sets === null) return constant(INTEGER, 0)
    const { sets, column } = this.#sets
    const bits = sets.map((set) =>
      positions.reduce((mask, position) => mask * 2 + (set.includes(position) ? 0 : 1), 0),
    )
    const set = columnExpr(column)
    return { kind: 'call', type: INTEGER, fn: bitsFunction([set], bits), form: 'function', args: [set] }
  }
}

/** Columns that a grouped primary key determines. */
function dependentColumns({ plan }: BoundFrom, groups: readonly Output[]): readonly Column[] {
  const grouped = new Set(groups.flatMap(({ expr }) => (expr.kind === 'column' ? [expr.column.id] : [])))
  const found: Column[] = []
  const visit = (part: LogicalPlan): void => {
    if (part.kind === 'join' || part.kind === 'lateral') {
      visit(part.left)
      visit(part.right)
    }
    if (part.kind !== 'scan' || part.table.primaryKey === null) return
    const keyed = part.table.primaryKey.columns.every((position) =>
      part.columns.some((one) => one.position === position && grouped.has(one.column.id)),
    )
    if (!keyed) return
    for (const { column } of part.columns) if (!grouped.has(column.id)) found.push(column)
  }
  visit(plan)
  return found
}
