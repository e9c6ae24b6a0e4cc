import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import {
  civilFromDays,
  DAY,
  daysFromCivil,
  HOUR,
  isoWeek,
  isoWeekday,
  MINUTE,
  SECOND,
  splitMicros,
  TIMESTAMP_INFINITY,
  TIMESTAMP_MINUS_INFINITY,
} from './calendar.ts'
import { addDecimal, divideDecimal, fromDecimal } from './decimal.ts'
import type { Interval } from './interval.ts'

/** Other spellings of fields and units. */
const spellings: Readonly<Record<string, string>> = {
  years: 'year',
  y: 'year',
  yr: 'year',
  yrs: 'year',
  mon: 'month',
  mons: 'month',
  months: 'month',
  d: 'day',
  days: 'day',
  h: 'hour',
  hr: 'hour',
  hrs: 'hour',
  hours: 'hour',
  m: 'minute',
  min: 'minute',
  mins: 'minute',
  minutes: 'minute',
  s: 'second',
  sec: 'second',
  secs: 'second',
  seconds: 'second',
  ms: 'milliseconds',
  msec: 'milliseconds',
  millisecond: 'milliseconds',
  us: 'microseconds',
  usec: 'microseconds',
  microsecond: 'microseconds',
  weeks: 'week',
  w: 'week',
  quarters: 'quarter',
  decades: 'decade',
  centuries: 'century',
  millennia: 'millennium',
}

const fieldOf = (written: string): string => {
  const word = written.trim().toLowerCase()
  return spellings[word] ?? word
}

const notRecognized = (unit: string, type: string): SqlError =>
  sqlError(SQLSTATE.invalidParameterValue, `unit "${unit.toLowerCase()}" not recognized for type ${type}`)

/** What can be told of a moment, but is no unit that it could be cut to. */
const noUnits: ReadonlySet<string> = new Set(['dow', 'isodow', 'doy', 'epoch', 'julian', 'isoyear'])

/** For a unit that DATE_TRUNC does not know. */
const uncutUnit = (unit: string, type: string): SqlError =>
  noUnits.has(fieldOf(unit)) ? notRecognized(unit, type) : unknownUnit(unit, type)

/** For a unit that the type does not have, or that there is not at all. */
const unknownUnit = (unit: string, type: string): SqlError =>
  growing.has(fieldOf(unit)) || cyclic.has(fieldOf(unit))
    ? sqlError(SQLSTATE.featureNotSupported, `unit "${unit.toLowerCase()}" not supported for type ${type}`)
    : notRecognized(unit, type)

const timeFields = new Set([
  'hour',
  'minute',
  'second',
  'milliseconds',
  'microseconds',
  'timezone',
  'timezone_hour',
  'timezone_minute',
])

const isInfinite = (micros: bigint): boolean =>
  micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_MINUS_INFINITY

const scaled = (coefficient: bigint, scale: number): string => fromDecimal({ coefficient, scale })

/** Years before Christ have no zero: year 0 is −1. */
const shownYear = (year: number): number => (year > 0 ? year : year - 1)

const eraOf = (year: number, length: number): number =>
  year > 0 ? Math.floor((year + length - 1) / length) : -Math.floor((length - year) / length)

/**
 * EXTRACT from a timestamp: a numeric, with six decimals where there are fractions of seconds.
 * @returns null for a field of an infinite timestamp that has no value
 * @throws 22023 for an unknown field
 */
export function extractTimestamp(
  field: string,
  micros: bigint,
  type = 'timestamp without time zone',
): string | null {
  const name = fieldOf(field)
  if (isInfinite(micros)) return infiniteField(name, field, micros > 0n, type)
  const { days, rest } = splitMicros(micros)
  const whole = wholeField(name, days)
  if (whole !== null) return String(whole)
  const ofDay = timeField(name, rest)
  if (ofDay !== null) return ofDay
  switch (name) {
    case 'epoch':
      return scaled(micros, 6)
    case 'julian':
      return addDecimal(String(days + 2_440_588), divideDecimal(String(rest), String(DAY)))
    default:
      throw unknownUnit(field, type)
  }
}

const growing = new Set(['year', 'decade', 'century', 'millennium', 'isoyear', 'julian', 'epoch'])
const cyclic = new Set([...timeFields, 'month', 'day', 'quarter', 'dow', 'isodow', 'doy', 'week'])

/** Fields that grow for ever are infinite, the others have no value. @throws 22023 */
function infiniteField(name: string, field: string, positive: boolean, type: string): string | null {
  if (growing.has(name)) return positive ? 'Infinity' : '-Infinity'
  if (cyclic.has(name)) return null
  throw unknownUnit(field, type)
}

/** EXTRACT from a time of day. @throws 22023, 0A000 for what a time does not have */
export function extractTime(field: string, micros: number, type = 'time without time zone'): string {
  const name = fieldOf(field)
  const rest = BigInt(micros)
  const value = name === 'epoch' ? scaled(rest, 6) : timeField(name, rest)
  if (value !== null) return value
  throw growing.has(name) || cyclic.has(name)
    ? sqlError(SQLSTATE.featureNotSupported, `unit "${field.toLowerCase()}" not supported for type ${type}`)
    : unknownUnit(field, type)
}

/** A field of the time of day; null for others. @param rest microseconds since midnight */
function timeField(name: string, rest: bigint): string | null {
  const ofMinute = rest % MINUTE
  switch (name) {
    case 'hour':
      return String(rest / HOUR)
    case 'minute':
      return String((rest / MINUTE) % 60n)
    case 'second':
      return scaled(ofMinute, 6)
    case 'milliseconds':
      return scaled(ofMinute, 3)
    case 'microseconds':
      return ofMinute.toString()
    default:
      return null
  }
}

