import { SQLSTATE, sqlError } from '../errors.ts'
import { clockText, DAY, splitMicros, timeOf } from './calendar.ts'
import type { ReadingContext } from './datetime.ts'
import { malformed, parseTimeOfDay } from './parse-moment.ts'
import { offsetText, toLocal, UTC } from './time-zone.ts'

/** A time of day with an offset from UTC. */
export interface ZonedTime {
  /** Microseconds since midnight. */
  readonly micros: number
  /** Seconds east of UTC. */
  readonly offset: number
}

const DAY_MICROS = Number(DAY)

/** `24:00:00` is a time of its own. */
export function timeText(micros: number): string {
  if (micros === DAY_MICROS) return '24:00:00'
  return clockText(timeOf(BigInt(micros)))
}

export const timetzText = ({ micros, offset }: ZonedTime): string => timeText(micros) + offsetText(offset)

/** The value of a stored timetz. */
export function toZonedTime(text: string): ZonedTime {
  const [, hours, minutes, seconds, fraction = '', sign, h, m = '0', s = '0'] =
    /^(\d+):(\d+):(\d+)(?:\.(\d+))?([-+])(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text) ?? []
  const micros =
    (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1e6 + Number(fraction.padEnd(6, '0'))
  const offset = Number(h) * 3_600 + Number(m) * 60 + Number(s)
  return { micros, offset: (sign === '-' ? -offset : offset) + 0 }
}

/** Orders times with offsets by the moment in UTC, then the offset to the west first. */
export function compareZonedTimes(a: string, b: string): number {
  const [x, y] = [toZonedTime(a), toZonedTime(b)]
  return utcOf(x) - utcOf(y) || y.offset - x.offset
}

/** Microseconds since midnight in UTC; may be of the day before or behind. */
export const utcOf = ({ micros, offset }: ZonedTime): number => micros - offset * 1e6

/** @throws 22007, 22008 */
export function parseTime(text: string, context: ReadingContext | null = null): number {
  return read(text, 'time', context).micros
}

/** @throws 22007, 22008, 22009, 22023 */
export function parseTimetz(text: string, context: ReadingContext | null = null): string {
  const { micros, offset } = read(text, 'time with time zone', context)
  return timetzText({ micros, offset })
}

function read(text: string, type: string, context: ReadingContext | null): ZonedTime {
  const sessionZone = context?.zone ?? UTC
  const { special, micros, zone, days } = parseTimeOfDay(text, type, sessionZone.styles?.order)
  const now = context?.nowMicros ?? null
  if (special === 'now' && now !== null) {
    const offset = sessionZone.offsetAt(Number(now / 1_000n))
    return { micros: Number(splitMicros(toLocal(sessionZone, now)).rest), offset }
  }
  if (micros === null || special !== null) throw malformed(text, type)
  // What a place is ahead of UTC depends on the date.
  if (days === null && zone?.name.includes('/') === true) throw malformed(text, type)
  const at = Number(days === null ? (now ?? 0n) / 1_000n : BigInt(days) * (DAY / 1_000n))
  return { micros: Number(micros), offset: (zone ?? sessionZone).offsetAt(at) }
}

/** Rounds the fraction of a second to `digits` (0 … 6) places. */
export function roundTime(micros: number, digits: number): number {
  const unit = 10 ** Math.max(0, 6 - digits)
  return Math.floor((micros + unit / 2) / unit) * unit
}

export function roundTimetz(text: string, digits: number): string {
  const { micros, offset } = toZonedTime(text)
  return timetzText({ micros: roundTime(micros, digits), offset })
}

/** A time of day, over midnight where it must. */
export const wrapTime = (micros: number): number => ((micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS

/** @throws 22008 */
export function makeTime(hour: number, minute: number, second: number): number {
  const micros = (hour * 3_600 + minute * 60) * 1e6 + Math.round(second * 1e6)
  if (hour < 0 || minute < 0 || minute > 59 || second < 0 || second > 60 || hour > 24 || micros > DAY_MICROS)
    throw sqlError(
      SQLSTATE.datetimeFieldOverflow,
      `time field value out of range: ${hour}:${String(minute).padStart(2, '0')}:${String(second).padStart(2, '0')}`,
    )
  return micros
}
