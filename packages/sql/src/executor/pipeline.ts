import type { Batch, Frame } from '../compile/batch.ts'
import type { Source } from './context.ts'

/** Computes the output of one batch; may drop rows. */
export type Mapper = (batch: Batch, frame: Frame) => Batch

/** Gives back what it gets. */
export const sameBatch: Mapper = (batch) => batch

/** Filter and projection in one compiled loop. */
export function mapSource(input: Source, map: Mapper): Source {
  if (map === sameBatch) return input
  return {
    now(context) {
      const batch = input.now?.(context)
      return batch === undefined ? undefined : map(batch, context.frame)
    },
    async *open(context) {
      for await (const batch of input.open(context)) {
        const result = map(batch, context.frame)
        const pause = context.work(batch.length)
        if (pause !== null) await pause
        if (result.length > 0) yield result
      }
    },
  }
}
