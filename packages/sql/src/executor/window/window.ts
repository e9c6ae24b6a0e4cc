import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch } from '../../compile/batch.ts'
import type { ExecutionContext, Source } from '../context.ts'
import type { Mapper } from '../pipeline.ts'
import { RowStore } from '../row-store.ts'
import type { RowComparator } from '../sorted-rows.ts'
import type { WindowEvaluator } from './functions.ts'
import { Partition } from './partition.ts'

export interface WindowOptions {
  /** Adds what the functions are computed from behind the columns of the input. */
  readonly addArguments: Mapper
  /** Columns of the input. */
  readonly width: number
  /** Columns with what is added. */
  readonly widthWithArguments: number
  /** Zero for two rows of one partition. */
  readonly partition: RowComparator
  /** Zero for two rows that the order does not tell apart. */
  readonly peers: RowComparator
  readonly calls: readonly WindowEvaluator[]
}

/** Adds a column for each call. The input comes sorted; one partition at a time is kept in memory. */
export function windowSource(input: Source, options: WindowOptions): Source {
  const { addArguments, width, widthWithArguments, partition } = options
  return {
    async *open(context) {
      const store = new RowStore(widthWithArguments, context.memory)
      for await (const batch of input.open(context)) {
        const from = store.length
        store.append(addArguments(batch, context.frame))
        const borders: number[] = []
        for (let row = Math.max(1, from); row < store.length; row++)
          if (partition(store.columns, row - 1, row) !== 0) borders.push(row)
        const pause = context.work(batch.length)
        if (pause !== null) await pause
        const last = borders.at(-1)
        if (last === undefined) continue
        yield* computed(store, borders, options, context)
        store.drop(last)
      }
      if (store.length > 0) yield* computed(store, [store.length], options, context)
      store.clear()
    },
  }

  /** The rows of the partitions that end at the borders. */
  async function* computed(
    store: RowStore,
    borders: readonly number[],
    { calls, peers }: WindowOptions,
    context: ExecutionContext,
  ): AsyncGenerator<Batch> {
    const results: Value[][] = calls.map(() => [])
    let from = 0
    for (const to of borders) {
      const rows = new Partition(store.columns, from, to, peers)
      for (const [c, call] of calls.entries()) {
        const values = await finished(call(rows, context.frame), context)
        const result = results[c] as Value[]
        if (borders.length === 1) results[c] = values
        else for (const value of values) result.push(value)
      }
      from = to
    }
    for (let start = 0; start < from; start += BATCH_ROWS) {
      const end = Math.min(from, start + BATCH_ROWS)
      const columns = [...store.columns.slice(0, width), ...results].map((column) => column.slice(start, end))
      yield { length: end - start, columns }
    }
  }
}

async function finished<T>(work: Generator<number, T>, context: ExecutionContext): Promise<T> {
  for (;;) {
    const turn = work.next()
    if (turn.done === true) return turn.value
    const pause = context.work(turn.value)
    if (pause !== null) await pause
  }
}
