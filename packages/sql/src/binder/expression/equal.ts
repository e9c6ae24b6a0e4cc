import type { Expr } from '../../plan/expression.ts'
import type { BindContext } from '../context.ts'
import { operatorCall } from './overloads.ts'

/** `left = right`, for expressions that no source stands for. */
export const equalTo = (context: BindContext, left: Expr, right: Expr): Expr =>
  operatorCall(context, { span: { start: 0, end: 0 } }, '=', [left, right])
