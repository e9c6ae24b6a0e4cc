import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch } from '../../compile/batch.ts'
import type { ExecutionContext, Source } from '../context.ts'
import { MemoryAccount, rowsBytes } from '../memory.ts'
import type { Mapper } from '../pipeline.ts'
import { RowStore } from '../rows/row-store.ts'
import type { RowComparator } from '../rows/sorted-rows.ts'
import { SpillFiles } from '../spill/spill-file.ts'
import { SpilledRows } from '../spill/spilled-rows.ts'
import type { WindowEvaluator } from './functions.ts'
import { Partition } from './partition.ts'

export interface WindowOptions {
  /** The node of the plan, by which EXPLAIN ANALYZE knows it. */
  readonly node: object
  /** Adds what the functions are computed from behind the columns of the input. */
  readonly addArguments: Mapper
  /** Columns of the input. */
  readonly width: number
  /** Columns with what is added. */
  readonly widthWithArguments: number
  /** Columns of the input that functions, partitions and order are computed from. */
  readonly asked: ReadonlySet<number>
  /** Zero for two rows of one partition. */
  readonly partition: RowComparator
  /** Zero for two rows that the order does not tell apart. */
  readonly peers: RowComparator
  readonly calls: readonly WindowEvaluator[]
}

/**
 * Adds a column for each call. The input comes sorted; one partition at a time is kept: what the functions are computed from in memory, and
 * the other columns on disk when they are too many.
 */
export function windowSource(input: Source, options: WindowOptions): Source {
  const { addArguments, width, widthWithArguments, asked, partition, node } = options
  const positions = Array.from({ length: widthWithArguments }, (_, position) => position)
  const kept = positions.filter((position) => position >= width || asked.has(position))
  const passing = positions.filter((position) => position < width && !asked.has(position))
  return {
    async *open(context) {
      const files = new SpillFiles(context, node)
      const store = new RowStore(kept.length, context.memory)
      const others = new PassingRows(passing.length, files)
      // The columns by their positions; nobody reads those that only pass.
      const columns = positions.map((position) => store.columns[kept.indexOf(position)] ?? [])
      try {
        for await (const batch of input.open(context)) {
          const from = store.length
          const made = addArguments(batch, context.frame)
          store.append(chosen(made, kept))
          const writing = others.append(chosen(made, passing), store.account.over)
          if (writing !== null) await writing
          const borders: number[] = []
          for (let row = Math.max(1, from); row < store.length; row++)
            if (partition(columns, row - 1, row) !== 0) borders.push(row)
          const pause = context.work(batch.length)
          if (pause !== null) await pause
          const last = borders.at(-1)
          if (last === undefined) continue
          yield* computed(columns, borders, others, context)
          store.drop(last)
        }
        if (store.length > 0) yield* computed(columns, [store.length], others, context)
      } finally {
        files.kept(store.account)
        store.clear()
        others.close()
        if (files.used) await files.close('rows')
      }
    },
  }

  /** The rows of the partitions that end at the borders; the others forget them. */
  async function* computed(
    columns: readonly (readonly Value[])[],
    borders: readonly number[],
    others: PassingRows,
    context: ExecutionContext,
  ): AsyncGenerator<Batch> {
    const { calls, peers } = options
    const account = new MemoryAccount(context.memory)
    try {
      const results: Value[][] = calls.map(() => [])
      let from = 0
      for (const to of borders) {
        const rows = new Partition(columns, from, to, peers)
        for (const [c, call] of calls.entries()) {
          const values = await finished(call(rows, context.frame), context)
          const result = results[c] as Value[]
          if (borders.length === 1) results[c] = values
          else for (const value of values) result.push(value)
        }
        from = to
      }
      account.take(rowsBytes(results, from))
      let start = 0
      for await (const part of others.take(from)) {
        const end = start + part.length
        const own = positions.slice(0, width).map((position) => {
          const place = passing.indexOf(position)
          return place < 0 ? (columns[position] ?? []).slice(start, end) : (part.columns[place] ?? [])
        })
        yield { length: part.length, columns: [...own, ...results.map((column) => column.slice(start, end))] }
        start = end
      }
    } finally {
      account.clear()
    }
  }
}

const chosen = ({ length, columns }: Batch, positions: readonly number[]): Batch => ({
  length,
  columns: positions.map((position) => columns[position] as readonly Value[]),
})

/** Rows that come out as they went in, first come first served: in memory, or on disk from when they were too many. */
class PassingRows {
  readonly #files: SpillFiles
  readonly #width: number
  readonly #store: RowStore
  #disk: SpilledRows | null = null
  /** The first row on disk that was not taken: its chunk, and the place in it. */
  #chunk = 0
  #row = 0

  constructor(width: number, files: SpillFiles) {
    this.#files = files
    this.#width = width
    this.#store = new RowStore(width, files.context.memory)
  }

  /**
   * Adds rows.
   * @param over true: others keep too much
   * @returns what has to be waited for; null: nothing
   */
  append(batch: Batch, over: boolean): Promise<void> | null {
    if (this.#disk !== null) return this.#disk.append(batch)
    this.#store.append(batch)
    return this.#width > 0 && (over || this.#store.account.over) ? this.#spill() : null
  }

  async #spill(): Promise<void> {
    const rows = new SpilledRows(await this.#files.create(), this.#width)
    this.#disk = rows
    this.#files.kept(this.#store.account)
    await this.#store.moveTo((batch) => rows.append(batch), this.#files.context)
  }

  /** The first `count` rows, which are forgotten. */
  async *take(count: number): AsyncGenerator<Batch> {
    if (this.#disk !== null) {
      yield* this.#takeFrom(this.#disk, count)
      return
    }
    for (let start = 0; start < count; start += BATCH_ROWS) {
      const end = Math.min(count, start + BATCH_ROWS)
      yield { length: end - start, columns: this.#store.columns.map((column) => column.slice(start, end)) }
    }
    this.#store.drop(count)
  }

  async *#takeFrom(disk: SpilledRows, count: number): AsyncGenerator<Batch> {
    const { context } = this.#files
    await disk.finish()
    let left = count
    while (left > 0) {
      const { length, columns } = await disk.chunk(this.#chunk)
      const [start, end] = [this.#row, Math.min(length, this.#row + left)]
      left -= end - start
      this.#row = end
      if (end === length) {
        this.#chunk++
        this.#row = 0
      }
      const pause = context.work(end - start)
      if (pause !== null) await pause
      yield { length: end - start, columns: columns.map((column) => column.slice(start, end)) }
    }
  }

  close(): void {
    this.#store.clear()
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
