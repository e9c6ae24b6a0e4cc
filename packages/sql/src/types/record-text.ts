import type { Value } from '@cluster/core'
import { formatValue } from './format.ts'
import { parseValue } from './parse.ts'
import { parseRecord, recordText } from './record.ts'
import { fieldsOf, type RecordType, type SqlType } from './type.ts'

const known = new WeakMap<RecordType, Map<string, readonly Value[]>>()
const KNOWN_MAX = 64
const KNOWN_LENGTH_MAX = 16_384

/** The fields of a stored row. The last ones are remembered: they must not be changed. */
export function toRecord(type: SqlType, text: string): readonly Value[] {
  const fields = fieldsOf(type)
  const read = (): readonly Value[] => {
    const texts = parseRecord(text)
    return fields.map((field, i) => {
      const own = texts[i] ?? null
      return own === null ? null : parseValue(field.type, own)
    })
  }
  if (type.record === undefined || text.length > KNOWN_LENGTH_MAX) return read()
  let rows = known.get(type.record)
  if (rows === undefined) {
    rows = new Map()
    known.set(type.record, rows)
  }
  let row = rows.get(text)
  if (row === undefined) {
    row = read()
    if (rows.size >= KNOWN_MAX) rows.clear()
    rows.set(text, row)
  }
  return row
}

/** The stored form of a row. */
export const fromRecord = (type: SqlType, values: readonly Value[]): string => {
  const fields = fieldsOf(type)
  return recordText(values, (value, at) => {
    const field = fields[at]
    return field === undefined ? String(value) : formatValue(field.type, value)
  })
}
