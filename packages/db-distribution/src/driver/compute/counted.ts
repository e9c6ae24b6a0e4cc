import type { ColumnBatch } from '@cluster/core'

/** The same batches; `read` gets at position `i` how many rows they had, once all of them were taken. */
export async function* counted(
  batches: AsyncIterable<ColumnBatch>,
  read: number[],
  i: number,
): AsyncGenerator<ColumnBatch> {
  let rows = 0
  for await (const batch of batches) {
    rows += batch.length
    yield batch
  }
  read[i] = rows
}

/** Adds what was read of each input. */
export function addRead(sums: number[], read: readonly number[]): void {
  read.forEach((rows, i) => {
    sums[i] = (sums[i] ?? 0) + rows
  })
}
