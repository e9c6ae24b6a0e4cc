import type { Value } from '@cluster/core'
import type { ResultColumn } from '../plan/statement.ts'
import { typeOid } from '../types/type.ts'
import { SIGNATURE } from './binary-reader.ts'
import type { CopyFormat } from './options.ts'
import type { BinaryValues } from './values.ts'

/** Writes rows as COPY TO gives them, one piece of bytes a row. */
export interface RowWriter {
  /** What comes before the first row: the header of CSV and text, or null. */
  header(): Uint8Array | null
  row(values: readonly Value[]): Uint8Array
  /** What comes behind the last row; null: nothing. */
  trailer(): Uint8Array | null
}

export interface RowWriterOptions {
  readonly format: CopyFormat
  readonly columns: readonly ResultColumn[]
  /** By column. */
  readonly forceQuote: readonly boolean[]
  /** The text of a value that is not NULL. */
  readonly text: (column: ResultColumn, value: Value) => string
  readonly binary: BinaryValues | null
}

const encoder = new TextEncoder()

export function rowWriter(options: RowWriterOptions): RowWriter {
  const { format, binary } = options
  if (format.kind === 'binary' && binary !== null) return binaryWriter(options, binary)
  return lineWriter(options, format.kind === 'csv' ? csvField(options) : textField(format))
}

/** Writes one field; `column` −1 for a name in the header. */
type FieldWriter = (text: string, column: number) => string

function lineWriter({ format, columns, text }: RowWriterOptions, field: FieldWriter): RowWriter {
  const { delimiter, nullText } = format
  const line = (fields: readonly string[]): Uint8Array => encoder.encode(`${fields.join(delimiter)}\n`)
  return {
    header: () => (format.header === false ? null : line(columns.map(({ name }) => field(name, -1)))),
    row: (values) => {
      let row = ''
      for (let i = 0; i < columns.length; i++) {
        const value = values[i] ?? null
        if (i > 0) row += delimiter
        row += value === null ? nullText : field(text(columns[i] as ResultColumn, value), i)
      }
      return encoder.encode(`${row}\n`)
    },
    trailer: () => null,
  }
}

const escapes: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** @see CopyAttributeOutText of PostgreSQL's copyto.c */
function textField({ delimiter }: CopyFormat): FieldWriter {
  const special = /[\b\f\n\r\t\v\\]/
  const all = new RegExp(special, 'g')
  return (text) => {
    const escaped = special.test(text) ? text.replace(all, (char) => escapes[char] ?? `\\${char}`) : text
    return delimiter === '\t' ? escaped : escaped.replaceAll(delimiter, `\\${delimiter}`)
  }
}

/** @see CopyAttributeOutCSV */
function csvField({ format, columns, forceQuote }: RowWriterOptions): FieldWriter {
  const { delimiter, quote, escape: escaping, nullText } = format
  const alone = columns.length === 1
  return (text, column) => {
    const needed =
      forceQuote[column] === true ||
      text === nullText ||
      text.includes(delimiter) ||
      text.includes(quote) ||
      text.includes('\n') ||
      text.includes('\r') ||
      // Alone on its line it would end the data.
      (alone && text === '\\.')
    if (!needed) return text
    let escaped = ''
    for (const char of text) escaped += char === quote || char === escaping ? escaping + char : char
    return quote + escaped + quote
  }
}

const NULL_LENGTH = -1

function binaryWriter({ columns, text }: RowWriterOptions, binary: BinaryValues): RowWriter {
  const types = columns.map(({ type }) => typeOid(type))
  return {
    header: () => {
      // No flags, and no extension behind them.
      const bytes = new Uint8Array(SIGNATURE.length + 8)
      bytes.set(SIGNATURE)
      return bytes
    },
    row: (values) => {
      const fields = columns.map((column, i) => {
        const value = values[i] ?? null
        return value === null ? null : binary.encode(types[i] as number, value, () => text(column, value))
      })
      const size = fields.reduce((sum, field) => sum + 4 + (field?.length ?? 0), 2)
      const bytes = new Uint8Array(size)
      const view = new DataView(bytes.buffer)
      view.setInt16(0, fields.length)
      let at = 2
      for (const field of fields) {
        view.setInt32(at, field?.length ?? NULL_LENGTH)
        at += 4
        if (field === null) continue
        bytes.set(field, at)
        at += field.length
      }
      return bytes
    },
    trailer: () => Uint8Array.of(0xff, 0xff),
  }
}
