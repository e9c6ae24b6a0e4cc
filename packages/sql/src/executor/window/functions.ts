import type { Value } from '@cluster/core'
import type { Frame } from '../../compile/batch.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { WindowFunctionName } from '../../functions/window.ts'
import { boundsOf, eachPart, type FrameSpec } from './frame.ts'
import { groupEnd, type Partition } from './partition.ts'

/**
 * Computes a column over a partition. What it yields are rows worked on, between two of which others may have
 * their turn.
 */
export type WindowEvaluator = (partition: Partition, frame: Frame) => Generator<number, Value[]>

/** Rows worked on before others may have their turn. */
export const STRIDE = 4_096

/** @param args the columns that hold the arguments */
export function plainEvaluator(
  name: WindowFunctionName,
  args: readonly number[],
  spec: FrameSpec,
): WindowEvaluator {
  const [first = 0, second] = args
  switch (name) {
    case 'row_number':
      return eachRow((_, row) => BigInt(row + 1))
    case 'rank':
      return eachRow(({ groups }, row) => BigInt((groups.starts[groups.of[row] as number] as number) + 1))
    case 'dense_rank':
      return eachRow(({ groups }, row) => BigInt((groups.of[row] as number) + 1))
    case 'percent_rank':
      return eachRow(({ groups, length }, row) =>
        length === 1 ? 0 : (groups.starts[groups.of[row] as number] as number) / (length - 1),
      )
    case 'cume_dist':
      return eachRow(({ groups, length }, row) => groupEnd(groups, row) / length)
    case 'ntile':
      return eachRow((partition, row) => ntile(partition, row, first))
    case 'lag':
    case 'lead':
      return eachRow((partition, row) => shifted(partition, row, args, name === 'lag' ? -1 : 1))
    case 'first_value':
      return framed(spec, (partition, part) => partition.at(first, part(0)), 0)
    case 'last_value':
      return framed(spec, (partition, part) => partition.at(first, part(-1)), -1)
    case 'nth_value':
      return nthValue(first, second ?? 0, spec)
  }
}

function eachRow(value: (partition: Partition, row: number) => Value): WindowEvaluator {
  return function* evaluate(partition) {
    const values: Value[] = []
    for (let row = 0; row < partition.length; row++) {
      values.push(value(partition, row))
      if (row % STRIDE === STRIDE - 1) yield STRIDE
    }
    return values
  }
}

/** The number of tiles is that of the partition's first row; the first tiles are one larger where it must be. */
function ntile(partition: Partition, row: number, column: number): Value {
  const tiles = partition.at(column, 0)
  if (tiles === null) return null
  const count = Number(tiles)
  if (count <= 0)
    throw sqlError(SQLSTATE.invalidArgumentForNtile, 'argument of ntile must be greater than zero')
  const size = Math.floor(partition.length / count)
  const larger = partition.length % count
  const border = larger * (size + 1)
  return row < border
    ? Math.floor(row / (size + 1)) + 1
    : larger + Math.floor((row - border) / Math.max(1, size)) + 1
}

function shifted(partition: Partition, row: number, args: readonly number[], sign: 1 | -1): Value {
  const [value = 0, offset, otherwise] = args
  const distance = offset === undefined ? 1 : partition.at(offset, row)
  if (distance === null) return null
  const target = row + sign * Number(distance)
  if (target >= 0 && target < partition.length) return partition.at(value, target)
  return otherwise === undefined ? null : partition.at(otherwise, row)
}

/** The value at the first or last row of each frame; NULL for an empty one. */
function framed(
  spec: FrameSpec,
  value: (partition: Partition, row: (from: number) => number) => Value,
  end: 0 | -1,
): WindowEvaluator {
  return function* evaluate(partition, frame) {
    const { starts, ends } = boundsOf(partition, spec, frame)
    const values: Value[] = []
    for (let row = 0; row < partition.length; row++) {
      let found = -1
      eachPart(partition, spec.exclude, row, starts[row] as number, ends[row] as number, (from, to) => {
        found = end === 0 ? from : to - 1
        return end === 0
      })
      values.push(found < 0 ? null : value(partition, () => found))
      if (row % STRIDE === STRIDE - 1) yield STRIDE
    }
    return values
  }
}

function nthValue(column: number, nth: number, spec: FrameSpec): WindowEvaluator {
  return function* evaluate(partition, frame) {
    const { starts, ends } = boundsOf(partition, spec, frame)
    const values: Value[] = []
    for (let row = 0; row < partition.length; row++) {
      const wanted = partition.at(nth, row)
      let found = -1
      if (wanted !== null) {
        let left = Number(wanted)
        if (left <= 0)
          throw sqlError(
            SQLSTATE.invalidArgumentForNthValue,
            'argument of nth_value must be greater than zero',
          )
        eachPart(partition, spec.exclude, row, starts[row] as number, ends[row] as number, (from, to) => {
          if (left <= to - from) found = from + left - 1
          left -= to - from
          return found >= 0
        })
      }
      values.push(found < 0 ? null : partition.at(column, found))
      if (row % STRIDE === STRIDE - 1) yield STRIDE
    }
    return values
  }
}
