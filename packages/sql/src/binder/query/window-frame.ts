import { SQLSTATE } from '../../errors.ts'
import { constant } from '../../plan/build.ts'
import type { Expr } from '../../plan/expression.ts'
import type { Frame, FrameEdge, RangeEdge, SortKey } from '../../plan/logical.ts'
import { columnsIn } from '../../plan/traverse.ts'
import type { Expression, FrameBound, WindowFrame } from '../../syntax/ast.ts'
import {
  BIGINT,
  INTERVAL,
  NUMERIC,
  type SqlType,
  TYPES,
  type TypeId,
  typeName,
  UNKNOWN,
} from '../../types/type.ts'
import { type BindContext, errorAt } from '../context.ts'
import { coerce, tryCoerce } from '../expression/coerce.ts'
import { operatorCall } from '../expression/overloads.ts'
import type { Place } from '../place.ts'

type Bind = (place: Place, expression: Expression) => Expr

/** Binds ROWS, RANGE or GROUPS. @throws 42P20, 42P10, 42804, 0A000 */
export function bindFrame(place: Place, frame: WindowFrame, orderBy: readonly SortKey[], bind: Bind): Frame {
  const { context } = place
  const { mode, start, end, exclude } = frame
  const wrong = (message: string) => errorAt(context, frame, SQLSTATE.windowingError, message)
  if (mode === 'groups' && orderBy.length === 0) throw wrong('GROUPS mode requires an ORDER BY clause')
  if (mode === 'range' && ('offset' in start || 'offset' in end) && orderBy.length !== 1)
    throw wrong('RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column')
  const edge = (bound: FrameBound): FrameEdge => {
    if (!('offset' in bound)) return bound
    const offset = boundOffset(place, frame, bound.offset, bind)
    const [key] = orderBy
    if (mode === 'range' && key !== undefined)
      return rangeEdge(context, bound.offset, bound.kind, key, offset)
    const count = tryCoerce(context, bound.offset, offset, BIGINT, 'assignment')
    if (count !== null) return { kind: bound.kind, offset: count, range: null }
    throw errorAt(
      context,
      bound.offset,
      SQLSTATE.datatypeMismatch,
      `argument of ${mode.toUpperCase()} must be type bigint, not type ${typeName(offset.type)}`,
    )
  }
  return { mode, start: edge(start), end: edge(end), exclude }
}

/** Offsets are the same for all rows. */
function boundOffset(place: Place, frame: WindowFrame, offset: Expression, bind: Bind): Expr {
  const word = frame.mode.toUpperCase()
  const bound = bind({ ...place, aggregates: null, windows: null, name: `window ${word}` }, offset)
  if (columnsIn(bound).size === 0) return bound
  throw errorAt(
    place.context,
    offset,
    SQLSTATE.invalidColumnReference,
    `argument of ${word} must not contain variables`,
  )
}

/** In which type a sort key and its offset are added, and of which type the offset is. */
const arithmetic: Partial<Readonly<Record<TypeId, { readonly key: SqlType; readonly offset: SqlType }>>> = {
  // Wide enough that no sum leaves the type.
  smallint: { key: BIGINT, offset: BIGINT },
  integer: { key: NUMERIC, offset: BIGINT },
  bigint: { key: NUMERIC, offset: BIGINT },
  real: { key: TYPES.double, offset: TYPES.double },
  double: { key: TYPES.double, offset: TYPES.double },
  numeric: { key: NUMERIC, offset: NUMERIC },
  date: { key: TYPES.timestamp, offset: INTERVAL },
  timestamp: { key: TYPES.timestamp, offset: INTERVAL },
  interval: { key: INTERVAL, offset: INTERVAL },
  // As intervals they do not begin anew at midnight.
  time: { key: INTERVAL, offset: INTERVAL },
}

function rangeEdge(
  context: BindContext,
  node: Expression,
  kind: 'preceding' | 'following',
  sort: SortKey,
  offset: Expr,
): FrameEdge {
  const { expr, descending } = sort
  const types =
    arithmetic[expr.type.id] ??
    // Types with a zone of their own take intervals as well.
    (['timestamptz', 'timetz'].includes(expr.type.id) ? { key: expr.type, offset: INTERVAL } : undefined)
  const refuse = () =>
    errorAt(
      context,
      node,
      SQLSTATE.featureNotSupported,
      types === undefined
        ? `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${typeName(expr.type)}`
        : `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${typeName(expr.type)} and offset type ${typeName(offset.type)}`,
      types === undefined ? {} : { hint: 'Cast the offset value to an appropriate type.' },
    )
  if (types === undefined) throw refuse()
  const typed = tryCoerce(context, node, offset, types.offset, 'implicit')
  if (typed === null) throw refuse()
  const key = coerce(context, node, expr, types.key, 'explicit')
  const sign = (kind === 'preceding') !== descending ? '-' : '+'
  const sum = operatorCall(context, node, sign, [key, typed])
  const range: RangeEdge = {
    key: coerce(context, node, key, sum.type, 'explicit'),
    edge: sum,
    negative: operatorCall(context, node, '<', [typed, zeroOf(context, node, types.offset)]),
  }
  return { kind, offset: typed, range }
}

function zeroOf(context: BindContext, node: Expression, type: SqlType): Expr {
  return coerce(context, node, constant(UNKNOWN, '0'), type, 'explicit')
}
