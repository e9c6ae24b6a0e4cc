import type { Value } from '@cluster/core'
import type { Batch, Frame } from '../compile/batch.ts'
import type { Source } from './context.ts'
import { MemoryAccount, rowsBytes } from './memory.ts'

/** The hash key of every row: equal rows have equal keys, by SQL's equality with NULL equal to NULL. */
export type RowKeys = (batch: Batch, frame: Frame) => readonly unknown[]

/** Lets the first row of each key through. */
export function distinctSource(input: Source, keysOf: RowKeys): Source {
  return {
    async *open(context) {
      const seen = new Set<unknown>()
      const account = new MemoryAccount(context.memory)
      for await (const batch of input.open(context)) {
        const keys = keysOf(batch, context.frame)
        const fresh: number[] = []
        for (let i = 0; i < batch.length; i++) {
          if (seen.has(keys[i])) continue
          seen.add(keys[i])
          fresh.push(i)
        }
        const some = select(batch, fresh)
        account.take(rowsBytes(some.columns, some.length))
        const pause = context.work(batch.length)
        if (pause !== null) await pause
        if (fresh.length > 0) yield some
      }
      account.clear()
    },
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
