import type { Value } from '@cluster/core'
import type { Batch, Frame } from '../../compile/batch.ts'
import type { Source } from '../context.ts'
import { MemoryAccount, rowsBytes } from '../memory.ts'
import { mergedRuns, type Run } from '../spill/merge-runs.ts'
import { Partitions } from '../spill/partitions.ts'
import { type SpillFile, SpillFiles } from '../spill/spill-file.ts'
import { SpilledRows } from '../spill/spilled-rows.ts'
import type { RowComparator } from './sorted-rows.ts'

/** The hash key of every row: equal rows have equal keys, by SQL's equality with NULL equal to NULL. */
export type RowKeys = (batch: Batch, frame: Frame) => readonly unknown[]

export interface DistinctOptions {
  /** The node of the plan, by which EXPLAIN ANALYZE knows it. */
  readonly node: object
  readonly keysOf: RowKeys
  /** Columns of the input. */
  readonly width: number
}

/** Lets the first row of each key through, in the order they come. */
export function distinctSource(input: Source, options: DistinctOptions): Source {
  return {
    async *open(context) {
      const account = new MemoryAccount(context.memory)
      const files = new SpillFiles(context, options.node)
      files.batches = 1
      try {
        let seen = new Set<unknown>()
        let rest: Rest | null = null
        for await (const batch of input.open(context)) {
          const keys = options.keysOf(batch, context.frame)
          const fresh: number[] = []
          for (let i = 0; i < batch.length; i++) {
            if (seen.has(keys[i])) continue
            fresh.push(i)
            if (rest === null) seen.add(keys[i])
          }
          const pause = context.work(batch.length)
          if (pause !== null) await pause
          if (fresh.length === 0) continue
          if (rest !== null) {
            await rest.add(batch, keys, fresh)
            continue
          }
          const some = select(batch, fresh)
          account.take(rowsBytes(some.columns, some.length))
          if (account.over) rest = await Rest.make(files, account, options)
          yield some
        }
        if (rest === null) return
        seen = new Set()
        account.clear()
        yield* rest.rows()
      } finally {
        account.clear()
        files.kept(account)
        if (files.used) await files.close('hash')
      }
    },
  }
}

const byNumber: (position: number) => RowComparator = (position) => (columns, a, b) =>
  (columns[position]?.[a] as number) - (columns[position]?.[b] as number)

/**
 * Rows whose keys found no room in memory, with their numbers. One partition after another loses its duplicates; what is left is put
 * in order by the numbers, since those who sorted the input rely on its order.
 */
class Rest {
  readonly #files: SpillFiles
  readonly #account: MemoryAccount
  readonly #options: DistinctOptions
  readonly #partitions: Partitions
  #number = 0

  private constructor(
    files: SpillFiles,
    account: MemoryAccount,
    options: DistinctOptions,
    partitions: Partitions,
  ) {
    this.#files = files
    this.#account = account
    this.#options = options
    this.#partitions = partitions
  }

  static async make(files: SpillFiles, account: MemoryAccount, options: DistinctOptions): Promise<Rest> {
    return new Rest(files, account, options, await Partitions.make(files, options.width + 1, 0))
  }

  /** Adds the rows of a batch at the positions. */
  async add(batch: Batch, keys: readonly unknown[], positions: readonly number[]): Promise<void> {
    const some = select(batch, positions)
    const first = this.#number
    this.#number += some.length
    const numbers = positions.map((_, i) => first + i)
    const numbered = { length: some.length, columns: [...some.columns, numbers] }
    await this.#partitions.add(
      numbered,
      positions.map((position) => keys[position]),
    )
  }

  async *rows(): AsyncGenerator<Batch> {
    const { width } = this.#options
    const runs: Run[] = []
    const file = await this.#files.create()
    await this.#reduce(this.#partitions, 1, runs, file)
    const merged = mergedRuns(runs, width + 1, byNumber(width), this.#files, this.#account)
    for await (const { length, columns } of merged) yield { length, columns: columns.slice(0, width) }
  }

  /** The first row of each key in the partitions, as runs in order of their numbers. */
  async #reduce(partitions: Partitions, level: number, runs: Run[], file: SpillFile): Promise<void> {
    await partitions.finish()
    for (const rows of partitions.parts) {
      if (rows.length === 0) continue
      this.#files.batches++
      const rest = await this.#first(rows, level, runs, file)
      if (rest !== null) await this.#reduce(rest, level + 1, runs, file)
    }
    await partitions.remove()
  }

  /** @returns rows whose keys found no room here either */
  async #first(rows: SpilledRows, level: number, runs: Run[], file: SpillFile): Promise<Partitions | null> {
    const { context } = this.#files
    const { keysOf, width } = this.#options
    const kept = new SpilledRows(file, width + 1)
    const seen = new Set<unknown>()
    let rest: Partitions | null = null
    for await (const batch of rows.read(context)) {
      const keys = keysOf(batch, context.frame)
      const fresh: number[] = []
      for (let i = 0; i < batch.length; i++) {
        if (seen.has(keys[i])) continue
        fresh.push(i)
        if (rest === null) seen.add(keys[i])
      }
      if (rest !== null) {
        await rest.add(
          batch,
          fresh.map((position) => keys[position]),
          fresh,
        )
        continue
      }
      const some = select(batch, fresh)
      await kept.append(some)
      this.#account.take(rowsBytes(some.columns, some.length))
      if (this.#account.over) rest = await Partitions.make(this.#files, width + 1, level)
    }
    this.#account.clear()
    await kept.finish()
    if (kept.length > 0) runs.push({ rows: kept, file })
    return rest
  }
}

/** The rows of a batch at these positions. */
export function select(batch: Batch, rows: readonly number[]): Batch {
  if (rows.length === batch.length) return batch
  return {
    length: rows.length,
    columns: batch.columns.map((column) => rows.map((row) => column[row] as Value)),
  }
}
