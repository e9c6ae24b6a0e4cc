import { SQLSTATE } from '../../errors.ts'
import type { Expr } from '../../plan/expression.ts'
import type { Node } from '../../syntax/ast.ts'
import { type SqlType, typeName } from '../../types/type.ts'
import { type BindContext, errorAt } from '../context.ts'

/** Texts that say one thing in several ways: PostgreSQL compares none of them. */
const comparable = ({ id, element }: SqlType): boolean =>
  element === undefined ? id !== 'json' && id !== 'jsonpath' : comparable(element)

/** An expression whose values are told apart, as by GROUP BY and DISTINCT. @throws 42883 */
export function needsEquality(context: BindContext, node: Node, { type }: Pick<Expr, 'type'>): void {
  if (comparable(type)) return
  throw errorAt(
    context,
    node,
    SQLSTATE.undefinedFunction,
    `could not identify an equality operator for type ${typeName(type)}`,
  )
}

/** An expression by which rows are sorted. @throws 42883 */
export function needsOrder(context: BindContext, node: Node, { type }: Pick<Expr, 'type'>): void {
  if (comparable(type)) return
  throw errorAt(
    context,
    node,
    SQLSTATE.undefinedFunction,
    `could not identify an ordering operator for type ${typeName(type)}`,
    { hint: 'Use an explicit ordering operator or modify the query.' },
  )
}
