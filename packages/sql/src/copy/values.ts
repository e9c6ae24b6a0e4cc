import type { Value } from '@cluster/core'
import type { ColumnSchema } from '../catalog/schema.ts'
import type { Batch } from '../compile/batch.ts'
import { sqlError, withContext } from '../errors.ts'
import type { ReadingContext } from '../types/datetime.ts'
import { parseValue } from '../types/parse.ts'
import { type SqlType, typeOid } from '../types/type.ts'
import { badFormat, type CopyPlace, copyContext } from './place.ts'
import type { CopyRecord, Field } from './records.ts'

/** PostgreSQL's binary form of values, which whoever composes brings. */
export interface BinaryValues {
  /**
   * @param oid PostgreSQL's number of the type
   * @param text the value as PostgreSQL prints it
   */
  encode(oid: number, value: Value, text: () => string): Uint8Array
  /** The value as text, or the bytes of a bytea. @throws when the bytes are no value of the type */
  decode(oid: number, bytes: Uint8Array): string | Uint8Array
}

export interface ValueReader {
  readonly table: string
  readonly columns: readonly ColumnSchema[]
  readonly nullText: string
  /** By column; null: nothing is forced. */
  readonly forceNotNull: readonly boolean[] | null
  readonly forceNull: readonly boolean[] | null
  /** Null: the rows come as text. */
  readonly binary: BinaryValues | null
  readonly context: ReadingContext
}

/** Rows that were read, and what was wrong with the one behind them. */
export interface ReadRows {
  readonly batch: Batch
  /** Null when nothing was. */
  readonly error: unknown
}

/** The values of rows, as far as they can be read. */
export function readValues(records: readonly CopyRecord[], reader: ValueReader): ReadRows {
  const columns: Value[][] = reader.columns.map(() => [])
  let length = 0
  try {
    for (const record of records) {
      const values = valuesOf(record, reader)
      for (let i = 0; i < values.length; i++) columns[i]?.push(values[i] as Value)
      length++
    }
  } catch (error) {
    return { batch: { length, columns }, error }
  }
  return { batch: { length, columns }, error: null }
}

function valuesOf(record: CopyRecord, reader: ValueReader): readonly Value[] {
  const { columns } = reader
  const { fields } = record
  if (fields.length > columns.length)
    throw badFormat('extra data after last expected column', place(record, reader))
  return columns.map(({ name, type }, i) => {
    const given = fields[i]
    if (given === undefined) throw badFormat(`missing data for column "${name}"`, place(record, reader))
    const field = forced(given, i, reader)
    if (field === null) return null
    try {
      return toValue(type, field, reader)
    } catch (error) {
      const value = typeof field === 'string' ? { value: field } : {}
      throw withContext(
        error,
        copyContext({ table: reader.table, line: record.line, column: name, ...value }),
      )
    }
  })
}

function forced(field: Field, i: number, { nullText, forceNotNull, forceNull }: ValueReader): Field {
  if (field === null) return forceNotNull?.[i] === true ? nullText : null
  return forceNull?.[i] === true && field === nullText ? null : field
}

function toValue(type: SqlType, field: Exclude<Field, null>, { binary, context }: ValueReader): Value {
  if (typeof field === 'string') return parseValue(type, field, context)
  const oid = typeOid(type)
  let decoded: string | Uint8Array | undefined
  try {
    decoded = binary?.decode(oid, field)
  } catch (error) {
    throw sqlError('22P03', 'incorrect binary data format', { cause: error })
  }
  return typeof decoded === 'string' ? parseValue(type, decoded, context) : (decoded ?? null)
}

/** Where a row stands in the data. */
export const place = ({ line, text }: CopyRecord, { table }: Pick<ValueReader, 'table'>): CopyPlace => ({
  table,
  line,
  text,
})
