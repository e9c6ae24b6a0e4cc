import { columnExpr, constant } from '../../plan/build.ts'
import type { Column, Expr } from '../../plan/expression.ts'
import type { FunctionScanPlan, LogicalPlan } from '../../plan/logical.ts'
import { sameExpr } from '../../plan/same-expr.ts'
import { columnsIn } from '../../plan/traverse.ts'
import type { Expression } from '../../syntax/ast.ts'
import { BIGINT, BOOLEAN } from '../../types/type.ts'
import { type BindContext, newColumn } from '../context.ts'
import { equalTo } from '../expression/equal.ts'

export type SetCall = Pick<FunctionScanPlan, 'name' | 'args' | 'column' | 'rows'> & {
  readonly node: Expression
}

/** The functions that give rows in the select list of one query, and in its GROUP BY. */
export class SetScope {
  #calls: readonly SetCall[] = []
  readonly #list: SetScope | null

  /** @param list null: of the select list; else GROUP BY, where a call that stands in the list is the same one */
  constructor(list: SetScope | null = null) {
    this.#list = list
  }

  add(call: SetCall): Expr {
    const known = this.#list?.find(call)
    if (known !== undefined) return columnExpr(known.column)
    if (this.#list !== null) return this.#list.add(call)
    this.#calls = [...this.#calls, call]
    return columnExpr(call.column)
  }

  find({ name, args }: SetCall): SetCall | undefined {
    return this.#calls.find(
      (call) =>
        call.name === name &&
        call.args.length === args.length &&
        call.args.every((arg, i) => sameExpr(arg, args[i] as Expr)),
    )
  }

  get isUsed(): boolean {
    return this.#calls.length > 0
  }

  /**
   * Every row once for each row of the functions that groups are made of; the others are left for `plan`.
   * @param grouped ids of the columns that the groups are made of
   */
  planGrouped(context: BindContext, input: LogicalPlan, grouped: ReadonlySet<number>): LogicalPlan {
    const below = this.#calls.filter(({ column }) => grouped.has(column.id))
    this.#calls = this.#calls.filter((call) => !below.includes(call))
    return eachWith(context, input, below)
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
    return eachWith(context, input, calls)
  }
}

function eachWith(context: BindContext, input: LogicalPlan, calls: readonly SetCall[]): LogicalPlan {
  if (calls.length === 0) return input
  // Those whose arguments are rows of others come after these.
  const made = new Set(calls.map(({ column }) => column.id))
  const needsOther = ({ args }: SetCall): boolean =>
    args.some((arg) => [...columnsIn(arg).keys()].some((id) => made.has(id)))
  const last = calls.filter(needsOther)
  const first = calls.filter((call) => !last.includes(call))
  const { plan: right } = inStep(context, first)
  const plan: LogicalPlan = {
    kind: 'lateral',
    type: 'inner',
    left: input,
    right,
    on: constant(BOOLEAN, true),
  }
  return eachWith(context, plan, last)
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
