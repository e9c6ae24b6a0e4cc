import type { Value } from '@cluster/core'
import type { Batch } from '../../compile/batch.ts'
import type { ExecutionContext, Source } from '../context.ts'
import type { CountsOf } from '../limit.ts'
import type { Mapper } from '../pipeline.ts'
import { mergedRuns, type Run } from '../spill/merge-runs.ts'
import { type SpillFile, SpillFiles } from '../spill/spill-file.ts'
import { SpilledRows } from '../spill/spilled-rows.ts'
import { select } from './distinct.ts'
import { RowStore } from './row-store.ts'
import { type RowComparator, sortedRows } from './sorted-rows.ts'

export interface SortOptions {
  /** The node of the plan, by which EXPLAIN ANALYZE knows it. */
  readonly node: object
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

/** A row's place in the lists of positions that sorting needs. */
const ORDER_BYTES = 8

/** Rows to be sorted: in memory, and what does not fit there in sorted runs on disk. */
class Sorter {
  readonly store: RowStore
  readonly #context: ExecutionContext
  readonly #options: SortOptions
  readonly #keep: number
  readonly #files: SpillFiles
  #file: SpillFile | null = null
  readonly #runs: Run[] = []

  /** @param keep so many of the first rows are wanted */
  constructor(context: ExecutionContext, options: SortOptions, keep: number) {
    this.#context = context
    this.#options = options
    this.#keep = keep
    this.store = new RowStore(options.widthWithKeys, context.memory)
    this.#files = new SpillFiles(context, options.node)
  }

  /** Adds rows with their keys. @throws 53200, 53100, 53400, 58030 */
  append(batch: Batch): void {
    this.store.append(batch)
    this.store.account.take(batch.length * ORDER_BYTES)
  }

  get isOver(): boolean {
    return this.store.account.over
  }

  order(): Promise<Uint32Array> {
    const { columns, length } = this.store
    return sortedRows(columns, length, this.#options.compare, this.#context)
  }

  /** Writes what is in memory as a run. */
  async spill(): Promise<void> {
    const { store } = this
    if (store.length === 0) return
    this.#file ??= await this.#files.create()
    const rows = new SpilledRows(this.#file, this.#options.widthWithKeys)
    const order = (await this.order()).subarray(0, Math.min(store.length, this.#keep))
    for (const batch of store.gather(order)) {
      await rows.append(batch)
      const pause = this.#context.work(batch.length)
      if (pause !== null) await pause
    }
    await rows.finish()
    this.#runs.push({ rows, file: this.#file })
    store.clear()
  }

  /** The sorted rows without the first `skip`, with turns for others in between: whoever takes them may do nothing that waits. */
  async *rows(skip: number): AsyncGenerator<Batch> {
    const { width, widthWithKeys, compare } = this.#options
    const end = this.#keep
    if (this.#runs.length === 0) {
      const order = (await this.order()).subarray(skip, Math.min(this.store.length, end))
      for (const batch of this.store.gather(order, width)) {
        const pause = this.#context.work(batch.length)
        if (pause !== null) await pause
        yield batch
      }
      return
    }
    await this.spill()
    this.#files.batches = this.#runs.length
    let at = 0
    for await (const batch of mergedRuns(
      this.#runs,
      widthWithKeys,
      compare,
      this.#files,
      this.store.account,
    )) {
      const from = Math.max(0, skip - at)
      const to = Math.min(batch.length, end - at)
      at += batch.length
      if (from < to)
        yield {
          length: to - from,
          columns: batch.columns.slice(0, width).map((column) => cut(column, from, to)),
        }
      if (at >= end) return
    }
  }

  async close(): Promise<void> {
    this.store.clear()
    if (this.#files.used) await this.#files.close('sort')
  }
}

const cut = (column: readonly Value[], from: number, to: number): readonly Value[] =>
  from === 0 && to === column.length ? column : column.slice(from, to)

/** Stable: rows with equal keys stay in the order they came. What does not fit in memory is sorted in runs on disk. */
export function sortSource(input: Source, options: SortOptions): Source {
  return {
    async *open(context) {
      const sorter = new Sorter(context, options, Number.POSITIVE_INFINITY)
      try {
        for await (const batch of input.open(context)) {
          sorter.append(options.addKeys(batch, context.frame))
          if (sorter.isOver) await sorter.spill()
          const pause = context.work(batch.length)
          if (pause !== null) await pause
        }
        yield* sorter.rows(0)
      } finally {
        await sorter.close()
      }
    },
  }
}

/** Rows that are put together before the best are looked for among them. */
const GATHERED = 1_024

/**
 * The first `limit` rows behind the first `offset` in sort order; keeps a small multiple of them in memory. As soon as there
 * are enough, rows behind the last of those are dropped at once.
 */
export function topSource(input: Source, options: SortOptions, countsOf: CountsOf): Source {
  const { addKeys, before } = options
  return {
    async *open(context) {
      const { limit, offset } = await countsOf(context)
      const skip = offset ?? 0
      const keep = skip + (limit ?? Number.POSITIVE_INFINITY)
      if (keep === skip) return
      const sorter = new Sorter(context, options, keep)
      const { store } = sorter
      let full = false
      try {
        for await (const batch of input.open(context)) {
          const keyed = addKeys(batch, context.frame)
          // Later rows stand behind equal earlier ones, so only what is before the last can be among the first.
          sorter.append(
            full ? select(keyed, before(keyed.columns, keyed.length, store.columns, keep - 1)) : keyed,
          )
          if (store.length >= GATHERED + 2 * keep || (sorter.isOver && store.length >= 2 * keep)) {
            store.retain((await sorter.order()).subarray(0, keep))
            full = true
          }
          if (sorter.isOver) {
            await sorter.spill()
            full = false
          }
          const pause = context.work(batch.length)
          if (pause !== null) await pause
        }
        yield* sorter.rows(skip)
      } finally {
        await sorter.close()
      }
    },
  }
}
