import { SQLSTATE } from '../../errors.ts'
import type { Expression } from '../../syntax/ast.ts'
import { type BindContext, errorAt } from '../context.ts'

/** `ORDER BY 2` means the second column. @returns its position from 0; null for any other expression */
export function ordinalOf(
  context: BindContext,
  expression: Expression,
  width: number,
  clause: string,
): number | null {
  if (!['number', 'string', 'boolean', 'null'].includes(expression.kind)) return null
  const ordinal = expression.kind === 'number' ? Number(expression.text) : Number.NaN
  if (!Number.isInteger(ordinal))
    throw errorAt(context, expression, SQLSTATE.syntaxError, `non-integer constant in ${clause}`)
  if (ordinal < 1 || ordinal > width)
    throw errorAt(
      context,
      expression,
      SQLSTATE.invalidColumnReference,
      `${clause} position ${ordinal} is not in select list`,
    )
  return ordinal - 1
}
