/** A value of a row as it came: text, bytes of a bytea in the binary format, or NULL. */
export type Field = string | Uint8Array | null

/** One row of the data that COPY reads. */
export interface CopyRecord {
  /** Its last line, from 1; in the binary format the number of the row. */
  readonly line: number
  /** The line itself; null in the binary format. */
  readonly text: string | null
  readonly fields: readonly Field[]
}

/** Cuts what comes in into rows. An error comes after the rows before it. */
export interface RecordReader {
  push(bytes: Uint8Array): void
  /** Nothing more comes. */
  finish(): void
  /** The next row; null: more is needed, or, behind `finish`, there is none. @throws 22P04, 22021 */
  next(): CopyRecord | null
}
