import { sqlError } from '../errors.ts'
import { csvFields, textFields } from './line-fields.ts'
import { LineSplitter } from './line-splitter.ts'
import type { CopyFormat } from './options.ts'
import { badFormat, type CopyPlace, copyContext } from './place.ts'
import type { CopyRecord, RecordReader } from './records.ts'
import { type BadBytes, Utf8Reader } from './utf8-reader.ts'

/** What the data are to be read into. */
export interface ReaderTarget {
  /** The table's name, for messages. */
  readonly table: string
  /** The names of the columns that are read, in order. */
  readonly columns: readonly string[]
}

/** Rows of the text and the CSV format. */
export class LineReader implements RecordReader {
  readonly #format: CopyFormat
  readonly #target: ReaderTarget
  readonly #splitter: LineSplitter
  readonly #utf8 = new Utf8Reader()
  #header: boolean

  constructor(format: CopyFormat, target: ReaderTarget) {
    this.#format = format
    this.#target = target
    this.#splitter = new LineSplitter(format, target.table)
    this.#header = format.header !== false
  }

  push(bytes: Uint8Array): void {
    if (this.#utf8.bad === null) this.#splitter.push(this.#utf8.read(bytes, false))
  }

  finish(): void {
    if (this.#utf8.bad !== null) return
    this.#splitter.push(this.#utf8.read(new Uint8Array(0), true))
    // What is not text comes in place of the rest of its line.
    if (this.#utf8.bad === null) this.#splitter.finish()
  }

  next(): CopyRecord | null {
    for (;;) {
      const text = this.#splitter.next()
      if (text === null) {
        const { bad } = this.#utf8
        if (bad !== null) throw this.#badBytes(bad, this.#splitter.line + 1)
        return null
      }
      const fields = this.#fields(text)
      if (!this.#header) return { line: this.#splitter.line, text, fields }
      this.#header = false
      if (this.#format.header === 'match') this.#checkHeader(fields, text)
    }
  }

  #fields(text: string): readonly (string | null)[] {
    const place = this.#place(text)
    if (this.#format.kind === 'csv') {
      const fields = csvFields(text, this.#format)
      if (fields === null) throw badFormat('unterminated CSV quoted field', place)
      return fields
    }
    const fields = textFields(text, this.#format)
    if ('shown' in fields) throw this.#badBytes(fields, this.#splitter.line, text)
    return fields
  }

  #badBytes({ shown }: BadBytes, line: number, text: string | null = null) {
    return sqlError('22021', `invalid byte sequence for encoding "UTF8": ${shown}`, {
      context: copyContext({ table: this.#target.table, line, text }),
    })
  }

  #checkHeader(fields: readonly (string | null)[], text: string): void {
    const { columns } = this.#target
    if (fields.length !== columns.length)
      throw badFormat(
        `wrong number of fields in header line: got ${fields.length}, expected ${columns.length}`,
        this.#place(text),
      )
    columns.forEach((name, i) => {
      const field = fields[i] ?? null
      if (field === name) return
      const got = field === null ? `null value ("${this.#format.nullText}")` : `"${field}"`
      throw badFormat(
        `column name mismatch in header line field ${i + 1}: got ${got}, expected "${name}"`,
        this.#place(text),
      )
    })
  }

  #place(text: string): CopyPlace {
    return { table: this.#target.table, line: this.#splitter.line, text }
  }
}
