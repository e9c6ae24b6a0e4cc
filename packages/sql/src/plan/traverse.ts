import type { CallExpr, Column, Expr } from './expression.ts'
import { columnsOf, type LogicalPlan } from './logical.ts'
import { exprsOf, inputsOf, mapExprs, mapInputs, mapItems } from './plan-parts.ts'

export { exprsOf, inputsOf, mapExprs, mapInputs } from './plan-parts.ts'

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
  switch (expr.kind) {
    case 'constant':
    case 'parameter':
    case 'column':
    case 'scalarQuery':
    case 'exists':
      return expr
    case 'call': {
      const args = mapItems(expr.args, replace)
      return args === expr.args ? expr : { ...expr, args }
    }
    case 'coalesce': {
      const args = mapItems(expr.args, replace)
      return args === expr.args ? expr : { ...expr, args }
    }
    case 'and':
    case 'or': {
      const operands = mapItems(expr.operands, replace)
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
    case 'case': {
      const branches = mapItems(expr.branches, (branch) => {
        const when = replace(branch.when)
        const result = replace(branch.result)
        return when === branch.when && result === branch.result ? branch : { when, result }
      })
      const otherwise = replace(expr.otherwise)
      return branches === expr.branches && otherwise === expr.otherwise
        ? expr
        : { ...expr, branches, otherwise }
    }
    case 'inList': {
      const operand = replace(expr.operand)
      const list = mapItems(expr.list, replace)
      return operand === expr.operand && list === expr.list ? expr : { ...expr, operand, list }
    }
    case 'quantified': {
      const left = mapItems(expr.left, replace)
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

/**
 * The plan with each plan of a subquery in its own expressions replaced; most have none, and are given back at once.
 */
export function mapSubqueries(plan: LogicalPlan, replace: (plan: LogicalPlan) => LogicalPlan): LogicalPlan {
  return mapExprs(plan, (expr) => (hasSubquery(expr) ? rewrite(expr, (part) => part, replace) : expr))
}

/** True when the test holds for the expression or any part of it, subqueries left out. */
export function someExpr(expr: Expr, test: (expr: Expr) => boolean): boolean {
  if (test(expr)) return true
  for (const child of childrenOf(expr)) if (someExpr(child, test)) return true
  return false
}

/** True when the test holds for a column that the expression names, those that its subqueries take from outside included. */
export function someColumn(expr: Expr, test: (id: number) => boolean): boolean {
  if (expr.kind === 'column') return test(expr.column.id)
  if (isSubquery(expr)) {
    for (const id of columnsIn(expr).keys()) if (test(id)) return true
    return false
  }
  for (const child of childrenOf(expr)) if (someColumn(child, test)) return true
  return false
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

/** Columns that the plan names but does not make: those of outer queries. */
export function freeColumns(plan: LogicalPlan): Map<number, Column> {
  const free = new Map<number, Column>()
  const known = new Set<number>()
  for (const input of inputsOf(plan)) {
    const ofInput = freeColumns(input)
    // The right side of a lateral join may name columns of the left one, which is visited first.
    for (const [id, column] of ofInput) if (plan.kind !== 'lateral' || !known.has(id)) free.set(id, column)
    for (const { id } of columnsOf(input)) known.add(id)
  }
  // Both sides of a semi or anti join are known to its condition, although only the left one's columns go on.
  for (const expr of exprsOf(plan))
    for (const [id, column] of columnsIn(expr)) if (!known.has(id)) free.set(id, column)
  return free
}

/** The conjuncts of a condition; none for a constant TRUE. */
export function conjunctsOf(expr: Expr): readonly Expr[] {
  if (expr.kind === 'and')
    return expr.operands.some(isConnected) ? expr.operands.flatMap(conjunctsOf) : expr.operands
  return expr.kind === 'constant' && expr.value === true ? [] : [expr]
}

/** True where flattening changes something. */
const isConnected = (expr: Expr): boolean =>
  expr.kind === 'and' || (expr.kind === 'constant' && expr.value === true)

/** Replaces columns by expressions. */
export function substitute(expr: Expr, by: ReadonlyMap<number, Expr>): Expr {
  if (by.size === 0) return expr
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
