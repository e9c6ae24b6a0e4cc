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

/** A span of time. Months and days have no fixed length, so the three parts stay apart. */
export interface Interval {
  readonly months: number
  readonly days: number
  readonly micros: bigint
}

const outOfRange = () => sqlError(SQLSTATE.datetimeFieldOverflow, 'interval out of range')

function checked(months: number, days: number, micros: bigint): Interval {
  const bound = 2_147_483_647
  if (Math.abs(months) > bound || Math.abs(days) > bound) throw outOfRange()
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

interface Unit {
  readonly months?: number
  readonly days?: number
  readonly micros?: number
}

const units: readonly (readonly [names: readonly string[], unit: Unit])[] = [
  [['millennium', 'millenniums', 'millennia', 'mil', 'mils'], { months: 12_000 }],
  [['century', 'centuries', 'cent', 'c'], { months: 1_200 }],
  [['decade', 'decades', 'dec', 'decs'], { months: 120 }],
  [['year', 'years', 'yr', 'yrs', 'y'], { months: 12 }],
  [['month', 'months', 'mon', 'mons'], { months: 1 }],
  [['week', 'weeks', 'w'], { days: 7 }],
  [['day', 'days', 'd'], { days: 1 }],
  [['hour', 'hours', 'hr', 'hrs', 'h'], { micros: 3.6e9 }],
  [['minute', 'minutes', 'min', 'mins', 'm'], { micros: 6e7 }],
  [['second', 'seconds', 'sec', 'secs', 's'], { micros: 1e6 }],
  [['millisecond', 'milliseconds', 'msec', 'msecs', 'ms'], { micros: 1e3 }],
  [['microsecond', 'microseconds', 'usec', 'usecs', 'us'], { micros: 1 }],
]
const unitOf: ReadonlyMap<string, Unit> = new Map(
  units.flatMap(([names, unit]) => names.map((name) => [name, unit] as const)),
)

/** The amount as exact microseconds, so that `0.1 seconds` is what it says. */
function exactMicros(amount: string, unit: number): bigint {
  const [whole = '', fraction = ''] = amount.replace(/^[-+]/, '').split('.')
  const scaled = BigInt(whole === '' ? '0' : whole) * BigInt(unit)
  const part = Math.round(Number(`0.${fraction}0`) * unit)
  const sum = scaled + BigInt(part)
  return amount.startsWith('-') ? -sum : sum
}

/** Adds up the parts of an interval that is being read. */
class Sum {
  months = 0
  days = 0
  micros = 0n

  add(amount: string, unit: Unit): void {
    const value = Number(amount)
    if (unit.months !== undefined) {
      const exact = value * unit.months
      const whole = Math.trunc(exact)
      // PostgreSQL keeps a fraction of a year as months, and one of a month as days of 30.
      this.months += unit.months === 1 ? whole : Math.round(exact)
      if (unit.months === 1) this.addDays((exact - whole) * 30)
    } else if (unit.days !== undefined) this.addDays(value * unit.days)
    else this.micros += exactMicros(amount, unit.micros ?? 1)
  }

  addDays(value: number): void {
    const whole = Math.trunc(value)
    this.days += whole
    this.micros += BigInt(Math.round((value - whole) * 8.64e10))
  }

  clock(sign: string, hours: string, minutes: string, seconds: string, fraction: string): void {
    const clock =
      (BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds)) * 1_000_000n +
      BigInt(Math.round(Number(`0.${fraction}0`) * 1e6))
    this.micros += sign === '-' ? -clock : clock
  }

  result(): Interval {
    return checked(this.months, this.days, this.micros)
  }
}

const malformed = (text: string) =>
  sqlError(SQLSTATE.invalidDatetimeFormat, `invalid input syntax for type interval: "${text}"`)

const isoUnits =
  /^p(?:([-\d.]+)y)?(?:([-\d.]+)m)?(?:([-\d.]+)w)?(?:([-\d.]+)d)?(?:t(?:([-\d.]+)h)?(?:([-\d.]+)m)?(?:([-\d.]+)s)?)?$/
const isoPoints = /^p(-?\d+)-(-?\d+)(?:-(-?\d+))?(?:t(-?\d+):(\d+)(?::(\d+)(?:\.(\d+))?)?)?$/

