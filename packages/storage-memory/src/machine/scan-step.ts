import type { BlockPlace, Key, RowBatch, ScanRequest, Version } from '@cluster/core'
import { BlockColumns, type RowVersion } from './block-columns.ts'

/** Rows a scan hands over at once. */
export const BATCH_ROWS = 1024
/** Blocks of fewer rows are put together, so that a batch is worth its costs. */
export const BLOCK_ROWS_MIN = 192

export type Columns = ScanRequest['columns']

/** Some rows, and where those begin that are behind them; null: there are no more. */
export interface ScanStep {
  readonly batch: RowBatch
  /** `index`: they begin with a block, which stands there while the shape of the blocks stays. */
  readonly next: { readonly index: number | null; readonly behind: Key } | null
}

export interface StepOptions {
  readonly to: Key | undefined
  readonly version: Version
  readonly columns: Columns
  /** Rows that are wanted, > 0. */
  readonly most: number
}

/**
 * The rows of one block from a place on, out of what the block keeps of its columns.
 * @returns null when it does not keep them, or they are not what the version shows, or a block is too small to be a batch
 */
export function stepWithin(
  { block, index, at }: BlockPlace<RowVersion>,
  { to, version, columns, most }: StepOptions,
): ScanStep | null {
  const { keys } = block
  if (columns === undefined) return null
  const behind = keys[keys.length - 1] as Key
  const end = to === undefined || behind < to ? keys.length : endOf(keys, at, to)
  if (at === 0 && end === keys.length) {
    if (end < BLOCK_ROWS_MIN || end > most) return null
    const kept = BlockColumns.of(block)
    if (kept.newest > version || kept.keys.length === 0) return null
    return { batch: kept.batch(columns), next: { index: index + 1, behind } }
  }
  const until = Math.min(end, at + most, at + BATCH_ROWS)
  const kept = BlockColumns.ofPart(block, until - at)
  if (kept === null || kept.newest > version || !kept.complete) return null
  const batch = kept.part(columns, at, until)
  if (until === keys.length) return { batch, next: { index: index + 1, behind } }
  return { batch, next: until === end ? null : { index: null, behind: keys[until - 1] as Key } }
}

/** The position of the first key ≥ `to`, which stands at `at` or behind it; most likely near, so steps grow from there. */
function endOf(keys: readonly Key[], at: number, to: Key): number {
  let low = at
  let step = 1
  while (low + step < keys.length && (keys[low + step] as Key) < to) {
    low += step
    step *= 2
  }
  let high = Math.min(low + step, keys.length)
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] as Key) < to) low = middle + 1
    else high = middle
  }
  return low
}
