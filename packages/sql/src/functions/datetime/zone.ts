import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import {
  dateToTimestamp,
  inDateRange,
  inTimestampRange,
  isInfinite,
  roundTimestamp,
  timestampToDate,
} from '../../types/datetime.ts'
import { readDateTime } from '../../types/from-char.ts'
import { shiftTimestamp, toInterval } from '../../types/interval.ts'
import { timetzText, toZonedTime, utcOf, wrapTime } from '../../types/time.ts'
import { fixedZone, fromLocal, toLocal, type Zone, zoneNamed } from '../../types/time-zone.ts'
import { intervalToChar, timestampToChar } from '../../types/to-char.ts'
import { TYPES } from '../../types/type.ts'
import { contextual, fn } from '../define.ts'
import type { ScalarFunction } from '../function.ts'
import { inSession } from '../generic.ts'
import { shiftTime, shiftZoned } from './arithmetic.ts'

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

/** As C's `%g` writes a large number: `1e+20`. */
const shortNumber = (value: number): string => value.toExponential(5).replace(/\.?0*e/, 'e')

type Ends = readonly [start: bigint, end: bigint | null]

/** A span by two moments in any order, of which one may be NULL. */
function endsOf(start: bigint | null, end: bigint | null): Ends | null {
  if (start === null) return end === null ? null : [end, null]
  return end !== null && start > end ? [end, start] : [start, end]
}

/** OVERLAPS of two spans: half open, unless a span is a moment. What a NULL leaves open is NULL. */
function overlaps(a: Ends | null, b: Ends | null): boolean | null {
  if (a === null || b === null) return null
  const [first, second] = a[0] <= b[0] ? [a, b] : [b, a]
  if (first[0] === second[0]) return first[1] === null || second[1] === null ? null : true
  if (first[1] === null) return null
  if (second[0] < first[1]) return true
  return second[1] === null ? null : false
}

const micros = (value: Value | undefined): bigint | null =>
  value === null || value === undefined ? null : BigInt(value as bigint | number)

/** OVERLAPS where each span is given by its ends, or by its start and its length. */
const overlapsOf = (type: 'time' | 'timestamp' | 'timestamptz'): readonly ScalarFunction[] =>
  [
    [false, false],
    [true, true],
    [true, false],
    [false, true],
  ].flatMap(([first = false, second = false]) => {
    const own = TYPES[type]
    const types = [own, first ? TYPES.interval : own, own, second ? TYPES.interval : own]
    return [
      inSession('overlaps', types, TYPES.boolean, ({ zone }, a, b, c, d) => {
        const end = (start: Value | undefined, length: Value | undefined): bigint | null => {
          const from = micros(start)
          if (from === null || length === null || length === undefined) return null
          if (type === 'time') return BigInt(shiftTime(Number(from), length as string, 1))
          return type === 'timestamptz'
            ? shiftZoned(zone, from, length as string, 1)
            : shiftTimestamp(from, toInterval(length as string), 1)
        }
        return overlaps(
          endsOf(micros(a), first ? end(a, b) : micros(b)),
          endsOf(micros(c), second ? end(c, d) : micros(d)),
        )
      }),
    ]
  })

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
  ...overlapsOf('time'),
  ...overlapsOf('timestamp'),
  ...overlapsOf('timestamptz'),
  fn('to_char', ['timestamp', 'text'], 'text', (value, format) => timestampToChar(value, format)),
  contextual('to_char', ['timestamptz', 'text'], 'text', 'stable', ({ zone }, value, format) =>
    timestampToChar(value as bigint, format as string, zone),
  ),
  fn('to_char', ['interval', 'text'], 'text', (value, format) => intervalToChar(toInterval(value), format)),
  fn('to_char', ['time', 'text'], 'text', (value, format) =>
    intervalToChar({ months: 0, days: 0, micros: BigInt(value) }, format),
  ),
  contextual('to_char', ['date', 'text'], 'text', 'stable', ({ zone }, value, format) =>
    timestampToChar(zoned(zone, dateToTimestamp(value as number)), format as string, zone),
  ),
  fn('to_date', ['text', 'text'], 'date', (text, format) =>
    inDateRange(timestampToDate(readDateTime(text, format).local), () => `date out of range: "${text}"`),
  ),
  contextual('to_timestamp', ['text', 'text'], 'timestamptz', 'stable', ({ zone }, text, format) => {
    const { local, offset, digits } = readDateTime(text as string, format as string)
    const micros = zoned(offset === null ? zone : fixedZone(offset, ''), local)
    return digits === null ? micros : roundTimestamp(micros, digits)
  }),
  fn('to_timestamp', ['double'], 'timestamptz', (seconds) => {
    if (Number.isNaN(seconds)) throw sqlError(SQLSTATE.datetimeFieldOverflow, 'timestamp cannot be NaN')
    if (!Number.isFinite(seconds))
      return seconds > 0 ? 9_223_372_036_854_775_807n : -9_223_372_036_854_775_808n
    const whole = Math.trunc(seconds)
    return inTimestampRange(
      BigInt(whole) * 1_000_000n + BigInt(Math.round((seconds - whole) * 1e6)),
      () => `timestamp out of range: "${shortNumber(seconds)}"`,
    )
  }),
]
