import type { Value } from '@cluster/core'
import { BATCH_ROWS, type Batch } from '../../compile/batch.ts'
import type { ExecutionContext, Source } from '../context.ts'
import { type MemoryAccount, rowsBytes } from '../memory.ts'
import type { RowKeys } from '../rows/distinct.ts'
import { RowStore } from '../rows/row-store.ts'
import { SpillFiles } from '../spill/spill-file.ts'
import { JoinSide, pairsOf, type SpilledSides } from '../spill/spilled-sides.ts'
import type { PairFilter } from './join.ts'
import { JoinTable } from './join-table.ts'

export interface MarkJoinOptions {
  /** True: rows with a match; false: those without. */
  readonly matched: boolean
  /** Keys of both sides; undefined and null match nothing. */
  readonly keys: { readonly left: RowKeys; readonly right: RowKeys }
  /** Null: equal keys are a match. */
  readonly filter: PairFilter | null
  /** The node of the plan, by which EXPLAIN ANALYZE knows it. */
  readonly node: object
  readonly leftWidth: number
  readonly rightWidth: number
  /** Positions of the left columns to give. */
  readonly outputs: readonly number[]
}

/**
 * A semi or anti join whose left side is the smaller one: keeps the left rows, marks those that a row of the right side
 * matches, and gives them in the order they came. Of the right side nothing is kept. When the left side is too large, both go to disk
 * in parts.
 */
export function markJoinSource(left: Source, right: Source, options: MarkJoinOptions): Source {
  const { keys, leftWidth, rightWidth, node } = options
  return {
    async *open(context) {
      const files = new SpillFiles(context, node)
      try {
        yield* marked(left, right, { keys, leftWidth, rightWidth }, files)
      } finally {
        if (files.used) await files.close('hash')
      }
    },
  }

  /** @param level by which rows are divided that are too many; null: they are worked on in blocks */
  async function* marked(
    lefts: Source,
    rights: Source,
    sides: SpilledSides,
    files: SpillFiles,
    level: number | null = 0,
  ): AsyncGenerator<Batch> {
    const { context } = files
    let run = new MarkRun(context, options)
    let spilled: JoinSide | null = null
    try {
      for await (const batch of lefts.open(context)) {
        if (spilled !== null) await spilled.add(batch)
        else {
          run.append(batch)
          if (run.account.over && level !== null) {
            spilled = await JoinSide.make(files, sides, 'left', level)
            await run.moveTo(spilled)
          } else if (run.account.over) {
            yield* run.rows(rights)
            files.kept(run.account)
            run.close()
            run = new MarkRun(context, options)
          }
        }
        const pause = context.work(batch.length)
        if (pause !== null) await pause
      }
      files.kept(run.account)
      if (spilled === null) {
        yield* run.rows(rights)
        return
      }
      const other = await JoinSide.make(files, sides, 'right', level ?? 0)
      for await (const batch of rights.open(context)) {
        await other.add(batch)
        const pause = context.work(batch.length)
        if (pause !== null) await pause
      }
      if (level === 0) files.batches = 1
      for (const { own, others, useful } of await pairsOf(spilled, other, (level ?? 0) + 1)) {
        if (own.length === 0) continue
        files.batches++
        yield* marked(own.source, others.source, sides, files, useful ? (level ?? 0) + 1 : null)
      }
      await spilled.remove()
      await other.remove()
    } finally {
      run.close()
    }
  }
}

/** Left rows in memory, and which of them were met. */
class MarkRun {
  readonly #context: ExecutionContext
  readonly #options: MarkJoinOptions
  readonly #store: RowStore
  readonly #table = new JoinTable()

  constructor(context: ExecutionContext, options: MarkJoinOptions) {
    this.#context = context
    this.#options = options
    this.#store = new RowStore(options.leftWidth, context.memory)
  }

  get account(): MemoryAccount {
    return this.#store.account
  }

  append(batch: Batch): void {
    this.#store.append(batch)
    const values = this.#options.keys.left(batch, this.#context.frame)
    this.#table.add(values, batch.length)
    this.account.take(rowsBytes([values as readonly Value[]], batch.length))
  }

  /** Puts the rows somewhere else. Nothing more is added. */
  async moveTo(side: JoinSide): Promise<void> {
    await this.#store.moveTo(side.add, this.#context)
  }

  /** Those of the rows that the operator gives, for a right side that is read to where none can be marked any more. */
  async *rows(right: Source): AsyncGenerator<Batch> {
    const { keys, filter, matched, outputs } = this.#options
    const [context, store, table] = [this.#context, this.#store, this.#table]
    while (table.link(BATCH_ROWS)) {
      const pause = context.work(BATCH_ROWS)
      if (pause !== null) await pause
    }
    if (store.length === 0) return
    const marks = new Uint8Array(store.length)
    let open = store.length
    for await (const { length, columns } of right.open(context)) {
      const values = keys.right({ length, columns }, context.frame)
      const leftRows: number[] = []
      const rightRows: number[] = []
      for (let row = 0; row < length; row++) {
        for (let candidate = table.first(values[row]); candidate >= 0; candidate = table.after(candidate)) {
          if (marks[candidate] === 1) continue
          leftRows.push(candidate)
          rightRows.push(row)
          if (leftRows.length < BATCH_ROWS) continue
          mark(leftRows, rightRows, columns)
          const pause = context.work(BATCH_ROWS)
          if (pause !== null) await pause
        }
      }
      mark(leftRows, rightRows, columns)
      const pause = context.work(length)
      if (pause !== null) await pause
      if (open === 0) break
    }
    const rows: number[] = []
    for (let row = 0; row < marks.length; row++) if ((marks[row] === 1) === matched) rows.push(row)
    for (const batch of store.gather(rows)) {
      const pause = context.work(batch.length)
      if (pause !== null) await pause
      yield { length: batch.length, columns: outputs.map((position) => batch.columns[position] ?? []) }
    }

    /** Marks the left rows of the pairs that match, and empties the lists. */
    function mark(leftRows: number[], rightRows: number[], columns: Parameters<PairFilter>[1]): void {
      const count =
        filter === null
          ? leftRows.length
          : filter(store.columns, columns, leftRows, rightRows, leftRows.length, context.frame)
      for (let pair = 0; pair < count; pair++) {
        const row = leftRows[pair] as number
        if (marks[row] === 0) open--
        marks[row] = 1
      }
      leftRows.length = 0
      rightRows.length = 0
    }
  }

  close(): void {
    this.#store.clear()
  }
}
