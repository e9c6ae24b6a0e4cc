import { conjunction, filtered } from '../plan/build.ts'
import type { Expr } from '../plan/expression.ts'
import { columnsOf, type LogicalPlan } from '../plan/logical.ts'
import { sameExpr } from '../plan/same-expr.ts'
import {
  columnsIn,
  conjunctsOf,
  hasSubquery,
  isVolatile,
  mapInputs,
  mapSubqueries,
} from '../plan/traverse.ts'
import { BOOLEAN } from '../types/type.ts'

/**
 * Takes out of an OR what all of its branches ask for, so that joins find their keys and tables their conditions:
 * `(a AND b) OR (a AND c)` is `a AND (b OR c)`. And says of each input of a join below what the branches together ask of it
 * alone: of `(x = 1 AND y = 2) OR (x = 3 AND y = 4)` the input with x learns `x = 1 OR x = 3`.
 */
export function factorDisjunctions(plan: LogicalPlan): LogicalPlan {
  const inner = mapSubqueries(mapInputs(plan, factorDisjunctions), factorDisjunctions)
  if (inner.kind === 'join' && inner.type === 'inner') return { ...inner, on: factored(inner.on) }
  if (inner.kind !== 'filter') return inner
  const conditions = conjunctsOf(factored(inner.predicate))
  const implied = conditions.flatMap((condition) => impliedBy(condition, inner.input))
  return filtered(inner.input, [...conditions, ...implied])
}

/** The condition with what is common to all branches of its ORs in front. */
function factored(predicate: Expr): Expr {
  return conjunction(conjunctsOf(predicate).flatMap((condition) => commonOf(condition)))
}

/** A condition like `a AND …`, computed in one order or another, is the same only as long as nothing is volatile. */
function commonOf(condition: Expr): readonly Expr[] {
  if (condition.kind !== 'or' || isVolatile(condition) || hasSubquery(condition)) return [condition]
  const branches = condition.operands.map(conjunctsOf)
  const [first, ...others] = branches
  if (first === undefined) return [condition]
  const common = first.filter((one) => others.every((branch) => branch.some((two) => sameExpr(one, two))))
  if (common.length === 0) return [condition]
  const rests = branches.map((branch) =>
    branch.filter((one) => !common.some((shared) => sameExpr(shared, one))),
  )
  // A branch that asks for nothing more is true with the common part.
  if (rests.some((rest) => rest.length === 0)) return common
  return [...common, { kind: 'or', type: BOOLEAN, operands: rests.map(conjunction) }]
}

/** What an OR over several inputs of a join asks of one of them, for each that is named in all branches. */
function impliedBy(condition: Expr, input: LogicalPlan): readonly Expr[] {
  if (condition.kind !== 'or' || isVolatile(condition) || hasSubquery(condition)) return []
  const inputs = joinedBelow(input)
  if (inputs.length < 2) return []
  const branches = condition.operands.map(conjunctsOf)
  const used = columnsIn(condition)
  return inputs.flatMap((one) => {
    const own = new Set(columnsOf(one).map(({ id }) => id))
    // Already about one input alone: it goes there as it is.
    if ([...used.keys()].every((id) => own.has(id))) return []
    const parts = branches.map((branch) =>
      branch.filter((part) => {
        const ids = [...columnsIn(part).keys()]
        return ids.length > 0 && ids.every((id) => own.has(id)) && cannotFail(part)
      }),
    )
    if (parts.some((part) => part.length === 0)) return []
    return [{ kind: 'or', type: BOOLEAN, operands: parts.map(conjunction) } as const]
  })
}

/** It is computed for more rows than before, so only what compares columns with constants. */
function cannotFail(expr: Expr): boolean {
  const plain = (part: Expr): boolean => part.kind === 'column' || part.kind === 'constant'
  if (expr.kind === 'inList') return plain(expr.operand) && expr.list.every(plain)
  return expr.kind === 'call' && expr.form === 'infix' && expr.type.id === 'boolean' && expr.args.every(plain)
}

function joinedBelow(plan: LogicalPlan): readonly LogicalPlan[] {
  if (plan.kind !== 'join' || plan.type !== 'inner') return [plan]
  return [...joinedBelow(plan.left), ...joinedBelow(plan.right)]
}
