import { columnExpr } from '../plan/build.ts'
import type { Column, Expr } from '../plan/expression.ts'
import type { FunctionScanPlan, LogicalPlan } from '../plan/logical.ts'
import type { Expression } from '../syntax/ast.ts'
import { BIGINT } from '../types/type.ts'
import { type BindContext, newColumn } from './context.ts'
import { equalTo } from './equal.ts'

type Call = Pick<FunctionScanPlan, 'name' | 'args' | 'column' | 'rows'> & { readonly node: Expression }

/** The functions that give rows in the select list of one query. */
export class SetScope {
  readonly #calls: Call[] = []

  add(call: Call): Expr {
    this.#calls.push(call)
    return columnExpr(call.column)
  }

  /**
   * Every row once for each row that its functions give. Several go side by side, in step; those that end first
   * give NULL.
   * @param regroup lets arguments see the groups of the query instead of its rows
   */
  plan(
    context: BindContext,
    input: LogicalPlan,
    regroup: (expr: Expr, node: Expression) => Expr,
  ): LogicalPlan {
    const [first, ...others] = this.#calls.map((call) => ({
      ...call,
      args: call.args.map((arg) => regroup(arg, call.node)),
    }))
    if (first === undefined) return input
    const alone = others.length === 0
    let { plan: right, counter } = scanOf(context, first, !alone)
    for (const call of others) {
      const next = scanOf(context, call, true)
      const [one, other] = [columnExpr(counter as Column), columnExpr(next.counter as Column)]
      const joined: LogicalPlan = {
        kind: 'join',
        type: 'full',
        left: right,
        right: next.plan,
        on: equalTo(context, one, other),
      }
      const both = newColumn(context, 'row', BIGINT)
      const given = [...this.#calls.map(({ column }) => column)]
      const known = given.slice(0, given.indexOf(call.column) + 1)
      right = {
        kind: 'project',
        input: joined,
        outputs: [
          ...known.map((column) => ({ column, expr: columnExpr(column) })),
          { column: both, expr: { kind: 'coalesce', type: BIGINT, args: [one, other] } },
        ],
      }
      counter = both
    }
    // In step: by the number of the row.
    const ordered: LogicalPlan = alone
      ? right
      : {
          kind: 'sort',
          input: right,
          keys: [{ expr: columnExpr(counter as Column), descending: false, nulls: 'last' }],
        }
    return {
      kind: 'lateral',
      type: 'inner',
      left: input,
      right: ordered,
      on: {
        kind: 'constant',
        type: { id: 'boolean', length: null, precision: null, scale: null },
        value: true,
      },
    }
  }
}

function scanOf(
  context: BindContext,
  { name, args, column, rows }: Call,
  counted: boolean,
): { readonly plan: LogicalPlan; readonly counter: Column | null } {
  const counter = counted ? newColumn(context, 'row', BIGINT) : null
  return { plan: { kind: 'functionScan', name, args, column, ordinality: counter, rows }, counter }
}
