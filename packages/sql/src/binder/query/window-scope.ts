import { SQLSTATE } from '../../errors.ts'
import { columnExpr } from '../../plan/build.ts'
import type { Expr } from '../../plan/expression.ts'
import type { LogicalPlan, SortKey, WindowCall } from '../../plan/logical.ts'
import { mapWindowCall } from '../../plan/plan-parts.ts'
import { sameExpr } from '../../plan/same-expr.ts'
import type { Expression, Node, WindowDefinition, WindowSpec } from '../../syntax/ast.ts'
import { type BindContext, errorAt } from '../context.ts'

/** A window function as it is written, with its window. */
export interface BoundWindowCall extends WindowCall {
  readonly partitionBy: readonly Expr[]
  readonly orderBy: readonly SortKey[]
  /** For messages. */
  readonly node: Expression
}

/** The window functions of one query. */
export class WindowScope {
  readonly #definitions = new Map<string, WindowSpec>()
  readonly #calls: BoundWindowCall[] = []
  #nested = false

  /** @throws 42P20 for a name given twice */
  constructor(context: BindContext, definitions: readonly WindowDefinition[]) {
    for (const { name, window, span } of definitions) {
      if (this.#definitions.has(name.name))
        throw errorAt(context, { span }, SQLSTATE.windowingError, `window "${name.name}" is already defined`)
      this.#definitions.set(name.name, window)
    }
  }

  get definitions(): ReadonlyMap<string, WindowSpec> {
    return this.#definitions
  }

  get calls(): readonly BoundWindowCall[] {
    return this.#calls
  }

  get isUsed(): boolean {
    return this.#calls.length > 0
  }

  /** @throws 42P20 for a window function inside of another */
  within<T>(context: BindContext, node: Node, bind: () => T): T {
    if (this.#nested)
      throw errorAt(context, node, SQLSTATE.windowingError, 'window function calls cannot be nested')
    this.#nested = true
    try {
      return bind()
    } finally {
      this.#nested = false
    }
  }

  add(call: BoundWindowCall): Expr {
    this.#calls.push(call)
    return columnExpr(call.column)
  }

  /** Lets every expression see the groups of the query instead of its rows. */
  regroup(rewrite: (expr: Expr, node: Expression) => Expr): void {
    this.#calls.forEach((call, i) => {
      const replace = (expr: Expr): Expr => rewrite(expr, call.node)
      this.#calls[i] = {
        ...call,
        ...mapWindowCall(call, replace),
        partitionBy: call.partitionBy.map(replace),
        orderBy: call.orderBy.map((key) => ({ ...key, expr: replace(key.expr) })),
      }
    })
  }

  /**
   * One operator for all calls over the same partitions in the same order. Windows that sort by more come first,
   * so that those whose order is the beginning of theirs need no sort.
   */
  plan(input: LogicalPlan): LogicalPlan {
    const windows: BoundWindowCall[][] = []
    for (const call of this.#calls) {
      const known = windows.find(([first]) => first !== undefined && sameWindow(first, call))
      if (known === undefined) windows.push([call])
      else known.push(call)
    }
    const depth = ([first]: readonly BoundWindowCall[]): number =>
      (first?.partitionBy.length ?? 0) + (first?.orderBy.length ?? 0)
    windows.sort((a, b) => depth(b) - depth(a))
    return windows.reduce<LogicalPlan>((below, calls) => {
      const { partitionBy, orderBy } = calls[0] as BoundWindowCall
      return { kind: 'window', input: below, partitionBy, orderBy, calls: calls.map(plainCall) }
    }, input)
  }
}

const plainCall = ({ column, fn, args, filter, frame }: BoundWindowCall): WindowCall => ({
  column,
  fn,
  args,
  filter,
  frame,
})

function sameWindow(a: BoundWindowCall, b: BoundWindowCall): boolean {
  return (
    a.partitionBy.length === b.partitionBy.length &&
    a.orderBy.length === b.orderBy.length &&
    a.partitionBy.every((expr, i) => sameExpr(expr, b.partitionBy[i] as Expr)) &&
    a.orderBy.every(({ expr, descending, nulls }, i) => {
      const other = b.orderBy[i] as SortKey
      return descending === other.descending && nulls === other.nulls && sameExpr(expr, other.expr)
    })
  )
}
