import type { Value } from '@cluster/core'
import type { FunctionContext } from '../functions/function.ts'

/** Rows as columns, the form in which operators hand them on. Nobody changes a batch after handing it on. */
export interface Batch {
  readonly length: number
  /** One list of at least `length` values for each column. */
  readonly columns: readonly (readonly Value[])[]
}

/** Rows that operators aim to put into one batch. */
export const BATCH_ROWS = 1_024

export const EMPTY_BATCH: Batch = { length: 0, columns: [] }

/** Values that compiled code reads beside its input: one list of each for the whole statement. */
export interface Frame {
  /** `$n` at position n − 1, converted to its type. */
  readonly parameters: readonly Value[]
  /** Columns of outer queries, by slot; set by the operator that runs a correlated subquery. */
  readonly outer: Value[]
  /** What stable and volatile functions ask. */
  readonly functions: FunctionContext
}

export function rowOf(batch: Batch, row: number): Value[] {
  return batch.columns.map((column) => column[row] as Value)
}

/** Turns a batch into rows. */
export function rowsOf(batch: Batch): Value[][] {
  const rows: Value[][] = []
  for (let i = 0; i < batch.length; i++) rows.push(rowOf(batch, i))
  return rows
}

/** Batches of at most `BATCH_ROWS` rows of the given width. */
export function* batchesOfRows(rows: Iterable<readonly Value[]>, width: number): Generator<Batch> {
  let columns: Value[][] = Array.from({ length: width }, () => [])
  let length = 0
  for (const row of rows) {
    for (let c = 0; c < width; c++) columns[c]?.push(row[c] as Value)
    length++
    if (length < BATCH_ROWS) continue
    yield { length, columns }
    columns = Array.from({ length: width }, () => [])
    length = 0
  }
  if (length > 0) yield { length, columns }
}
