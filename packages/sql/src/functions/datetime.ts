import { SQLSTATE, sqlError } from '../errors.ts'
import { civilFromDays, DAY, daysFromCivil, daysInMonth, splitMicros } from '../types/calendar.ts'
import { extractDate, extractInterval, extractTimestamp, truncateTimestamp } from '../types/date-fields.ts'
import { dateToTimestamp, inDateRange, inTimestampRange, timestampToDate } from '../types/datetime.ts'
import {
  addInterval,
  divideInterval,
  type Interval,
  intervalText,
  multiplyInterval,
  negateInterval,
  shiftTimestamp,
  timestampDifference,
  toInterval,
} from '../types/interval.ts'
import { timestampToChar } from '../types/to-char.ts'
import { contextual, fn } from './define.ts'
import type { ScalarFunction } from './function.ts'

const shift = (micros: bigint, by: string, sign: 1 | -1): bigint =>
  shiftTimestamp(micros, toInterval(by), sign)

/** @throws 22008 for infinite dates */
function dateDifference(a: number, b: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b))
    throw sqlError(SQLSTATE.datetimeFieldOverflow, 'cannot subtract infinite dates')
  return a - b
}

const shiftDate = (days: number, by: number): number =>
  Number.isFinite(days) ? inDateRange(days + by) : days

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

/** Whole days of 24 hours out of the time, months of 30 days out of the days. */
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
  return intervalText({ months: m, days: d, micros: t })
}

export const datetimeFunctions: readonly ScalarFunction[] = [
  fn('+', ['timestamp', 'interval'], 'timestamp', (a, b) => shift(a, b, 1)),
  fn('+', ['interval', 'timestamp'], 'timestamp', (a, b) => shift(b, a, 1)),
  fn('-', ['timestamp', 'interval'], 'timestamp', (a, b) => shift(a, b, -1)),
  fn('-', ['timestamp', 'timestamp'], 'interval', (a, b) => intervalText(timestampDifference(a, b))),
  fn('+', ['date', 'interval'], 'timestamp', (a, b) => shift(dateToTimestamp(a), b, 1)),
  fn('+', ['interval', 'date'], 'timestamp', (a, b) => shift(dateToTimestamp(b), a, 1)),
  fn('-', ['date', 'interval'], 'timestamp', (a, b) => shift(dateToTimestamp(a), b, -1)),
  fn('+', ['date', 'integer'], 'date', shiftDate),
  fn('+', ['integer', 'date'], 'date', (a, b) => shiftDate(b, a)),
  fn('-', ['date', 'integer'], 'date', (a, b) => shiftDate(a, -b)),
  fn('-', ['date', 'date'], 'integer', dateDifference),
  fn('+', ['interval', 'interval'], 'interval', (a, b) =>
    intervalText(addInterval(toInterval(a), toInterval(b))),
  ),
  fn('-', ['interval', 'interval'], 'interval', (a, b) =>
    intervalText(addInterval(toInterval(a), negateInterval(toInterval(b)))),
  ),
  fn('-', ['interval'], 'interval', (a) => intervalText(negateInterval(toInterval(a)))),
  fn('*', ['interval', 'double'], 'interval', (a, b) => intervalText(multiplyInterval(toInterval(a), b))),
  fn('*', ['double', 'interval'], 'interval', (a, b) => intervalText(multiplyInterval(toInterval(b), a))),
  fn('/', ['interval', 'double'], 'interval', (a, b) => intervalText(divideInterval(toInterval(a), b))),
  fn('extract', ['text', 'timestamp'], 'numeric', (field, value) => extractTimestamp(field, value)),
  fn('extract', ['text', 'date'], 'numeric', extractDate),
  fn('extract', ['text', 'interval'], 'numeric', (field, value) => extractInterval(field, toInterval(value))),
  fn('date_part', ['text', 'timestamp'], 'double', (field, value) =>
    asDouble(extractTimestamp(field, value)),
  ),
  fn('date_part', ['text', 'date'], 'double', (field, value) =>
    asDouble(extractTimestamp(field, dateToTimestamp(value))),
  ),
  fn('date_part', ['text', 'interval'], 'double', (field, value) =>
    asDouble(extractInterval(field, toInterval(value))),
  ),
  fn('date_trunc', ['text', 'timestamp'], 'timestamp', truncateTimestamp),
  fn('age', ['timestamp', 'timestamp'], 'interval', age),
  contextual('age', ['timestamp'], 'interval', 'stable', ({ transactionMicros }, value) =>
    age((transactionMicros / DAY) * DAY, value as bigint),
  ),
  fn('make_date', ['integer', 'integer', 'integer'], 'date', makeDate),
  fn(
    'make_timestamp',
    ['integer', 'integer', 'integer', 'integer', 'integer', 'double'],
    'timestamp',
    (year, month, day, hour, minute, second) => {
      if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 60)
        throw sqlError(
          SQLSTATE.datetimeFieldOverflow,
          `time field value out of range: ${hour}:${minute}:${second}`,
        )
      const time = BigInt(hour * 3600 + minute * 60) * 1_000_000n + BigInt(Math.round(second * 1e6))
      return inTimestampRange(BigInt(makeDate(year, month, day)) * DAY + time)
    },
  ),
  fn('isfinite', ['timestamp'], 'boolean', (value) => Number.isFinite(timestampToDate(value))),
  fn('isfinite', ['date'], 'boolean', Number.isFinite),
  fn('justify_hours', ['interval'], 'interval', (value) => justify(toInterval(value), true, false)),
  fn('justify_days', ['interval'], 'interval', (value) => justify(toInterval(value), false, true)),
  fn('to_char', ['timestamp', 'text'], 'text', timestampToChar),
  fn('to_char', ['date', 'text'], 'text', (value, format) => timestampToChar(dateToTimestamp(value), format)),
  ...['now', 'current_timestamp', 'transaction_timestamp', 'localtimestamp'].map((name) =>
    contextual(name, [], 'timestamp', 'stable', (context) => context.transactionMicros),
  ),
  contextual('statement_timestamp', [], 'timestamp', 'stable', (context) => context.statementMicros),
  contextual('clock_timestamp', [], 'timestamp', 'volatile', (context) => context.clockMicros()),
  contextual('current_date', [], 'date', 'stable', (context) => timestampToDate(context.transactionMicros)),
]

const asDouble = (value: string | null): number | null => (value === null ? null : Number(value))
