import { SQLSTATE, sqlError } from '../errors.ts'
import {
  civilFromDays,
  clockText,
  DATE_DAY_MAX,
  DAY,
  DAY_MIN,
  dateText,
  eraText,
  splitMicros,
  TIMESTAMP_DAY_MAX,
  TIMESTAMP_INFINITY,
  TIMESTAMP_MINUS_INFINITY,
  timeOf,
} from './calendar.ts'
import { malformed, parseMoment } from './parse-moment.ts'
import { fromLocal, offsetText, toLocal, UTC, type Zone } from './time-zone.ts'

export function timestampText(micros: bigint): string {
  if (micros === TIMESTAMP_INFINITY) return 'infinity'
  if (micros === TIMESTAMP_MINUS_INFINITY) return '-infinity'
  const { days, rest } = splitMicros(micros)
  const date = civilFromDays(days)
  return `${dateText(date)} ${clockText(timeOf(rest))}${eraText(date)}`
}

/** As the clocks of a zone show it, with its offset from UTC. */
export function timestamptzText(micros: bigint, zone: Zone = UTC): string {
  if (isInfinite(micros)) return timestampText(micros)
  const offset = zone.offsetAt(Number(micros / 1_000n))
  const { days, rest } = splitMicros(micros + BigInt(offset) * 1_000_000n)
  const date = civilFromDays(days)
  return `${dateText(date)} ${clockText(timeOf(rest))}${offsetText(offset)}${eraText(date)}`
}

export function dateToText(days: number): string {
  if (!Number.isFinite(days)) return days > 0 ? 'infinity' : '-infinity'
  const date = civilFromDays(days)
  return dateText(date) + eraText(date)
}

/** What reading a text may need beside it. */
export interface ReadingContext {
  /** Of the session. */
  readonly zone: Zone
  /** The present, in microseconds since 1970: `now`, `today`. Null: such words are refused. */
  readonly nowMicros: bigint | null
}

const pure: ReadingContext = { zone: UTC, nowMicros: null }

const dayWords: Readonly<Record<string, number>> = { yesterday: -1, today: 0, tomorrow: 1 }

/** The local time that a text stands for, and its zone if it names one. */
function readMoment(
  text: string,
  type: string,
  { zone, nowMicros }: ReadingContext,
): { readonly local: bigint; readonly zone: Zone | null } {
  const moment = parseMoment(text, type, zone.styles?.order)
  const { special, days, micros } = moment
  if (special === null) {
    if (days === null) throw malformed(text, type)
    // The end of a day is still of that day where only the date is wanted.
    const time = type === 'date' ? 0n : (micros ?? 0n)
    return { local: BigInt(days) * DAY + time, zone: moment.zone }
  }
  if (days !== null) throw malformed(text, type)
  if (special === 'infinity') return { local: TIMESTAMP_INFINITY, zone: null }
  if (special === '-infinity') return { local: TIMESTAMP_MINUS_INFINITY, zone: null }
  if (special === 'epoch') return { local: toLocal(zone, 0n), zone: null }
  if (nowMicros === null) throw malformed(text, type)
  const here = toLocal(zone, nowMicros)
  if (special === 'now') return { local: here, zone: null }
  const today = BigInt(splitMicros(here).days + (dayWords[special] ?? 0)) * DAY
  return { local: today + (micros ?? 0n), zone: moment.zone }
}

/** A zone is read and does not matter, as PostgreSQL has it for timestamps without one. @throws 22007, 22008 */
export function parseTimestamp(text: string, context: ReadingContext = pure): bigint {
  const known = text.trim().toLowerCase()
  if (known === 'epoch') return 0n
  const { local } = readMoment(text, 'timestamp', context)
  if (isInfinite(local)) return local
  return inTimestampRange(local, () => `timestamp out of range: "${text}"`)
}

/** A time without a zone is of the session's. @throws 22007, 22008, 22009, 22023 */
export function parseTimestamptz(text: string, context: ReadingContext = pure): bigint {
  const { local, zone } = readMoment(text, 'timestamp with time zone', context)
  if (isInfinite(local)) return local
  return inTimestampRange(fromLocal(zone ?? context.zone, local), () => `timestamp out of range: "${text}"`)
}

/** @throws 22007, 22008 */
export function parseDate(text: string, context: ReadingContext = pure): number {
  if (text.trim().toLowerCase() === 'epoch') return 0
  const { local } = readMoment(text, 'date', context)
  if (isInfinite(local)) return local > 0n ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  return inDateRange(splitMicros(local).days, () => `date out of range: "${text}"`)
}

export const isInfinite = (micros: bigint): boolean =>
  micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_MINUS_INFINITY

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
