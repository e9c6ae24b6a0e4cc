import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch } from '../../compile/batch.ts'
import type { Comparator } from '../../types/compare.ts'
import type { ExecutionContext, Source } from '../context.ts'
import { RowStore } from '../rows/row-store.ts'
import type { PairFilter } from './join.ts'

export interface MergeJoinOptions {
  readonly type: 'inner' | 'left' | 'semi' | 'anti'
  /** Columns that are never NULL and by which both sides come in this order. */
  readonly keys: readonly { readonly left: number; readonly right: number; readonly compare: Comparator }[]
  /** Null: equal keys are a match. */
  readonly filter: PairFilter | null
  readonly leftWidth: number
  readonly rightWidth: number
  /** Which columns to give: positions of left columns, then of right ones behind `leftWidth`. */
  readonly outputs: readonly number[]
}

/** Pairs judged at once, and rows of the right side that are kept although they are behind. */
const PAIRS = 4 * BATCH_ROWS

/**
 * Joins two sides that come sorted by their keys: both are read once, side by side, and of the right one only the rows with the
 * key of the moment are kept. Rows come in the order of the left side.
 */
export function mergeJoinSource(left: Source, right: Source, options: MergeJoinOptions): Source {
  return {
    async *open(context) {
      const rows = new SortedRows(right, options, context)
      const needsPartner = options.type === 'inner' || options.type === 'semi'
      try {
        for await (const batch of left.open(context)) {
          yield* joinBatch(batch, rows, options, context)
          if (needsPartner && rows.ended) return
          const pause = context.work(batch.length)
          if (pause !== null) await pause
        }
      } finally {
        await rows.close()
      }
    },
  }
}

async function* joinBatch(
  batch: Batch,
  right: SortedRows,
  options: MergeJoinOptions,
  context: ExecutionContext,
): AsyncGenerator<Batch> {
  let leftRows: number[] = []
  let rightRows: number[] = []
  /** The first row that nothing was said of yet. */
  let done = 0
  const flush = (end: number): Batch | null => {
    const { filter } = options
    const { columns } = right.store
    const found = leftRows.length
    const count =
      filter === null ? found : filter(batch.columns, columns, leftRows, rightRows, found, context.frame)
    const [lefts, rights] = placed(
      options.type,
      leftRows.slice(0, count),
      rightRows.slice(0, count),
      done,
      end,
    )
    done = end
    leftRows = []
    rightRows = []
    return lefts.length === 0 ? null : gathered(batch, columns, lefts, rights, options)
  }
  for (let row = 0; row < batch.length; row++) {
    for (;;) {
      const wait = right.seek(batch, row)
      if (wait === true) break
      if (wait !== false) {
        await wait
        continue
      }
      // Rows that are behind go, so what pairs were made of them must go first.
      const output = flush(row)
      right.drop()
      if (output !== null) yield output
    }
    for (let candidate = right.from; candidate < right.to; candidate++) {
      leftRows.push(row)
      rightRows.push(candidate)
    }
    if (leftRows.length < PAIRS) continue
    const pause = context.work(leftRows.length)
    if (pause !== null) await pause
    const output = flush(row + 1)
    right.drop()
    if (output !== null) yield output
  }
  const output = flush(batch.length)
  right.drop()
  if (output !== null) yield output
}

/** What is given of the left rows from `start` to `end`, by the pairs that match: positions on both sides, −1 for a row of NULLs. */
function placed(
  type: MergeJoinOptions['type'],
  leftRows: number[],
  rightRows: number[],
  start: number,
  end: number,
): readonly [number[], number[]] {
  if (type === 'inner') return [leftRows, rightRows]
  const lefts: number[] = []
  const rights: number[] = []
  let pair = 0
  for (let row = start; row < end; row++) {
    const matched = leftRows[pair] === row
    if (type === 'left') {
      if (!matched) {
        lefts.push(row)
        rights.push(-1)
      }
      for (; leftRows[pair] === row; pair++) {
        lefts.push(row)
        rights.push(rightRows[pair] as number)
      }
      continue
    }
    while (leftRows[pair] === row) pair++
    if (matched === (type === 'semi')) lefts.push(row)
  }
  return [lefts, rights]
}

function gathered(
  batch: Batch,
  right: readonly (readonly Value[])[],
  lefts: readonly number[],
  rights: readonly number[],
  { outputs, leftWidth }: MergeJoinOptions,
): Batch {
  const columns = outputs.map((position) => {
    const isLeft = position < leftWidth
    const from = (isLeft ? batch.columns[position] : right[position - leftWidth]) as readonly Value[]
    return (isLeft ? lefts : rights).map((row) => (row < 0 ? null : (from[row] as Value)))
  })
  return { length: lefts.length, columns }
}

/** The right side of one run, as far as it is needed. */
class SortedRows {
  readonly store: RowStore
  /** The rows with the key that was looked for last. */
  from = 0
  to = 0
  /** There are no more rows, and those that were left are behind. */
  ended = false
  readonly #rows: AsyncIterator<Batch>
  readonly #keys: MergeJoinOptions['keys']
  /** Nothing more is to come. */
  #over = false

  constructor(source: Source, { keys, rightWidth }: MergeJoinOptions, context: ExecutionContext) {
    this.store = new RowStore(rightWidth, context.memory)
    this.#rows = source.open(context)[Symbol.asyncIterator]()
    this.#keys = keys
  }

  #compare(row: number, batch: Batch, leftRow: number): number {
    for (const { left, right, compare } of this.#keys) {
      const order = compare(
        this.store.columns[right]?.[row] as Value,
        batch.columns[left]?.[leftRow] as Value,
      )
      if (order !== 0) return order
    }
    return 0
  }

  /**
   * Finds the rows with the key of a left row, which comes behind those asked for before. False: too many rows are behind;
   * a promise: more have to be read. Then ask again.
   */
  seek(batch: Batch, row: number): boolean | Promise<void> {
    const { store } = this
    while (this.from < store.length) {
      const order = this.#compare(this.from, batch, row)
      if (order > 0) {
        this.to = this.from
        return true
      }
      if (order === 0) {
        let end = Math.max(this.to, this.from + 1)
        while (end < store.length && this.#compare(end, batch, row) === 0) end++
        this.to = end
        return end < store.length || this.#over ? true : this.#read()
      }
      // A group whose key is less is behind with all its rows.
      this.from = Math.max(this.from + 1, this.to)
      if (this.from >= PAIRS) return false
    }
    this.from = store.length
    this.to = this.from
    if (!this.#over) return this.#read()
    this.ended = true
    return true
  }

  async #read(): Promise<void> {
    const { value, done } = await this.#rows.next()
    if (done === true) this.#over = true
    else this.store.append(value)
  }

  /** Forgets the rows that are behind. */
  drop(): void {
    this.store.drop(this.from)
    this.to -= this.from
    this.from = 0
  }

  async close(): Promise<void> {
    this.store.clear()
    await this.#rows.return?.()
  }
}
