import { afterPrefix, type Key, KeyWriter } from '@cluster/core'
import { keyTypes } from '../../binder/write/stored-index.ts'
import type { IndexSchema, TableSchema } from '../../catalog/schema.ts'
import { indexKeyOf } from '../../compile/index-program.ts'
import { writeKeyValue } from '../../types/key.ts'
import { partitionsOf } from '../rows/row-keys.ts'
import type { KeyReads } from './foreign-key-reads.ts'
import { duplicateKey, type StoredRow } from './table-writer.ts'

/** What the columns of a deferrable key make; null: NULL makes the row unlike any other. */
export function deferrableKeyOf(table: TableSchema, index: IndexSchema, { row }: StoredRow): Key | null {
  const values = indexKeyOf(table, index)(row)
  if (values === null) return null
  if (index.nullsNotDistinct !== true && values.some((value) => (value ?? null) === null)) return null
  const types = keyTypes(table, index)
  const writer = new KeyWriter()
  values.forEach((value, i) => {
    writeKeyValue(writer, types[i] as (typeof types)[number], value ?? null)
  })
  return writer.finish()
}

/**
 * Looks whether rows share a key that must be unique, as it is now. The entries of such an index are kept beside their
 * rows, so the range of the key is read, and so certified: of two transactions that enter one key, one is refused.
 * @throws 23505
 */
export async function checkUnique(
  { transaction }: KeyReads,
  table: TableSchema,
  index: IndexSchema,
  rows: readonly StoredRow[],
): Promise<void> {
  const seen = new Set<Key>()
  for (const stored of rows) {
    const from = deferrableKeyOf(table, index, stored)
    if (from === null || seen.has(from)) continue
    seen.add(from)
    const to = afterPrefix(from)
    const range = to === undefined ? { from } : { from, to }
    const request = { relation: index.relation, range, columns: [], ...partitionsOf(table) }
    let entries = 0
    for await (const { length } of transaction.scan(request)) entries += length
    if (entries > 1) throw duplicateKey(table, { constraint: index, row: stored.row })
  }
}
