import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import {
  type CivilDate,
  civilFromDays,
  clockText,
  DATE_DAY_MAX,
  DAY,
  DAY_MIN,
  dateText,
  daysFromCivil,
  daysInMonth,
  eraText,
  splitMicros,
  TIMESTAMP_DAY_MAX,
  TIMESTAMP_INFINITY,
  TIMESTAMP_MINUS_INFINITY,
  timeOf,
} from './calendar.ts'

export function timestampText(micros: bigint): string {
  if (micros === TIMESTAMP_INFINITY) return 'infinity'
  if (micros === TIMESTAMP_MINUS_INFINITY) return '-infinity'
  const { days, rest } = splitMicros(micros)
  const date = civilFromDays(days)
  return `${dateText(date)} ${clockText(timeOf(rest))}${eraText(date)}`
}

export function dateToText(days: number): string {
  if (!Number.isFinite(days)) return days > 0 ? 'infinity' : '-infinity'
  const date = civilFromDays(days)
  return dateText(date) + eraText(date)
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

const malformed = (text: string, type: string): SqlError =>
  sqlError(SQLSTATE.invalidDatetimeFormat, `invalid input syntax for type ${type}: "${text}"`)

const outOfRange = (text: string): SqlError =>
  sqlError(SQLSTATE.datetimeFieldOverflow, `date/time field value out of range: "${text}"`)

interface Moment {
  readonly days: number
  /** Microseconds of the day, up to a full day. */
  readonly rest: bigint
}

/**
 * Reads a date, with or without a time: ISO 8601, `YYYY/MM/DD`, `MM/DD/YYYY`, `YYYYMMDD`, month names, AM and PM,
 * BC. A zone is read and does not matter, as PostgreSQL has it for timestamps without one.
 * @throws 22007 when it is no such thing, 22008 when a field is out of range
 */
function parseMoment(text: string, type: string): Moment {
  let rest = text.trim().toLowerCase()
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const match = pattern.exec(rest)
    if (match !== null) rest = (rest.slice(0, match.index) + rest.slice(match.index + match[0].length)).trim()
    return match
  }
  const before = take(/\s*\b(bc|ad)$/)?.[1] === 'bc'
  const clock = take(
    /(?:^|[\st])(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?\s*(am|pm)?(?:\s*(?:z|utc|gmt|[-+]\d{1,2}(?::?\d{2})?(?::\d{2})?))?$/,
  )
  let micros = 0n
  if (clock !== null) {
    const [, hours = '', minutes = '', seconds = '0', fraction = '', half] = clock
    let hour = Number(hours)
    if (half !== undefined) {
      if (hour < 1 || hour > 12) throw outOfRange(text)
      hour = (hour % 12) + (half === 'pm' ? 12 : 0)
    }
    const part = Math.round(Number(`0.${fraction}0`) * 1e6)
    micros = BigInt(hour * 3600 + Number(minutes) * 60 + Number(seconds)) * 1_000_000n + BigInt(part)
    if (Number(minutes) > 59 || Number(seconds) > 60 || micros > DAY) throw outOfRange(text)
  }
  const date = civilOf(rest)
  if (date === null) throw malformed(text, type)
  const year = before ? 1 - date.year : date.year
  if (date.year < 1 || date.month < 1 || date.month > 12) throw outOfRange(text)
  if (date.day < 1 || date.day > daysInMonth(year, date.month)) throw outOfRange(text)
  return { days: daysFromCivil({ ...date, year }), rest: micros }
}

function civilOf(text: string): CivilDate | null {
  const date = (year: string, month: string | number, day: string): CivilDate => ({
    year: year.length <= 2 ? Number(year) + (Number(year) < 70 ? 2000 : 1900) : Number(year),
    month: Number(month),
    day: Number(day),
  })
  let match = /^(\d{3,7})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(text)
  if (match !== null) return date(match[1] ?? '', match[2] ?? '', match[3] ?? '')
  match = /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{2,7})$/.exec(text)
  if (match !== null) return date(match[3] ?? '', match[1] ?? '', match[2] ?? '')
  match = /^(\d{4,7})(\d{2})(\d{2})$/.exec(text)
  if (match !== null) return date(match[1] ?? '', match[2] ?? '', match[3] ?? '')
  // Words: a month's name, maybe a day of the week, and two numbers.
  const words = text.split(/[\s,\-/]+/).filter((word) => word !== '' && !weekdays.includes(word.slice(0, 3)))
  const month = words.findIndex((word) => /^[a-z]{3,}$/.test(word) && months.includes(word.slice(0, 3)))
  const numbers = words.filter((_, i) => i !== month)
  const [first = '', second = '', third] = numbers
  if (month < 0 || third !== undefined || !/^\d+$/.test(first) || !/^\d+$/.test(second)) return null
  const number = months.indexOf((words[month] ?? '').slice(0, 3)) + 1
  return first.length > 2 ? date(first, number, second) : date(second, number, first)
}

/** @throws 22007, 22008 */
export function parseTimestamp(text: string): bigint {
  const special = specialOf(text)
  if (special === 'epoch') return 0n
  if (special !== null) return special === 'infinity' ? TIMESTAMP_INFINITY : TIMESTAMP_MINUS_INFINITY
  const { days, rest } = parseMoment(text, 'timestamp')
  return inTimestampRange(BigInt(days) * DAY + rest, () => `timestamp out of range: "${text}"`)
}

/** @throws 22007, 22008 */
export function parseDate(text: string): number {
  const special = specialOf(text)
  if (special === 'epoch') return 0
  if (special !== null) return special === 'infinity' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  return inDateRange(parseMoment(text, 'date').days, () => `date out of range: "${text}"`)
}

function specialOf(text: string): 'epoch' | 'infinity' | '-infinity' | null {
  const word = text.trim().toLowerCase()
  if (word === 'epoch') return 'epoch'
  if (word === 'infinity' || word === '+infinity') return 'infinity'
  return word === '-infinity' ? '-infinity' : null
}

/** @throws 22008 */
export function inTimestampRange(
  micros: bigint,
  message: () => string = () => 'timestamp out of range',
): bigint {
  if (micros < BigInt(DAY_MIN) * DAY || micros >= BigInt(TIMESTAMP_DAY_MAX) * DAY)
    throw sqlError(SQLSTATE.datetimeFieldOverflow, message())
  return micros
}

/** @throws 22008 */
export function inDateRange(days: number, message: () => string = () => 'date out of range'): number {
  if (days < DAY_MIN || days >= DATE_DAY_MAX) throw sqlError(SQLSTATE.datetimeFieldOverflow, message())
  return days
}

/** Rounds the fraction of a second to `digits` (0 … 6) places. */
export function roundTimestamp(micros: bigint, digits: number): bigint {
  if (digits >= 6 || micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_MINUS_INFINITY) return micros
  const unit = 10n ** BigInt(6 - digits)
  const half = unit / 2n
  return micros >= 0n ? ((micros + half) / unit) * unit : -(((-micros + half) / unit) * unit)
}

export function dateToTimestamp(days: number): bigint {
  if (days === Number.POSITIVE_INFINITY) return TIMESTAMP_INFINITY
  if (days === Number.NEGATIVE_INFINITY) return TIMESTAMP_MINUS_INFINITY
  return inTimestampRange(BigInt(days) * DAY, () => 'date out of range for timestamp')
}

export function timestampToDate(micros: bigint): number {
  if (micros === TIMESTAMP_INFINITY) return Number.POSITIVE_INFINITY
  if (micros === TIMESTAMP_MINUS_INFINITY) return Number.NEGATIVE_INFINITY
  return splitMicros(micros).days
}
