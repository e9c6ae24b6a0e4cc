import { SQLSTATE } from '../errors.ts'
import { columnExpr } from '../plan/build.ts'
import type { Column, Expr } from '../plan/expression.ts'
import type { AggregateCall, LogicalPlan, Output } from '../plan/logical.ts'
import { sameExpr } from '../plan/same-expr.ts'
import { columnsIn, mapChildren } from '../plan/traverse.ts'
import type { Node } from '../syntax/ast.ts'
import type { BoundFrom } from './bind-from.ts'
import { type BindContext, errorAt, newColumn } from './context.ts'

/**
 * A query's groups. What stands outside of aggregates may use grouping expressions only, and the columns of a
 * table whose primary key is among them.
 */
export class Grouping {
  readonly #context: BindContext
  readonly #from: BoundFrom
  readonly #groups: Output[] = []
  readonly #calls: readonly AggregateCall[]
  /** Columns that a grouped primary key determines; they join the groups when they are used. */
  readonly #dependent: ReadonlySet<number>

  constructor(
    context: BindContext,
    from: BoundFrom,
    groups: readonly Expr[],
    calls: readonly AggregateCall[],
  ) {
    this.#context = context
    this.#from = from
    this.#calls = calls
    for (const expr of groups) {
      if (this.#groups.some((known) => sameExpr(known.expr, expr))) continue
      // A plain column stays what it is, so that subqueries which refer to it need no change.
      const column = expr.kind === 'column' ? expr.column : newColumn(context, 'group', expr.type)
      this.#groups.push({ column, expr })
    }
    this.#dependent = new Set(dependentColumns(from, this.#groups).map(({ id }) => id))
  }

  /** The grouped rows, once every expression over them was rewritten. */
  plan(input: LogicalPlan): LogicalPlan {
    return { kind: 'aggregate', input, groups: [...this.#groups], calls: this.#calls, sets: null }
  }

  /** The expression over the groups. @throws 42803 when it uses a column that the groups do not fix */
  rewrite(expr: Expr, node: Node): Expr {
    const rewritten = this.#replace(expr)
    const allowed = new Set([...this.#groups, ...this.#calls].map(({ column }) => column.id))
    for (const [id, column] of columnsIn(rewritten)) {
      if (allowed.has(id)) continue
      if (this.#dependent.has(id)) {
        this.#groups.push({ column, expr: columnExpr(column) })
        continue
      }
      const table = this.#from.tables.find(({ columns }) => columns.some((one) => one.column.id === id))
      if (table === undefined && !this.#from.columns.some((one) => one.column.id === id)) continue
      const name = table === undefined ? column.name : `${table.alias}.${column.name}`
      throw errorAt(
        this.#context,
        node,
        SQLSTATE.groupingError,
        `column "${name}" must appear in the GROUP BY clause or be used in an aggregate function`,
      )
    }
    return rewritten
  }

  #replace(expr: Expr): Expr {
    const group = this.#groups.find((known) => sameExpr(known.expr, expr))
    if (group !== undefined) return columnExpr(group.column)
    return mapChildren(expr, (child) => this.#replace(child))
  }
}

/** Columns that a grouped primary key determines. */
function dependentColumns({ plan }: BoundFrom, groups: readonly Output[]): readonly Column[] {
  const grouped = new Set(groups.flatMap(({ expr }) => (expr.kind === 'column' ? [expr.column.id] : [])))
  const found: Column[] = []
  const visit = (part: LogicalPlan): void => {
    if (part.kind === 'join') {
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
