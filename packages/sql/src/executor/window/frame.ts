import type { Value } from '@cluster/core'
import type { Frame as CompiledFrame } from '../../compile/batch.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Frame } from '../../plan/logical.ts'
import type { RowComparator } from '../rows/sorted-rows.ts'
import { groupEnd, groupStart, type Partition } from './partition.ts'

/** One end of a frame, ready to be found for every row of a partition. */
export type Edge =
  | { readonly kind: 'unbounded preceding' | 'current row' | 'unbounded following' }
  | {
      readonly kind: 'preceding' | 'following'
      /** Evaluated once a run: rows or groups. @throws 22004, 22013 */
      readonly offset: (frame: CompiledFrame) => number
      readonly range: RangeSearch | null
    }

/** Compares the sort keys of rows with where the frame of a row ends. */
export interface RangeSearch {
  /** The column of the key as it is compared, and that of the edge. */
  readonly key: number
  readonly edge: number
  /** Compares a key with an edge, in the order of the window: below zero when the key comes first. */
  readonly compare: (columns: Parameters<RowComparator>[0], keyRow: number, edgeRow: number) => number
}

export interface FrameSpec {
  readonly mode: Frame['mode']
  readonly start: Edge
  readonly end: Edge
  readonly exclude: Frame['exclude']
}

/** The rows from `starts[i]` up to `ends[i]`, those excluded among them; an empty frame ends where it starts. */
export interface Bounds {
  readonly starts: Int32Array
  readonly ends: Int32Array
}

/** The frames of all rows of a partition. They only ever move forward. */
export function boundsOf(partition: Partition, spec: FrameSpec, frame: CompiledFrame): Bounds {
  const starts = edgeRows(partition, spec, spec.start, 'start', frame)
  const ends = edgeRows(partition, spec, spec.end, 'end', frame)
  for (let row = 0; row < partition.length; row++)
    if ((ends[row] as number) < (starts[row] as number)) ends[row] = starts[row] as number
  return { starts, ends }
}

type Side = 'start' | 'end'

function edgeRows(
  partition: Partition,
  { mode }: FrameSpec,
  edge: Edge,
  side: Side,
  frame: CompiledFrame,
): Int32Array {
  const { length } = partition
  const rows = new Int32Array(length)
  switch (edge.kind) {
    case 'unbounded preceding':
      return rows
    case 'unbounded following':
      return rows.fill(length)
    case 'current row':
      for (let row = 0; row < length; row++) rows[row] = currentEdge(partition, mode, side, row)
      return rows
  }
  if (edge.range !== null) return rangeRows(partition, edge, edge.range, side, frame)
  const distance = edge.offset(frame) * (edge.kind === 'preceding' ? -1 : 1)
  if (mode === 'rows') {
    const reach = side === 'start' ? distance : distance + 1
    for (let row = 0; row < length; row++) rows[row] = Math.min(length, Math.max(0, row + reach))
    return rows
  }
  const { groups } = partition
  for (let row = 0; row < length; row++) {
    const group = (groups.of[row] as number) + (side === 'start' ? distance : distance + 1)
    rows[row] = groups.starts[Math.min(groups.count, Math.max(0, group))] as number
  }
  return rows
}

function currentEdge(partition: Partition, mode: Frame['mode'], side: Side, row: number): number {
  if (mode === 'rows') return side === 'start' ? row : row + 1
  return side === 'start' ? groupStart(partition.groups, row) : groupEnd(partition.groups, row)
}

/** A row with a NULL key has its peers for a frame; the frames of others never reach those. */
function rangeRows(
  partition: Partition,
  edge: Edge & { kind: 'preceding' | 'following' },
  { key, edge: edgeColumn, compare }: RangeSearch,
  side: Side,
  frame: CompiledFrame,
): Int32Array {
  edge.offset(frame)
  const { columns, from, length } = partition
  const rows = new Int32Array(length)
  let first = 0
  while (first < length && partition.at(key, first) === null) first++
  let last = length
  while (last > first && partition.at(key, last - 1) === null) last--
  let reach = first
  for (let row = 0; row < length; row++) {
    const at = partition.at(edgeColumn, row)
    if (at === null) {
      rows[row] = currentEdge(partition, 'range', side, row)
      continue
    }
    // An infinite key less an infinite offset: everything that is a number is within reach, as PostgreSQL has it.
    if (isNaNumber(at) && !isNaNumber(partition.at(key, row))) {
      let edgeRow = side === 'start' ? first : last
      const next = side === 'start' ? 1 : -1
      const met = (): number => (side === 'start' ? edgeRow : edgeRow - 1)
      while (isNaNumber(partition.at(key, met()))) edgeRow += next
      rows[row] = edgeRow
      continue
    }
    // A start is the first key that is not before the edge; an end, the first that is behind it.
    const least = side === 'start' ? 0 : 1
    while (reach < last && compare(columns, from + reach, from + row) < least) reach++
    rows[row] = reach
  }
  return rows
}

/** NaN as a floating number or as a numeric. */
export const isNaNumber = (value: Value | undefined): boolean => value === 'NaN' || Number.isNaN(value)

/** @throws 22004, 22013 as PostgreSQL does for offsets of ROWS and GROUPS */
export function checkedOffset(value: unknown, side: Side): number {
  if (value === null || value === undefined) throw nullOffset(side)
  const count = Number(value)
  if (count < 0)
    throw sqlError(
      SQLSTATE.invalidPrecedingOrFollowingSize,
      `frame ${side === 'start' ? 'starting' : 'ending'} offset must not be negative`,
    )
  // Farther than any partition reaches.
  return Math.min(count, 2 ** 31 - 1)
}

export const nullOffset = (side: Side) =>
  sqlError(
    SQLSTATE.nullValueNotAllowed,
    `frame ${side === 'start' ? 'starting' : 'ending'} offset must not be null`,
  )

export const negativeRange = () =>
  sqlError(SQLSTATE.invalidPrecedingOrFollowingSize, 'invalid preceding or following size in window function')

/**
 * Calls `visit` with the parts of a row's frame that EXCLUDE leaves, in order. Stops when it gives true.
 */
export function eachPart(
  partition: Partition,
  exclude: Frame['exclude'],
  row: number,
  start: number,
  end: number,
  visit: (start: number, end: number) => boolean,
): void {
  if (exclude === 'no others') {
    if (start < end) visit(start, end)
    return
  }
  const single = exclude === 'current row'
  const low = single ? row : groupStart(partition.groups, row)
  const high = single ? row + 1 : groupEnd(partition.groups, row)
  if (start < Math.min(end, low) && visit(start, Math.min(end, low))) return
  if (exclude === 'ties' && row >= start && row < end && visit(row, row + 1)) return
  if (Math.max(start, high) < end) visit(Math.max(start, high), end)
}
