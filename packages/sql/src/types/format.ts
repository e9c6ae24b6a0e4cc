import type { Value } from '@cluster/core'
import { arrayText, parseArray } from './array.ts'
import {
  dateToText,
  isInfinite,
  parseDate,
  parseTimestamp,
  parseTimestamptz,
  timestampText,
  timestamptzText,
} from './datetime.ts'
import { doubleText, parseFloatText, realText, roundedFloatText } from './float-text.ts'
import { toInterval } from './interval.ts'
import { listText, parseRange, splitMultirange } from './range.ts'
import { boundId } from './range-types.ts'
import { parseRecord, recordText } from './record.ts'
import { escapedBytes, type Styles, styledDate, styledInterval, styledTimestamp } from './styles.ts'
import { timeText } from './time.ts'
import { toLocal, UTC, type Zone } from './time-zone.ts'
import { fieldsOf, type SqlType, TYPES, type TypeId } from './type.ts'

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
      return rounds(zone)
        ? roundedFloatText(value as number, 'real', zone.styles.floatDigits)
        : realText(value as number)
    case 'double':
      return rounds(zone)
        ? roundedFloatText(value as number, 'double', zone.styles.floatDigits)
        : doubleText(value as number)
    case 'timestamp':
      return isStyled(zone) && !isInfinite(value as bigint)
        ? styledTimestamp(value as bigint, null, zone.styles)
        : timestampText(value as bigint)
    case 'timestamptz':
      return isStyled(zone) && !isInfinite(value as bigint)
        ? styledTimestamp(
            toLocal(zone, value as bigint),
            zone.abbreviationAt(Number((value as bigint) / 1_000n)),
            zone.styles,
          )
        : timestamptzText(value as bigint, zone)
    case 'interval': {
      const style = zone.styles?.interval ?? 'postgres'
      return style === 'postgres' ? (value as string) : styledInterval(toInterval(value as string), style)
    }
    case 'time':
      return timeText(value as number)
    case 'array':
      if (type.vector === true) return vectorText(value as string)
      // Only moments look different in another zone or style; every other array is its own text.
      if (zone === UTC || type.element === undefined || !holdsMoments(type.element, zone))
        return value as string
      return zonedArray(type.element, value as string, zone)
    case 'record':
      if (zone === UTC || !holdsMoments(type, zone)) return value as string
      return zonedRecord(type, value as string, zone)
    case 'tsrange':
    case 'tstzrange':
    case 'daterange':
    case 'tsmultirange':
    case 'tstzmultirange':
    case 'datemultirange':
      if (zone === UTC || !holdsMoments(type, zone)) return value as string
      return zonedRanges(type, value as string, zone)
    case 'date':
      return isStyled(zone) && Number.isFinite(value)
        ? styledDate(value as number, zone.styles)
        : dateToText(value as number)
    case 'bytea':
      if (zone.styles?.bytea === 'escape') return escapedBytes(value as Uint8Array)
      return `\\x${[...(value as Uint8Array)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
    default:
      return String(value)
  }
}

const rounds = (zone: Zone): zone is Zone & { readonly styles: Styles } =>
  zone.styles !== undefined && zone.styles.floatDigits < 1

const isStyled = (zone: Zone): zone is Zone & { readonly styles: Styles } =>
  zone.styles !== undefined && zone.styles.date !== 'ISO'

const styledIds: ReadonlySet<TypeId> = new Set(['date', 'timestamp', 'interval', 'bytea', 'real', 'double'])

const holdsMoments = (type: SqlType, zone: Zone): boolean =>
  boundId(type.id) === 'timestamptz' ||
  (zone.styles !== undefined && styledIds.has(boundId(type.id))) ||
  (type.element !== undefined && holdsMoments(type.element, zone)) ||
  fieldsOf(type).some((field) => holdsMoments(field.type, zone))

/** A text inside an array, a row or a range, which is in UTC and ISO, as the session has it. */
function rezoned(type: SqlType, text: string, zone: Zone): string {
  if (!holdsMoments(type, zone)) return text
  switch (type.id) {
    case 'timestamptz':
      return formatValue(type, parseTimestamptz(text), zone)
    case 'timestamp':
      return formatValue(type, parseTimestamp(text), zone)
    case 'date':
      return formatValue(type, parseDate(text), zone)
    case 'real':
    case 'double':
      return formatValue(type, parseFloatText(text, type.id === 'real') as number, zone)
    case 'bytea':
      return formatValue(
        type,
        Uint8Array.from(text.slice(2).match(/../g) ?? [], (digits) => Number.parseInt(digits, 16)),
        zone,
      )
    default:
      return formatValue(type, text, zone)
  }
}

const zonedArray = (element: SqlType, text: string, zone: Zone): string =>
  arrayText(
    parseArray(text, (item) => item),
    (item) => rezoned(element, item as string, zone),
  )

const zonedRecord = (type: SqlType, text: string, zone: Zone): string =>
  recordText(parseRecord(text), (field, i) => rezoned(fieldsOf(type)[i]?.type ?? type, field as string, zone))

const zonedRanges = (type: SqlType, text: string, zone: Zone): string => {
  const bound = TYPES[boundId(type.id)]
  const many = text.startsWith('{')
  const ranges = (many ? [...splitMultirange(text)] : [text]).flatMap((part) => parseRange(part) ?? [])
  return listText(ranges, many, (value) => rezoned(bound, value as string, zone))
}

/** The items of a vector, parted by spaces. */
const vectorText = (text: string): string => text.replace(/^[^{]*\{|\}$/g, '').replaceAll(',', ' ')

/** The text that a cast to `text` gives. */
export function castText(type: SqlType, value: Value, zone: Zone = UTC): string {
  if (type.id === 'boolean') return value === true ? 'true' : 'false'
  const text = formatValue(type, value, zone)
  return type.id === 'char' ? text.replace(/ +$/, '') : text
}
