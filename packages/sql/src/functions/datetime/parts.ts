import { SQLSTATE, sqlError } from '../../errors.ts'
import { civilFromDays, DAY, daysFromCivil, daysInMonth, splitMicros } from '../../types/calendar.ts'
import {
  extractDate,
  extractInterval,
  extractOffset,
  extractTime,
  extractTimestamp,
  truncateInterval,
  truncateTimestamp,
} from '../../types/date-fields.ts'
import { dateToTimestamp, inDateRange, inTimestampRange, isInfinite } from '../../types/datetime.ts'
import { fromDecimal } from '../../types/decimal.ts'
import { checked, type Interval, intervalText, negateInterval, toInterval } from '../../types/interval.ts'
import { makeTime, toZonedTime, utcOf } from '../../types/time.ts'
import { fixedZone, fromLocal, toLocal, type Zone, zoneNamed } from '../../types/time-zone.ts'
import type { TypeId } from '../../types/type.ts'
import { contextual, fn } from '../define.ts'
import type { ScalarFunction } from '../function.ts'

const WITH_ZONE = 'timestamp with time zone'
const TIME_WITH_ZONE = 'time with time zone'

/** The difference in years, months and days by the calendar. */
function age(later: bigint, earlier: bigint): string {
  if (later < earlier) return intervalText(negateInterval(toInterval(age(earlier, later))))
  const to = splitMicros(later)
  const from = splitMicros(earlier)
  const end = civilFromDays(to.days)
  const start = civilFromDays(from.days)
  let micros = to.rest - from.rest
  let days = end.day - start.day
  let months = (end.year - start.year) * 12 + end.month - start.month
  if (micros < 0n) {
    micros += DAY
    days--
  }
  if (days < 0) {
    // A month is borrowed, as long as the one that the span begins in.
    days += daysInMonth(start.year, start.month)
    months--
  }
  return intervalText({ months, days, micros })
}

/** @throws 22008 */
function makeDate(year: number, month: number, day: number): number {
  const civil = { year: year < 0 ? year + 1 : year, month, day }
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(civil.year, month))
    throw sqlError(
      SQLSTATE.datetimeFieldOverflow,
      `date field value out of range: ${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`,
    )
  return inDateRange(daysFromCivil(civil))
}

type Six = readonly [number, number, number, number, number, number]

const makeTimestamp = ([year, month, day, hour, minute, second]: Six): bigint =>
  inTimestampRange(BigInt(makeDate(year, month, day)) * DAY + BigInt(makeTime(hour, minute, second)))

/** Whole days of 24 hours out of the time, months of 30 days out of the days, all of one sign. */
function justify({ months, days, micros }: Interval, hours: boolean, toMonths: boolean): string {
  let [m, d, t] = [months, days, micros]
  if (hours) {
    d += Number(t / DAY)
    t %= DAY
  }
  if (toMonths) {
    m += Math.trunc(d / 30)
    d %= 30
  }
  if (toMonths && m > 0 && (d < 0 || (hours && d === 0 && t < 0n))) {
    d += 30
    m--
  } else if (toMonths && m < 0 && (d > 0 || (hours && d === 0 && t > 0n))) {
    d -= 30
    m++
  }
  if (hours && d > 0 && t < 0n) {
    t += DAY
    d--
  } else if (hours && d < 0 && t > 0n) {
    t -= DAY
    d++
  }
  return intervalText(checked(m, d, t))
}

/** @throws 0A000 for months, 22008 for a stride that is not positive */
function bin(stride: string, micros: bigint, origin: bigint): bigint {
  const by = toInterval(stride)
  if (by.months !== 0)
    throw sqlError(
      SQLSTATE.featureNotSupported,
      'timestamps cannot be binned into intervals containing months or years',
    )
  const size = BigInt(by.days) * DAY + by.micros
  if (size <= 0n) throw sqlError(SQLSTATE.datetimeFieldOverflow, 'stride must be greater than zero')
  if (isInfinite(micros)) return micros
  const offset = (micros - origin) % size
  return inTimestampRange(micros - (offset < 0n ? offset + size : offset))
}

