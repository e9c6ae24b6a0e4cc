import { conjunction, filtered } from '../plan/build.ts'
import type { Expr } from '../plan/expression.ts'
import { columnsOf, type LogicalPlan } from '../plan/logical.ts'
import { columnsIn, conjunctsOf, isEquality, isVolatile, mapInputs, mapSubqueries } from '../plan/traverse.ts'
import { estimateRows, joinedRows } from './estimate.ts'
import { type JoinCondition, type JoinTree, searchJoins } from './join-search.ts'
import { joinShare } from './selectivity.ts'

/** Up to this many inputs every order is looked at. */
const SEARCHED_MAX = 12
/** Beyond this many inputs even a greedy choice of every step costs too much: the order stays as written. */
const GREEDY_MAX = 40

/**
 * Orders chains of inner joins: finds the cheapest tree for a few inputs. For more it starts with the two that give
 * the fewest rows together and goes on with the one that keeps the result smallest, taking inputs that a
 * condition connects before any cross product.
 */
export function orderJoins(plan: LogicalPlan): LogicalPlan {
  const own = mapSubqueries(plan, orderJoins)
  if (own.kind !== 'join' || own.type !== 'inner') return mapInputs(own, orderJoins)
  const inputs: LogicalPlan[] = []
  const conditions: Expr[] = []
  collect(own, inputs, conditions)
  const ordered = inputs.map(orderJoins)
  if (ordered.length === 2 || ordered.length > GREEDY_MAX || conditions.some(isVolatile))
    return rebuild(ordered, conditions)
  return ordered.length > SEARCHED_MAX ? greedy(ordered, conditions) : searched(ordered, conditions)
}

/** The cheapest tree of all, with every condition where its inputs first come together. */
function searched(inputs: readonly LogicalPlan[], conditions: readonly Expr[]): LogicalPlan {
  const owner = new Map(inputs.flatMap((input, i) => columnsOf(input).map(({ id }) => [id, 2 ** i] as const)))
  const placed = conditions.map((expr) => ({
    expr,
    inputs: [...columnsIn(expr).keys()].reduce((set, id) => set | (owner.get(id) ?? 0), 0),
  }))
  const tree = searchJoins(
    inputs.map((input) => ({ rows: estimateRows(input), keys: keysOf(input) })),
    withShares(
      placed.filter(({ inputs: set }) => (set & (set - 1)) !== 0),
      inputs,
    ),
  )
  const within = (set: number, parts: readonly number[]): Expr[] =>
    placed
      .filter(
        ({ inputs: own }) => own !== 0 && (own & ~set) === 0 && parts.every((part) => (own & ~part) !== 0),
      )
      .map(({ expr }) => expr)
  const build = (part: JoinTree): { readonly plan: LogicalPlan; readonly set: number } => {
    if ('input' in part) {
      const set = 2 ** part.input
      return { plan: filtered(inputs[part.input] as LogicalPlan, within(set, [])), set }
    }
    const [left, right] = [build(part.left), build(part.right)]
    const set = left.set | right.set
    const on = conjunction(within(set, [left.set, right.set]))
    return { plan: { kind: 'join', type: 'inner', left: left.plan, right: right.plan, on }, set }
  }
  const constants = placed.filter(({ inputs: set }) => set === 0).map(({ expr }) => expr)
  return filtered(build(tree).plan, constants)
}

/** Says of equalities of two inputs which share of the pairs they leave, where it is known. */
function withShares(
  conditions: readonly JoinCondition[],
  inputs: readonly LogicalPlan[],
): readonly JoinCondition[] {
  const left = new Map<number, number>()
  return conditions.map((condition) => {
    const { expr, inputs: set } = condition
    const sides = inputs.filter((_, i) => (set & (2 ** i)) !== 0)
    const [one, other] = sides
    if (sides.length !== 2 || one === undefined || other === undefined || !isEquality(expr)) return condition
    const rows = { left: keysOf(one), right: keysOf(other) }
    const share = joinShare(one, other, [expr], rows)
    if (share === null) return condition
    // Together they leave a row of the larger side one partner, as a key of several columns does.
    const before = left.get(set) ?? 1
    const after = Math.max(before * share, 1 / Math.max(rows.left, rows.right))
    left.set(set, after)
    return { ...condition, share: after / before }
  })
}

/** About as many different keys as the table behind an input has. */
function keysOf(plan: LogicalPlan): number {
  if (plan.kind === 'filter' || plan.kind === 'project' || plan.kind === 'sort') return keysOf(plan.input)
  return estimateRows(plan)
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
