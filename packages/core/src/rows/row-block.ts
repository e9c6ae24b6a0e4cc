import type { Key, Row, Value } from '../values/value.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import { ValueVector, writeVector } from './value-vector.ts'

/** What a block holds: rows in key order, a null row for one that is gone. */
export interface BlockRows {
  /** Ascending, none twice. */
  readonly keys: readonly Key[]
  readonly rows: readonly (Row | null)[]
  /** The version of each row; absent where versions do not matter. */
  readonly versions?: readonly number[]
}

/**
 * Writes rows column by column: count varint · bytes of the keys' common beginning varint, and that · the rest of
 * the keys · 0, or 1 and the versions · width of the rows + 1 varint, or 0 and all widths (null: the row is gone) ·
 * columns varint · for each the bytes u32 and a vector.
 */
export function writeRowBlock(out: ByteWriter, { keys, rows, versions }: BlockRows): void {
  const count = keys.length
  out.varint(count)
  if (count === 0) return
  const common = commonPrefix(keys[0] as Key, keys[count - 1] as Key)
  const at = out.length
  out.u32(0)
  out.patchU32(at, out.text((keys[0] as Key).slice(0, common)))
  writeVector(out, common === 0 ? keys : keys.map((key) => key.slice(common)))
  out.u8(versions === undefined ? 0 : 1)
  if (versions !== undefined) writeVector(out, versions)
  writeColumns(out, rows)
}

function writeColumns(out: ByteWriter, rows: readonly (Row | null)[]): void {
  let columns = 0
  let uniform = true
  const width = rows[0]?.length ?? -1
  for (const row of rows) {
    const own = row === null ? -1 : row.length
    if (own !== width) uniform = false
    if (own > columns) columns = own
  }
  if (uniform && width >= 0) out.varint(width + 1)
  else {
    out.varint(0)
    writeVector(
      out,
      rows.map((row) => (row === null ? null : row.length)),
    )
  }
  out.varint(columns)
  const values = new Array<Value>(rows.length)
  for (let column = 0; column < columns; column++) {
    for (let i = 0; i < rows.length; i++) values[i] = rows[i]?.[column] ?? null
    const at = out.length
    out.u32(0)
    writeVector(out, values)
    out.patchU32(at, out.length - at - 4)
  }
}

function commonPrefix(a: string, b: string): number {
  const max = Math.min(a.length, b.length)
  let i = 0
  while (i < max && a.charCodeAt(i) === b.charCodeAt(i)) i++
  return i
}

/** What `writeRowBlock` wrote. Nothing is decoded before it is asked for. The bytes must not change meanwhile. */
export class RowBlock {
  readonly length: number
  /** Fields of every row; −1 when rows differ, or one of them is gone. */
  readonly width: number
  /** Where the block ends. */
  readonly end: number
  readonly #prefix: string = ''
  readonly #suffixes: ValueVector | null = null
  readonly #versions: ValueVector | null = null
  readonly #widths: ValueVector | null = null
  readonly #reader: ByteReader
  /** Where each column begins. */
  readonly #columns: readonly number[]

  constructor(bytes: Uint8Array, at = 0) {
    const reader = new ByteReader(bytes, at)
    this.#reader = reader
    this.length = reader.varint()
    const columns: number[] = []
    this.#columns = columns
    this.width = 0
    if (this.length > 0) {
      this.#prefix = reader.text(reader.u32())
      this.#suffixes = new ValueVector(reader, this.length)
      if (reader.u8() === 1) this.#versions = new ValueVector(reader, this.length)
      this.width = reader.varint() - 1
      if (this.width < 0) this.#widths = new ValueVector(reader, this.length)
      const count = reader.varint()
      for (let column = 0; column < count; column++) {
        const size = reader.u32()
        columns.push(reader.at)
        reader.at += size
      }
    }
    this.end = reader.at
  }

  key(i: number): Key {
    return this.#prefix + (this.#suffixes?.at(i) as string)
  }

  keys(): Key[] {
    const keys: Value[] = []
    this.#suffixes?.into(keys)
    const prefix = this.#prefix
    if (prefix !== '') for (let i = 0; i < keys.length; i++) keys[i] = prefix + (keys[i] as string)
    return keys as Key[]
  }

  /** The position of the first key ≥ `key`. */
  find(key: Key): number {
    const head = key.slice(0, this.#prefix.length)
    if (head !== this.#prefix) return head < this.#prefix ? 0 : this.length
    const rest = key.slice(this.#prefix.length)
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#suffixes?.at(middle) as string) < rest) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The row's version; 0 in a block without versions. */
  version(i: number): number {
    return (this.#versions?.at(i) as number | undefined) ?? 0
  }

  versions(): number[] {
    const versions: Value[] = []
    this.#versions?.into(versions)
    return versions as number[]
  }

  /** True for a row that is gone. */
  gone(i: number): boolean {
    return this.#widths !== null && this.#widths.at(i) === null
  }

  row(i: number): Row | null {
    const width = this.#widths === null ? this.width : (this.#widths.at(i) as number | null)
    if (width === null) return null
    const row = new Array<Value>(width)
    for (let column = 0; column < width; column++) row[column] = this.#column(column).at(i)
    return row
  }

  rows(): (Row | null)[] {
    const columns = this.#columns.map((_, column) => this.column(column))
    const rows: (Row | null)[] = []
    for (let i = 0; i < this.length; i++) {
      const width = this.#widths === null ? this.width : (this.#widths.at(i) as number | null)
      if (width === null) {
        rows.push(null)
        continue
      }
      const row = new Array<Value>(width)
      for (let column = 0; column < width; column++) row[column] = columns[column]?.[i] ?? null
      rows.push(row)
    }
    return rows
  }

  /** The values of one column; null where the row is gone or has fewer. */
  column(position: number): Value[] {
    const values: Value[] = []
    this.columnInto(values, position)
    return values
  }

  /** Adds the values of one column, of the rows from position `from` up to `to`. */
  columnInto(target: Value[], position: number, from = 0, to = this.length): void {
    if (position < this.#columns.length) this.#column(position).into(target, from, to)
    else for (let i = from; i < to; i++) target.push(null)
  }

  /** One field of one row; null where the row is gone or has fewer. */
  value(i: number, position: number): Value {
    return position < this.#columns.length ? this.#column(position).at(i) : null
  }

  readonly #vectors: (ValueVector | undefined)[] = []

  #column(position: number): ValueVector {
    const known = this.#vectors[position]
    if (known !== undefined) return known
    const reader = this.#reader
    reader.at = this.#columns[position] as number
    const vector = new ValueVector(reader, this.length)
    this.#vectors[position] = vector
    return vector
  }
}