/** @throws 22023 for units of the zone's kind that have no value */
function extractZoned(field: string, micros: bigint, zone: Zone): string | null {
  if (isInfinite(micros)) return extractTimestamp(field, micros, WITH_ZONE)
  const offset = extractOffset(field, zone.offsetAt(Number(micros / 1_000n)))
  if (offset !== null) return offset
  if (field.trim().toLowerCase() === 'epoch') return fromDecimal({ coefficient: micros, scale: 6 })
  return extractTimestamp(field, toLocal(zone, micros), WITH_ZONE)
}

function extractZonedTime(field: string, text: string): string {
  const time = toZonedTime(text)
  const offset = extractOffset(field, time.offset)
  if (offset !== null) return offset
  if (field.trim().toLowerCase() === 'epoch')
    return fromDecimal({ coefficient: BigInt(utcOf(time)), scale: 6 })
  return extractTime(field, time.micros, TIME_WITH_ZONE)
}

const truncateZoned = (unit: string, micros: bigint, zone: Zone): bigint =>
  isInfinite(micros) ? micros : fromLocal(zone, truncateTimestamp(unit, toLocal(zone, micros), WITH_ZONE))

const asDouble = (value: string | null): number | null => (value === null ? null : Number(value))

/** `extract`, exact, and `date_part`, its older twin that gives doubles. */
const both = (
  type: TypeId,
  extract: (field: string, value: never) => string | null,
): readonly ScalarFunction[] => [
  fn('extract', ['text', type], 'numeric', (field, value) => extract(field, value as never)),
  fn('date_part', ['text', type], 'double', (field, value) => asDouble(extract(field, value as never))),
]

