import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import { type CivilDate, civilFromDays, DAY, daysFromCivil, daysInMonth } from './calendar.ts'
import {
  type DateToken,
  type DateWord,
  dateTokens,
  dateWord,
  type NumberUnit,
  type Special,
} from './date-tokens.ts'
import type { DateOrder } from './styles.ts'
import { abbreviationSeconds, findZone, fixedZone, type Zone } from './time-zone.ts'

export type { Special } from './date-tokens.ts'

/** What a text says about a date, a time of day and a zone; null where it says nothing. */
export interface Moment {
  /** Days since 1970. */
  readonly days: number | null
  /** Microseconds since midnight, up to a full day. */
  readonly micros: bigint | null
  readonly zone: Zone | null
  readonly special: Special | null
}

/** True for texts that mean another date where days come before months, or years first. */
export const isOrdered = (text: string): boolean => /^[^\d]*\d{1,2}(?!\d|:)/.test(text)

/** True for texts whose meaning depends on the present. */
export const isRelative = (text: string): boolean => /^\s*(?:now|today|tomorrow|yesterday)\b/i.test(text)

export const malformed = (text: string, type: string): SqlError =>
  sqlError(SQLSTATE.invalidDatetimeFormat, `invalid input syntax for type ${type}: "${text}"`)

export const fieldOutOfRange = (text: string, hint?: string): SqlError =>
  sqlError(SQLSTATE.datetimeFieldOverflow, `date/time field value out of range: "${text}"`, { hint })

const ORDER_HINT = 'Perhaps you need a different "datestyle" setting.'
const INT_MAX = 2_147_483_647

/** Which fields are known: bits, since a field may be given once only. */
const YEAR = 1
const MONTH = 2
const DAY_FIELD = 4
const TIME = 8
const ZONE = 16
const OF_YEAR = 32
const SUMMER = 64
const DATE = YEAR | MONTH | DAY_FIELD
/** Hours, minutes and seconds given one by one. */
const HOUR = 128
const MINUTE = 256
const SECOND = 512
/** Words, which may stand there once. */
const HALF = 1_024
const ERA = 2_048
const WEEKDAY = 4_096
const SPECIAL = 8_192

/** Collects the fields of one text, as PostgreSQL's `DecodeDateTime` and `DecodeTimeOnly` do. */
class Reader {
  readonly #text: string
  readonly #type: string
  readonly #order: DateOrder
  readonly #tokens: readonly DateToken[]
  /** A time of day is wanted; a date may be beside it. */
  readonly #timeOnly: boolean
  #known = 0
  #year = 0
  #month = 0
  #day = 0
  #ofYear = 0
  #hour = 0
  #minute = 0
  #second = 0
  #micros = 0
  #shortYear = false
  #textMonth = false
  #julian = false
  #before = false
  #half: 'am' | 'pm' | null = null
  #zone: Zone | null = null
  #special: Special | null = null
  #pending: NumberUnit | null = null

  constructor(text: string, type: string, order: DateOrder, timeOnly: boolean) {
    this.#text = text
    this.#type = type
    this.#order = order
    this.#timeOnly = timeOnly
    const tokens = text.length > 150 ? null : dateTokens(text.toLowerCase())
    if (tokens === null || tokens.length === 0) throw this.#wrong()
    this.#tokens = tokens
  }

  #wrong(): SqlError {
    return malformed(this.#text, this.#type)
  }

  #range(hint?: string): SqlError {
    return fieldOutOfRange(this.#text, hint)
  }

