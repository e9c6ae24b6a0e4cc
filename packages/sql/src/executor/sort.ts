import type { Source } from './context.ts'
import type { CountsOf } from './limit.ts'
import type { Mapper } from './pipeline.ts'
import { RowStore } from './row-store.ts'
import { type RowComparator, sortedRows } from './sorted-rows.ts'

export interface SortOptions {
  /** Adds the sort keys behind the columns of the input. */
  readonly addKeys: Mapper
  /** Columns of the input. */
  readonly width: number
  /** Columns with the keys. */
  readonly widthWithKeys: number
  readonly compare: RowComparator
}

/** Stable: rows with equal keys stay in the order they came. */
export function sortSource(input: Source, { addKeys, width, widthWithKeys, compare }: SortOptions): Source {
  return {
    async *open(context) {
      const store = new RowStore(widthWithKeys, context.memory)
      for await (const batch of input.open(context)) {
        store.append(addKeys(batch, context.frame))
        const pause = context.work(batch.length)
        if (pause !== null) await pause
      }
      yield* store.gather(await sortedRows(store.columns, store.length, compare, context), width)
      store.clear()
    },
  }
}

/** The first `limit` rows behind the first `offset` in sort order; keeps a small multiple of them in memory. */
export function topSource(
  input: Source,
  { addKeys, width, widthWithKeys, compare }: SortOptions,
  countsOf: CountsOf,
): Source {
  return {
    async *open(context) {
      const { limit, offset } = await countsOf(context)
      const skip = offset ?? 0
      const keep = skip + (limit ?? Number.POSITIVE_INFINITY)
      if (keep === skip) return
      const store = new RowStore(widthWithKeys, context.memory)
      const order = () => sortedRows(store.columns, store.length, compare, context)
      for await (const batch of input.open(context)) {
        store.append(addKeys(batch, context.frame))
        if (store.length >= 4_096 + 2 * keep) store.retain((await order()).subarray(0, keep))
        const pause = context.work(batch.length)
        if (pause !== null) await pause
      }
      yield* store.gather((await order()).subarray(skip, keep), width)
      store.clear()
    },
  }
}
