import type { Batch, Frame } from '../compile/batch.ts'
import type { Source } from './context.ts'

/** Counts of LIMIT and OFFSET, evaluated once a run; null: no limit. */
export type Bound = (frame: Frame) => number | null

export function limitSource(input: Source, limit: Bound, offset: Bound): Source {
  return {
    async *open(context) {
      let skip = offset(context.frame) ?? 0
      let left = limit(context.frame) ?? Number.POSITIVE_INFINITY
      if (left === 0) return
      for await (const batch of input.open(context)) {
        if (skip >= batch.length) {
          skip -= batch.length
          continue
        }
        const end = Math.min(batch.length, skip + left)
        yield slice(batch, skip, end)
        left -= end - skip
        skip = 0
        if (left === 0) return
      }
    },
  }
}

export function slice(batch: Batch, start: number, end: number): Batch {
  if (start === 0 && end === batch.length) return batch
  return { length: end - start, columns: batch.columns.map((column) => column.slice(start, end)) }
}
