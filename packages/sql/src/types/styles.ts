import { SQLSTATE, sqlError } from '../errors.ts'
import { civilFromDays, clockText, eraText, splitMicros, timeOf } from './calendar.ts'

/** How a session writes dates. */
export type DateStyle = 'ISO' | 'SQL' | 'Postgres' | 'German'
/** How it reads dates of three short numbers, and writes some. */
export type DateOrder = 'MDY' | 'DMY' | 'YMD'
export type ByteaStyle = 'hex' | 'escape'
export type IntervalStyle = 'postgres' | 'postgres_verbose' | 'sql_standard' | 'iso_8601'

/** What DateStyle, IntervalStyle and bytea_output say. */
export interface Styles {
  readonly date: DateStyle
  readonly order: DateOrder
  readonly interval: IntervalStyle
  readonly bytea: ByteaStyle
  /** `extra_float_digits`: above zero as many digits as it takes. */
  readonly floatDigits: number
}

export const PLAIN_STYLES: Styles = {
  date: 'ISO',
  order: 'MDY',
  interval: 'postgres',
  bytea: 'hex',
  floatDigits: 1,
}

const INTERVAL_STYLES: readonly IntervalStyle[] = ['postgres', 'postgres_verbose', 'sql_standard', 'iso_8601']

/** @throws 22023 */
export function byteaStyleOf(value: string): ByteaStyle {
  const style = value.trim().toLowerCase()
  if (style === 'hex' || style === 'escape') return style
  throw sqlError(SQLSTATE.invalidParameterValue, `invalid value for parameter "bytea_output": "${value}"`, {
    hint: 'Available values: escape, hex.',
  })
}

const FLOAT_DIGITS = { min: -15, max: 3 } as const

/** `extra_float_digits`. @throws 22023 */
export function floatDigitsOf(value: string): number {
  const number = /^\s*[-+]?\d+\s*$/.test(value) ? Number(value) : null
  if (number === null)
    throw sqlError(
      SQLSTATE.invalidParameterValue,
      `invalid value for parameter "extra_float_digits": "${value}"`,
    )
  const { min, max } = FLOAT_DIGITS
  if (number >= min && number <= max) return number
  throw sqlError(
    SQLSTATE.invalidParameterValue,
    `${number} is outside the valid range for parameter "extra_float_digits" (${min} .. ${max})`,
  )
}

/** Bytes as PostgreSQL wrote them before it knew hexadecimal digits: what cannot be shown in three octal digits. */
export const escapedBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => {
    if (byte === 92) return '\\\\'
    return byte < 32 || byte > 126 ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte)
  }).join('')

/** @throws 22023 */
export function intervalStyleOf(value: string): IntervalStyle {
  const style = INTERVAL_STYLES.find((one) => one === value.trim().toLowerCase())
  if (style !== undefined) return style
  throw sqlError(SQLSTATE.invalidParameterValue, `invalid value for parameter "intervalstyle": "${value}"`, {
    hint: `Available values: ${INTERVAL_STYLES.join(', ')}.`,
  })
}

/**
 * The style and the order that a value of DateStyle names; what it does not name stays.
 * @throws 22023
 */
export function dateStyleOf(value: string, before: Styles): Pick<Styles, 'date' | 'order'> {
  let date: DateStyle | null = null
  let order: DateOrder | null = null
  const wrong = (detail: string) =>
    sqlError(SQLSTATE.invalidParameterValue, `invalid value for parameter "DateStyle": "${value}"`, {
      detail,
    })
  const take = (nextDate: DateStyle | null, nextOrder: DateOrder | null): void => {
    if (nextDate !== null && date !== null && date !== nextDate)
      throw wrong('Conflicting "datestyle" specifications.')
    if (nextOrder !== null && order !== null && order !== nextOrder)
      throw wrong('Conflicting "datestyle" specifications.')
    date = nextDate ?? date
    order = nextOrder ?? order
  }
  for (const word of value.split(',').map((part) => part.trim())) {
    const key = word.toLowerCase()
    if (key === 'iso') take('ISO', null)
    else if (key === 'sql') take('SQL', null)
    else if (key.startsWith('postgres')) take('Postgres', null)
    else if (key === 'german') take('German', null)
    else if (key === 'ymd') take(null, 'YMD')
    else if (key === 'dmy' || key.startsWith('euro')) take(null, 'DMY')
    else if (key === 'mdy' || key === 'us' || key.startsWith('noneuro')) take(null, 'MDY')
    else if (key === 'default') take(date ?? 'ISO', order ?? 'MDY')
    else throw wrong(`Unrecognized key word: "${word}".`)
  }
  // Germans write the day first.
  const usual: DateOrder = date === 'German' ? 'DMY' : before.order
  return { date: date ?? before.date, order: order ?? usual }
}

const WEEKDAYS = 'Mon Tue Wed Thu Fri Sat Sun'.split(' ')
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** A span of time, as `Interval` has it. */
interface Span {
  readonly months: number
  readonly days: number
  readonly micros: bigint
}

const two = (value: number): string => String(value).padStart(2, '0')

