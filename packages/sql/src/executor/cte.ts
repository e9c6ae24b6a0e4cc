import type { Value } from '@cluster/core'
import type { Batch } from '../compile/batch.ts'
import type { ExecutionContext, Source, TableRows } from './context.ts'
import { type RowKeys, select } from './distinct.ts'

/** They are made when somebody asks, and then kept. */
export class SharedRows implements TableRows {
  readonly #batches: Batch[]
  readonly #context: ExecutionContext | null
  readonly #width: number
  #rest: AsyncIterator<Batch> | null

  private constructor(
    batches: Batch[],
    rest: AsyncIterator<Batch> | null,
    context: ExecutionContext | null,
    width: number,
  ) {
    this.#batches = batches
    this.#rest = rest
    this.#context = context
    this.#width = width
  }

  /** Rows that are there; whoever made them counts their memory. */
  static of(batches: readonly Batch[]): SharedRows {
    return new SharedRows([...batches], null, null, 0)
  }

  static from(source: Source, width: number, context: ExecutionContext): SharedRows {
    return new SharedRows([], source.open(context)[Symbol.asyncIterator](), context, width)
  }

  async *read(): AsyncGenerator<Batch> {
    for (let i = 0; ; i++) {
      while (i >= this.#batches.length) if (!(await this.#more())) return
      yield this.#batches[i] as Batch
    }
  }

  /** Reads one batch more. @returns false when there is none */
  async #more(): Promise<boolean> {
    const rest = this.#rest
    if (rest === null) return false
    const next = await rest.next()
    if (next.done === true) {
      this.#rest = null
      return false
    }
    this.#context?.memory.take(next.value.length, this.#width)
    this.#batches.push(next.value)
    return true
  }

  async close(): Promise<void> {
    const rows = this.#batches.reduce((sum, { length }) => sum + length, 0)
    this.#context?.memory.give(rows, this.#width)
    this.#batches.length = 0
    const rest = this.#rest
    this.#rest = null
    await rest?.return?.()
  }
}

export interface SharedTable {
  readonly id: number
  readonly source: Source
  readonly width: number
}

/** Gives the rows of `input`, for which the tables are there. Each is computed at most once, as far as it is read. */
export function withSource(tables: readonly SharedTable[], input: Source): Source {
  return {
    async *open(context) {
      const made: SharedRows[] = []
      for (const { id, source, width } of tables) {
        const rows = SharedRows.from(source, width, context)
        context.tables.set(id, rows)
        made.push(rows)
      }
      try {
        yield* input.open(context)
      } finally {
        for (const rows of made) await rows.close()
      }
    },
  }
}

/** Reads a shared table. */
export function cteSource(id: number, positions: readonly number[]): Source {
  return {
    async *open(context) {
      const rows = context.tables.get(id)
      if (rows === undefined) throw new TypeError(`WITH table ${id} is read where it does not exist`)
      for await (const batch of rows.read()) {
        const pause = context.work(batch.length)
        if (pause !== null) await pause
        const columns = positions.map((position) => batch.columns[position] as readonly Value[])
        yield { length: batch.length, columns }
      }
    },
  }
}

export interface RecursiveOptions {
  /** Under which `step` reads the rows of the last turn. */
  readonly id: number
  readonly width: number
  /** Keys by which rows that came before are dropped; null: none are. */
  readonly keys: RowKeys | null
}

/** The rows of `base`, then those that `step` makes of the rows of the last turn, until it makes none. */
export function recursiveSource(base: Source, step: Source, { id, width, keys }: RecursiveOptions): Source {
  return {
    async *open(context) {
      const seen = new Set<unknown>()
      const fresh = (batch: Batch): Batch => {
        if (keys === null) return batch
        const rows: number[] = []
        keys(batch, context.frame).forEach((key, row) => {
          if (seen.has(key)) return
          seen.add(key)
          rows.push(row)
        })
        context.memory.take(rows.length, width)
        return select(batch, rows)
      }
      let turn: Source = base
      let last: Batch[] = []
      let lastRows = 0
      do {
        const batches: Batch[] = []
        let rows = 0
        for await (const batch of turn.open(context)) {
          const made = fresh(batch)
          const pause = context.work(batch.length)
          if (pause !== null) await pause
          if (made.length === 0) continue
          context.memory.take(made.length, width)
          batches.push(made)
          rows += made.length
          yield made
        }
        context.memory.give(lastRows, width)
        last = batches
        lastRows = rows
        turn = step
        context.tables.set(id, SharedRows.of(last))
        const pause = context.work(1)
        if (pause !== null) await pause
      } while (last.length > 0)
      context.memory.give(seen.size, width)
    },
  }
}