/** The parts of an offset from UTC; null for other fields. */
export function extractOffset(field: string, seconds: number): string | null {
  switch (fieldOf(field)) {
    case 'timezone':
      return String(seconds)
    case 'timezone_hour':
      return String(Math.trunc(seconds / 3_600))
    case 'timezone_minute':
      return String(Math.trunc(seconds / 60) % 60)
    default:
      return null
  }
}

/** EXTRACT from a date: only fields that a date has. @throws 22023 */
export function extractDate(field: string, days: number): string | null {
  const name = fieldOf(field)
  if (!Number.isFinite(days)) return infiniteField(name, field, days > 0, 'date')
  if (name === 'epoch') return String(days * 86_400)
  if (name === 'julian') return String(days + 2_440_588)
  const whole = wholeField(name, days)
  if (whole === null) {
    if (timeFields.has(name))
      throw sqlError(
        SQLSTATE.featureNotSupported,
        `unit "${field.toLowerCase()}" not supported for type date`,
      )
    throw unknownUnit(field, 'date')
  }
  return String(whole)
}

function wholeField(name: string, days: number): number | null {
  const { year, month, day } = civilFromDays(days)
  switch (name) {
    case 'year':
      return shownYear(year)
    case 'month':
      return month
    case 'day':
      return day
    case 'quarter':
      return Math.floor((month - 1) / 3) + 1
    case 'decade':
      return Math.floor(year / 10)
    case 'century':
      return eraOf(year, 100)
    case 'millennium':
      return eraOf(year, 1_000)
    case 'dow':
      return isoWeekday(days) % 7
    case 'isodow':
      return isoWeekday(days)
    case 'doy':
      return days - daysFromCivil({ year, month: 1, day: 1 }) + 1
    case 'week':
      return isoWeek(days).week
    case 'isoyear':
      return shownYear(isoWeek(days).year)
    default:
      return null
  }
}

/** EXTRACT from an interval. @throws 22023 */
export function extractInterval(field: string, { months, days, micros }: Interval): string {
  const years = Math.trunc(months / 12)
  const ofMinute = micros % MINUTE
  switch (fieldOf(field)) {
    case 'millennium':
      return String(Math.trunc(years / 1_000))
    case 'century':
      return String(Math.trunc(years / 100))
    case 'decade':
      return String(Math.trunc(years / 10))
    case 'year':
      return String(years)
    case 'quarter':
      return String(Math.trunc((months % 12) / 3) + 1)
    case 'month':
      return String(months % 12)
    case 'day':
      return String(days)
    case 'hour':
      return (micros / HOUR).toString()
    case 'minute':
      return ((micros / MINUTE) % 60n).toString()
    case 'second':
      return scaled(ofMinute, 6)
    case 'milliseconds':
      return scaled(ofMinute, 3)
    case 'microseconds':
      return ofMinute.toString()
    case 'epoch': {
      // A year has 365.25 days here, a month 30.
      const seconds = BigInt(years) * 31_557_600n + (BigInt(months % 12) * 30n + BigInt(days)) * 86_400n
      return scaled(seconds * SECOND + micros, 6)
    }
    default:
      throw unknownUnit(field, 'interval')
  }
}

/** In microseconds. */
const unitsOfDay: ReadonlyMap<string, bigint> = new Map([
  ['hour', HOUR],
  ['minute', MINUTE],
  ['second', SECOND],
  ['milliseconds', 1_000n],
  ['microseconds', 1n],
])

/** In months. */
const unitsOfMonths: ReadonlyMap<string, number> = new Map([
  ['millennium', 12_000],
  ['century', 1_200],
  ['decade', 120],
  ['year', 12],
  ['quarter', 3],
  ['month', 1],
])

/** Sets everything below the unit to its start. @throws 22023 for an unknown unit */
export function truncateTimestamp(
  unit: string,
  micros: bigint,
  type = 'timestamp without time zone',
): bigint {
  if (isInfinite(micros)) return micros
  const name = fieldOf(unit)
  const { days, rest } = splitMicros(micros)
  const { year, month } = civilFromDays(days)
  const start = (from: number, first = 1): bigint =>
    BigInt(daysFromCivil({ year: from, month: first, day: 1 })) * DAY
  const size = unitsOfDay.get(name)
  if (size !== undefined) return BigInt(days) * DAY + (rest / size) * size
  switch (name) {
    case 'millennium':
      return start(Math.floor((year - 1) / 1_000) * 1_000 + 1)
    case 'century':
      return start(Math.floor((year - 1) / 100) * 100 + 1)
    case 'decade':
      return start(Math.floor(year / 10) * 10)
    case 'year':
      return start(year)
    case 'quarter':
      return start(year, Math.floor((month - 1) / 3) * 3 + 1)
    case 'month':
      return start(year, month)
    case 'week':
      return BigInt(days - isoWeekday(days) + 1) * DAY
    case 'day':
      return BigInt(days) * DAY
    default:
      throw uncutUnit(unit, type)
  }
}

/** Cuts an interval off below the unit. @throws 22023, 0A000 for weeks */
export function truncateInterval(unit: string, { months, days, micros }: Interval): Interval {
  const name = fieldOf(unit)
  const size = unitsOfDay.get(name)
  if (size !== undefined) return { months, days, micros: micros - (micros % size) }
  if (name === 'day') return { months, days, micros: 0n }
  const span = unitsOfMonths.get(name)
  if (span !== undefined) return { months: months - (months % span), days: 0, micros: 0n }
  if (name !== 'week') throw uncutUnit(unit, 'interval')
  throw sqlError(
    SQLSTATE.featureNotSupported,
    `unit "${unit.toLowerCase()}" not supported for type interval`,
    {
      detail: 'Months usually have fractional weeks.',
    },
  )
}
