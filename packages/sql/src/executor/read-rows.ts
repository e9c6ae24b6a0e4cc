import type { Row, RowAddress, Transaction } from '@cluster/core'

/** Rows by their addresses, in that order; without a promise when all of them are at hand. */
export function readRows(
  reads: Transaction,
  addresses: readonly RowAddress[],
): readonly (Row | null)[] | Promise<readonly (Row | null)[]> {
  const rows: (Row | null)[] = []
  const waits: Promise<void>[] = []
  for (const [i, address] of addresses.entries()) {
    const row = reads.getNow?.(address)
    rows.push(row ?? null)
    if (row !== undefined) continue
    waits.push(
      reads.get(address).then((asked) => {
        rows[i] = asked
      }),
    )
  }
  return waits.length === 0 ? rows : Promise.all(waits).then(() => rows)
}
