import { conjunction, filtered } from '../plan/build.ts'
import type { Expr } from '../plan/expression.ts'
import { columnsOf, type LogicalPlan } from '../plan/logical.ts'
import { columnsIn, conjunctsOf, isVolatile, mapExprs, mapInputs, rewrite } from '../plan/traverse.ts'
import { estimateRows, joinedRows } from './estimate.ts'

/** Beyond this many inputs a greedy choice of every step costs too much; the rest keeps the order written. */
const INPUTS_MAX = 12

/**
 * Orders chains of inner joins: starts with the two inputs that give the fewest rows together and goes on with
 * the one that keeps the result smallest, taking inputs that a condition connects before any cross product.
 */
export function orderJoins(plan: LogicalPlan): LogicalPlan {
  const own = mapExprs(plan, (expr) => rewrite(expr, (part) => part, orderJoins))
  if (own.kind !== 'join' || own.type !== 'inner') return mapInputs(own, orderJoins)
  const inputs: LogicalPlan[] = []
  const conditions: Expr[] = []
  collect(own, inputs, conditions)
  const ordered = inputs.map(orderJoins)
  if (ordered.length === 2 || ordered.length > INPUTS_MAX || conditions.some(isVolatile))
    return rebuild(ordered, conditions)
  return greedy(ordered, conditions)
}

function collect(plan: LogicalPlan, inputs: LogicalPlan[], conditions: Expr[]): void {
  if (plan.kind !== 'join' || plan.type !== 'inner') {
    inputs.push(plan)
    return
  }
  collect(plan.left, inputs, conditions)
  collect(plan.right, inputs, conditions)
  conditions.push(...conjunctsOf(plan.on))
}

interface Piece {
  readonly plan: LogicalPlan
  readonly columns: ReadonlySet<number>
  readonly rows: number
}

const pieceOf = (plan: LogicalPlan): Piece => ({
  plan,
  columns: new Set(columnsOf(plan).map(({ id }) => id)),
  rows: estimateRows(plan),
})

function greedy(inputs: readonly LogicalPlan[], conditions: readonly Expr[]): LogicalPlan {
  const all = new Set(inputs.flatMap((input) => columnsOf(input).map(({ id }) => id)))
  const pieces = inputs.map(pieceOf)
  let open = [...conditions]
  let current: Piece | null = null
  while (pieces.length > 0) {
    const choices: { left: Piece; right: Piece; on: Expr[]; rows: number }[] = []
    for (const left of current === null ? pieces : [current])
      for (const right of pieces) {
        if (left === right) continue
        const on = applicable(open, left, right, all)
        choices.push({ left, right, on, rows: joinedRows(left.rows, right.rows, on) })
      }
    // Connected pairs first, then the fewest rows; the order written decides between equals.
    choices.sort((a, b) => Number(b.on.length > 0) - Number(a.on.length > 0) || a.rows - b.rows)
    const [best] = choices
    if (best === undefined) break
    const { left, right, on, rows } = best
    open = open.filter((condition) => !on.includes(condition))
    pieces.splice(pieces.indexOf(right), 1)
    if (current === null) pieces.splice(pieces.indexOf(left), 1)
    current = {
      plan: { kind: 'join', type: 'inner', left: left.plan, right: right.plan, on: conjunction(on) },
      columns: new Set([...left.columns, ...right.columns]),
      rows,
    }
  }
  return filtered((current as Piece).plan, open)
}

/** The conditions that can be judged once both pieces are joined and not before. */
function applicable(
  conditions: readonly Expr[],
  left: Piece,
  right: Piece,
  all: ReadonlySet<number>,
): Expr[] {
  return conditions.filter((condition) =>
    [...columnsIn(condition).keys()].every(
      (id) => left.columns.has(id) || right.columns.has(id) || !all.has(id),
    ),
  )
}

/** A left-deep tree in the order given. */
function rebuild(inputs: readonly LogicalPlan[], conditions: readonly Expr[]): LogicalPlan {
  const all = new Set(inputs.flatMap((input) => columnsOf(input).map(({ id }) => id)))
  let open = [...conditions]
  let current = pieceOf(inputs[0] as LogicalPlan)
  for (const input of inputs.slice(1)) {
    const right = pieceOf(input)
    const on = applicable(open, current, right, all)
    open = open.filter((condition) => !on.includes(condition))
    current = {
      plan: { kind: 'join', type: 'inner', left: current.plan, right: right.plan, on: conjunction(on) },
      columns: new Set([...current.columns, ...right.columns]),
      rows: current.rows,
    }
  }
  return filtered(current.plan, open)
}
