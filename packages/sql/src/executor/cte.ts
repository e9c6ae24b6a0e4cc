import type { Value } from '@cluster/core'
import type { Batch } from '../compile/batch.ts'
import type { ExecutionContext, Source, TableRows } from './context.ts'
import { type RowKeys, select } from './distinct.ts'
import { MemoryAccount, rowsBytes } from './memory.ts'

/** They are made when somebody asks, and then kept. */
export class SharedRows implements TableRows {
  readonly #batches: Batch[]
  readonly #account: MemoryAccount | null
  #rest: AsyncIterator<Batch> | null

  private constructor(batches: Batch[], rest: AsyncIterator<Batch> | null, context: ExecutionContext | null) {
    this.#batches = batches
    this.#rest = rest
    this.#account = context === null ? null : new MemoryAccount(context.memory)
  }

  /** Rows that are there; whoever made them counts their memory. */
  static of(batches: readonly Batch[]): SharedRows {
    return new SharedRows([...batches], null, null)
  }

  static from(source: Source, context: ExecutionContext): SharedRows {
    return new SharedRows([], source.open(context)[Symbol.asyncIterator](), context)
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
    this.#account?.take(rowsBytes(next.value.columns, next.value.length))
    this.#batches.push(next.value)
    return true
  }

  async close(): Promise<void> {
    this.#account?.clear()
    this.#batches.length = 0
    const rest = this.#rest
    this.#rest = null
    await rest?.return?.()
  }
}

export interface SharedTable {
  readonly id: number
  readonly source: Source
}

/** Gives the rows of `input`, for which the tables are there. Each is computed at most once, as far as it is read. */
export function withSource(tables: readonly SharedTable[], input: Source): Source {
  return {
    async *open(context) {
      const made: SharedRows[] = []
      for (const { id, source } of tables) {
        const rows = SharedRows.from(source, context)
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
  /** Keys by which rows that came before are dropped; null: none are. */
  readonly keys: RowKeys | null
}

/** The rows of `base`, then those that `step` makes of the rows of the last turn, until it makes none. */
export function recursiveSource(base: Source, step: Source, { id, keys }: RecursiveOptions): Source {
  return {
    async *open(context) {
      const seen = new Set<unknown>()
      const known = new MemoryAccount(context.memory)
      const fresh = (batch: Batch): Batch => {
        if (keys === null) return batch
        const rows: number[] = []
        keys(batch, context.frame).forEach((key, row) => {
          if (seen.has(key)) return
          seen.add(key)
          rows.push(row)
        })
        const made = select(batch, rows)
        known.take(rowsBytes(made.columns, made.length))
        return made
      }
      let turn: Source = base
      let last: Batch[] = []
      let before = new MemoryAccount(context.memory)
      do {
        const batches: Batch[] = []
        const account = new MemoryAccount(context.memory)
        for await (const batch of turn.open(context)) {
          const made = fresh(batch)
          const pause = context.work(batch.length)
          if (pause !== null) await pause
          if (made.length === 0) continue
          account.take(rowsBytes(made.columns, made.length))
          batches.push(made)
          yield made
        }
        before.clear()
        last = batches
        before = account
        turn = step
        context.tables.set(id, SharedRows.of(last))
        const pause = context.work(1)
        if (pause !== null) await pause
      } while (last.length > 0)
      known.clear()
    },
  }
}
