import type { TableSchema } from '../catalog/schema.ts'

/**
 * How many rows tables had when all of them were last read. Whoever reads a whole table tells, so that knowing costs
 * nothing; plans are made by what was told. A table whose definition changes is a new one here.
 */
const counts = new WeakMap<TableSchema, number>()

export const noteRows = (table: TableSchema, rows: number): void => {
  counts.set(table, rows)
}

/** Null: nobody has read all of it. */
export const knownRows = (table: TableSchema): number | null => counts.get(table) ?? null
