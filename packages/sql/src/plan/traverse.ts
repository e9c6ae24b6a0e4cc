import type { CallExpr, Column, Expr } from './expression.ts'
import { columnsOf, type LogicalPlan, type Output, type SortKey } from './logical.ts'

/** The direct parts of an expression; the plans of subqueries are not among them. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'constant':
    case 'parameter':
    case 'column':
    case 'scalarQuery':
    case 'exists':
      return []
    case 'call':
    case 'coalesce':
      return expr.args
    case 'and':
    case 'or':
      return expr.operands
    case 'not':
    case 'is':
      return [expr.operand]
    case 'distinctFrom':
      return [expr.left, expr.right]
    case 'case':
      return [...expr.branches.flatMap(({ when, result }) => [when, result]), expr.otherwise]
    case 'inList':
      return [expr.operand, ...expr.list]
    case 'quantified':
      return expr.left
  }
}

/** The same expression with each direct part replaced. Parts that stay the same keep the object. */
export function mapChildren(expr: Expr, replace: (child: Expr) => Expr): Expr {
  const all = (list: readonly Expr[]): readonly Expr[] => {
    const next = list.map(replace)
    return next.every((item, i) => item === list[i]) ? list : next
  }
  switch (expr.kind) {
    case 'constant':
    case 'parameter':
    case 'column':
    case 'scalarQuery':
    case 'exists':
      return expr
    case 'call': {
      const args = all(expr.args)
      return args === expr.args ? expr : { ...expr, args }
    }
    case 'coalesce': {
      const args = all(expr.args)
      return args === expr.args ? expr : { ...expr, args }
    }
    case 'and':
    case 'or': {
      const operands = all(expr.operands)
      return operands === expr.operands ? expr : { ...expr, operands }
    }
    case 'not':
    case 'is': {
      const operand = replace(expr.operand)
      return operand === expr.operand ? expr : { ...expr, operand }
    }
    case 'distinctFrom': {
      const left = replace(expr.left)
      const right = replace(expr.right)
      if (left === expr.left && right === expr.right) return expr
      return { ...expr, left, right, equal: { ...expr.equal, args: [left, right] } }
    }
    case 'case':
      return {
        ...expr,
        branches: expr.branches.map(({ when, result }) => ({ when: replace(when), result: replace(result) })),
        otherwise: replace(expr.otherwise),
      }
    case 'inList': {
      const operand = replace(expr.operand)
      const list = all(expr.list)
      return operand === expr.operand && list === expr.list ? expr : { ...expr, operand, list }
    }
    case 'quantified': {
      const left = all(expr.left)
      return left === expr.left ? expr : { ...expr, left }
    }
  }
}

/** Replaces parts from the leaves up. `replacePlan` is applied to the plans of subqueries. */
export function rewrite(
  expr: Expr,
  replace: (expr: Expr) => Expr,
  replacePlan: (plan: LogicalPlan) => LogicalPlan = (plan) => plan,
): Expr {
  const inner = mapChildren(expr, (child) => rewrite(child, replace, replacePlan))
  return replace(withPlan(inner, replacePlan))
}

function withPlan(expr: Expr, replacePlan: (plan: LogicalPlan) => LogicalPlan): Expr {
  if (expr.kind !== 'scalarQuery' && expr.kind !== 'exists' && expr.kind !== 'quantified') return expr
  const plan = replacePlan(expr.plan)
  return plan === expr.plan ? expr : { ...expr, plan }
}

/** True when the test holds for the expression or any part of it, subqueries left out. */
export function someExpr(expr: Expr, test: (expr: Expr) => boolean): boolean {
  return test(expr) || childrenOf(expr).some((child) => someExpr(child, test))
}

export const isSubquery = (expr: Expr): boolean =>
  expr.kind === 'scalarQuery' || expr.kind === 'exists' || expr.kind === 'quantified'

export const hasSubquery = (expr: Expr): boolean => someExpr(expr, isSubquery)

export const isVolatile = (expr: Expr): boolean =>
  someExpr(expr, (part) => part.kind === 'call' && part.fn.volatility === 'volatile')

/** Columns named by the expression, those that its subqueries take from outside included. */
export function columnsIn(expr: Expr, into: Map<number, Column> = new Map()): Map<number, Column> {
  if (expr.kind === 'column') into.set(expr.column.id, expr.column)
  if (expr.kind === 'scalarQuery' || expr.kind === 'exists' || expr.kind === 'quantified') {
    for (const [id, column] of freeColumns(expr.plan)) into.set(id, column)
    if (expr.kind === 'quantified') {
      const own = new Set([...expr.leftColumns, ...expr.columns].map(({ id }) => id))
      for (const [id, column] of columnsIn(expr.compare)) if (!own.has(id)) into.set(id, column)
    }
  }
  for (const child of childrenOf(expr)) columnsIn(child, into)
  return into
}

