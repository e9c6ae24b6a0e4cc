import { PUBLIC } from '../catalog/names.ts'
import { type CatalogEntry, isTypeEntry, type TableSchema } from '../catalog/schema.ts'
import type { SqlType } from '../types/type.ts'
import { columnNamesIn, usesSequence } from './references.ts'

/** A thing that can be dropped, and that other things may stand on. */
export type Target =
  | { readonly kind: 'entry'; readonly key: string; readonly entry: CatalogEntry }
  | { readonly kind: 'column'; readonly key: string; readonly table: TableSchema; readonly slot: number }
  /** A primary key, unique constraint or unique index. */
  | { readonly kind: 'key'; readonly key: string; readonly table: TableSchema; readonly name: string }
  | { readonly kind: 'foreignKey'; readonly key: string; readonly table: TableSchema; readonly name: string }
  | { readonly kind: 'default'; readonly key: string; readonly table: TableSchema; readonly slot: number }

export interface Dependent {
  readonly target: Target
  /** Goes without being asked for, like the sequence of a serial column. */
  readonly automatic: boolean
}

/** Tells targets apart. */
export function idOf(target: Target): string {
  switch (target.kind) {
    case 'entry':
      return `entry ${target.key}`
    case 'column':
    case 'default':
      return `${target.kind} ${target.key} ${target.slot}`
    default:
      return `${target.kind} ${target.key} ${target.name}`
  }
}

const qualified = ({ schema, name }: CatalogEntry): string =>
  schema === PUBLIC || schema === '' ? name : `${schema}.${name}`

/** As PostgreSQL calls it: `table items`, `default value for column id of table items`. */
export function describe(target: Target): string {
  switch (target.kind) {
    case 'entry': {
      const { entry } = target
      const word =
        entry.kind === 'table'
          ? entry.materialized === null
            ? 'table'
            : 'materialized view'
          : isTypeEntry(entry)
            ? 'type'
            : entry.kind
      return `${word} ${qualified(entry)}`
    }
    case 'column':
      return `column ${columnName(target)} of table ${qualified(target.table)}`
    case 'default':
      return `default value for column ${columnName(target)} of table ${qualified(target.table)}`
    default:
      return `constraint ${target.name} on table ${qualified(target.table)}`
  }
}

const columnName = ({ table, slot }: Target & { kind: 'column' | 'default' }): string =>
  table.columns.find((column) => column.slot === slot)?.name ?? ''

type KeyOf = (entry: CatalogEntry) => string

/** What stands directly on a thing. */
export function dependentsOf(
  target: Target,
  entries: readonly CatalogEntry[],
  keyOf: KeyOf,
): readonly Dependent[] {
  switch (target.kind) {
    case 'entry':
      return ofEntry(target, entries, keyOf)
    case 'column':
      return ofColumn(target, entries, keyOf)
    case 'key':
      return ofKey(target, entries, keyOf)
    default:
      return []
  }
}

const asEntry = (entry: CatalogEntry, keyOf: KeyOf): Target => ({ kind: 'entry', key: keyOf(entry), entry })
const normal = (target: Target): Dependent => ({ target, automatic: false })
const automatic = (target: Target): Dependent => ({ target, automatic: true })

const queryOf = (entry: CatalogEntry) =>
  entry.kind === 'view' ? entry : entry.kind === 'table' ? entry.materialized : null

function ofEntry(
  { key, entry }: Target & { kind: 'entry' },
  entries: readonly CatalogEntry[],
  keyOf: KeyOf,
): readonly Dependent[] {
  const found: Dependent[] = []
  for (const other of entries) {
    const otherKey = keyOf(other)
    if (otherKey === key) continue
    if (queryOf(other)?.uses.some((used) => used.key === key) === true)
      found.push(normal(asEntry(other, keyOf)))
    if (entry.kind === 'schema' && other.schema === entry.name && other.kind !== 'index')
      found.push(normal(asEntry(other, keyOf)))
    if (other.kind === 'table') found.push(...ofEntryInTable(entry, key, other, otherKey))
    if (other.kind === 'sequence' && other.ownedBy?.table === key)
      found.push(automatic(asEntry(other, keyOf)))
    if (other.kind === 'domain' && (other.base === key || isOf(other.type, entry)))
      found.push(normal(asEntry(other, keyOf)))
    if (other.kind === 'composite' && other.fields.some(({ type }) => isOf(type, entry)))
      found.push(normal(asEntry(other, keyOf)))
  }
  return found
}

/** True for a type of the catalog, of its arrays, or of rows of a table. */
function isOf(type: SqlType, { oid, kind }: CatalogEntry): boolean {
  const own = type.element ?? type
  if (kind === 'enum') return own.enum?.oid === oid
  return (kind === 'composite' || kind === 'table') && own.record?.named?.oid === oid
}

function ofEntryInTable(
  entry: CatalogEntry,
  key: string,
  table: TableSchema,
  tableKey: string,
): readonly Dependent[] {
  const found: Dependent[] = []
  if (entry.kind === 'table')
    for (const { name, table: parent } of table.foreignKeys)
      if (parent === key) found.push(normal({ kind: 'foreignKey', key: tableKey, table, name }))
  for (const column of table.columns) {
    const { slot } = column
    if (entry.kind === 'sequence' && column.identity !== null && column.sequence === key)
      found.push(normal({ kind: 'column', key: tableKey, table, slot }))
    else if (entry.kind === 'sequence' && usesSequence(column, key))
      found.push(normal({ kind: 'default', key: tableKey, table, slot }))
    if (tableKey !== key && isOf(column.type, entry))
      found.push(normal({ kind: 'column', key: tableKey, table, slot }))
    if (entry.kind === 'domain' && column.domain === key)
      found.push(normal({ kind: 'column', key: tableKey, table, slot }))
  }
  return found
}

function ofColumn(
  { key, table, slot }: Target & { kind: 'column' },
  entries: readonly CatalogEntry[],
  keyOf: KeyOf,
): readonly Dependent[] {
  const found: Dependent[] = []
  const name = table.columns.find((column) => column.slot === slot)?.name ?? ''
  for (const column of table.columns)
    if (column.generated !== null && columnNamesIn(column.generated).has(name))
      found.push(normal({ kind: 'column', key, table, slot: column.slot }))
  for (const other of entries) {
    const columns = queryOf(other)?.uses.find((used) => used.key === key)?.columns ?? []
    if (columns.some((used) => used.slot === slot)) found.push(normal(asEntry(other, keyOf)))
    if (other.kind === 'sequence' && other.ownedBy?.table === key && other.ownedBy.slot === slot)
      found.push(automatic(asEntry(other, keyOf)))
    if (other.kind === 'table')
      for (const foreign of other.foreignKeys)
        if (foreign.table === key && foreign.referenced.includes(slot))
          found.push({
            target: { kind: 'foreignKey', key: keyOf(other), table: other, name: foreign.name },
            automatic: keyOf(other) === key && foreign.columns.includes(slot),
          })
  }
  return found
}

function ofKey(
  { key, name }: Target & { kind: 'key' },
  entries: readonly CatalogEntry[],
  keyOf: KeyOf,
): readonly Dependent[] {
  const found: Dependent[] = []
  for (const other of entries)
    if (other.kind === 'table')
      for (const foreign of other.foreignKeys)
        if (foreign.table === key && foreign.target === name)
          found.push(normal({ kind: 'foreignKey', key: keyOf(other), table: other, name: foreign.name }))
  return found
}
