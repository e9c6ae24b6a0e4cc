import { SQLSTATE, sqlError } from '../../errors.ts'
import { DAY, splitMicros } from '../../types/calendar.ts'
import {
  dateToTimestamp,
  inDateRange,
  inTimestampRange,
  isInfinite,
  roundTimestamp,
  timestampToDate,
} from '../../types/datetime.ts'
import {
  addInterval,
  divideInterval,
  intervalText,
  multiplyInterval,
  negateInterval,
  shiftTimestamp,
  timestampDifference,
  toInterval,
} from '../../types/interval.ts'
import { roundTime, timetzText, toZonedTime, utcOf, wrapTime } from '../../types/time.ts'
import { fromLocal, toLocal, type Zone } from '../../types/time-zone.ts'
import { timestampToChar } from '../../types/to-char.ts'
import { contextual, fn } from '../define.ts'
import type { FunctionContext, ScalarFunction } from '../function.ts'

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
  contextual('+', ['timestamptz', 'interval'], 'timestamptz', 'stable', ({ zone }, a, b) =>
    shiftZoned(zone, a as bigint, b as string, 1),
  ),
  contextual('+', ['interval', 'timestamptz'], 'timestamptz', 'stable', ({ zone }, a, b) =>
    shiftZoned(zone, b as bigint, a as string, 1),
  ),
  contextual('-', ['timestamptz', 'interval'], 'timestamptz', 'stable', ({ zone }, a, b) =>
    shiftZoned(zone, a as bigint, b as string, -1),
  ),
  fn('-', ['timestamptz', 'timestamptz'], 'interval', (a, b) => intervalText(timestampDifference(a, b))),
  fn('+', ['date', 'time'], 'timestamp', withTime),
  fn('+', ['time', 'date'], 'timestamp', (a, b) => withTime(b, a)),
  fn('+', ['time', 'interval'], 'time', (a, b) => shiftTime(a, b, 1)),
  fn('+', ['interval', 'time'], 'time', (a, b) => shiftTime(b, a, 1)),
  fn('-', ['time', 'interval'], 'time', (a, b) => shiftTime(a, b, -1)),
  fn('-', ['time', 'time'], 'interval', (a, b) =>
    intervalText({ months: 0, days: 0, micros: BigInt(a - b) }),
  ),
  fn('+', ['timetz', 'interval'], 'timetz', (a, b) => shiftTimetz(a, b, 1)),
  fn('+', ['interval', 'timetz'], 'timetz', (a, b) => shiftTimetz(b, a, 1)),
  fn('-', ['timetz', 'interval'], 'timetz', (a, b) => shiftTimetz(a, b, -1)),
  fn('+', ['date', 'timetz'], 'timestamptz', (a, b) => withTimetz(a, b)),
  fn('+', ['timetz', 'date'], 'timestamptz', (a, b) => withTimetz(b, a)),
  ...['now', 'current_timestamp', 'transaction_timestamp'].map((name) =>
    contextual(name, [], 'timestamptz', 'stable', (context) => context.transactionMicros),
  ),
  contextual('localtimestamp', [], 'timestamp', 'stable', (context) =>
    toLocal(context.zone, context.transactionMicros),
  ),
  contextual('statement_timestamp', [], 'timestamptz', 'stable', (context) => context.statementMicros),
  contextual('clock_timestamp', [], 'timestamptz', 'volatile', (context) => context.clockMicros()),
  contextual('timeofday', [], 'text', 'volatile', (context) =>
    timestampToChar(context.clockMicros(), 'Dy Mon DD HH24:MI:SS.US YYYY TZ', context.zone),
  ),
  contextual('current_date', [], 'date', 'stable', (context) =>
    timestampToDate(toLocal(context.zone, context.transactionMicros)),
  ),
  contextual('localtime', [], 'time', 'stable', (context) => nowOfDay(context)),
  contextual('current_time', [], 'timetz', 'stable', (context) =>
    timetzText({
      micros: nowOfDay(context),
      offset: context.zone.offsetAt(Number(context.transactionMicros / 1_000n)),
    }),
  ),
  // With a number in parentheses: digits of the fraction.
  ...(['current_timestamp', 'localtimestamp'] as const).map((name) =>
    contextual(
      name,
      ['integer'],
      name === 'localtimestamp' ? 'timestamp' : 'timestamptz',
      'stable',
      (context, digits) =>
        roundTimestamp(
          name === 'localtimestamp'
            ? toLocal(context.zone, context.transactionMicros)
            : context.transactionMicros,
          Number(digits),
        ),
    ),
  ),
  contextual('localtime', ['integer'], 'time', 'stable', (context, digits) =>
    roundTime(nowOfDay(context), Number(digits)),
  ),
  contextual('current_time', ['integer'], 'timetz', 'stable', (context, digits) =>
    timetzText({
      micros: roundTime(nowOfDay(context), Number(digits)),
      offset: context.zone.offsetAt(Number(context.transactionMicros / 1_000n)),
    }),
  ),
]

const nowOfDay = ({ zone, transactionMicros }: FunctionContext): number =>
  Number(splitMicros(toLocal(zone, transactionMicros)).rest)

/** Months and days by the calendar of the zone, the time by the clock on the wall of UTC. */
export function shiftZoned(zone: Zone, micros: bigint, text: string, sign: 1 | -1): bigint {
  const by = toInterval(text)
  if (by.months === 0 && by.days === 0) return shiftTimestamp(micros, by, sign)
  const local = shiftTimestamp(toLocal(zone, micros), { ...by, micros: 0n }, sign)
  return shiftTimestamp(fromLocal(zone, local), { months: 0, days: 0, micros: by.micros }, sign)
}

function withTime(days: number, micros: number): bigint {
  const start = dateToTimestamp(days)
  return isInfinite(start) ? start : inTimestampRange(start + BigInt(micros))
}

function withTimetz(days: number, text: string): bigint {
  const start = dateToTimestamp(days)
  return isInfinite(start) ? start : inTimestampRange(start + BigInt(utcOf(toZonedTime(text))))
}

export const shiftTime = (micros: number, by: string, sign: 1 | -1): number =>
  wrapTime(micros + sign * Number(toInterval(by).micros % DAY))

function shiftTimetz(text: string, by: string, sign: 1 | -1): string {
  const { micros, offset } = toZonedTime(text)
  return timetzText({ micros: shiftTime(micros, by, sign), offset })
}
