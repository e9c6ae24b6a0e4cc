import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import { type CivilDate, DAY, daysFromCivil, daysInMonth } from './calendar.ts'
import type { DateOrder } from './styles.ts'
import { abbreviationSeconds, findZone, fixedZone, type Zone } from './time-zone.ts'

/** What a text says about a date, a time of day and a zone; null where it says nothing. */
export interface Moment {
  /** Days since 1970. */
  readonly days: number | null
  /** Microseconds since midnight, up to a full day. */
  readonly micros: bigint | null
  readonly zone: Zone | null
  readonly special: Special | null
}

/** Words that stand for a moment of their own. */
export type Special = 'epoch' | 'infinity' | '-infinity' | 'now' | 'today' | 'tomorrow' | 'yesterday'

const specials: ReadonlySet<string> = new Set([
  'epoch',
  'infinity',
  '-infinity',
  'now',
  'today',
  'tomorrow',
  'yesterday',
])

/** True for texts whose meaning depends on the present. */
/** True for texts that mean another date where days come before months. */
export const isOrdered = (text: string): boolean =>
  /^[^\d]*\d{1,2}\s*[-/. ]\s*\d{1,2}\s*[-/. ]\s*\d/.test(text)

export const isRelative = (text: string): boolean => /^\s*(?:now|today|tomorrow|yesterday)\b/i.test(text)

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const fullMonths =
  'january february march april may june july august september october november december'.split(' ')
const weekdays =
  /^(?:mon|tue|wed|thu|fri|sat|sun|tues|thur|thurs|weds|monday|tuesday|wednesday|thursday|friday|saturday|sunday)$/

/** The number of a month from 1; 0 when the word is none. */
function monthOf(word: string): number {
  const at = word === 'sept' ? 8 : Math.max(months.indexOf(word), fullMonths.indexOf(word))
  return at + 1
}

export const malformed = (text: string, type: string): SqlError =>
  sqlError(SQLSTATE.invalidDatetimeFormat, `invalid input syntax for type ${type}: "${text}"`)

export const fieldOutOfRange = (text: string, hint?: string): SqlError =>
  sqlError(SQLSTATE.datetimeFieldOverflow, `date/time field value out of range: "${text}"`, { hint })

const token =
  /\s*(?:,\s*)?(?:(\d{1,2}):(\d{2})(?::(\d{2}))?(?:(?<=:\d{2}:\d{2})\.(\d*))?|(\d+)([-/.])(\d+|[a-z]+)\6(\d+)|([a-z]+)[-/](\d+)[-/](\d+)|(\d{4})[.-](\d{3})(?!\d)|j(\d+)|([-+]\d{1,2}(?::\d{2}){1,2}|[-+]\d{1,6})(?![\d/:])|(\d+)(?:\.(\d+))?|(-?[a-z][a-z0-9_+\-/]*))/y

/** Collects the fields of one text. */
class Reader {
  readonly text: string
  readonly type: string
  year: string | null = null
  month: number | null = null
  day: number | null = null
  dayOfYear: number | null = null
  julian: number | null = null
  micros: bigint | null = null
  half: 'am' | 'pm' | null = null
  before = false
  zone: Zone | null = null
  special: Special | null = null
  readonly numbers: string[] = []

  readonly order: DateOrder

  constructor(text: string, type: string, order: DateOrder) {
    this.text = text
    this.type = type
    this.order = order
  }

  wrong(): SqlError {
    return malformed(this.text, this.type)
  }

