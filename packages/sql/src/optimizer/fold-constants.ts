import { constant, FALSE, isNeverTrue, isTrue, TRUE } from '../plan/build.ts'
import type { Expr } from '../plan/expression.ts'
import { columnsOf, type LogicalPlan } from '../plan/logical.ts'
import { isVolatile, mapExprs, mapInputs, rewrite } from '../plan/traverse.ts'
import { BOOLEAN } from '../types/type.ts'

/**
 * Computes what does not depend on any row: calls of constants, tests that are always true or false, branches
 * that are never taken. A call that fails is left alone, because the row that would meet it may never come.
 */
export function foldConstants(plan: LogicalPlan): LogicalPlan {
  const inner = mapInputs(plan, foldConstants)
  const folded = mapExprs(inner, (expr) => foldExpr(expr))
  if (folded.kind !== 'filter') return folded
  if (isTrue(folded.predicate)) return folded.input
  if (isNeverTrue(folded.predicate)) return { kind: 'values', columns: columnsOf(folded), rows: [] }
  return folded
}

/** Folds one expression, its subqueries included. */
export function foldExpr(expr: Expr): Expr {
  return rewrite(expr, fold, foldConstants)
}

function fold(expr: Expr): Expr {
  switch (expr.kind) {
    case 'call':
      return foldCall(expr)
    case 'and':
    case 'or':
      return foldLogical(expr)
    case 'not': {
      const { operand } = expr
      if (operand.kind === 'constant')
        return constant(BOOLEAN, operand.value === null ? null : !operand.value)
      return operand.kind === 'not' ? operand.operand : expr
    }
    case 'is': {
      const { operand } = expr
      if (operand.kind !== 'constant') return expr
      const wanted = expr.test === 'null' ? null : expr.test === 'true'
      return constant(BOOLEAN, (operand.value === wanted) !== expr.negated)
    }
    case 'case':
      return foldCase(expr)
    case 'coalesce':
      return foldCoalesce(expr)
    default:
      return expr
  }
}

function foldCall(expr: Expr & { kind: 'call' }): Expr {
  if (expr.fn.volatility !== 'immutable') return expr
  if (expr.fn.strict && expr.args.some((arg) => arg.kind === 'constant' && arg.value === null))
    return expr.args.some(isVolatile) ? expr : constant(expr.type, null)
  const values = expr.args.flatMap((arg) => (arg.kind === 'constant' ? [arg.value] : []))
  if (values.length < expr.args.length) return expr
  try {
    return constant(expr.type, expr.fn.impl(...values))
  } catch {
    // The statement reports it when a row gets there.
    return expr
  }
}

function foldLogical(expr: Expr & { kind: 'and' | 'or' }): Expr {
  const { kind } = expr
  const decides = kind === 'or'
  const operands: Expr[] = []
  for (const operand of expr.operands.flatMap((part) => (part.kind === kind ? part.operands : [part]))) {
    if (operand.kind === 'constant' && operand.value === decides) return decides ? TRUE : FALSE
    if (operand.kind === 'constant' && operand.value === !decides) continue
    operands.push(operand)
  }
  const [first] = operands
  if (first === undefined) return decides ? FALSE : TRUE
  return operands.length === 1 ? first : { ...expr, operands }
}

function foldCase(expr: Expr & { kind: 'case' }): Expr {
  const branches: { when: Expr; result: Expr }[] = []
  for (const branch of expr.branches) {
    if (isNeverTrue(branch.when)) continue
    if (isTrue(branch.when)) {
      if (branches.length === 0) return branch.result
      return { ...expr, branches, otherwise: branch.result }
    }
    branches.push(branch)
  }
  if (branches.length === 0) return expr.otherwise
  return branches.length === expr.branches.length ? expr : { ...expr, branches }
}

function foldCoalesce(expr: Expr & { kind: 'coalesce' }): Expr {
  const args: Expr[] = []
  for (const arg of expr.args) {
    if (arg.kind === 'constant' && arg.value === null) continue
    args.push(arg)
    if (arg.kind === 'constant') break
  }
  const [first] = args
  if (first === undefined) return constant(expr.type, null)
  return args.length === 1 ? first : { ...expr, args }
}