export const datetimeParts: readonly ScalarFunction[] = [
  ...both('timestamp', (field, value) => extractTimestamp(field, value)),
  fn('extract', ['text', 'date'], 'numeric', extractDate),
  fn('date_part', ['text', 'date'], 'double', (field, value) =>
    asDouble(extractTimestamp(field, dateToTimestamp(value))),
  ),
  ...both('interval', (field, value) => extractInterval(field, toInterval(value))),
  ...both('time', (field, value) => extractTime(field, value)),
  ...both('timetz', (field, value) => extractZonedTime(field, value)),
  contextual('extract', ['text', 'timestamptz'], 'numeric', 'stable', ({ zone }, field, value) =>
    extractZoned(field as string, value as bigint, zone),
  ),
  contextual('date_part', ['text', 'timestamptz'], 'double', 'stable', ({ zone }, field, value) =>
    asDouble(extractZoned(field as string, value as bigint, zone)),
  ),
  fn('date_trunc', ['text', 'timestamp'], 'timestamp', (unit, value) => truncateTimestamp(unit, value)),
  fn('date_trunc', ['text', 'interval'], 'interval', (unit, value) =>
    intervalText(truncateInterval(unit, toInterval(value))),
  ),
  contextual('date_trunc', ['text', 'timestamptz'], 'timestamptz', 'stable', ({ zone }, unit, value) =>
    truncateZoned(unit as string, value as bigint, zone),
  ),
  fn('date_trunc', ['text', 'timestamptz', 'text'], 'timestamptz', (unit, value, zone) =>
    truncateZoned(unit, value, zoneNamed(zone)),
  ),
  fn('date_bin', ['interval', 'timestamp', 'timestamp'], 'timestamp', bin),
  fn('date_bin', ['interval', 'timestamptz', 'timestamptz'], 'timestamptz', bin),
  fn('age', ['timestamp', 'timestamp'], 'interval', age),
  contextual('age', ['timestamptz', 'timestamptz'], 'interval', 'stable', ({ zone }, a, b) =>
    age(toLocal(zone, a as bigint), toLocal(zone, b as bigint)),
  ),
  contextual('age', ['timestamp'], 'interval', 'stable', ({ transactionMicros, zone }, value) =>
    age(startOfDay(toLocal(zone, transactionMicros)), value as bigint),
  ),
  contextual('age', ['timestamptz'], 'interval', 'stable', ({ transactionMicros, zone }, value) =>
    age(startOfDay(toLocal(zone, transactionMicros)), toLocal(zone, value as bigint)),
  ),
  fn('make_date', ['integer', 'integer', 'integer'], 'date', makeDate),
  fn('make_time', ['integer', 'integer', 'double'], 'time', makeTime),
  fn(
    'make_timestamp',
    ['integer', 'integer', 'integer', 'integer', 'integer', 'double'],
    'timestamp',
    (...six) => makeTimestamp(six),
  ),
  contextual(
    'make_timestamptz',
    ['integer', 'integer', 'integer', 'integer', 'integer', 'double'],
    'timestamptz',
    'stable',
    ({ zone }, ...six) => fromLocal(zone, makeTimestamp(six as unknown as Six)),
  ),
  fn(
    'make_timestamptz',
    ['integer', 'integer', 'integer', 'integer', 'integer', 'double', 'text'],
    'timestamptz',
    (year, month, day, hour, minute, second, zone) =>
      fromLocal(zoneGiven(zone), makeTimestamp([year, month, day, hour, minute, second])),
  ),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((count) =>
    fn(
      'make_interval',
      (['integer', 'integer', 'integer', 'integer', 'integer', 'integer', 'double'] as TypeId[]).slice(
        0,
        count,
      ),
      'interval',
      (...parts) => {
        const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] =
          parts as unknown as readonly number[]
        if (!(Math.abs(seconds * 1e6) < 2 ** 63))
          throw sqlError(SQLSTATE.datetimeFieldOverflow, 'interval out of range')
        const micros = BigInt(hours * 60 + minutes) * 60_000_000n + BigInt(Math.round(seconds * 1e6))
        return intervalText(checked(years * 12 + months, weeks * 7 + days, micros))
      },
    ),
  ),
  fn('isfinite', ['timestamp'], 'boolean', (value) => !isInfinite(value)),
  fn('isfinite', ['timestamptz'], 'boolean', (value) => !isInfinite(value)),
  fn('isfinite', ['date'], 'boolean', Number.isFinite),
  fn('isfinite', ['interval'], 'boolean', () => true),
  fn('justify_hours', ['interval'], 'interval', (value) => justify(toInterval(value), true, false)),
  fn('justify_days', ['interval'], 'interval', (value) => justify(toInterval(value), false, true)),
  fn('justify_interval', ['interval'], 'interval', (value) => justify(toInterval(value), true, true)),
]

/** A zone by its name, or by an offset with its sign. @throws 22023 */
function zoneGiven(name: string): Zone {
  if (/^\d/.test(name))
    throw sqlError(
      SQLSTATE.invalidParameterValue,
      `invalid input syntax for type numeric time zone: "${name}"`,
      {
        hint: 'Numeric time zones must have "-" or "+" as first character.',
      },
    )
  const [whole, sign, first = '', second, third = '0'] =
    /^([-+])(\d+)(?::(\d+))?(?::(\d+))?$/.exec(name.trim()) ?? []
  if (whole === undefined) return zoneNamed(name)
  const short = second === undefined && first.length > 2
  const hours = short ? Math.floor(Number(first) / 100) : Number(first)
  const minutes = short ? Number(first) % 100 : Number(second ?? '0')
  if (hours > 15 || minutes > 59 || Number(third) > 59)
    throw sqlError(SQLSTATE.invalidParameterValue, `numeric time zone "${name}" out of range`)
  const seconds = hours * 3_600 + minutes * 60 + Number(third)
  return fixedZone((sign === '-' ? -seconds : seconds) + 0, name)
}

const startOfDay = (micros: bigint): bigint => BigInt(splitMicros(micros).days) * DAY
