import { type SqlErrorOptions, sqlError } from '../errors.ts'

/** A value that is shown in full has at most so many bytes. */
const SHOWN_BYTES_MAX = 100

/** PostgreSQL's condition for data that COPY cannot read. */
const BAD_COPY_FILE_FORMAT = '22P04'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Where COPY was when something was wrong with its data. */
export interface CopyPlace {
  /** The table's name. */
  readonly table: string
  /** From 1; in the binary format, of the row. */
  readonly line: number
  readonly column?: string
  /** Of the column, as it came; null for NULL, absent when it cannot be shown. */
  readonly value?: string | null
  /** The whole line, for what concerns no column; null when it cannot be shown. */
  readonly text?: string | null
}

/** As PostgreSQL tells it: `COPY t, line 3, column b: "x"`. */
export function copyContext({ table, line, column, value, text }: CopyPlace): string {
  const start = `COPY ${table}, line ${line}`
  if (column !== undefined) {
    if (value === undefined) return `${start}, column ${column}`
    return `${start}, column ${column}: ${value === null ? 'null input' : `"${shown(value)}"`}`
  }
  return text === undefined || text === null ? start : `${start}: "${shown(text)}"`
}

function shown(text: string): string {
  if (text.length * 3 <= SHOWN_BYTES_MAX) return text
  const bytes = encoder.encode(text.slice(0, SHOWN_BYTES_MAX + 1))
  if (bytes.length <= SHOWN_BYTES_MAX) return text
  let end = SHOWN_BYTES_MAX
  // Not in the middle of a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return `${decoder.decode(bytes.subarray(0, end))}...`
}

/** 22P04: the data are not in the format that was said. */
export const badFormat = (message: string, place: CopyPlace, options: SqlErrorOptions = {}) =>
  sqlError(BAD_COPY_FILE_FORMAT, message, { ...options, context: copyContext(place) })
