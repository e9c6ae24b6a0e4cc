import type { Expr } from './expression.ts'
import type { AggregateCall, FrameEdge, LogicalPlan, Output, SortKey, WindowCall } from './logical.ts'

/** The expressions that stand in the plan's top node itself. */
export function exprsOf(plan: LogicalPlan): readonly Expr[] {
  const found: Expr[] = []
  mapExprs(plan, (expr) => {
    found.push(expr)
    return expr
  })
  return found
}

export function inputsOf(plan: LogicalPlan): readonly LogicalPlan[] {
  switch (plan.kind) {
    case 'scan':
    case 'virtualScan':
    case 'functionScan':
    case 'values':
    case 'cteScan':
      return []
    case 'join':
    case 'lateral':
    case 'set':
      return [plan.left, plan.right]
    case 'with':
      return [...plan.tables.map((table) => table.plan), plan.input]
    case 'recursive':
      return [plan.base, plan.step]
    default:
      return [plan.input]
  }
}

/** The same node over other inputs. */
export function mapInputs(plan: LogicalPlan, replace: (input: LogicalPlan) => LogicalPlan): LogicalPlan {
  switch (plan.kind) {
    case 'scan':
    case 'virtualScan':
    case 'functionScan':
    case 'values':
    case 'cteScan':
      return plan
    case 'join':
    case 'lateral':
    case 'set': {
      const left = replace(plan.left)
      const right = replace(plan.right)
      return left === plan.left && right === plan.right ? plan : { ...plan, left, right }
    }
    case 'recursive': {
      const base = replace(plan.base)
      const step = replace(plan.step)
      return base === plan.base && step === plan.step ? plan : { ...plan, base, step }
    }
    case 'with': {
      const tables = plan.tables.map((table) => ({ ...table, plan: replace(table.plan) }))
      const input = replace(plan.input)
      const same = input === plan.input && tables.every((table, i) => table.plan === plan.tables[i]?.plan)
      return same ? plan : { ...plan, tables, input }
    }
    default: {
      const input = replace(plan.input)
      return input === plan.input ? plan : { ...plan, input }
    }
  }
}

/** The same node with each of its own expressions replaced. */
export function mapExprs(plan: LogicalPlan, replace: (expr: Expr) => Expr): LogicalPlan {
  const outputs = (list: readonly Output[]): Output[] =>
    list.map(({ column, expr }) => ({ column, expr: replace(expr) }))
  const keys = (list: readonly SortKey[]): SortKey[] =>
    list.map((key) => ({ ...key, expr: replace(key.expr) }))
  const orNull = (expr: Expr | null): Expr | null => (expr === null ? null : replace(expr))
  switch (plan.kind) {
    case 'scan':
    case 'virtualScan':
    case 'distinct':
    case 'set':
    case 'cteScan':
    case 'single':
    case 'with':
    case 'recursive':
      return plan
    case 'functionScan':
      return { ...plan, args: plan.args.map(replace) }
    case 'values':
      return { ...plan, rows: plan.rows.map((row) => row.map(replace)) }
    case 'filter':
      return { ...plan, predicate: replace(plan.predicate) }
    case 'project':
      return { ...plan, outputs: outputs(plan.outputs) }
    case 'join':
    case 'lateral':
      return { ...plan, on: replace(plan.on) }
    case 'aggregate':
      return {
        ...plan,
        groups: outputs(plan.groups),
        calls: plan.calls.map(
          (call): AggregateCall => ({
            ...call,
            args: call.args.map(replace),
            filter: orNull(call.filter),
            orderBy: keys(call.orderBy),
          }),
        ),
      }
    case 'window':
      return {
        ...plan,
        partitionBy: plan.partitionBy.map(replace),
        orderBy: keys(plan.orderBy),
        calls: plan.calls.map((call) => mapWindowCall(call, replace)),
      }
    case 'sort':
      return { ...plan, keys: keys(plan.keys) }
    case 'limit':
      return {
        ...plan,
        limit: orNull(plan.limit),
        offset: orNull(plan.offset),
        ties: plan.ties === null ? null : keys(plan.ties),
      }
  }
}

export function mapWindowCall(call: WindowCall, replace: (expr: Expr) => Expr): WindowCall {
  const edge = (one: FrameEdge): FrameEdge => {
    if (!('offset' in one)) return one
    const { range } = one
    return {
      ...one,
      offset: replace(one.offset),
      range:
        range === null
          ? null
          : { key: replace(range.key), edge: replace(range.edge), negative: replace(range.negative) },
    }
  }
  return {
    ...call,
    args: call.args.map(replace),
    filter: call.filter === null ? null : replace(call.filter),
    frame: { ...call.frame, start: edge(call.frame.start), end: edge(call.frame.end) },
  }
}
