import type { Value } from '@cluster/core'
import type { Batch } from '../compile/batch.ts'
import type { ExecutionContext, Source } from './context.ts'
import { select } from './distinct.ts'
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
  readonly before: RowsBefore
}

/** The positions of the rows that come before one row of other columns in sort order. */
export type RowsBefore = (columns: Columns, length: number, others: Columns, other: number) => number[]

type Columns = readonly (readonly Value[])[]

/** The rows in that order, with turns for others in between: whoever takes them may do nothing that waits. */
async function* gathered(
  store: RowStore,
  order: Uint32Array,
  width: number,
  context: ExecutionContext,
): AsyncGenerator<Batch> {
  for (const batch of store.gather(order, width)) {
    const pause = context.work(batch.length)
    if (pause !== null) await pause
    yield batch
  }
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
      yield* gathered(store, await sortedRows(store.columns, store.length, compare, context), width, context)
      store.clear()
    },
  }
}

/** Rows that are put together before the best are looked for among them. */
const GATHERED = 1_024

/**
 * The first `limit` rows behind the first `offset` in sort order; keeps a small multiple of them in memory. As soon as there
 * are enough, rows behind the last of those are dropped at once.
 */
export function topSource(
  input: Source,
  { addKeys, width, widthWithKeys, compare, before }: SortOptions,
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
      let full = false
      for await (const batch of input.open(context)) {
        const keyed = addKeys(batch, context.frame)
        // Later rows stand behind equal earlier ones, so only what is before the last can be among the first.
        store.append(
          full ? select(keyed, before(keyed.columns, keyed.length, store.columns, keep - 1)) : keyed,
        )
        if (store.length >= GATHERED + 2 * keep) {
          store.retain((await order()).subarray(0, keep))
          full = true
        }
        const pause = context.work(batch.length)
        if (pause !== null) await pause
      }
      yield* gathered(store, (await order()).subarray(skip, keep), width, context)
      store.clear()
    },
  }
}
