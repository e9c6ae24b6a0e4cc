import type { Value } from '@cluster/core'
import { BOOLEAN, type SqlType } from '../types/type.ts'
import type { Column, ColumnExpr, ConstantExpr, Expr } from './expression.ts'
import type { LogicalPlan } from './logical.ts'
import { conjunctsOf } from './traverse.ts'

export const constant = (type: SqlType, value: Value): ConstantExpr => ({ kind: 'constant', type, value })

export const TRUE: ConstantExpr = constant(BOOLEAN, true)
export const FALSE: ConstantExpr = constant(BOOLEAN, false)

export const columnExpr = (column: Column): ColumnExpr => ({ kind: 'column', type: column.type, column })

export const isTrue = (expr: Expr): boolean => expr.kind === 'constant' && expr.value === true

/** True for FALSE and NULL: as a condition it lets nothing through. */
export const isNeverTrue = (expr: Expr): boolean =>
  expr.kind === 'constant' && (expr.value === false || expr.value === null)

/** All of the conditions; TRUE for none. */
export function conjunction(conditions: readonly Expr[]): Expr {
  if (conditions.length === 0) return TRUE
  const operands = conditions.flatMap(conjunctsOf)
  const [first] = operands
  if (first === undefined) return TRUE
  return operands.length === 1 ? first : { kind: 'and', type: BOOLEAN, operands }
}

/** A filter, or the input itself when there is nothing to test. */
export function filtered(input: LogicalPlan, conditions: readonly Expr[]): LogicalPlan {
  const predicate = conjunction(conditions)
  return isTrue(predicate) ? input : { kind: 'filter', input, predicate }
}
