import { SQLSTATE, sqlError } from '../../errors.ts'
import { dateToTimestamp, inTimestampRange, isInfinite, timestampToDate } from '../../types/datetime.ts'
import { readDateTime } from '../../types/from-char.ts'
import { shiftTimestamp, toInterval } from '../../types/interval.ts'
import { timetzText, toZonedTime, utcOf, wrapTime } from '../../types/time.ts'
import { fixedZone, fromLocal, toLocal, type Zone, zoneNamed } from '../../types/time-zone.ts'
import { intervalToChar, timestampToChar } from '../../types/to-char.ts'
import { contextual, fn } from '../define.ts'
import type { ScalarFunction } from '../function.ts'
import { shiftZoned } from './arithmetic.ts'

/** @throws 22023 for months and days */
function zoneOfInterval(text: string): Zone {
  const { months, days, micros } = toInterval(text)
  if (months !== 0 || days !== 0)
    throw sqlError(
      SQLSTATE.invalidParameterValue,
      `interval time zone "${text}" must not include months or days`,
    )
  return fixedZone(Number(micros / 1_000_000n), text)
}

const zoned = (zone: Zone, local: bigint): bigint =>
  isInfinite(local) ? local : inTimestampRange(fromLocal(zone, local))

function moveTime(zone: Zone, text: string, nowMicros: bigint): string {
  const offset = zone.offsetAt(Number(nowMicros / 1_000n))
  return timetzText({ micros: wrapTime(utcOf(toZonedTime(text)) + offset * 1e6), offset })
}

/** OVERLAPS where a span is given by its start and its length. */
const overlapsWith = (type: 'timestamp' | 'timestamptz'): readonly ScalarFunction[] =>
  (
    [
      [true, true],
      [true, false],
      [false, true],
    ] as const
  ).map(([first, second]) =>
    contextual(
      'overlaps',
      [type, first ? 'interval' : type, type, second ? 'interval' : type],
      'boolean',
      'stable',
      ({ zone }, a, b, c, d) => {
        const end = (start: bigint, length: string): bigint =>
          type === 'timestamp'
            ? shiftTimestamp(start, toInterval(length), 1)
            : shiftZoned(zone, start, length, 1)
        const e1 = first ? end(a as bigint, b as string) : (b as bigint)
        const e2 = second ? end(c as bigint, d as string) : (d as bigint)
        const [s1, t1] = (a as bigint) <= e1 ? [a as bigint, e1] : [e1, a as bigint]
        const [s2, t2] = (c as bigint) <= e2 ? [c as bigint, e2] : [e2, c as bigint]
        if (s1 === s2) return true
        return s1 > s2 ? s1 < t2 : s2 < t1
      },
    ),
  )

export const zoneFunctions: readonly ScalarFunction[] = [
  // What AT TIME ZONE stands for.
  fn('timezone', ['text', 'timestamp'], 'timestamptz', (name, local) => zoned(zoneNamed(name), local)),
  fn('timezone', ['text', 'timestamptz'], 'timestamp', (name, micros) => toLocal(zoneNamed(name), micros)),
  fn('timezone', ['interval', 'timestamp'], 'timestamptz', (by, local) => zoned(zoneOfInterval(by), local)),
  fn('timezone', ['interval', 'timestamptz'], 'timestamp', (by, micros) =>
    toLocal(zoneOfInterval(by), micros),
  ),
  contextual('timezone', ['text', 'timetz'], 'timetz', 'stable', ({ transactionMicros }, name, time) =>
    moveTime(zoneNamed(name as string), time as string, transactionMicros),
  ),
  contextual('timezone', ['interval', 'timetz'], 'timetz', 'stable', ({ transactionMicros }, by, time) =>
    moveTime(zoneOfInterval(by as string), time as string, transactionMicros),
  ),
  ...overlapsWith('timestamp'),
  ...overlapsWith('timestamptz'),
  fn('to_char', ['timestamp', 'text'], 'text', (value, format) => timestampToChar(value, format)),
  contextual('to_char', ['timestamptz', 'text'], 'text', 'stable', ({ zone }, value, format) =>
    timestampToChar(value as bigint, format as string, zone),
  ),
  fn('to_char', ['interval', 'text'], 'text', (value, format) => intervalToChar(toInterval(value), format)),
  fn('to_char', ['time', 'text'], 'text', (value, format) =>
    intervalToChar({ months: 0, days: 0, micros: BigInt(value) }, format),
  ),
  fn('to_char', ['date', 'text'], 'text', (value, format) => timestampToChar(dateToTimestamp(value), format)),
  fn('to_date', ['text', 'text'], 'date', (text, format) =>
    timestampToDate(readDateTime(text, format).local),
  ),
  contextual('to_timestamp', ['text', 'text'], 'timestamptz', 'stable', ({ zone }, text, format) => {
    const { local, offset } = readDateTime(text as string, format as string)
    return zoned(offset === null ? zone : fixedZone(offset, ''), local)
  }),
  fn('to_timestamp', ['double'], 'timestamptz', (seconds) => {
    if (Number.isNaN(seconds)) throw sqlError(SQLSTATE.datetimeFieldOverflow, 'timestamp cannot be NaN')
    if (!Number.isFinite(seconds))
      return seconds > 0 ? 9_223_372_036_854_775_807n : -9_223_372_036_854_775_808n
    const whole = Math.trunc(seconds)
    return inTimestampRange(
      BigInt(whole) * 1_000_000n + BigInt(Math.round((seconds - whole) * 1e6)),
      () => `timestamp out of range: "${seconds}"`,
    )
  }),
]
