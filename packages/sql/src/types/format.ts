import type { Value } from '@cluster/core'
import { arrayText, parseArray } from './array.ts'
import { dateToText, parseTimestamptz, timestampText, timestamptzText } from './datetime.ts'
import { doubleText, realText } from './float-text.ts'
import { timeText } from './time.ts'
import { UTC, type Zone } from './time-zone.ts'
import type { SqlType } from './type.ts'

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
      if (type.element?.id !== 'timestamptz' || zone === UTC) return value as string
      return arrayText(parseArray(value as string, parseTimestamptz), (item) =>
        timestamptzText(item as bigint, zone),
      )
    case 'date':
      return dateToText(value as number)
    case 'bytea':
      return `\\x${[...(value as Uint8Array)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
    default:
      return String(value)
  }
}

/** The items of a vector, parted by spaces. */
const vectorText = (text: string): string => text.replace(/^[^{]*\{|\}$/g, '').replaceAll(',', ' ')

/** The text that a cast to `text` gives. */
export function castText(type: SqlType, value: Value, zone: Zone = UTC): string {
  if (type.id === 'boolean') return value === true ? 'true' : 'false'
  const text = formatValue(type, value, zone)
  return type.id === 'char' ? text.replace(/ +$/, '') : text
}
