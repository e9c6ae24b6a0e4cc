import {
  afterPrefix,
  type Key,
  type KeyRange,
  KeyWriter,
  type RelationId,
  type Row,
  type Value,
} from '@cluster/core'
import { isPlainIndex } from '../../binder/write/stored-index.ts'
import { layoutOf } from '../../catalog/row-layout.ts'
import type { KeyConstraint, TableSchema } from '../../catalog/schema.ts'
import { writeKeyValue } from '../../types/key.ts'
import { partitionOfRow, partitionsOf } from '../rows/row-keys.ts'
import {
  asksForParent,
  childValuesOf,
  type KeyReads,
  type KeyTie,
  parentKeyOf,
  positionOfSlot,
} from './foreign-key-reads.ts'
import type { StoredRow } from './table-writer.ts'

/** Keys looked up one by one through an index; for more of them the table is read once. */
const RANGES_MAX = 256

interface Wanted {
  readonly key: Key
  /** The values of the referenced columns. */
  readonly values: readonly Value[]
}

/** The rows of the child that point at some keys, by key. An index that begins with the foreign key's columns helps. */
export async function childrenOf(
  reads: KeyReads,
  tie: KeyTie,
  wanted: readonly Wanted[],
): Promise<ReadonlyMap<Key, readonly StoredRow[]>> {
  const keys = new Set(wanted.map(({ key }) => key))
  const found = new Map<Key, StoredRow[]>()
  const parentKey = parentKeyOf(tie)
  const add = (stored: StoredRow): void => {
    if (!asksForParent(tie, stored.row)) return
    const key = parentKey(stored.row)
    if (!keys.has(key)) return
    const rows = found.get(key) ?? []
    found.set(key, rows)
    rows.push(stored)
  }
  const path = keys.size > RANGES_MAX ? null : pathTo(tie)
  if (path === null) {
    for await (const stored of scan(reads, tie.child, tie.child.relation, {})) add(stored)
    return found
  }
  for (const range of rangesOf(tie, path.key, wanted))
    if (path.relation === tie.child.relation)
      for await (const stored of scan(reads, tie.child, path.relation, range)) add(stored)
    else for (const stored of await throughIndex(reads, tie.child, path.relation, range)) add(stored)
  return found
}

interface Path {
  readonly key: KeyConstraint
  readonly relation: RelationId
}

/** The primary key or an index whose first columns are those of the foreign key, in any order. */
function pathTo({ child, key }: KeyTie): Path | null {
  const positions = key.columns.map((slot) => positionOfSlot(child, slot))
  const begins = ({ columns }: KeyConstraint): boolean => {
    const first = columns.slice(0, positions.length)
    return first.length === positions.length && first.every((position) => positions.includes(position))
  }
  const { primaryKey } = child
  if (primaryKey !== null && begins(primaryKey)) return { key: primaryKey, relation: child.relation }
  const index = child.indexes.find((one) => one.ready && isPlainIndex(one) && begins(one))
  return index === undefined ? null : { key: index, relation: index.relation }
}

function* rangesOf(tie: KeyTie, path: KeyConstraint, wanted: readonly Wanted[]): Generator<KeyRange> {
  const { child, key } = tie
  const seen = new Set<Key>()
  for (const { values } of wanted) {
    const own = childValuesOf(tie, values)
    const writer = new KeyWriter()
    for (const position of path.columns.slice(0, key.columns.length)) {
      const column = child.columns[position]
      const at = key.columns.indexOf(column?.slot ?? -1)
      if (column !== undefined) writeKeyValue(writer, column.type, own[at] ?? null)
    }
    const from = writer.finish()
    if (seen.has(from)) continue
    seen.add(from)
    const to = afterPrefix(from)
    yield to === undefined ? { from } : { from, to }
  }
}

async function* scan(
  { transaction }: KeyReads,
  table: TableSchema,
  relation: RelationId,
  range: KeyRange,
): AsyncGenerator<StoredRow> {
  const { slots, read } = layoutOf(table)
  const request = { relation, range, columns: slots, ...partitionsOf(table) }
  for await (const { length, keys, columns } of transaction.scan(request))
    for (let i = 0; i < length; i++) {
      const row: Row = columns.map((column, position) => {
        const value = column[i] ?? null
        const convert = read[position] ?? null
        return convert === null ? value : convert(value)
      })
      yield { key: keys[i] as Key, row }
    }
}

async function throughIndex(
  { database, transaction }: KeyReads,
  table: TableSchema,
  relation: RelationId,
  range: KeyRange,
): Promise<readonly StoredRow[]> {
  const found: Key[] = []
  const request = { relation, range, columns: [0], ...partitionsOf(table) }
  for await (const { columns } of transaction.scan(request)) found.push(...(columns[0] as readonly Key[]))
  const { fromStored } = layoutOf(table)
  const rows = await Promise.all(
    found.map((key) =>
      transaction.get({ relation: table.relation, partition: partitionOfRow(database, table, key), key }),
    ),
  )
  return rows.flatMap((row, i) => (row === null ? [] : [{ key: found[i] as Key, row: fromStored(row) }]))
}