/** A date in a style that is not ISO. */
function styledDay(days: number, { date, order }: Styles): { readonly text: string; readonly era: string } {
  const civil = civilFromDays(days)
  const shown = civil.year > 0 ? civil.year : 1 - civil.year
  const [day, month, year] = [two(civil.day), two(civil.month), String(shown).padStart(4, '0')]
  const sign = date === 'SQL' ? '/' : date === 'German' ? '.' : '-'
  const first = date === 'German' || order === 'DMY' ? [day, month] : [month, day]
  return { text: [...first, year].join(sign), era: eraText(civil) }
}

export function styledDate(days: number, styles: Styles): string {
  const { text, era } = styledDay(days, styles)
  return text + era
}

/** A moment in a style that is not ISO. @param zone the abbreviation of its zone; null: it has none */
export function styledTimestamp(micros: bigint, zone: string | null, styles: Styles): string {
  const { days, rest } = splitMicros(micros)
  const { text, era } = styledDay(days, styles)
  const clock = clockText(timeOf(rest))
  const end = zone === null ? '' : ` ${zone}`
  if (styles.date !== 'Postgres') return `${text} ${clock}${end}${era}`
  const civil = civilFromDays(days)
  const weekday = WEEKDAYS[(((days + 3) % 7) + 7) % 7] ?? ''
  const month = MONTHS[civil.month - 1] ?? ''
  const middle = styles.order === 'DMY' ? `${two(civil.day)} ${month}` : `${month} ${two(civil.day)}`
  return `${weekday} ${middle} ${clock} ${text.slice(6)}${end}${era}`
}

/** The parts of a span as PostgreSQL shows them; all have the sign of what they are of. */
interface Parts {
  readonly years: number
  readonly months: number
  readonly days: number
  readonly hours: bigint
  readonly minutes: bigint
  readonly seconds: bigint
  readonly micros: bigint
}

const partsOf = ({ months, days, micros }: Span): Parts => ({
  years: Math.trunc(months / 12),
  months: (months % 12) + 0,
  days,
  hours: micros / 3_600_000_000n,
  minutes: (micros / 60_000_000n) % 60n,
  seconds: (micros / 1_000_000n) % 60n,
  micros: micros % 1_000_000n,
})

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)

/** `5`, `5.25`, without a sign. */
function secondsText({ seconds, micros }: Parts, digits: number): string {
  const fraction = magnitude(micros).toString().padStart(6, '0').replace(/0+$/, '')
  const whole = magnitude(seconds).toString().padStart(digits, '0')
  return fraction === '' ? whole : `${whole}.${fraction}`
}

function verboseText(parts: Parts): string {
  let text = '@'
  let before = false
  let nothing = true
  const add = (value: bigint, unit: string): void => {
    if (value === 0n) return
    if (nothing) before = value < 0n
    const shown = before ? -value : value
    text += ` ${shown} ${unit}${shown === 1n ? '' : 's'}`
    nothing = false
  }
  add(BigInt(parts.years), 'year')
  add(BigInt(parts.months), 'mon')
  add(BigInt(parts.days), 'day')
  add(parts.hours, 'hour')
  add(parts.minutes, 'min')
  const { seconds, micros } = parts
  if (seconds !== 0n || micros !== 0n) {
    const negative = seconds < 0n || micros < 0n
    if (nothing) before = negative
    const sign = negative === before ? '' : '-'
    text += ` ${sign}${secondsText(parts, 1)} sec${magnitude(seconds) === 1n && micros === 0n ? '' : 's'}`
    nothing = false
  }
  return `${text}${nothing ? ' 0' : ''}${before ? ' ago' : ''}`
}

function isoText(parts: Parts): string {
  const { hours, minutes, seconds, micros } = parts
  const part = (value: number | bigint, unit: string): string =>
    value === 0 || value === 0n ? '' : `${value}${unit}`
  const negative = seconds < 0n || micros < 0n
  const last = seconds === 0n && micros === 0n ? '' : `${negative ? '-' : ''}${secondsText(parts, 1)}S`
  const time = part(hours, 'H') + part(minutes, 'M') + last
  const date = part(parts.years, 'Y') + part(parts.months, 'M') + part(parts.days, 'D')
  return date === '' && time === '' ? 'PT0S' : `P${date}${time === '' ? '' : `T${time}`}`
}

function standardText(interval: Span): string {
  const { months, days, micros } = interval
  const all = [months, days, Number(micros)]
  const negative = all.some((value) => value < 0)
  const positive = all.some((value) => value > 0)
  if (!negative && !positive) return '0'
  const parts = partsOf(interval)
  const clock = `${magnitude(parts.hours)}:${magnitude(parts.minutes).toString().padStart(2, '0')}:${secondsText(parts, 2)}`
  const yearMonth = `${Math.abs(parts.years)}-${Math.abs(parts.months)}`
  const sign = (value: number | bigint): string => (value < 0 ? '-' : '+')
  if ((negative && positive) || (months !== 0 && (days !== 0 || micros !== 0n)))
    return `${sign(months)}${yearMonth} ${sign(days)}${Math.abs(days)} ${sign(micros)}${clock}`
  const minus = negative ? '-' : ''
  if (months !== 0) return minus + yearMonth
  return days === 0 ? minus + clock : `${minus}${Math.abs(days)} ${clock}`
}

/** A span in a style that is not PostgreSQL's own. */
export function styledInterval(interval: Span, style: IntervalStyle): string {
  if (style === 'sql_standard') return standardText(interval)
  return style === 'iso_8601' ? isoText(partsOf(interval)) : verboseText(partsOf(interval))
}
