import { tpchRows } from './generator.ts'
import { SCHEMA } from './schema.ts'

/** Values that one INSERT has as parameters. */
const LOAD_VALUES = 2_000

/** Makes the tables of TPC-H and fills them. */
export async function loadTpch(
  db: { query(sql: string, values?: readonly (number | string)[]): Promise<unknown> },
  scale: number,
): Promise<void> {
  for (const { table, columns, sql } of SCHEMA) {
    await db.query(sql)
    const rowsEach = Math.floor(LOAD_VALUES / columns)
    const insert = (rows: number): string => {
      const one = (row: number): string =>
        `(${Array.from({ length: columns }, (_, c) => `$${row * columns + c + 1}`).join(', ')})`
      return `INSERT INTO ${table} VALUES ${Array.from({ length: rows }, (_, row) => one(row)).join(', ')}`
    }
    let values: (number | string)[] = []
    for (const row of tpchRows(table, scale)) {
      values.push(...row)
      if (values.length < rowsEach * columns) continue
      await db.query(insert(rowsEach), values)
      values = []
    }
    if (values.length > 0) await db.query(insert(values.length / columns), values)
  }
}
