import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch } from '../../compile/batch.ts'
import type { ExecutionContext } from '../context.ts'
import type { MemoryAccount } from '../memory.ts'
import type { RowComparator } from '../rows/sorted-rows.ts'
import type { SpillFile, SpillFiles } from './spill-file.ts'
import { SpilledRows } from './spilled-rows.ts'

/** Runs that are merged at once, at least … */
const RUNS_MIN = 4
/** … and at most. */
const RUNS_MAX = 64

/** A run of sorted rows, in a file of which it may be one of many. */
export interface Run {
  readonly rows: SpilledRows
  readonly file: SpillFile
}

/**
 * Merges runs, each sorted, into one. Of equal rows those of an earlier run come first. When there are too many for memory, groups of
 * them are merged to longer ones before.
 * @param width of the rows on disk
 */
export async function* mergedRuns(
  runs: readonly Run[],
  width: number,
  compare: RowComparator,
  files: SpillFiles,
  account: MemoryAccount,
): AsyncGenerator<Batch> {
  let level = runs
  for (;;) {
    const most = atOnce(level, account)
    if (level.length <= most) break
    const file = await files.create()
    const longer: Run[] = []
    for (let start = 0; start < level.length; start += most) {
      const group = level.slice(start, start + most)
      const rows = new SpilledRows(file, width)
      for await (const batch of merged(group, width, compare, files.context, account))
        await rows.append(batch)
      await rows.finish()
      longer.push({ rows, file })
    }
    for (const old of new Set(level.map((run) => run.file))) await old.remove()
    level = longer
  }
  yield* merged(level, width, compare, files.context, account)
}

/** How many runs have room for one chunk each, where the statement may keep as much as it should. */
function atOnce(runs: readonly Run[], account: MemoryAccount): number {
  const chunk = runs.reduce((most, { rows }) => Math.max(most, rows.chunkBytes), 1)
  return Math.max(RUNS_MIN, Math.min(RUNS_MAX, Math.floor(account.budget.spillBytes / 2 / chunk)))
}

async function* merged(
  runs: readonly Run[],
  width: number,
  compare: RowComparator,
  context: ExecutionContext,
  account: MemoryAccount,
): AsyncGenerator<Batch> {
  const bytes = runs.reduce((sum, { rows }) => sum + rows.chunkBytes, 0)
  account.take(bytes)
  try {
    const window = new MergeWindow(runs, width, compare)
    await window.begin()
    for (;;) {
      const batch = await window.take()
      if (batch === null) return
      const pause = context.work(batch.length)
      if (pause !== null) await pause
      yield batch
    }
  } finally {
    account.give(bytes)
  }
}

/** A chunk of each run, side by side in long columns, so that rows of different runs are compared by their positions. */
class MergeWindow {
  readonly #runs: readonly Run[]
  readonly #compare: RowComparator
  readonly #columns: Value[][]
  /** For each run: its next chunk, the position of its first row that was not taken, and the end of those that are there. */
  readonly #chunk: Int32Array
  readonly #at: Int32Array
  readonly #end: Int32Array
  /** Runs that have rows, as a heap: the one with the first row on top. */
  readonly #heap: number[] = []

  constructor(runs: readonly Run[], width: number, compare: RowComparator) {
    this.#runs = runs
    this.#compare = compare
    this.#columns = Array.from({ length: width }, () => [])
    this.#chunk = new Int32Array(runs.length)
    this.#at = new Int32Array(runs.length)
    this.#end = new Int32Array(runs.length)
  }

  async begin(): Promise<void> {
    for (let run = 0; run < this.#runs.length; run++) if (await this.#load(run)) this.#heap.push(run)
    for (let i = (this.#heap.length >> 1) - 1; i >= 0; i--) this.#sink(i)
  }

  /** Puts the next chunk of a run in its place. @returns false when there is none */
  async #load(run: number): Promise<boolean> {
    const { rows } = this.#runs[run] as Run
    const position = this.#chunk[run] as number
    if (position >= rows.chunks) return false
    this.#chunk[run] = position + 1
    const { length, columns } = await rows.chunk(position)
    const start = run * BATCH_ROWS
    for (const [c, column] of columns.entries()) {
      const target = this.#columns[c] as Value[]
      while (target.length < start) target.push(null)
      for (let i = 0; i < length; i++) target[start + i] = column[i] as Value
    }
    this.#at[run] = start
    this.#end[run] = start + length
    return true
  }

  /** The next rows; null: there are no more. */
  async take(): Promise<Batch | null> {
    const columns: Value[][] = this.#columns.map(() => [])
    let length = 0
    while (length < BATCH_ROWS && this.#heap.length > 0) {
      const run = this.#heap[0] as number
      const row = this.#at[run] as number
      for (let c = 0; c < columns.length; c++)
        (columns[c] as Value[]).push((this.#columns[c] as Value[])[row] as Value)
      length++
      this.#at[run] = row + 1
      if (row + 1 >= (this.#end[run] as number) && !(await this.#load(run))) {
        const last = this.#heap.pop() as number
        if (this.#heap.length === 0) break
        if (last !== run) this.#heap[0] = last
      }
      this.#sink(0)
    }
    return length === 0 ? null : { length, columns }
  }

  #before(run: number, other: number): boolean {
    const order = this.#compare(this.#columns, this.#at[run] as number, this.#at[other] as number)
    return order === 0 ? run < other : order < 0
  }

  #sink(from: number): void {
    const heap = this.#heap
    const run = heap[from] as number
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#before(heap[child + 1] as number, heap[child] as number)) child++
      if (!this.#before(heap[child] as number, run)) break
      heap[place] = heap[child] as number
      place = child
    }
    heap[place] = run
  }
}
