import type { Row, Value } from '@cluster/core'
import { boundIndex, isPlainIndex } from '../binder/write/stored-index.ts'
import type { IndexSchema, TableSchema } from '../catalog/schema.ts'
import { type Batch, EMPTY_BATCH, type Frame } from './batch.ts'
import { compileMap, Layout, Slots } from './compile-map.ts'

/** The key that a row has in an index; null: it is not in it. */
export type IndexKeyOf = (row: Row) => readonly Value[] | null

const known = new WeakMap<
  IndexSchema,
  { readonly columns: TableSchema['columns']; readonly keyOf: IndexKeyOf }
>()

/** Index expressions are immutable: they ask nothing of a session. */
const frame: Frame = { parameters: [], outer: [], functions: null as never }

export function indexKeyOf(table: TableSchema, index: IndexSchema): IndexKeyOf {
  const found = known.get(index)
  if (found?.columns === table.columns) return found.keyOf
  const keyOf = isPlainIndex(index) ? plainKey(index) : computedKey(table, index)
  known.set(index, { columns: table.columns, keyOf })
  return keyOf
}

const plainKey =
  ({ columns }: IndexSchema): IndexKeyOf =>
  (row) =>
    columns.map((position) => row[position] as Value)

function computedKey(table: TableSchema, index: IndexSchema): IndexKeyOf {
  const { row: columns, keys, where } = boundIndex(table, index)
  const map = compileMap(new Layout(columns), new Slots(), where, keys)
  return (row) => {
    const batch: Batch = row.length === 0 ? EMPTY_BATCH : { length: 1, columns: row.map((value) => [value]) }
    const made = map(batch, frame)
    return made.length === 0 ? null : made.columns.map((column) => column[0] as Value)
  }
}