/** The expressions that stand in the plan's top node itself. */
export function exprsOf(plan: LogicalPlan): readonly Expr[] {
  switch (plan.kind) {
    case 'scan':
    case 'virtualScan':
    case 'distinct':
    case 'set':
      return []
    case 'functionScan':
      return plan.args
    case 'values':
      return plan.rows.flat()
    case 'filter':
      return [plan.predicate]
    case 'project':
      return plan.outputs.map(({ expr }) => expr)
    case 'join':
      return [plan.on]
    case 'aggregate':
      return [
        ...plan.groups.map(({ expr }) => expr),
        ...plan.calls.flatMap(({ args, filter, orderBy }) => [
          ...args,
          ...(filter === null ? [] : [filter]),
          ...orderBy.map(({ expr }) => expr),
        ]),
      ]
    case 'sort':
      return plan.keys.map(({ expr }) => expr)
    case 'limit':
      return [plan.limit, plan.offset].filter((expr) => expr !== null)
  }
}

export function inputsOf(plan: LogicalPlan): readonly LogicalPlan[] {
  switch (plan.kind) {
    case 'scan':
    case 'virtualScan':
    case 'functionScan':
    case 'values':
      return []
    case 'join':
    case 'set':
      return [plan.left, plan.right]
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
      return plan
    case 'join':
    case 'set': {
      const left = replace(plan.left)
      const right = replace(plan.right)
      return left === plan.left && right === plan.right ? plan : { ...plan, left, right }
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
  switch (plan.kind) {
    case 'scan':
    case 'virtualScan':
    case 'distinct':
    case 'set':
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
      return { ...plan, on: replace(plan.on) }
    case 'aggregate':
      return {
        ...plan,
        groups: outputs(plan.groups),
        calls: plan.calls.map((call) => ({
          ...call,
          args: call.args.map(replace),
          filter: call.filter === null ? null : replace(call.filter),
          orderBy: keys(call.orderBy),
        })),
      }
    case 'sort':
      return { ...plan, keys: keys(plan.keys) }
    case 'limit':
      return {
        ...plan,
        limit: plan.limit === null ? null : replace(plan.limit),
        offset: plan.offset === null ? null : replace(plan.offset),
      }
  }
}

/** Columns that the plan names but does not make: those of outer queries. */
export function freeColumns(plan: LogicalPlan): Map<number, Column> {
  const free = new Map<number, Column>()
  const known = new Set<number>()
  for (const input of inputsOf(plan)) {
    for (const [id, column] of freeColumns(input)) free.set(id, column)
    for (const { id } of columnsOf(input)) known.add(id)
  }
  // Both sides of a semi or anti join are known to its condition, although only the left one's columns go on.
  for (const expr of exprsOf(plan))
    for (const [id, column] of columnsIn(expr)) if (!known.has(id)) free.set(id, column)
  return free
}

/** The conjuncts of a condition; none for a constant TRUE. */
export function conjunctsOf(expr: Expr): readonly Expr[] {
  if (expr.kind === 'and') return expr.operands.flatMap(conjunctsOf)
  return expr.kind === 'constant' && expr.value === true ? [] : [expr]
}

/** Replaces columns by expressions. */
export function substitute(expr: Expr, by: ReadonlyMap<number, Expr>): Expr {
  const replace = (part: Expr): Expr => (part.kind === 'column' ? (by.get(part.column.id) ?? part) : part)
  return rewrite(expr, replace, (plan) => substituteFree(plan, by))
}

function substituteFree(plan: LogicalPlan, by: ReadonlyMap<number, Expr>): LogicalPlan {
  const free = freeColumns(plan)
  if (![...by.keys()].some((id) => free.has(id))) return plan
  const inner = mapInputs(plan, (input) => substituteFree(input, by))
  return mapExprs(inner, (expr) => substitute(expr, by))
}

/** The equality call of an expression: `left = right`, whatever the types. */
export const isEquality = (expr: Expr): expr is CallExpr =>
  expr.kind === 'call' && expr.form === 'infix' && expr.fn.name === '=' && expr.args.length === 2

/** True when both sides of a comparison are of one type, so that equal values have equal hash keys. */
export function comparesAlike({ args }: CallExpr): boolean {
  const [left, right] = args.map(({ type }) => (type.id === 'varchar' ? 'text' : type.id))
  return left === right
}