  #integer(digits: string): number {
    const value = Number(digits)
    if (!Number.isInteger(value)) throw this.#wrong()
    if (value > INT_MAX) throw this.#range()
    return value
  }

  /** Notes fields as given. @throws 22007 when one of them was given before */
  #note(fields: number): void {
    if ((this.#known & fields) !== 0) throw this.#wrong()
    this.#known |= fields
  }

  /** What has been given, as numbers see it: a time alone counts its date as given. */
  #dated(): number {
    return this.#timeOnly ? this.#known | DATE : this.#known
  }

  read(): Moment {
    for (const [i, token] of this.#tokens.entries()) this.#take(token, i)
    return this.#finish()
  }

  #take({ kind, text }: DateToken, i: number): void {
    switch (kind) {
      case 'date':
        if (this.#timeOnly) this.#dateInTime(text, i)
        else this.#dateToken(text)
        return
      case 'time':
        if (this.#pending !== null && this.#pending !== 'time') throw this.#wrong()
        this.#pending = null
        this.#clock(text)
        return
      case 'zone':
        this.#offset(text)
        this.#note(ZONE)
        return
      case 'number':
        if (this.#pending !== null) this.#counted(this.#pending, text)
        else if (this.#timeOnly) this.#numberInTime(text, i)
        else this.#number(text)
        return
      default:
        this.#word(text, i)
    }
  }

  #dateToken(text: string): void {
    if (this.#pending === 'julian') {
      // `J2451187-08`: a day and an offset.
      const [, days = '', rest = ''] = /^(\d+)(.*)$/.exec(text) ?? []
      this.#julianDay(this.#integer(days))
      this.#pending = null
      this.#offset(rest)
      this.#note(DATE | TIME | ZONE)
    } else if (this.#pending !== null || (this.#known & (MONTH | DAY_FIELD)) === (MONTH | DAY_FIELD)) {
      if (/^\d/.test(text) || this.#pending !== null) {
        if (this.#pending !== null && this.#pending !== 'time') throw this.#wrong()
        this.#pending = null
        if ((this.#known & TIME) !== 0) throw this.#wrong()
        this.#timeAndOffset(text, this.#known)
      } else this.#namedZone(text)
    } else this.#date(text)
  }

  /** `040506-08`: digits of a time and an offset. */
  #timeAndOffset(text: string, known: number): void {
    const at = text.indexOf('-')
    if (at < 0) throw this.#wrong()
    this.#offset(text.slice(at))
    this.#run(text.slice(0, at), known)
    this.#note(ZONE)
  }

  #dateInTime(text: string, i: number): void {
    const last = this.#tokens.at(-1)
    if (i === 0 && this.#tokens.length >= 2 && (last?.kind === 'date' || this.#tokens[1]?.kind === 'time'))
      this.#date(text)
    else if (/^\d/.test(text)) {
      if ((this.#known & TIME) !== 0) throw this.#wrong()
      this.#timeAndOffset(text, DATE)
    } else this.#namedZone(text)
  }

  /** @throws 22023 */
  #namedZone(text: string): void {
    const zone = findZone(text)
    if (zone === null) throw sqlError(SQLSTATE.invalidParameterValue, `time zone "${text}" not recognized`)
    this.#zone = zone
    this.#note(ZONE)
  }

  /** A date of several parts: numbers, and perhaps the name of a month. */
  #date(text: string): void {
    const parts = text.match(/[0-9]+|[a-z]+/g) ?? []
    if (/[^0-9a-z]$/.test(text)) throw this.#wrong()
    const numbers = parts.filter((part) => /^\d/.test(part))
    for (const part of parts) {
      if (/^\d/.test(part)) continue
      const word = dateWord(part)
      if (word?.is === 'nothing') continue
      if (word?.is !== 'month') throw this.#wrong()
      this.#note(MONTH)
      this.#textMonth = true
      this.#month = word.month
    }
    for (const part of numbers) this.#single(part, this.#known)
    // Nothing but a zone may stand in front of such a date.
    if ((this.#known & ~(OF_YEAR | ZONE)) !== DATE) throw this.#wrong()
  }

  #number(text: string): void {
    const point = text.indexOf('.')
    const dated = (this.#known & DATE) !== 0
    if (point >= 0 && !dated) this.#date(text)
    else if (point > 2) this.#run(text, this.#known)
    else if (text.length >= 6 && (!dated || (this.#known & TIME) === 0)) this.#run(text, this.#known)
    else this.#single(text, this.#known)
  }

  #numberInTime(text: string, i: number): void {
    const point = text.indexOf('.')
    if (point >= 0) {
      if (i === 0 && this.#tokens.length >= 2 && this.#tokens.at(-1)?.kind === 'date') this.#date(text)
      else if (point > 2) this.#run(text, this.#dated())
      else throw this.#wrong()
    } else if (text.length > 4) this.#run(text, this.#dated())
    else this.#single(text, this.#dated())
  }

  /** One number, whose place decides what it is. */
  #single(text: string, known: number): void {
    const point = text.indexOf('.')
    if (point > 2) {
      this.#run(text, known | DATE)
      return
    }
    const value = this.#integer(point < 0 ? text : text.slice(0, point))
    if (point >= 0) this.#micros = fractionOf(text.slice(point))
    const { length } = text
    const dated = known & DATE
    if (length === 3 && dated === YEAR && value >= 1 && value <= 366) {
      this.#note(OF_YEAR | MONTH | DAY_FIELD)
      this.#ofYear = value
      return
    }
    if (dated === DATE) {
      this.#run(text, known)
      return
    }
    const field = this.#fieldFor(dated, length)
    if (field === null) {
      // The number in front of the month's name was the day.
      this.#day = this.#year
      this.#year = value
      this.#shortYear = false
      this.#note(DAY_FIELD)
      return
    }
    this.#note(field)
    if (field === YEAR) {
      this.#year = value
      this.#shortYear = length <= 2
    } else if (field === MONTH) this.#month = value
    else this.#day = value
  }

  /** Which field the next number is; null: the year, and the number that was taken for it is the day. */
  #fieldFor(dated: number, length: number): number | null {
    const yearFirst = length >= 3 || this.#order === 'YMD'
    switch (dated) {
      case 0:
        if (yearFirst) return YEAR
        return this.#order === 'DMY' ? DAY_FIELD : MONTH
      case YEAR:
        return MONTH
      case MONTH:
        return this.#textMonth && yearFirst ? YEAR : DAY_FIELD
      case YEAR | MONTH:
        return this.#textMonth && length >= 3 && this.#shortYear ? null : DAY_FIELD
      case DAY_FIELD:
        return MONTH
      case MONTH | DAY_FIELD:
        return YEAR
      default:
        throw this.#wrong()
    }
  }

  /** Digits run together: a date of six or more, or a time of six or four. */
  #run(text: string, known: number): void {
    const point = text.indexOf('.')
    const digits = point < 0 ? text : text.slice(0, point)
    if (point >= 0) this.#micros = fractionOf(text.slice(point))
    else if ((known & DATE) !== DATE && digits.length >= 6) {
      this.#note(DATE)
      this.#year = this.#integer(digits.slice(0, -4))
      this.#month = Number(digits.slice(-4, -2))
      this.#day = Number(digits.slice(-2))
      this.#shortYear = digits.length === 6
      return
    }
    if ((known & TIME) !== 0 || (digits.length !== 6 && digits.length !== 4) || /\D/.test(digits))
      throw this.#wrong()
    this.#note(TIME)
    this.#hour = Number(digits.slice(0, 2))
    this.#minute = Number(digits.slice(2, 4))
    this.#second = Number(digits.slice(4) || '0')
  }

  /** `4:5`, `04:05:06.7`, and `05:06.7`, which are minutes and seconds. */
  #clock(text: string): void {
    const [whole, a = '', b = '', c, fraction] = /^(\d+):(\d*)(?::(\d*))?(\.\d*)?$/.exec(text) ?? []
    if (whole === undefined) throw this.#wrong()
    const [first, second, third] = [this.#integer(a), this.#integer(b), this.#integer(c ?? '0')]
    if (c === undefined && fraction !== undefined)
      [this.#hour, this.#minute, this.#second] = [0, first, second]
    else [this.#hour, this.#minute, this.#second] = [first, second, third]
    this.#micros = fraction === undefined ? 0 : fractionOf(fraction)
    if (this.#minute > 59 || this.#second > 60) throw this.#range()
    this.#note(TIME)
    if (!this.#timeOnly) this.#checkTime()
  }

  #checkTime(): void {
    const { micros } = this
    if (this.#hour > 24 || this.#minute > 59 || this.#second > 60 || micros > DAY) throw this.#range()
  }

  /** Microseconds since midnight. */
  get micros(): bigint {
    const seconds = this.#hour * 3_600 + this.#minute * 60 + this.#second
    return BigInt(seconds) * 1_000_000n + BigInt(this.#micros)
  }

  /** `+02`, `-0330`, `+01:30:15`. @throws 22009 */
  #offset(written: string): void {
    const [whole, sign, first = '', second, third] = /^([-+])(\d+)(?::(\d*))?(?::(\d*))?$/.exec(written) ?? []
    if (whole === undefined) throw this.#wrong()
    let hours = this.#integer(first)
    let minutes = this.#integer(second ?? '0')
    if (second === undefined && first.length > 2) {
      minutes = hours % 100
      hours = Math.floor(hours / 100)
    }
    const seconds = this.#integer(third ?? '0')
    if (hours > 15 || minutes > 59 || seconds > 59)
      throw sqlError('22009', `time zone displacement out of range: "${this.#text}"`)
    const total = hours * 3_600 + minutes * 60 + seconds
    this.#zone = fixedZone((sign === '-' ? -total : total) + 0, written)
  }

  #julianDay(julian: number): void {
    const { year, month, day } = civilFromDays(julian - 2_440_588)
    this.#year = year
    this.#month = month
    this.#day = day
    this.#julian = true
  }

  /** A number behind a word that says what it is: `J2451187`, `T040506`, `y2001`. */
  #counted(unit: NumberUnit, text: string): void {
    this.#pending = null
    if (this.#timeOnly && unit !== 'time' && unit !== 'julian') throw this.#wrong()
    const [, digits = '', fraction = ''] = /^(\d*)(\.\d*)?$/.exec(text) ?? []
    if (unit === 'time') {
      this.#run(text, this.#known | DATE)
      return
    }
    const value = this.#integer(digits)
    switch (unit) {
      case 'julian': {
        this.#julianDay(value)
        this.#note(DATE)
        if (fraction === '') return
        this.#note(TIME)
        const micros = Math.round(Number(`0${fraction}`) * 86_400e6)
        this.#second = Math.floor(micros / 1e6)
        this.#micros = micros % 1e6
        return
      }
      case 'year':
        this.#note(YEAR)
        this.#year = value
        return
      case 'month':
        // Behind an hour it is a minute.
        if ((this.#known & MONTH) !== 0 && (this.#known & HOUR) !== 0) {
          this.#note(MINUTE)
          this.#minute = value
        } else {
          this.#note(MONTH)
          this.#month = value
        }
        return
      case 'day':
        this.#note(DAY_FIELD)
        this.#day = value
        return
      case 'hour':
        this.#note(HOUR)
        this.#hour = value
        return
      case 'minute':
        this.#note(MINUTE)
        this.#minute = value
        return
      case 'second':
        this.#note(SECOND)
        this.#second = value
        if (fraction !== '') this.#micros = fractionOf(fraction)
    }
  }

  #word(text: string, i: number): void {
    const seconds = abbreviationSeconds(text)
    if (seconds !== null) {
      this.#zone = fixedZone(seconds, text)
      this.#note(ZONE)
      return
    }
    const word = dateWord(text)
    if (word === null) {
      const zone = findZone(text)
      if (zone === null) throw this.#wrong()
      this.#zone = zone
      this.#note(ZONE)
    } else this.#meaning(word, i)
  }

  #meaning(word: DateWord, i: number): void {
    if (this.#timeOnly && (word.is === 'month' || word.is === 'weekday')) throw this.#wrong()
    switch (word.is) {
      case 'nothing':
        return
      case 'weekday':
        this.#note(WEEKDAY)
        return
      case 'month':
        // `02 Jan 1999`: what was taken for a month is a day.
        if ((this.#known & (MONTH | DAY_FIELD)) === MONTH && !this.#textMonth && this.#month <= 31) {
          this.#day = this.#month
          this.#note(DAY_FIELD)
        } else this.#note(MONTH)
        this.#textMonth = true
        this.#month = word.month
        return
      case 'summer': {
        if (this.#zone === null) throw this.#wrong()
        this.#note(SUMMER)
        this.#zone = fixedZone(this.#zone.offsetAt(0) + 3_600, 'dst')
        return
      }
      case 'half':
        this.#note(HALF)
        this.#half = word.half
        return
      case 'era':
        this.#note(ERA)
        this.#before = word.before
        return
      case 'allballs':
        this.#note(TIME | ZONE)
        this.#zone = fixedZone(0, 'UTC')
        return
      case 'unit': {
        if (word.unit === 'time') {
          const next = this.#tokens[i + 1]?.kind
          const follows = next === 'number' || next === 'time' || next === 'date'
          if (!follows || (this.#dated() & DATE) !== DATE) throw this.#wrong()
        }
        this.#pending = word.unit
        return
      }
      case 'special':
        if (this.#timeOnly && word.special !== 'now') throw this.#wrong()
        if (dayWords.has(word.special)) this.#note(DATE)
        else if (word.special !== 'now') this.#note(SPECIAL)
        else this.#note(this.#timeOnly ? TIME : DATE | TIME | ZONE)
        this.#special = word.special
    }
  }

  #finish(): Moment {
    const special = this.#special
    const piecewise = this.#known & (HOUR | MINUTE | SECOND)
    if (piecewise === (HOUR | MINUTE | SECOND)) this.#note(TIME)
    const timed = (this.#known & (TIME | HALF)) !== 0 && (special === null || dayWords.has(special))
    const days = special === null ? this.#days() : null
    if (this.#half !== null) {
      if (this.#hour > 12) throw this.#range()
      if (this.#half === 'am' && this.#hour === 12) this.#hour = 0
      else if (this.#half === 'pm' && this.#hour !== 12) this.#hour += 12
    }
    if (this.#timeOnly) {
      this.#checkTime()
      if ((this.#known & TIME) === 0) throw this.#wrong()
    }
    return { days, micros: timed ? this.micros : null, zone: this.#zone, special }
  }

  #days(): number | null {
    if ((this.#known & YEAR) !== 0) this.#settleYear()
    if ((this.#known & OF_YEAR) !== 0)
      return daysFromCivil({ year: this.#year, month: 1, day: 1 }) + this.#ofYear - 1
    const civil: CivilDate = { year: this.#year, month: this.#month, day: this.#day }
    if ((this.#known & MONTH) !== 0 && (civil.month < 1 || civil.month > 12)) throw this.#range(ORDER_HINT)
    if ((this.#known & DAY_FIELD) !== 0 && (civil.day < 1 || civil.day > 31)) throw this.#range(ORDER_HINT)
    if ((this.#known & DATE) !== DATE) return null
    if (civil.day > daysInMonth(civil.year, civil.month)) throw this.#range()
    return daysFromCivil(civil)
  }

  /** Years of two digits are near 2000; there is no year zero. */
  #settleYear(): void {
    if (this.#julian) return
    if (this.#before) {
      if (this.#year <= 0) throw this.#range()
      this.#year = 1 - this.#year
    } else if (this.#shortYear) this.#year += this.#year < 70 ? 2_000 : this.#year < 100 ? 1_900 : 0
    else if (this.#year <= 0) throw this.#range()
  }
}

/** Words for a day, which a time may stand beside. */
const dayWords: ReadonlySet<Special> = new Set(['today', 'tomorrow', 'yesterday'])

/** Microseconds of `.789`. */
const fractionOf = (written: string): number => Math.round(Number(`0${written}0`) * 1e6)

/**
 * Reads a date, a time, or both, as PostgreSQL does.
 * @param order of DateStyle, for dates of three short numbers
 * @param type for messages
 * @throws 22007 when it is no such thing, 22008 when a field is out of range, 22009 for an offset that is, 22023
 * for a zone that is not known
 */
export const parseMoment = (text: string, type: string, order: DateOrder = 'MDY'): Moment =>
  new Reader(text, type, order, false).read()

/** The same for a time of day, which a date may stand beside. */
export const parseTimeOfDay = (text: string, type: string, order: DateOrder = 'MDY'): Moment =>
  new Reader(text, type, order, true).read()
