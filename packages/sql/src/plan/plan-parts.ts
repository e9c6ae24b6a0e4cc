import type { Expr } from './expression.ts'
import type { AggregateCall, FrameEdge, LogicalPlan, Output, SortKey, WindowCall } from './logical.ts'

/** The expressions that stand in the plan's top node itself. */
export function exprsOf(plan: LogicalPlan): readonly Expr[] {
  switch (plan.kind) {
    case 'filter':
      return [plan.predicate]
    case 'join':
    case 'lateral':
      return [plan.on]
    case 'project':
      return plan.outputs.map(({ expr }) => expr)
    case 'sort':
      return plan.keys.map(({ expr }) => expr)
    default: {
      const found: Expr[] = []
      mapExprs(plan, (expr) => {
        found.push(expr)
        return expr
      })
      return found
    }
  }
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

/** The same list with each item replaced; the list itself when all of them stay what they are. */
export function mapItems<T>(list: readonly T[], replace: (item: T) => T): readonly T[] {
  let changed: T[] | null = null
  for (let i = 0; i < list.length; i++) {
    const item = list[i] as T
    const next = replace(item)
    if (next !== item) changed ??= list.slice()
    if (changed !== null) changed[i] = next
  }
  return changed ?? list
}

/** The same node with each of its own expressions replaced; the node itself when all of them stay what they are. */
export function mapExprs(plan: LogicalPlan, replace: (expr: Expr) => Expr): LogicalPlan {
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
    case 'functionScan': {
      const args = mapItems(plan.args, replace)
      return args === plan.args ? plan : { ...plan, args }
    }
    case 'values': {
      const rows = mapItems(plan.rows, (row) => mapItems(row, replace))
      return rows === plan.rows ? plan : { ...plan, rows }
    }
    case 'filter': {
      const predicate = replace(plan.predicate)
      return predicate === plan.predicate ? plan : { ...plan, predicate }
    }
    case 'project': {
      const outputs = mapOutputs(plan.outputs, replace)
      return outputs === plan.outputs ? plan : { ...plan, outputs }
    }
    case 'join':
    case 'lateral': {
      const on = replace(plan.on)
      return on === plan.on ? plan : { ...plan, on }
    }
    case 'aggregate': {
      const groups = mapOutputs(plan.groups, replace)
      const calls = mapItems(plan.calls, (call) => mapCall(call, replace))
      return groups === plan.groups && calls === plan.calls ? plan : { ...plan, groups, calls }
    }
    case 'window': {
      const partitionBy = mapItems(plan.partitionBy, replace)
      const orderBy = mapKeys(plan.orderBy, replace)
      const calls = mapItems(plan.calls, (call) => mapWindowCall(call, replace))
      const same = partitionBy === plan.partitionBy && orderBy === plan.orderBy && calls === plan.calls
      return same ? plan : { ...plan, partitionBy, orderBy, calls }
    }
    case 'sort': {
      const keys = mapKeys(plan.keys, replace)
      return keys === plan.keys ? plan : { ...plan, keys }
    }
    case 'limit': {
      const limit = mapOrNull(plan.limit, replace)
      const offset = mapOrNull(plan.offset, replace)
      const ties = plan.ties === null ? null : mapKeys(plan.ties, replace)
      const same = limit === plan.limit && offset === plan.offset && ties === plan.ties
      return same ? plan : { ...plan, limit, offset, ties }
    }
  }
}

type Replace = (expr: Expr) => Expr

const mapOrNull = (expr: Expr | null, replace: Replace): Expr | null => (expr === null ? null : replace(expr))

/** One object with an expression, such as an output or a key of a sort. */
function mapOwner<T extends { readonly expr: Expr }>(owner: T, replace: Replace): T {
  const expr = replace(owner.expr)
  return expr === owner.expr ? owner : { ...owner, expr }
}

const mapOutputs = (list: readonly Output[], replace: Replace): readonly Output[] =>
  mapItems(list, (output) => mapOwner(output, replace))

const mapKeys = (list: readonly SortKey[], replace: Replace): readonly SortKey[] =>
  mapItems(list, (key) => mapOwner(key, replace))

function mapCall(call: AggregateCall, replace: Replace): AggregateCall {
  const args = mapItems(call.args, replace)
  const filter = mapOrNull(call.filter, replace)
  const orderBy = mapKeys(call.orderBy, replace)
  const same = args === call.args && filter === call.filter && orderBy === call.orderBy
  return same ? call : { ...call, args, filter, orderBy }
}

export function mapWindowCall(call: WindowCall, replace: Replace): WindowCall {
  const args = mapItems(call.args, replace)
  const filter = mapOrNull(call.filter, replace)
  const start = mapEdge(call.frame.start, replace)
  const end = mapEdge(call.frame.end, replace)
  const sameFrame = start === call.frame.start && end === call.frame.end
  if (args === call.args && filter === call.filter && sameFrame) return call
  return { ...call, args, filter, frame: sameFrame ? call.frame : { ...call.frame, start, end } }
}

function mapEdge(edge: FrameEdge, replace: Replace): FrameEdge {
  if (!('offset' in edge)) return edge
  const { range } = edge
  const offset = replace(edge.offset)
  if (range === null) return offset === edge.offset ? edge : { ...edge, offset }
  const bound = { key: replace(range.key), edge: replace(range.edge), negative: replace(range.negative) }
  const same = bound.key === range.key && bound.edge === range.edge && bound.negative === range.negative
  return offset === edge.offset && same ? edge : { ...edge, offset, range: same ? range : bound }
}
