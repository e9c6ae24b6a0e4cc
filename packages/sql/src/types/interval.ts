import { SQLSTATE, sqlError } from '../errors.ts'
import {
  civilFromDays,
  clockText,
  DAY,
  daysFromCivil,
  daysInMonth,
  splitMicros,
  TIMESTAMP_INFINITY,
  TIMESTAMP_MINUS_INFINITY,
  timeOf,
} from './calendar.ts'
import { inTimestampRange } from './datetime.ts'
import { fieldsOfSpan, type IntervalSpan } from './interval-fields.ts'
import { cutInterval, type Interval, parseInterval } from './parse-interval.ts'

export { type Interval, parseInterval } from './parse-interval.ts'

const INT_MAX = 2_147_483_647
const outOfRange = () => sqlError(SQLSTATE.datetimeFieldOverflow, 'interval out of range')

/** @throws 22008 */
export function checked(months: number, days: number, micros: bigint): Interval {
  if (months > INT_MAX || months < -INT_MAX - 1 || days > INT_MAX || days < -INT_MAX - 1) throw outOfRange()
  if (micros > TIMESTAMP_INFINITY || micros < TIMESTAMP_MINUS_INFINITY) throw outOfRange()
  return { months, days, micros }
}

/** Canonical text, in PostgreSQL's own style: `1 year 2 mons 3 days 04:05:06.789`. */
export function intervalText({ months, days, micros }: Interval): string {
  const parts: string[] = []
  let negative = false
  const add = (value: number, unit: string): void => {
    if (value === 0) return
    // Behind a negative part a positive one shows its sign.
    parts.push(`${negative && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`)
    negative = value < 0
  }
  add(Math.trunc(months / 12), 'year')
  add(months % 12, 'mon')
  add(days, 'day')
  if (micros !== 0n || parts.length === 0) {
    const absolute = micros < 0n ? -micros : micros
    const hours = absolute / 3_600_000_000n
    const clock = clockText(timeOf(absolute % 3_600_000_000n)).slice(2)
    const sign = micros < 0n ? '-' : negative ? '+' : ''
    parts.push(`${sign}${hours.toString().padStart(2, '0')}${clock}`)
  }
  return parts.join(' ')
}

/** The value of a stored interval. */
export function toInterval(text: string): Interval {
  let interval = known.get(text)
  if (interval === undefined) {
    interval = parseInterval(text)
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(text, interval)
  }
  return interval
}

const known = new Map<string, Interval>()
const KNOWN_MAX = 1_024

/** For order and equality a month has 30 days and a day 24 hours. */
export const intervalSpan = ({ months, days, micros }: Interval): bigint =>
  (BigInt(months) * 30n + BigInt(days)) * DAY + micros

export const addInterval = (a: Interval, b: Interval): Interval =>
  checked(a.months + b.months, a.days + b.days, a.micros + b.micros)

export const negateInterval = (a: Interval): Interval => checked(-a.months, -a.days, -a.micros)

const roundMicros = (value: number): number => Math.round(value * 1e6) / 1e6

/** Fractions of months go to days, 30 a month, and those of days on to the time. */
function scaled(a: Interval, scale: (value: number) => number, exact: bigint | null): Interval {
  const wholeMonths = scale(a.months)
  const months = Math.trunc(wholeMonths)
  const wholeDays = scale(a.days)
  let days = Math.trunc(wholeDays)
  if (!(Math.abs(wholeMonths) <= INT_MAX && Math.abs(wholeDays) <= INT_MAX)) throw outOfRange()
  const spareDays = roundMicros((wholeMonths - months) * 30)
  let seconds = roundMicros((wholeDays - days + spareDays - Math.trunc(spareDays)) * 86_400)
  if (Math.abs(seconds) >= 86_400) {
    const more = Math.trunc(seconds / 86_400)
    days += more
    seconds -= more * 86_400
  }
  const micros = scale(Number(a.micros)) + seconds * 1e6
  if (!(Math.abs(micros) < 9.2e18)) throw outOfRange()
  const time = exact === null ? BigInt(Math.round(micros)) : exact + BigInt(Math.round(seconds * 1e6))
  return checked(months, days + Math.trunc(spareDays), time)
}

export const multiplyInterval = (a: Interval, factor: number): Interval =>
  scaled(a, (value) => value * factor, Number.isSafeInteger(factor) ? a.micros * BigInt(factor) : null)

/** @throws 22012 */
export function divideInterval(a: Interval, divisor: number): Interval {
  if (divisor === 0) throw sqlError(SQLSTATE.divisionByZero, 'division by zero')
  return scaled(a, (value) => value / divisor, null)
}

/** Months first (to the last day of a shorter month), then days, then the time. */
export function shiftTimestamp(micros: bigint, by: Interval, sign: 1 | -1): bigint {
  if (micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_MINUS_INFINITY) return micros
  let { days, rest } = splitMicros(micros)
  if (by.months !== 0) {
    const date = civilFromDays(days)
    const month = date.year * 12 + date.month - 1 + sign * by.months
    const year = Math.floor(month / 12)
    const target = month - year * 12 + 1
    days = daysFromCivil({ year, month: target, day: Math.min(date.day, daysInMonth(year, target)) })
  }
  rest += BigInt(sign) * by.micros
  return inTimestampRange(BigInt(days + sign * by.days) * DAY + rest)
}

/** Days and time, no months. */
export function timestampDifference(a: bigint, b: bigint): Interval {
  const infinite = [a, b].some((side) => side === TIMESTAMP_INFINITY || side === TIMESTAMP_MINUS_INFINITY)
  if (infinite) throw sqlError(SQLSTATE.datetimeFieldOverflow, 'cannot subtract infinite timestamps')
  const difference = a - b
  return checked(0, Number(difference / DAY), difference % DAY)
}

/** As a type with modifiers has it: without what is smaller than the last of its fields, and with so many digits of a second. */
export function fitInterval(text: string, span: IntervalSpan | undefined, digits: number | null): string {
  const kept = span === undefined ? text : intervalText(cutInterval(toInterval(text), fieldsOfSpan(span)))
  return digits === null ? kept : roundInterval(kept, digits)
}

function roundInterval(text: string, digits: number): string {
  const interval = toInterval(text)
  const unit = 10n ** BigInt(6 - digits)
  const half = interval.micros < 0n ? -unit / 2n : unit / 2n
  const micros = unit === 1n ? interval.micros : ((interval.micros + half) / unit) * unit
  return micros === interval.micros ? text : intervalText({ ...interval, micros })
}
