import type { Value } from '@cluster/core'
import type { ExecutionContext } from '../context.ts'

type Columns = readonly (readonly Value[])[]

/** Compares the rows at two positions of columns. */
export type RowComparator = (columns: Columns, a: number, b: number) => number

/** Rows that are sorted, or merged, at one go. */
const RUN = 2_048

/**
 * The positions of the rows in sort order; equal rows stay in the order they came. Short runs are sorted and then
 * merged, with turns for others in between. Runs that follow each other are put together without comparing.
 */
export async function sortedRows(
  columns: Columns,
  length: number,
  compare: RowComparator,
  context: ExecutionContext,
): Promise<Uint32Array> {
  let rows = new Uint32Array(length)
  for (let start = 0; start < length; start += RUN) {
    const end = Math.min(length, start + RUN)
    for (let i = start; i < end; i++) rows[i] = i
    rows.subarray(start, end).sort((a, b) => compare(columns, a, b) || a - b)
    // Sorting costs some comparisons a row.
    const pause = context.work(4 * (end - start))
    if (pause !== null) await pause
  }
  let spare = new Uint32Array(length > RUN ? length : 0)
  for (let width = RUN; width < length; width *= 2) {
    for (let start = 0; start < length; start += 2 * width)
      await merge(rows, spare, start, Math.min(length, start + width), Math.min(length, start + 2 * width))
    ;[rows, spare] = [spare, rows]
  }
  return rows

  async function merge(
    from: Uint32Array,
    to: Uint32Array,
    start: number,
    middle: number,
    end: number,
  ): Promise<void> {
    const before = (left: number, right: number): boolean =>
      compare(columns, from[left] as number, from[right] as number) <= 0
    if (middle >= end || before(middle - 1, middle)) {
      to.set(from.subarray(start, end), start)
      return
    }
    let left = start
    let right = middle
    for (let at = start; at < end; at++) {
      const takeLeft = right >= end || (left < middle && before(left, right))
      to[at] = from[takeLeft ? left++ : right++] as number
      if ((at - start) % RUN !== RUN - 1) continue
      const pause = context.work(RUN)
      if (pause !== null) await pause
    }
  }
}
