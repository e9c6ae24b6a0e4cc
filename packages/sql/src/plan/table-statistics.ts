import type { Value } from '@cluster/core'
import type { TableSchema } from '../catalog/schema.ts'

/** Rows of a sample at most; it is thinned to half of that when it is full. */
const SAMPLE_MAX = 2_048
/** A change of the number of rows by this share makes what was planned before and what was sampled old. */
const CHANGE = 0.25
/** Whole reads after which a sample is made anew. */
const READS_A_SAMPLE = 64

/** What is known of the values of one column. */
export interface ColumnStatistics {
  /** About how many different values there are, NULL not counted; at least 1. */
  readonly distinct: number
  /** Some values in no order, NULLs among them. Columns of one sample stand beside each other: their rows are the same. */
  readonly values: readonly Value[]
  /** Tells samples apart. */
  readonly sample: object
}

interface Known {
  rows: number
  /** Counts what changed in a way that matters to plans. */
  revision: number
  /** Whole reads since the sample was made. */
  reads: number
  readonly columns: Map<number, ColumnStatistics>
}

/**
 * What tables held when all of them was last read. Whoever reads a whole table tells, so that knowing costs next to nothing;
 * plans are made by what was told. A table whose definition changes is a new one here.
 */
const tables = new WeakMap<TableSchema, Known>()

/** Null: nobody has read all of it. */
export const knownRows = (table: TableSchema): number | null => tables.get(table)?.rows ?? null

/** Null: nobody has read all of it with this column. */
export const columnStatistics = (table: TableSchema, position: number): ColumnStatistics | null =>
  tables.get(table)?.columns.get(position) ?? null

/** Grows with everything that may make another plan better. */
export const statisticsRevision = (table: TableSchema): number => tables.get(table)?.revision ?? 0

/** Tells how many rows a table has, where others have read it. */
export function tableCounted(table: TableSchema, rows: number): void {
  const known = tables.get(table)
  if (known === undefined) {
    tables.set(table, { rows, revision: 1, reads: 0, columns: new Map() })
    return
  }
  if (Math.abs(rows - known.rows) > CHANGE * known.rows) {
    known.columns.clear()
    known.revision++
  }
  known.rows = rows
}

/** The next read of the whole table makes a sample anew. */
export function sampleAnew(table: TableSchema): void {
  const known = tables.get(table)
  if (known !== undefined) known.reads = READS_A_SAMPLE
}

/** Watches one read of a whole table. */
export interface TableReading {
  /** Columns in the order of the positions that the reading was begun with. */
  take(length: number, columns: readonly (readonly Value[])[]): void
  /** All rows were read. A reading that never ends tells nothing. */
  done(): void
}

export function readTable(table: TableSchema, positions: readonly number[]): TableReading {
  const known = tables.get(table)
  const sampled =
    known === undefined ||
    known.reads >= READS_A_SAMPLE ||
    positions.some((position) => position >= 0 && !known.columns.has(position))
  const sample = sampled ? new Sample(positions.length) : null
  let rows = 0
  return {
    take(length, columns) {
      sample?.take(length, columns)
      rows += length
    },
    done() {
      const before = tables.get(table) ?? { rows, revision: 0, reads: 0, columns: new Map() }
      tables.set(table, before)
      const changed = Math.abs(rows - before.rows) > CHANGE * before.rows
      if (changed) {
        before.columns.clear()
        before.revision++
      }
      before.rows = rows
      before.reads++
      if (sample === null) return
      before.reads = 0
      before.revision++
      const id = {}
      positions.forEach((position, column) => {
        if (position < 0) return
        const values = sample.columns[column] ?? []
        before.columns.set(position, { values, sample: id, distinct: distinctOf(values, rows) })
      })
    },
  }
}

/** Every so manyth row, of ever more rows. */
class Sample {
  readonly columns: Value[][]
  #step = 1
  /** Rows to go until the next one is taken. */
  #skip = 0

  constructor(width: number) {
    this.columns = Array.from({ length: width }, () => [])
  }

  take(length: number, columns: readonly (readonly Value[])[]): void {
    const [first] = this.columns
    let row = this.#skip
    for (; row < length; row += this.#step) {
      for (let c = 0; c < this.columns.length; c++) this.columns[c]?.push(columns[c]?.[row] as Value)
      if (first === undefined || first.length < SAMPLE_MAX) continue
      this.#thin()
    }
    this.#skip = row - length
  }

  #thin(): void {
    for (const column of this.columns) {
      let kept = 0
      for (let i = 0; i < column.length; i += 2) column[kept++] = column[i] as Value
      column.length = kept
    }
    this.#step *= 2
  }
}

/**
 * How many different values a table has of which a sample has been taken.
 * @see Haas & Stokes 1998, the estimator Duj1, which PostgreSQL uses, too
 */
function distinctOf(values: readonly Value[], rows: number): number {
  const times = new Map<Value, number>()
  let n = 0
  for (const value of values) {
    if (value === null) continue
    n++
    times.set(value, (times.get(value) ?? 0) + 1)
  }
  if (n === 0) return 1
  let once = 0
  for (const count of times.values()) if (count === 1) once++
  // NULLs are rows of the sample as they are rows of the table.
  if (values.length >= rows) return times.size
  const share = values.length / rows
  return Math.max(1, Math.min(rows, (n * times.size) / (n - once + once * share)))
}