  time(hours: string, minutes: string, seconds = '0', fraction = ''): void {
    if (this.micros !== null) throw this.wrong()
    const part = BigInt(Math.round(Number(`0.${fraction}0`) * 1e6))
    const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)]
    if (m > 59 || s > 60 || h > 24) throw fieldOutOfRange(this.text)
    this.micros = BigInt(h * 3_600 + m * 60 + s) * 1_000_000n + part
    if (this.micros > DAY) throw fieldOutOfRange(this.text)
  }

  date(year: string, month: number, day: string): void {
    if (this.year !== null || this.month !== null) throw this.wrong()
    this.year = year
    this.month = month
    this.day = Number(day)
  }

  /** Three numbers: year first when it is long, else in the session's order. */
  parts(first: string, second: string, third: string): void {
    const word = monthOf(second)
    if (/[a-z]/.test(second)) {
      if (word === 0) throw this.wrong()
      if (first.length > 2) this.date(first, word, third)
      else this.date(third, word, first)
    } else if (first.length > 2 || this.order === 'YMD') this.date(first, Number(second), third)
    else if (this.order === 'DMY') this.date(third, Number(second), first)
    else this.date(third, Number(first), second)
  }

  /** Digits without separators. */
  digits(whole: string, fraction: string | undefined): void {
    const dated = this.year !== null || this.julian !== null
    if (dated && this.micros === null && (whole.length === 6 || whole.length === 4)) {
      const seconds = whole.length === 6 ? whole.slice(4) : '0'
      this.time(whole.slice(0, 2), whole.slice(2, 4), seconds, fraction)
      return
    }
    if (fraction !== undefined) throw this.wrong()
    const named = this.month !== null && this.year === null
    if (!dated && !named && (whole.length === 6 || whole.length >= 8)) {
      const year = whole.slice(0, -4)
      this.date(year, Number(whole.slice(-4, -2)), whole.slice(-2))
    } else this.numbers.push(whole)
  }

  offset(written: string): void {
    const [, sign = '', first = '', second, third] = /^([-+])(\d+)(?::(\d+))?(?::(\d+))?$/.exec(written) ?? []
    let [hours, minutes, seconds] = [first, second ?? '0', third ?? '0']
    if (second === undefined && first.length > 2) {
      const padded = first.length % 2 === 0 ? first : `0${first}`
      hours = padded.slice(0, 2)
      minutes = padded.slice(2, 4)
      seconds = padded.slice(4) || '0'
    }
    if (Number(hours) > 15 || Number(minutes) > 59 || Number(seconds) > 59)
      throw sqlError('22009', `time zone displacement out of range: "${this.text}"`)
    const total = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)
    this.zone = fixedZone((sign === '-' ? -total : total) + 0, written)
  }

  word(word: string): void {
    const month = monthOf(word)
    if (month > 0 && this.month === null) this.month = month
    else if (word === 'am' || word === 'pm') this.half = word
    else if (word === 'bc' || word === 'ad') this.before = word === 'bc'
    else if (specials.has(word) && this.special === null) this.special = word as Special
    else if (word === 'allballs') this.micros = 0n
    else if (word === 't' || word === 'at' || word === 'on' || weekdays.test(word)) return
    else this.#zoneWord(word)
  }

  #zoneWord(word: string): void {
    const seconds = abbreviationSeconds(word)
    const zone = seconds === null ? findZone(word) : fixedZone(seconds, word)
    if (zone === null || this.zone !== null) {
      if (word.includes('/'))
        throw sqlError(SQLSTATE.invalidParameterValue, `time zone "${word}" not recognized`)
      throw this.wrong()
    }
    this.zone = zone
  }

  /** Loose numbers beside a month's name: day and year. */
  #loose(): void {
    const [first, second, third] = this.numbers
    if (first === undefined) return
    if (third !== undefined && this.month === null && this.numbers.length === 3) {
      this.parts(first, second ?? '', third)
      return
    }
    if (third !== undefined || this.month === null || this.year !== null) throw this.wrong()
    if (second === undefined) throw this.wrong()
    const long = first.length > 2
    this.year = long ? first : second
    this.day = Number(long ? second : first)
  }

  finish(): Moment {
    this.#loose()
    if (this.half !== null) {
      if (this.micros === null) throw this.wrong()
      const hours = this.micros / 3_600_000_000n
      if (hours > 12n) throw fieldOutOfRange(this.text)
      const morning = this.micros - (hours === 12n ? 43_200_000_000n : 0n)
      this.micros = this.half === 'am' ? morning : morning + 43_200_000_000n
    }
    return { days: this.#days(), micros: this.micros, zone: this.zone, special: this.special }
  }

  #days(): number | null {
    if (this.julian !== null) return this.julian - 2_440_588
    if (this.year === null) {
      if (this.month !== null) throw this.wrong()
      return null
    }
    const written = Number(this.year)
    const short = this.year.length <= 2
    if (written === 0 && !short) throw fieldOutOfRange(this.text)
    const shown = short && !this.before ? written + (written < 70 ? 2_000 : 1_900) : written
    const year = this.before ? 1 - shown : shown
    if (this.dayOfYear !== null) return daysFromCivil({ year, month: 1, day: 1 }) + this.dayOfYear - 1
    const civil: CivilDate = { year, month: this.month ?? 0, day: this.day ?? 0 }
    if (civil.month < 1 || civil.month > 12)
      throw fieldOutOfRange(this.text, 'Perhaps you need a different "datestyle" setting.')
    if (civil.day < 1 || civil.day > daysInMonth(year, civil.month))
      throw fieldOutOfRange(
        this.text,
        civil.day > 31 ? 'Perhaps you need a different "datestyle" setting.' : undefined,
      )
    return daysFromCivil(civil)
  }
}

/**
 * Reads a date, a time, or both, as PostgreSQL does.
 * @param order of DateStyle, for dates of three short numbers
 * @param type for messages
 * @throws 22007 when it is no such thing, 22008 when a field is out of range, 22009 for an offset that is, 22023
 * for a zone that is not known
 */
export function parseMoment(text: string, type: string, order: DateOrder = 'MDY'): Moment {
  const reader = new Reader(text, type, order)
  const source = text.trim().toLowerCase()
  if (source === '' || source.length > 120) throw reader.wrong()
  token.lastIndex = 0
  let at = 0
  while (at < source.length) {
    token.lastIndex = at
    // The T of ISO 8601 stands between digits.
    if (source[at] === 't' && /^t\d/.test(source.slice(at, at + 2))) {
      at++
      continue
    }
    const match = token.exec(source)
    if (match === null) throw reader.wrong()
    at = token.lastIndex
    const [
      ,
      hours,
      minutes,
      seconds,
      fraction,
      a,
      ,
      b,
      c,
      name,
      d,
      e,
      year,
      doy,
      julian,
      offset,
      whole,
      part,
      word,
    ] = match
    if (hours !== undefined) reader.time(hours, minutes ?? '0', seconds, fraction)
    else if (a !== undefined) reader.parts(a, b ?? '', c ?? '')
    else if (name !== undefined) {
      const month = monthOf(name)
      if (month === 0) reader.word(match[0].trim().replace(/^,\s*/, ''))
      else reader.date(e ?? '', month, d ?? '')
    } else if (year !== undefined) {
      reader.year = year
      reader.dayOfYear = Number(doy)
    } else if (julian !== undefined) reader.julian = Number(julian)
    else if (offset !== undefined) reader.offset(offset)
    else if (whole !== undefined) reader.digits(whole, part)
    else if (word !== undefined) reader.word(word)
    while (source[at] === ' ') at++
  }
  return reader.finish()
}
