import { SQLSTATE } from '../../errors.ts'
import { columnExpr } from '../../plan/build.ts'
import type { Expr } from '../../plan/expression.ts'
import type { AggregateCall } from '../../plan/logical.ts'
import { sameExpr } from '../../plan/same-expr.ts'
import type { Expression } from '../../syntax/ast.ts'
import { type AggregateSink, type BindContext, errorAt } from '../context.ts'

/** The aggregates of one query, each computed once however often it is written. */
export class AggregateScope implements AggregateSink {
  readonly #calls: AggregateCall[] = []
  #nested = false
  #grouping = false
  #subqueries = 0

  get calls(): readonly AggregateCall[] {
    return this.#calls
  }

  get subqueries(): number {
    return this.#subqueries
  }

  /** True when the query is grouped because of what stands in it. */
  get isUsed(): boolean {
    return this.#calls.length > 0 || this.#grouping
  }

  /** GROUPING groups as well. */
  noteGrouping(): void {
    this.#grouping = true
  }

  noteSubquery(): void {
    this.#subqueries++
  }

  /** @throws 42803 for an aggregate inside an aggregate */
  within<T>(context: BindContext, node: Expression, bind: () => T): T {
    if (this.#nested)
      throw errorAt(context, node, SQLSTATE.groupingError, 'aggregate function calls cannot be nested')
    this.#nested = true
    try {
      return bind()
    } finally {
      this.#nested = false
    }
  }

  add(call: AggregateCall): Expr {
    const known = this.#calls.find((other) => sameCall(other, call))
    if (known !== undefined) return columnExpr(known.column)
    this.#calls.push(call)
    return columnExpr(call.column)
  }
}

function sameCall(a: AggregateCall, b: AggregateCall): boolean {
  const sameList = (left: readonly Expr[], right: readonly Expr[]): boolean =>
    left.length === right.length && left.every((expr, i) => sameExpr(expr, right[i] as Expr))
  const filters = (call: AggregateCall): Expr[] => (call.filter === null ? [] : [call.filter])
  return (
    a.fn.name === b.fn.name &&
    a.fn.args.every((type, i) => type.id === b.fn.args[i]?.id) &&
    a.distinct === b.distinct &&
    a.orderBy.length === 0 &&
    b.orderBy.length === 0 &&
    sameList(a.args, b.args) &&
    sameList(filters(a), filters(b))
  )
}
