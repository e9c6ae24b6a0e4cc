import type { Database, Key, Row, RowAddress, Transaction, Value } from '@cluster/core'
import { EVERYWHERE, KeyWriter } from '@cluster/core'
import type { ColumnSchema, ForeignKey, IndexSchema, PrimaryKey, TableSchema } from '../../catalog/schema.ts'
import { SQLSTATE, type SqlError, sqlError } from '../../errors.ts'
import { castFor } from '../../functions/cast.ts'
import { quoteIdentifier } from '../../syntax/keywords.ts'
import { formatValue } from '../../types/format.ts'
import { writeKeyValue } from '../../types/key.ts'
import { readRows } from '../read-rows.ts'
import { partitionOfRow } from '../rows/row-keys.ts'

export interface KeyReads {
  readonly database: Database
  readonly transaction: Transaction
}

/** A foreign key between the tables that it ties. */
export interface KeyTie {
  readonly child: TableSchema
  readonly parent: TableSchema
  readonly key: ForeignKey
}

/** Reads in flight at once. */
const READS_AT_ONCE = 256

export const positionOfSlot = ({ columns }: TableSchema, slot: number): number =>
  columns.findIndex((column) => column.slot === slot)

/** The values of some columns, by slot. */
export const valuesAt = (table: TableSchema, slots: readonly number[], row: Row): readonly Value[] =>
  slots.map((slot) => row[positionOfSlot(table, slot)] ?? null)

/**
 * Whether a row of the child asks for a parent. NULL in any column asks for none, but MATCH FULL wants all or none.
 * @throws 23503
 */
export function asksForParent({ child, key }: KeyTie, row: Row): boolean {
  const values = valuesAt(child, key.columns, row)
  const nulls = values.filter((value) => value === null).length
  if (nulls === 0) return true
  if (key.match === 'full' && nulls < values.length)
    throw sqlError(
      SQLSTATE.foreignKeyViolation,
      `insert or update on table "${child.name}" violates foreign key constraint "${key.name}"`,
      {
        detail: 'MATCH FULL does not allow mixing of null and nonnull key values.',
        table: child.name,
        constraint: key.name,
      },
    )
  return false
}

/** How the values of child columns become those of the parent's columns. */
function converters({ child, parent, key }: KeyTie): readonly ((value: Value) => Value)[] {
  return key.columns.map((slot, i) => {
    const from = child.columns[positionOfSlot(child, slot)]?.type
    const to = parent.columns[positionOfSlot(parent, key.referenced[i] as number)]?.type
    if (from === undefined || to === undefined)
      throw new TypeError(`foreign key ${key.name} without a column`)
    const cast = castFor(from, { ...to, length: null, precision: null, scale: null }, 'explicit')
    return cast === null || cast === 'same' ? (value) => value : (value) => cast.impl(value)
  })
}

/** The key of the parent's unique index, or primary key, that a child's row points at. */
export function parentKeyOf(tie: KeyTie): (row: Row) => Key {
  const { child, parent, key } = tie
  const convert = converters(tie)
  const target = targetOf(tie)
  // The parent's key may have its columns in another order.
  const order = target.columns.map((position) => {
    const slot = (parent.columns[position] as ColumnSchema).slot
    return key.referenced.indexOf(slot)
  })
  return (row) => {
    const values = valuesAt(child, key.columns, row)
    const writer = new KeyWriter()
    target.columns.forEach((position, i) => {
      const at = order[i] as number
      const type = (parent.columns[position] as ColumnSchema).type
      writeKeyValue(writer, type, (convert[at] as (value: Value) => Value)(values[at] as Value))
    })
    return writer.finish()
  }
}

/** The key of a row of the parent, as `parentKeyOf` makes it of a child's. */
export function parentKeyOfParent(tie: KeyTie, row: Row): Key {
  const { parent } = tie
  const writer = new KeyWriter()
  for (const position of targetOf(tie).columns)
    writeKeyValue(writer, (parent.columns[position] as ColumnSchema).type, row[position] ?? null)
  return writer.finish()
}

