import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Expression, FrameBound, SortItem, WindowFrame, WindowSpec } from '../ast.ts'
import type {
  ExpressionCst,
  ExpressionListCst,
  FrameBoundCst,
  FrameClauseCst,
  SortListCst,
  WindowSpecCst,
} from '../cst/expression.ts'
import { has, identifier, only, spanOf } from './tree.ts'

/** What a window needs of the builder that it is part of. */
interface Parts {
  expression(node: ExpressionCst): Expression
  expressions(node: ExpressionListCst): Expression[]
  sortItems(node: SortListCst): SortItem[]
}

export function windowOf(node: WindowSpecCst, parts: Parts): WindowSpec {
  const { base, partitionBy, sortList, frameClause } = node.children
  const name = base?.[0]
  const partition = partitionBy?.[0]
  const order = sortList?.[0]
  const frame = frameClause?.[0]
  return {
    kind: 'window',
    base: name === undefined ? null : identifier(name),
    partitionBy: partition === undefined ? [] : parts.expressions(partition),
    orderBy: order === undefined ? [] : parts.sortItems(order),
    frame: frame === undefined ? null : frameOf(frame, parts),
    span: spanOf(node),
  }
}

/** A frame of one bound ends with the current row. */
function frameOf(node: FrameClauseCst, parts: Parts): WindowFrame {
  const { Rows, Range, frameBound = [], Exclude, Group, Ties, Current } = node.children
  const [first, second] = frameBound.map((bound) => boundOf(bound, parts))
  const start = first as FrameBound
  const end = second ?? { kind: 'current row' }
  checkBounds(start, end, second !== undefined)
  return {
    mode: has(Rows) ? 'rows' : has(Range) ? 'range' : 'groups',
    start,
    end,
    exclude: !has(Exclude)
      ? 'no others'
      : has(Current)
        ? 'current row'
        : has(Group)
          ? 'group'
          : has(Ties)
            ? 'ties'
            : 'no others',
    span: spanOf(node),
  }
}

function boundOf({ children }: FrameBoundCst, parts: Parts): FrameBound {
  const { Unbounded, Current, Preceding, expression } = children
  if (has(Current)) return { kind: 'current row' }
  if (has(Unbounded)) return { kind: has(Preceding) ? 'unbounded preceding' : 'unbounded following' }
  const offset = parts.expression(only(expression))
  return { kind: has(Preceding) ? 'preceding' : 'following', offset }
}

/** @throws 42P20 for frames that end before they begin, whatever the offsets */
function checkBounds(start: FrameBound, end: FrameBound, between: boolean): void {
  const wrong = (message: string) => sqlError(SQLSTATE.windowingError, message)
  if (start.kind === 'unbounded following') throw wrong('frame start cannot be UNBOUNDED FOLLOWING')
  if (end.kind === 'unbounded preceding') throw wrong('frame end cannot be UNBOUNDED PRECEDING')
  if (start.kind === 'current row' && end.kind === 'preceding')
    throw wrong('frame starting from current row cannot have preceding rows')
  if (start.kind === 'following' && end.kind === 'preceding')
    throw wrong('frame starting from following row cannot have preceding rows')
  if (start.kind === 'following' && end.kind === 'current row')
    throw wrong(
      between
        ? 'frame starting from following row cannot have preceding rows'
        : 'frame starting from following row cannot end with current row',
    )
}
