import type { Transaction, Value } from '@cluster/core'
import { StillClock } from '@cluster/testkit'
import type { Batch } from '../../src/compile/batch.ts'
import { ExecutionContext, type Source } from '../../src/executor/context.ts'
import type { MemoryBudget } from '../../src/executor/memory.ts'

export type Columns = readonly (readonly Value[])[]

/** What operators need that read no table. */
export function contextOf(memory: MemoryBudget, clock = new StillClock()): ExecutionContext {
  return new ExecutionContext({
    transaction: null as unknown as Transaction,
    clock,
    frame: { parameters: [], outer: [], functions: null as never },
    memory,
    signal: null,
  })
}

/** Rows of a key and their number, in batches. */
export const rowsOf = (keys: readonly Value[], batch: number): Source => ({
  async *open() {
    for (let at = 0; at < keys.length; at += batch) {
      const part = keys.slice(at, at + batch)
      yield { length: part.length, columns: [part, part.map((_, i) => `row ${at + i}`)] }
    }
  },
})

/** All rows that a source gives. */
export async function drained(source: Source, context: ExecutionContext): Promise<Value[][]> {
  const rows: Value[][] = []
  for await (const { length, columns } of source.open(context) as AsyncIterable<Batch>)
    for (let i = 0; i < length; i++) rows.push(columns.map((column) => column[i] as Value))
  return rows
}