/** `P1Y2M3DT4H5M6S` and `P0001-02-03T04:05:06`. */
function parseIso(source: string, text: string): Interval {
  const sum = new Sum()
  const points = isoPoints.exec(source)
  if (points !== null) {
    const [
      ,
      years = '0',
      months = '0',
      days = '0',
      hours = '0',
      minutes = '0',
      seconds = '0',
      fraction = '',
    ] = points
    sum.months = Number(years) * 12 + Number(months)
    sum.days = Number(days)
    sum.clock(hours.startsWith('-') ? '-' : '', hours.replace('-', ''), minutes, seconds, fraction)
    return sum.result()
  }
  const match = isoUnits.exec(source)
  if (match === null) throw malformed(text)
  const names = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second']
  names.forEach((name, i) => {
    const amount = match[i + 1]
    if (amount === undefined) return
    if (!/^-?(\d+\.?\d*|\.\d+)$/.test(amount)) throw malformed(text)
    sum.add(amount, unitOf.get(name) ?? {})
  })
  return sum.result()
}

const part =
  /\s*(?:([-+]?)(\d+):(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?)?|([-+]?)(\d+)-(\d+)(?![\d.])|([-+]?(?:\d+\.?\d*|\.\d+))\s*([a-z]*))(?=[\s\d+-]|$)/y

/**
 * Reads `1 year 2 mons -3 days 04:05:06`, `1-2 3 4:05:06` of the SQL standard, `1 day ago`, ISO 8601, and plain
 * seconds.
 * @throws 22007 when it is no interval, 22008 when a field is out of range
 */
export function parseInterval(text: string): Interval {
  let source = text.trim().toLowerCase()
  if (source === '') throw malformed(text)
  if (/^p(?=[-\d.t])/.test(source)) return parseIso(source, text)
  const ago = / ago$/.test(source)
  if (ago) source = source.slice(0, -4)
  source = source.replace(/^@\s*/, '')
  const sum = new Sum()
  part.lastIndex = 0
  let at = 0
  while (at < source.length) {
    part.lastIndex = at
    const match = part.exec(source)
    if (match === null) throw malformed(text)
    at = part.lastIndex
    const [
      ,
      sign = '',
      hours,
      minutes = '0',
      seconds = '0',
      fraction = '',
      side,
      years,
      months = '0',
      amount,
      name,
    ] = match
    if (hours !== undefined) {
      if (Number(minutes) > 59 || Number(seconds) > 59)
        throw sqlError(SQLSTATE.datetimeFieldOverflow, `interval field value out of range: "${text}"`)
      sum.clock(sign, hours, minutes, seconds, fraction)
    } else if (years !== undefined) {
      const total = Number(years) * 12 + Number(months)
      sum.months += side === '-' ? -total : total
    } else {
      // A bare number before a time counts days.
      const dayOf = name === '' && /^[-+]?\d+:/.test(source.slice(at))
      const unit = dayOf
        ? { days: 1 }
        : name === '' || name === undefined
          ? { micros: 1e6 }
          : unitOf.get(name)
      if (unit === undefined || amount === undefined) throw malformed(text)
      sum.add(amount, unit)
    }
  }
  const result = sum.result()
  return ago ? checked(-result.months, -result.days, -result.micros) : result
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
export function multiplyInterval(a: Interval, factor: number): Interval {
  if (!Number.isFinite(factor)) throw outOfRange()
  const months = Math.trunc(a.months * factor)
  const days = Math.trunc(a.days * factor)
  const spareDays = roundMicros((a.months * factor - months) * 30)
  const wholeDays = Math.trunc(spareDays)
  const seconds = roundMicros((a.days * factor - days + spareDays - wholeDays) * 86_400)
  const exact = Number.isSafeInteger(factor) ? a.micros * BigInt(factor) : null
  const scaled = Number(a.micros) * factor
  if (Math.abs(scaled) > 9.2e18) throw outOfRange()
  const micros = exact ?? BigInt(Math.round(scaled + seconds * 1e6))
  return checked(
    months,
    days + wholeDays,
    exact === null ? micros : micros + BigInt(Math.round(seconds * 1e6)),
  )
}

/** @throws 22012 */
export function divideInterval(a: Interval, divisor: number): Interval {
  if (divisor === 0) throw sqlError(SQLSTATE.divisionByZero, 'division by zero')
  return multiplyInterval(a, 1 / divisor)
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

/** The seconds with at most so many digits behind the point. */
export function roundInterval(text: string, digits: number): string {
  const interval = toInterval(text)
  const unit = 10n ** BigInt(6 - digits)
  const half = interval.micros < 0n ? -unit / 2n : unit / 2n
  const micros = unit === 1n ? interval.micros : ((interval.micros + half) / unit) * unit
  return micros === interval.micros ? text : intervalText({ ...interval, micros })
}
