import type { Value } from '@cluster/core'
import type { Batch } from '../compile/batch.ts'
import type { ExecutionContext, Source, TableRows } from './context.ts'
import { MemoryAccount, rowsBytes } from './memory.ts'
import { type RowKeys, select } from './rows/distinct.ts'
import { RowPages } from './spill/row-pages.ts'
import { SpillFiles } from './spill/spill-file.ts'

/** They are made when somebody asks, and then kept. */
export class SharedRows implements TableRows {
  readonly #files: SpillFiles
  readonly #pages: RowPages
  #rest: AsyncIterator<Batch> | null

  /** @param node of the plan that has the table, by which EXPLAIN ANALYZE knows it */
  constructor(source: Source, context: ExecutionContext, node: object) {
    this.#files = new SpillFiles(context, node)
    this.#pages = new RowPages(this.#files)
    this.#rest = source.open(context)[Symbol.asyncIterator]()
  }

  async *read(): AsyncGenerator<Batch> {
    for (let i = 0; ; i++) {
      while (i >= this.#pages.length) if (!(await this.#more())) return
      yield* this.#pages.page(i)
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
    const writing = this.#pages.append(next.value)
    if (writing !== null) await writing
    return true
  }

  async close(): Promise<void> {
    const rest = this.#rest
    this.#rest = null
    try {
      await rest?.return?.()
    } finally {
      await this.#pages.close()
      if (this.#files.used) await this.#files.close('rows')
    }
  }
}

/** Rows that are there; whoever made them counts their memory. */
export const rowsThere = (batches: readonly Batch[]): TableRows => ({
  async *read() {
    yield* batches
  },
})

/** Ends what is left of some tables. */
export async function closeTables(tables: readonly SharedRows[]): Promise<void> {
  for (const rows of tables) await rows.close()
}

export interface SharedTable {
  readonly id: number
  readonly source: Source
}

/**
 * Gives the rows of `input`, for which the tables are there. Each is computed at most once, as far as it is read.
 * @param node of the plan
 */
export function withSource(tables: readonly SharedTable[], input: Source, node: object): Source {
  return {
    async *open(context) {
      const made: SharedRows[] = []
      for (const { id, source } of tables) {
        const rows = new SharedRows(source, context, node)
        context.tables.set(id, rows)
        made.push(rows)
      }
      try {
        yield* input.open(context)
      } finally {
        await closeTables(made)
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
  /** The node of the plan, by which EXPLAIN ANALYZE knows it. */
  readonly node: object
  /** Under which `step` reads the rows of the last turn. */
  readonly id: number
  /** Keys by which rows that came before are dropped; null: none are. */
  readonly keys: RowKeys | null
}

/** The rows of `base`, then those that `step` makes of the rows of the last turn, until it makes none. */
export function recursiveSource(base: Source, step: Source, { node, id, keys }: RecursiveOptions): Source {
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
      const files = new SpillFiles(context, node)
      let turn: Source = base
      let last = new RowPages(files)
      let rows: RowPages | null = null
      try {
        do {
          rows = new RowPages(files)
          for await (const batch of turn.open(context)) {
            const made = fresh(batch)
            const pause = context.work(batch.length)
            if (pause !== null) await pause
            if (made.length === 0) continue
            const writing = rows.append(made)
            if (writing !== null) await writing
            yield made
          }
          await last.close()
          last = rows
          rows = null
          turn = step
          context.tables.set(id, last)
          const pause = context.work(1)
          if (pause !== null) await pause
        } while (last.length > 0)
      } finally {
        known.clear()
        await rows?.close()
        await last.close()
        if (files.used) await files.close('rows')
      }
    },
  }
}
