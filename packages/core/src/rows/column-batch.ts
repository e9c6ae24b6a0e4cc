import type { ColumnBatch } from '../database/fragment.ts'
import type { Value } from '../values/value.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import { ValueVector, writeVector } from './value-vector.ts'

/** More columns than any row has; a larger number is garbage. */
const COLUMNS_MAX = 4_096
/** More rows than anybody puts into one batch. */
const ROWS_MAX = 1 << 20

/** Writes a batch: rows varint · columns varint · a vector of each. */
export function writeColumnBatch(out: ByteWriter, { length, columns }: ColumnBatch): void {
  out.varint(length)
  out.varint(columns.length)
  for (const column of columns) writeVector(out, column.length === length ? column : column.slice(0, length))
}

/**
 * Reads what `writeColumnBatch` wrote.
 * @throws RangeError when the bytes are not that
 */
export function readColumnBatch(bytes: Uint8Array): ColumnBatch {
  const reader = new ByteReader(bytes)
  const length = reader.varint()
  const width = reader.varint()
  if (width > COLUMNS_MAX || length > ROWS_MAX)
    throw new RangeError(`a batch has ${length} rows of ${width} columns`)
  const columns: Value[][] = []
  for (let c = 0; c < width; c++) {
    const column: Value[] = []
    const vector = new ValueVector(reader, length)
    if (reader.at > bytes.length) throw new RangeError('a batch ends too early')
    vector.into(column)
    columns.push(column)
  }
  if (reader.at !== bytes.length) throw new RangeError('a batch has bytes behind its end')
  return { length, columns }
}
