import { columnExpr } from '../../plan/build.ts'
import type { Column, Expr } from '../../plan/expression.ts'
import type { FunctionScanPlan, LogicalPlan } from '../../plan/logical.ts'
import type { Expression } from '../../syntax/ast.ts'
import { BIGINT } from '../../types/type.ts'
import { type BindContext, newColumn } from '../context.ts'
import { equalTo } from '../expression/equal.ts'

export type SetCall = Pick<FunctionScanPlan, 'name' | 'args' | 'column' | 'rows'> & {
  readonly node: Expression
}

/** The functions that give rows in the select list of one query. */
export class SetScope {
  readonly #calls: SetCall[] = []

  add(call: SetCall): Expr {
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
    const calls = this.#calls.map((call) => ({
      ...call,
      args: call.args.map((arg) => regroup(arg, call.node)),
    }))
    if (calls.length === 0) return input
    const right = inStep(context, calls).plan
    return {
      kind: 'lateral',
      type: 'inner',
      left: input,
      right,
      on: {
        kind: 'constant',
        type: { id: 'boolean', length: null, precision: null, scale: null },
        value: true,
      },
    }
  }
}

/**
 * Functions that give rows, side by side in step; those that end first give NULL.
 * @param counted true: the rows are counted, also those of one function alone
 */
export function inStep(
  context: BindContext,
  calls: readonly SetCall[],
  counted = false,
): { readonly plan: LogicalPlan; readonly counter: Column | null } {
  const [first, ...others] = calls
  if (first === undefined) throw new RangeError('there are no functions')
  if (others.length === 0) return scanOf(context, first, counted)
  let { plan: right, counter } = scanOf(context, first, true)
  const known: Column[] = [first.column]
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
    known.push(call.column)
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
  const keys = [{ expr: columnExpr(counter as Column), descending: false, nulls: 'last' as const }]
  return { plan: { kind: 'sort', input: right, keys }, counter }
}

function scanOf(
  context: BindContext,
  { name, args, column, rows }: SetCall,
  counted: boolean,
): { readonly plan: LogicalPlan; readonly counter: Column | null } {
  const counter = counted ? newColumn(context, 'row', BIGINT) : null
  return { plan: { kind: 'functionScan', name, args, column, ordinality: counter, rows }, counter }
}
