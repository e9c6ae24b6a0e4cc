import type { Expr } from './expression.ts'
import type { LogicalPlan } from './logical.ts'
import { childrenOf, exprsOf, inputsOf } from './traverse.ts'

/** What there is somewhere in a plan, the plans of its subqueries included. */
export interface PlanContents {
  readonly plans: ReadonlySet<LogicalPlan['kind']>
  readonly exprs: ReadonlySet<Expr['kind']>
  /** A semi or anti join. */
  readonly semiJoin: boolean
  /** A projection right below a projection or a grouping. */
  readonly stacked: boolean
  /** A cast to a timestamp. */
  readonly timestampCast: boolean
}

/** Walks the whole plan once. */
export function contentsOf(plan: LogicalPlan): PlanContents {
  const contents = {
    plans: new Set<LogicalPlan['kind']>(),
    exprs: new Set<Expr['kind']>(),
    semiJoin: false,
    stacked: false,
    timestampCast: false,
  }
  const lookAt = (expr: Expr): void => {
    contents.exprs.add(expr.kind)
    if ('plan' in expr) visit(expr.plan)
    if (expr.kind === 'call' && expr.form === 'cast' && expr.type.id === 'timestamp')
      contents.timestampCast = true
    for (const child of childrenOf(expr)) lookAt(child)
  }
  const visit = (part: LogicalPlan): void => {
    contents.plans.add(part.kind)
    if (part.kind === 'join' && (part.type === 'semi' || part.type === 'anti')) contents.semiJoin = true
    if ((part.kind === 'project' || part.kind === 'aggregate') && part.input.kind === 'project')
      contents.stacked = true
    for (const expr of exprsOf(part)) lookAt(expr)
    for (const input of inputsOf(part)) visit(input)
  }
  visit(plan)
  return contents
}
