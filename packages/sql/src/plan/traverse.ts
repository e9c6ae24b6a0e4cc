import type { CallExpr, Column, Expr } from './expression.ts'
import { columnsOf, type LogicalPlan } from './logical.ts'
import { exprsOf, inputsOf, mapExprs, mapInputs } from './plan-parts.ts'

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
