import type {
  CatalogEntry,
  KeyConstraint,
  StoredQuery,
  TableSchema,
  UsedColumn,
} from '../../catalog/schema.ts'
import type { Names } from '../context.ts'

/** What names mean inside a stored query: what they meant when it was made, whatever was renamed or added since. */
export function namesInside(names: Names, { uses }: StoredQuery): Names {
  const used = new Map(uses.map((one) => [one.written, one]))
  return {
    ...names,
    entry(written) {
      const one = used.get(written)
      if (one === undefined) return names.entry(written)
      const entry = names.byKey(one.key)
      return entry?.kind === 'table' && one.columns !== null ? tableAsUsed(entry, one.columns) : entry
    },
    // A table of the system may have come later under the name.
    virtual: (written) => (used.has(written) ? null : names.virtual(written)),
  }
}

const shaped = new WeakMap<TableSchema, Map<readonly UsedColumn[], TableSchema>>()

/** The table with the columns that it had, under the names they had. */
export function tableAsUsed(table: TableSchema, columns: readonly UsedColumn[]): TableSchema {
  const same =
    columns.length === table.columns.length &&
    columns.every(({ name, slot }, i) => table.columns[i]?.name === name && table.columns[i]?.slot === slot)
  if (same) return table
  const known = shaped.get(table) ?? new Map<readonly UsedColumn[], TableSchema>()
  shaped.set(table, known)
  let found = known.get(columns)
  if (found === undefined) {
    found = reshaped(table, columns)
    known.set(columns, found)
  }
  return found
}

function reshaped(table: TableSchema, used: readonly UsedColumn[]): TableSchema {
  const columns = used.flatMap(({ name, slot }) => {
    const column = table.columns.find((one) => one.slot === slot)
    return column === undefined ? [] : [{ ...column, name }]
  })
  const position = (old: number): number => {
    const slot = table.columns[old]?.slot
    return old < 0 ? old : columns.findIndex((column) => column.slot === slot)
  }
  const moved = <Key extends KeyConstraint>(key: Key): Key | null => {
    const positions = key.columns.map(position)
    return positions.every((at, i) => at >= 0 || (key.columns[i] as number) < 0)
      ? { ...key, columns: positions }
      : null
  }
  // An index on expressions or some of the rows names columns by today's names.
  const plain = table.indexes.filter((index) => index.where === null && !index.columns.some((at) => at < 0))
  return {
    ...table,
    columns,
    primaryKey: table.primaryKey === null ? null : moved(table.primaryKey),
    indexes: plain.map(moved).filter((index) => index !== null),
  }
}

/** What a query uses, for the catalog. */
export function usesOf(names: Names, written: Iterable<string>): StoredQuery['uses'] {
  const uses: StoredQuery['uses'][number][] = []
  for (const one of written) {
    const entry: CatalogEntry | null = names.entry(one)
    if (entry === null) continue
    const columns =
      entry.kind === 'table' ? entry.columns.map(({ name, slot }): UsedColumn => ({ name, slot })) : null
    uses.push({ written: one, key: names.keyOf(entry), columns })
  }
  return uses
}
