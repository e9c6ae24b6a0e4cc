import type { Source } from '../executor/context.ts'
import type { RowComparator } from '../executor/rows/sorted-rows.ts'
import { aggregateEvaluator } from '../executor/window/aggregate.ts'
import {
  checkedOffset,
  type Edge,
  type FrameSpec,
  isNaNumber,
  negativeRange,
  nullOffset,
} from '../executor/window/frame.ts'
import { plainEvaluator, type WindowEvaluator } from '../executor/window/functions.ts'
import { windowSource } from '../executor/window/window.ts'
import { columnExpr } from '../plan/build.ts'
import type { Expr } from '../plan/expression.ts'
import type { Frame, FrameEdge, SortKey, WindowCall } from '../plan/logical.ts'
import type { WindowNode } from '../plan/physical.ts'
import { sameExpr } from '../plan/same-expr.ts'
import { compileComparator, compileMap, compileScalars, type Layout, type Slots } from './compile-map.ts'

/** Columns that a window computes beside those of its input. */
class Added {
  readonly exprs: Expr[] = []
  /** Columns of the input that something is computed from. */
  readonly asked = new Set<number>()
  readonly #layout: Layout

  constructor(layout: Layout) {
    this.#layout = layout
  }

  /** Where the value of the expression will stand. */
  position(expr: Expr): number {
    const known = expr.kind === 'column' ? this.#layout.position(expr.column.id) : null
    if (known !== null) {
      this.asked.add(known)
      return known
    }
    const at = this.exprs.findIndex((other) => sameExpr(other, expr))
    if (at >= 0) return this.#layout.width + at
    this.exprs.push(expr)
    return this.#layout.width + this.exprs.length - 1
  }
}

export function compileWindow(input: Source, plan: WindowNode, layout: Layout, slots: Slots): Source {
  const added = new Added(layout)
  const comparator = (keys: readonly SortKey[]): RowComparator =>
    compileComparator(
      keys.map((key) => ({ ...key, type: key.expr.type, position: added.position(key.expr) })),
    )
  const sides = plan.partitionBy.map((expr): SortKey => ({ expr, descending: false, nulls: 'last' }))
  const partition = comparator(sides)
  const peers = comparator(plan.orderBy)
  const calls = plan.calls.map((call) => evaluator(call, plan, added, slots))
  return windowSource(input, {
    node: plan,
    asked: added.asked,
    addArguments: compileMap(layout, slots, null, [...layout.columns.map(columnExpr), ...added.exprs]),
    width: layout.width,
    widthWithArguments: layout.width + added.exprs.length,
    partition,
    peers,
    calls,
  })
}

function evaluator(call: WindowCall, plan: WindowNode, added: Added, slots: Slots): WindowEvaluator {
  const args = call.args.map((arg) => added.position(arg))
  const spec = frameSpec(call.frame, plan, added, slots)
  if (call.fn.kind === 'function') return plainEvaluator(call.fn.name, args, spec)
  const filter = call.filter === null ? null : added.position(call.filter)
  return aggregateEvaluator({ fn: call.fn.aggregate, args, filter, spec })
}

function frameSpec(
  { mode, start, end, exclude }: Frame,
  plan: WindowNode,
  added: Added,
  slots: Slots,
): FrameSpec {
  const edge = (one: FrameEdge, side: 'start' | 'end'): Edge => {
    if (!('offset' in one)) return one
    const { kind, offset, range } = one
    if (range === null) {
      const value = compileScalars([offset], slots)
      return { kind, range: null, offset: (frame) => checkedOffset(value(frame)[0], side) }
    }
    const check = compileScalars([offset, range.negative], slots)
    return {
      kind,
      offset(frame) {
        const [value, negative] = check(frame)
        if (value === null) throw nullOffset(side)
        if (negative === true || isNaNumber(value)) throw negativeRange()
        return 0
      },
      range: rangeSearch(range.key, range.edge, plan.orderBy[0]?.descending ?? false, added),
    }
  }
  return { mode, start: edge(start, 'start'), end: edge(end, 'end'), exclude }
}

/** Keys and edges are of one type; the comparator reads the one from the first column, the other from the second. */
function rangeSearch(keyExpr: Expr, edgeExpr: Expr, descending: boolean, added: Added) {
  const key = added.position(keyExpr)
  const edge = added.position(edgeExpr)
  const compare = compileComparator([
    { type: keyExpr.type, descending, nulls: 'last', position: key, other: edge },
  ])
  return { key, edge, compare }
}
