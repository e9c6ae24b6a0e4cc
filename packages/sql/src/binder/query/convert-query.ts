import { columnExpr } from '../../plan/build.ts'
import type { Column } from '../../plan/expression.ts'
import type { LogicalPlan, Output } from '../../plan/logical.ts'
import type { Node } from '../../syntax/ast.ts'
import { type SqlType, sameType } from '../../types/type.ts'
import { type BindContext, type BoundQuery, newColumn } from '../context.ts'
import { coerce, settle } from '../expression/coerce.ts'

/** The query with exactly its columns, in order, cast to these types. */
export function converted(
  context: BindContext,
  node: Node,
  bound: BoundQuery,
  types: readonly SqlType[],
  how: 'implicit' | 'assignment' = 'implicit',
): LogicalPlan {
  const outputs = bound.columns.map(({ column, name }, i): Output => {
    const type = types[i] ?? column.type
    const expr = coerce(context, node, columnExpr(column), type, how)
    return { column: newColumn(context, name, type), expr }
  })
  return { kind: 'project', input: bound.plan, outputs }
}

/** The query with no column left undecided: literals that nobody typed are text. */
export function settled(context: BindContext, node: Node, bound: BoundQuery): BoundQuery {
  const types = bound.columns.map(({ column }) => settle(context, columnExpr(column)).type)
  if (bound.columns.every(({ column }, i) => sameType(column.type, types[i] as SqlType))) return bound
  const plan = converted(context, node, bound, types)
  const outputs = plan.kind === 'project' ? plan.outputs : []
  return {
    plan,
    columns: bound.columns.map(({ name }, i) => ({ name, column: outputs[i]?.column as Column })),
  }
}
