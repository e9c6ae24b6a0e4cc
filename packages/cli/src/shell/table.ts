import { printable, textWidth } from './text-width.ts'

export interface TableColumn {
  readonly name: string
  /** Numbers stand to the right. */
  readonly right: boolean
}

/** Cells wider than this are cut, so that one long value does not bury the rest. */
const CELL_MAX = 200

/** Draws rows as a table in the manner of psql, without the closing count. Each row has one text per column. */
export function drawTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(cut))
  const names = columns.map((column) => printable(column.name))
  const widths = names.map((name, i) =>
    cells.reduce((width, row) => Math.max(width, textWidth(row[i] ?? '')), textWidth(name)),
  )
  const line = (
    texts: readonly string[],
    place: (text: string, width: number, i: number) => string,
  ): string =>
    texts
      .map((text, i) => ` ${place(text, widths[i] ?? 0, i)} `)
      .join('|')
      .trimEnd()
  return [
    line(names, centre),
    widths.map((width) => '-'.repeat(width + 2)).join('+'),
    ...cells.map((row) =>
      line(row, (text, width, i) => (columns[i]?.right ? toRight(text, width) : toLeft(text, width))),
    ),
  ].join('\n')
}

/** "(3 rows)", as psql says it. */
export function rowCountLine(count: number): string {
  return count === 1 ? '(1 row)' : `(${count} rows)`
}

function cut(text: string): string {
  const shown = printable(text)
  return shown.length > CELL_MAX ? `${shown.slice(0, CELL_MAX - 1)}…` : shown
}

const toLeft = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - textWidth(text)))
const toRight = (text: string, width: number): string =>
  ' '.repeat(Math.max(0, width - textWidth(text))) + text

function centre(text: string, width: number): string {
  const free = Math.max(0, width - textWidth(text))
  return ' '.repeat(free >> 1) + text + ' '.repeat(free - (free >> 1))
}
