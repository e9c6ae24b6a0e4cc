import type { Row, Value } from '@cluster/core'
import type { ColumnSchema, TableSchema } from './schema.ts'

/**
 * How the rows of a table are stored. A column keeps its place (`slot`) in stored rows for ever, so a column that is
 * dropped leaves its values where they are, and one that is added is not in older rows at all: they are not rewritten.
 */
export interface RowLayout {
  /** True when stored rows are what the table shows. */
  readonly plain: boolean
  readonly slots: readonly number[]
  /** For each column: what a stored value means; null: itself. */
  readonly read: readonly (((stored: Value) => Value) | null)[]
  toStored(row: Row): Row
  fromStored(row: Row): Row
}

const layouts = new WeakMap<TableSchema, RowLayout>()

export function layoutOf(table: TableSchema): RowLayout {
  let layout = layouts.get(table)
  if (layout === undefined) {
    layout = makeLayout(table)
    layouts.set(table, layout)
  }
  return layout
}

function makeLayout({ columns, slots: width }: TableSchema): RowLayout {
  const slots = columns.map(({ slot }) => slot)
  const read = columns.map(reader)
  const inOrder = slots.length === width && slots.every((slot, position) => slot === position)
  const plain = inOrder && read.every((one) => one === null)
  return {
    plain,
    slots,
    read,
    toStored(row) {
      if (plain) return row
      const stored: Value[] = Array.from({ length: width }, () => null)
      columns.forEach((column, position) => {
        stored[column.slot] = storedValue(column, row[position] ?? null)
      })
      return stored
    },
    fromStored(row) {
      if (plain && row.length === width) return row
      return columns.map(({ slot }, position) => {
        const value = row[slot] ?? null
        const convert = read[position] ?? null
        return convert === null ? value : convert(value)
      })
    },
  }
}

const reader = ({ missing, type }: ColumnSchema): ((stored: Value) => Value) | null =>
  missing === null ? null : storedReader(missing, type.id)

/** What stored values mean in a column of which older rows have `missing`. */
export function storedReader(missing: Value, type: ColumnSchema['type']['id']): (stored: Value) => Value {
  const nothing = storedNull(type)
  return (stored) => (stored === null ? missing : stored === nothing ? null : stored)
}

function storedValue({ missing, type }: ColumnSchema, value: Value): Value {
  return missing === null || value !== null ? value : storedNull(type.id)
}

/** Stands for NULL in a column whose stored NULL means something else: a value that no value of the type is stored as. */
const storedNull = (type: ColumnSchema['type']['id']): Value => (type === 'boolean' ? 0 : false)
