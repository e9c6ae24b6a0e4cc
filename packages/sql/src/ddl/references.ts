import { catalogKey, namesOfKey } from '../catalog/names.ts'
import type { CatalogEntry, ColumnSchema, StoredQuery, TableSchema } from '../catalog/schema.ts'
import type { Expression } from '../syntax/ast.ts'
import { quoteIdentifier, quoteLiteral } from '../syntax/keywords.ts'
import { parseExpression } from '../syntax/parse.ts'
import { printExpression } from '../syntax/print.ts'
import { someNode } from './expressions.ts'

/** The entry with every mention of one key replaced by another; the same object when there is none. */
export function withKeyReplaced(entry: CatalogEntry, from: string, to: string): CatalogEntry {
  const swap = (key: string): string => (key === from ? to : key)
  switch (entry.kind) {
    case 'table':
      return tableWithKeyReplaced(entry, from, to)
    case 'view': {
      const uses = usesReplaced(entry, swap)
      return uses === entry.uses ? entry : { ...entry, uses }
    }
    case 'index':
      return entry.table === from ? { ...entry, table: to } : entry
    case 'sequence':
      return entry.ownedBy?.table === from ? { ...entry, ownedBy: { ...entry.ownedBy, table: to } } : entry
    case 'domain':
      return entry.base === from ? { ...entry, base: to } : entry
    default:
      return entry
  }
}

function usesReplaced({ uses }: StoredQuery, swap: (key: string) => string): StoredQuery['uses'] {
  return uses.some(({ key }) => swap(key) !== key)
    ? uses.map((used) => ({ ...used, key: swap(used.key) }))
    : uses
}

function tableWithKeyReplaced(table: TableSchema, from: string, to: string): TableSchema {
  const swap = (key: string): string => (key === from ? to : key)
  const columns = changed(table.columns, (column) => {
    const { sequence, domain, defaultText } = column
    const text = defaultText === null ? null : sequenceRenamed(defaultText, from, to)
    const next = {
      sequence: sequence === null ? null : swap(sequence),
      domain: domain === null ? null : swap(domain),
      defaultText: text,
    }
    const same = next.sequence === sequence && next.domain === domain && text === defaultText
    return same ? column : { ...column, ...next }
  })
  const foreignKeys = changed(table.foreignKeys, (key) => (key.table === from ? { ...key, table: to } : key))
  const referencedBy = changed(table.referencedBy, (key) =>
    key.table === from ? { ...key, table: to } : key,
  )
  const { materialized } = table
  const uses = materialized === null ? null : usesReplaced(materialized, swap)
  const sameQuery = materialized === null || uses === materialized.uses
  if (
    columns === table.columns &&
    foreignKeys === table.foreignKeys &&
    referencedBy === table.referencedBy &&
    sameQuery
  )
    return table
  return {
    ...table,
    columns,
    foreignKeys,
    referencedBy,
    materialized: materialized === null ? null : { ...materialized, uses: uses ?? [] },
  }
}

function changed<T>(list: readonly T[], replace: (item: T) => T): readonly T[] {
  const next = list.map(replace)
  return next.every((item, i) => item === list[i]) ? list : next
}

/** The name of a sequence as defaults of columns write it. */
const sequenceLiteral = (key: string): string => {
  const { schema, name } = namesOfKey(key)
  return quoteLiteral(`${quoteIdentifier(schema)}.${quoteIdentifier(name)}`)
}

const sequenceRenamed = (text: string, from: string, to: string): string =>
  text.includes('nextval') ? text.replaceAll(sequenceLiteral(from), sequenceLiteral(to)) : text

/** True when a default takes its values from that sequence. */
export function usesSequence({ defaultText }: ColumnSchema, key: string): boolean {
  if (defaultText === null || !defaultText.includes('nextval')) return false
  const { schema, name } = namesOfKey(key)
  const names = [`${quoteIdentifier(schema)}.${quoteIdentifier(name)}`, quoteIdentifier(name)]
  return names.some((one) => defaultText.includes(quoteLiteral(one)))
}

/** Texts of a table's definition with a column, or the table itself, under another name. */
export function renamedIn(
  table: TableSchema,
  names: {
    readonly column?: readonly [from: string, to: string]
    readonly table?: readonly [from: string, to: string]
  },
): TableSchema {
  const text = (source: string): string => renamedText(source, names)
  return {
    ...table,
    columns: table.columns.map((column) => ({
      ...column,
      generated: column.generated === null ? null : text(column.generated),
    })),
    checks: table.checks.map((check) => ({ ...check, text: text(check.text) })),
    indexes: table.indexes.map((index) => ({
      ...index,
      where: index.where === null ? null : text(index.where),
      keys: index.keys?.map((key) => ({ ...key, text: key.text === null ? null : text(key.text) })) ?? null,
    })),
  }
}

function renamedText(source: string, names: Parameters<typeof renamedIn>[1]): string {
  const tree = parseExpression(source)
  const { column, table } = names
  const part = (name: string, i: number, count: number): string => {
    if (i === count - 1) return column !== undefined && name === column[0] ? column[1] : name
    return table !== undefined && i === count - 2 && name === table[0] ? table[1] : name
  }
  let touched = false
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename)
    if (typeof value !== 'object' || value === null) return value
    const node = value as { kind?: unknown; parts?: readonly { name: string }[] }
    if (node.kind === 'column' && node.parts !== undefined) {
      const { parts } = node
      const next = parts.map((one, i) => ({ ...one, name: part(one.name, i, parts.length) }))
      if (next.every(({ name }, i) => name === parts[i]?.name)) return value
      touched = true
      return { ...node, parts: next }
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rename(item)]))
  }
  const next = rename(tree) as Expression
  return touched ? printExpression(next) : source
}

/** The names of columns that an expression text mentions. */
export function columnNamesIn(source: string): ReadonlySet<string> {
  const names = new Set<string>()
  someNode(parseExpression(source), (kind, node) => {
    if (kind === 'column') {
      const { parts } = node as { readonly parts: readonly { readonly name: string }[] }
      const last = parts.at(-1)
      if (last !== undefined) names.add(last.name)
    }
    return false
  })
  return names
}

/** The key that an object has in another schema or under another name. */
export const keyUnder = (entry: CatalogEntry, schema: string, name: string): string =>
  entry.kind === 'schema' ? catalogKey('', name) : catalogKey(schema, name)