/** The key of a parent with such values in the referenced columns. */
export function parentKeyOfValues(tie: KeyTie, values: readonly Value[]): Key {
  const { parent, key } = tie
  const row: Value[] = parent.columns.map(() => null)
  key.referenced.forEach((slot, i) => {
    row[positionOfSlot(parent, slot)] = values[i] ?? null
  })
  return parentKeyOfParent(tie, row)
}

/** Values of the referenced columns as values of the child's columns. */
export function childValuesOf({ child, parent, key }: KeyTie, values: readonly Value[]): readonly Value[] {
  return key.columns.map((slot, i) => {
    const to = child.columns[positionOfSlot(child, slot)]?.type
    const from = parent.columns[positionOfSlot(parent, key.referenced[i] as number)]?.type
    const value = values[i] ?? null
    if (value === null || from === undefined || to === undefined) return null
    const cast = castFor(from, to, 'explicit')
    return cast === null || cast === 'same' ? value : cast.impl(value)
  })
}

function targetOf({ parent, key }: KeyTie): PrimaryKey | IndexSchema {
  const found =
    parent.primaryKey?.name === key.target
      ? parent.primaryKey
      : parent.indexes.find((index) => index.name === key.target)
  if (found === undefined) throw new TypeError(`foreign key ${key.name} relies on no key`)
  return found
}

/** Where the parent's entry of a key is: its row, or the entry of its unique index. */
export function parentAddress({ database }: KeyReads, tie: KeyTie, key: Key): RowAddress {
  const { parent } = tie
  const target = targetOf(tie)
  if (!('relation' in target))
    return { relation: parent.relation, partition: partitionOfRow(database, parent, key), key }
  const partition = parent.placement === 'everywhere' ? EVERYWHERE : database.partitionOf(key)
  return { relation: target.relation, partition, key }
}

/** For each child row whose parent is not there: what is wrong. @throws 23503 for MATCH FULL */
export async function missingParents(
  reads: KeyReads,
  tie: KeyTie,
  rows: readonly Row[],
): Promise<readonly SqlError[]> {
  const keyOf = parentKeyOf(tie)
  const asked = new Map<Key, Row>()
  for (const row of rows) if (asksForParent(tie, row)) asked.set(keyOf(row), row)
  const missing: SqlError[] = []
  const keys = [...asked.keys()]
  for (let start = 0; start < keys.length; start += READS_AT_ONCE) {
    const some = keys.slice(start, start + READS_AT_ONCE)
    const found = await readRows(
      reads.transaction,
      some.map((key) => parentAddress(reads, tie, key)),
    )
    some.forEach((key, i) => {
      if (found[i] === null) missing.push(parentMissing(tie, asked.get(key) ?? []))
    })
  }
  return missing
}

/** 23503 */
export function parentMissing({ child, parent, key }: KeyTie, row: Row): SqlError {
  return sqlError(
    SQLSTATE.foreignKeyViolation,
    `insert or update on table "${child.name}" violates foreign key constraint "${key.name}"`,
    {
      detail: `Key ${shownKey(child, key.columns, valuesAt(child, key.columns, row))} is not present in table "${parent.name}".`,
      table: child.name,
      constraint: key.name,
    },
  )
}

/** 23503 */
export function stillReferenced({ child, parent, key }: KeyTie, values: readonly Value[]): SqlError {
  return sqlError(
    SQLSTATE.foreignKeyViolation,
    `update or delete on table "${parent.name}" violates foreign key constraint "${key.name}" on table "${child.name}"`,
    {
      detail: `Key ${shownKey(parent, key.referenced, values)} is still referenced from table "${child.name}".`,
      table: child.name,
      constraint: key.name,
    },
  )
}

/** `(a, b)=(1, x)` */
function shownKey(table: TableSchema, slots: readonly number[], values: readonly Value[]): string {
  const columns = slots.map((slot) => table.columns[positionOfSlot(table, slot)])
  const names = columns.map((column) => quoteIdentifier(column?.name ?? '')).join(', ')
  const texts = columns.map((column, i) => {
    const value = values[i] ?? null
    return value === null || column === undefined ? 'null' : formatValue(column.type, value)
  })
  return `(${names})=(${texts.join(', ')})`
}
