import type { CommitReceipt } from '@cluster/core'
import { formatValue, type SqlResult, type SqlType } from '@cluster/sql'
import { drawTable, rowCountLine, type TableColumn } from './table.ts'

const NUMBERS: ReadonlySet<SqlType['id']> = new Set([
  'smallint',
  'integer',
  'bigint',
  'real',
  'double',
  'numeric',
])
/** The command tags that carry a count. */
const COUNTED = new Set(['INSERT', 'UPDATE', 'DELETE', 'SELECT', 'COPY', 'FETCH', 'MOVE'])

/** The result of one statement, already as text. */
export interface ShownResult {
  /** PostgreSQL's command tag without counts: `SELECT`, `INSERT`, `CREATE TABLE` … */
  readonly command: string
  /** Empty when the statement gives no rows. */
  readonly columns: readonly TableColumn[]
  /** One text a column; NULL is the empty text. */
  readonly rows: readonly (readonly string[])[]
  /** Rows given or changed; null for statements that count none. */
  readonly rowCount: number | null
  readonly receipt: CommitReceipt | null
}

/** A result as the shell prints it, in the manner of psql, with a note when a write has fewer copies than wanted. */
export function resultText(result: ShownResult): string {
  const lines: string[] = []
  if (result.columns.length > 0) {
    lines.push(drawTable(result.columns, result.rows), rowCountLine(result.rows.length))
  }
  if (result.command !== 'SELECT' && result.columns.length === 0) lines.push(commandTag(result))
  const { receipt } = result
  if (receipt?.underReplicated && receipt.copies !== null) {
    const copies = receipt.copies === 1 ? '1 copy' : `${receipt.copies} copies`
    lines.push(`NOTE:  written with ${copies}, fewer than the redundancy asked for: start more nodes`)
  }
  return lines.join('\n')
}

function commandTag({ command, rowCount }: ShownResult): string {
  if (rowCount === null) return command
  return command === 'INSERT' ? `INSERT 0 ${rowCount}` : `${command} ${rowCount}`
}

/** The values of a result as the texts that people read. */
export function shownResult({ command, columns, rows, rowCount, receipt }: SqlResult): ShownResult {
  return {
    command,
    columns: columns.map(({ name, type }) => ({ name, right: NUMBERS.has(type.id) })),
    rows: rows.map((row) =>
      columns.map(({ type }, i) => {
        const value = row[i] ?? null
        return value === null ? '' : formatValue(type, value)
      }),
    ),
    rowCount: COUNTED.has(command) ? rowCount : null,
    receipt,
  }
}
