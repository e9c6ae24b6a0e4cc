import type { Value } from '@cluster/core'
import { arrayText, parseArray } from './array.ts'
import { dateToText, parseTimestamptz, timestampText, timestamptzText } from './datetime.ts'
import { doubleText, realText } from './float-text.ts'
import { parseRecord, recordText } from './record.ts'
import { timeText } from './time.ts'
import { UTC, type Zone } from './time-zone.ts'
import { fieldsOf, type SqlType } from './type.ts'

/**
 * The text of a value that is not NULL, as PostgreSQL sends it to clients. A boolean is `t` or `f`; cast to
 * text it is `true` or `false` (`castText`).
 * @param zone of the session, for timestamptz
 */
export function formatValue(type: SqlType, value: Value, zone: Zone = UTC): string {
  if (value === null) return ''
  switch (type.id) {
    case 'boolean':
      return value === true ? 't' : 'f'
    case 'real':
      return realText(value as number)
    case 'double':
      return doubleText(value as number)
    case 'timestamp':
      return timestampText(value as bigint)
    case 'timestamptz':
      return timestamptzText(value as bigint, zone)
    case 'time':
      return timeText(value as number)
    case 'array':
      if (type.vector === true) return vectorText(value as string)
      // Only moments look different in another zone; every other array is its own text.
      if (zone === UTC || type.element === undefined || !holdsMoments(type.element)) return value as string
      return zonedArray(type.element, value as string, zone)
    case 'record':
      if (zone === UTC || !holdsMoments(type)) return value as string
      return zonedRecord(type, value as string, zone)
    case 'date':
      return dateToText(value as number)
    case 'bytea':
      return `\\x${[...(value as Uint8Array)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
    default:
      return String(value)
  }
}

const holdsMoments = (type: SqlType): boolean =>
  type.id === 'timestamptz' ||
  (type.element !== undefined && holdsMoments(type.element)) ||
  fieldsOf(type).some((field) => holdsMoments(field.type))

/** A text inside an array or a row in UTC as one in the zone. */
const rezoned = (type: SqlType, text: string, zone: Zone): string =>
  type.id === 'timestamptz'
    ? timestamptzText(parseTimestamptz(text), zone)
    : type.element !== undefined || type.record !== undefined
      ? formatValue(type, text, zone)
      : text

const zonedArray = (element: SqlType, text: string, zone: Zone): string =>
  arrayText(
    parseArray(text, (item) => item),
    (item) => rezoned(element, item as string, zone),
  )

const zonedRecord = (type: SqlType, text: string, zone: Zone): string =>
  recordText(parseRecord(text), (field, i) => rezoned(fieldsOf(type)[i]?.type ?? type, field as string, zone))
/** The items of a vector, parted by spaces. */
const vectorText = (text: string): string => text.replace(/^[^{]*\{|\}$/g, '').replaceAll(',', ' ')

/** The text that a cast to `text` gives. */
export function castText(type: SqlType, value: Value, zone: Zone = UTC): string {
  if (type.id === 'boolean') return value === true ? 'true' : 'false'
  const text = formatValue(type, value, zone)
  return type.id === 'char' ? text.replace(/ +$/, '') : text
}
