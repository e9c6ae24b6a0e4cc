import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import { civilFromDays, DAY, daysFromCivil, daysInMonth, isoWeekday } from './calendar.ts'
import { datePartsOf, type TemplateField, type TemplatePart } from './date-template.ts'
import { DAYS, MONTHS, ROMAN } from './to-char.ts'

/** What a text gave by its template. */
export interface ReadDateTime {
  /** Microseconds since 1970, as if it were UTC. */
  readonly local: bigint
  /** Seconds east of UTC, when the template has a zone. */
  readonly offset: number | null
  /** Digits of the fraction that the template asks for; null: all. */
  readonly digits: number | null
}

/** Digits that a field of fixed width takes. */
const widths: Readonly<Record<string, number>> = {
  HH24: 2,
  HH12: 2,
  HH: 2,
  MI: 2,
  SS: 2,
  SSSS: 4,
  SSSSS: 5,
  MS: 3,
  US: 6,
  FF1: 1,
  FF2: 2,
  FF3: 3,
  FF4: 4,
  FF5: 5,
  FF6: 6,
  YYYY: 4,
  YYY: 3,
  YY: 2,
  Y: 1,
  IYYY: 4,
  IYY: 3,
  IY: 2,
  I: 1,
  IW: 2,
  IDDD: 3,
  ID: 1,
  MM: 2,
  DDD: 3,
  DD: 2,
  D: 1,
  WW: 2,
  W: 1,
  CC: 2,
  J: 1,
  Q: 1,
  TZH: 2,
  TZM: 2,
}

/** Where what a field says is kept; by default under its own name. */
const slots: Readonly<Record<string, string>> = {
  HH24: 'HH',
  HH12: 'HH',
  SSSSS: 'SSSS',
  YYY: 'YYYY',
  YY: 'YYYY',
  Y: 'YYYY',
  'Y,YYY': 'YYYY',
  IYYY: 'YYYY',
  IYY: 'YYYY',
  IY: 'YYYY',
  I: 'YYYY',
  IW: 'WW',
  IDDD: 'DDD',
  ID: 'D',
  MONTH: 'MM',
  MON: 'MM',
  RM: 'MM',
  DAY: 'D',
  DY: 'D',
}

const isoOnly = /^(?:IYYY|IYY|IY|I|IW|IDDD|ID)$/
const gregorianOnly = /^(?:Y,YYY|YYYY|YYY|YY|Y|MONTH|MON|MM|DDD|DD|D|WW|W|RM)$/
const FIXED_HINT = 'If your source string is not fixed-width, try using the "FM" modifier.'
const INT_MAX = 2_147_483_647
const isBlank = (sign: string): boolean => /^\s$/.test(sign)
const wrong = (message: string, detail?: string, hint?: string): SqlError =>
  sqlError(SQLSTATE.invalidDatetimeFormat, message, { detail, hint })

/** Reads a text by a template, as PostgreSQL's `DCH_from_char` and `do_to_timestamp` do. */
class TemplateReader {
  readonly #text: string
  readonly #parts: readonly TemplatePart[]
  readonly #strict: boolean
  readonly #fields = new Map<string, number>()
  #at = 0
  #fixed: boolean
  /** Blanks that were skipped beyond those of the template. */
  #skipped = 0
  #mode: 'iso' | 'gregorian' | null = null
  #twelve = false
  #yearDigits = 4
  #zoneSign = 0
  #digits: number | null = null

  constructor(text: string, format: string, strict: boolean) {
    this.#text = text
    this.#parts = datePartsOf(format, strict)
    this.#strict = strict
    this.#fixed = strict
  }

  read(): ReadDateTime {
    let i = 0
    for (; i < this.#parts.length && this.#at < this.#text.length; i++) this.#take(i)
    if (this.#strict) {
      if (i < this.#parts.length) throw wrong('input string is too short for datetime format')
      if (/\S/.test(this.#text.slice(this.#at)))
        throw wrong('trailing characters remain in input string after datetime format')
    }
    return { local: this.#local(), offset: this.#offset(), digits: this.#digits }
  }

  #blanks(): void {
    while (isBlank(this.#text.charAt(this.#at))) {
      this.#at++
      this.#skipped++
    }
  }

  #take(i: number): void {
    const part = this.#parts[i]
    if (part === undefined) return
    if (part.kind !== 'field') {
      if (i === 0 && !this.#fixed) this.#blanks()
      this.#sign(part.kind, part.written)
      return
    }
    if (part.name === 'FX') {
      this.#fixed = true
      return
    }
    if (!this.#fixed) this.#blanks()
    this.#keepMode(part.name)
    this.#field(part, i)
    if (this.#fixed) return
    this.#skipped = 0
    this.#blanks()
  }

  /** A sign of the template that is no field. */
  #sign(kind: 'space' | 'separator' | 'text', written: string): void {
    const here = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0)
    if (kind === 'text') {
      if (!this.#fixed && this.#skipped > 0) this.#skipped--
      else {
        if (this.#strict && here !== written) throw wrong(`unmatched format character "${written}"`)
        this.#at += here.length
      }
    } else if (this.#strict) {
      if (here !== written) throw wrong(`unmatched format separator "${written}"`)
      this.#at++
    } else if (this.#fixed) this.#at += here.length
    else {
      this.#skipped--
      if (isBlank(here) || /[!-/:-@[-`{-~]/.test(here)) {
        this.#at++
        this.#skipped++
      }
    }
  }

  #keepMode(name: string): void {
    const mode = isoOnly.test(name) ? 'iso' : gregorianOnly.test(name) ? 'gregorian' : null
    if (mode === null) return
    if (this.#mode !== null && this.#mode !== mode)
      throw wrong(
        'invalid combination of date conventions',
        undefined,
        'Do not mix Gregorian and ISO week date conventions in a formatting template.',
      )
    this.#mode = mode
  }

  /** @param kept what is noted of the value */
  #set({ name, written }: TemplateField, value: number, kept = value): void {
    const slot = slots[name] ?? name
    const before = this.#fields.get(slot) ?? 0
    if (before !== 0 && before !== value)
      throw wrong(
        `conflicting values for "${written}" field in formatting string`,
        'This value contradicts a previous setting for the same field type.',
      )
    this.#fields.set(slot, kept)
  }

  #field(part: TemplateField, i: number): void {
    const { name, written } = part
    switch (name) {
      case 'TZ':
      case 'OF':
        throw sqlError(
          SQLSTATE.featureNotSupported,
          `formatting field "${written}" is only supported in to_char`,
        )
      case 'MONTH':
        this.#set(part, this.#pick(part, MONTHS) + 1)
        return
      case 'MON':
        this.#set(part, this.#pick(part, short(MONTHS)) + 1)
        return
      case 'RM':
        this.#set(part, 12 - this.#pick(part, [...ROMAN].reverse()))
        return
      case 'DAY':
        this.#weekday(part, DAYS)
        return
      case 'DY':
        this.#weekday(part, short(DAYS))
        return
      case 'Y,YYY':
        this.#millennia(part)
        return
      case 'TZH':
        this.#zoneHours()
        break
      case 'TZM':
        this.#zoneSign ||= 1
        break
      default:
    }
    if (/^[ABP]\.?[DCM]\.?$/.test(name)) {
      const dots = name.includes('.')
      if (name.includes('M')) {
        this.#twelve = true
        this.#set({ ...part, name: 'PM' }, this.#pick(part, dots ? ['a.m.', 'p.m.'] : ['am', 'pm']))
      } else this.#set({ ...part, name: 'BC' }, this.#pick(part, dots ? ['a.d.', 'b.c.'] : ['ad', 'bc']))
      return
    }
    this.#number(part, i)
    if (part.ordinal) this.#at += 2
  }

  /** Sunday is the first day. */
  #weekday(part: TemplateField, names: readonly string[]): void {
    const day = (this.#pick(part, names) + 1) % 7
    this.#set(part, day, day + 1)
  }

  /** The sign in front of the hours of an offset may have been taken for a separator. */
  #zoneHours(): void {
    const sign = this.#text.charAt(this.#at)
    if (sign === '+' || sign === '-' || sign === ' ') {
      this.#zoneSign = sign === '-' ? -1 : 1
      this.#at++
    } else this.#zoneSign = this.#skipped > 0 && this.#text[this.#at - 1] === '-' ? -1 : 1
  }

  #millennia(part: TemplateField): void {
    const match = /^\s*(\d+),(\d{1,3})/.exec(this.#text.slice(this.#at))
    if (match === null) throw wrong('invalid input string for "Y,YYY"')
    this.#at += match[0].length
    this.#set(part, Number(match[1]) * 1_000 + Number(match[2]))
    if (part.ordinal) this.#at += 2
  }

  #number(part: TemplateField, i: number): void {
    const { name } = part
    const [value, length] = this.#integer(part, i)
    if (name === 'Q') return
    if (name === 'HH' || name === 'HH12') this.#twelve = true
    if (name.startsWith('FF')) this.#digits = Number(name[2])
    if (name === 'MS') this.#set(part, value, length === 1 ? value * 100 : length === 2 ? value * 10 : value)
    else if (name === 'US' || name.startsWith('FF')) {
      const us: TemplateField = { ...part, name: 'US' }
      this.#set(us, value, length < 6 ? value * 10 ** (6 - length) : value)
    } else if (name === 'ID') this.#set(part, value, value === 7 ? 1 : value + 1)
    else if (/^I?YYYY$/.test(name)) this.#set(part, value)
    else if (/^(?:I?Y{1,3}|I)$/.test(name)) {
      this.#yearDigits = name.length
      this.#set(part, value, length < 4 ? nearYear(value) : value)
    } else this.#set(part, value)
  }

  /** @returns the number, and how many characters it took */
  #integer({ name, written, fill, ordinal }: TemplateField, i: number): readonly [number, number] {
    const width = widths[name] ?? 1
    const start = this.#at
    while (isBlank(this.#text.charAt(this.#at))) this.#at++
    const rest = this.#text.slice(this.#at)
    const copy = [...rest].slice(0, width).join('')
    const open = fill || ordinal || !this.#digitFollows(i)
    const source = open ? rest : copy
    if (!open && copy.length < width)
      throw wrong(
        `source string too short for "${written}" formatting field`,
        `Field requires ${width} characters, but only ${copy.length} remain.`,
        FIXED_HINT,
      )
    const digits = /^\s*[-+]?\d+/.exec(source)?.[0] ?? ''
    if (!open && digits !== '' && digits.length < width)
      throw wrong(
        `invalid value "${copy}" for "${written}"`,
        `Field requires ${width} characters, but only ${digits.length} could be parsed.`,
        FIXED_HINT,
      )
    if (digits === '') throw wrong(`invalid value "${copy}" for "${written}"`, 'Value must be an integer.')
    const value = Number(digits)
    if (Math.abs(value) > INT_MAX)
      throw sqlError(
        SQLSTATE.datetimeFieldOverflow,
        `value for "${written}" in source string is out of range`,
        { detail: 'Value must be in the range -2147483648 to 2147483647.' },
      )
    this.#at += digits.length
    return [value, this.#at - start]
  }

  /** Whether digits that belong to something else may stand right behind the field. */
  #digitFollows(i: number): boolean {
    const next = this.#parts[i + 1]
    if (next === undefined) return false
    if (next.kind !== 'field') return /^\d$/.test(next.written)
    const { name } = next
    return name === 'Y,YYY' || (widths[name] !== undefined && name !== 'TZH')
  }

  #pick({ written }: TemplateField, names: readonly string[]): number {
    const rest = this.#text.slice(this.#at).toLowerCase()
    const at = names.findIndex((name) => rest.startsWith(name.toLowerCase()))
    if (at < 0) {
      const found = /^\S*/.exec(this.#text.slice(this.#at))?.[0] ?? ''
      throw wrong(
        `invalid value "${found}" for "${written}"`,
        'The given value did not match any of the allowed values for this field.',
      )
    }
    this.#at += (names[at] ?? '').length
    return at
  }

  #get(name: string): number {
    return this.#fields.get(name) ?? 0
  }

  #range(): SqlError {
    return sqlError(SQLSTATE.datetimeFieldOverflow, `date/time field value out of range: "${this.#text}"`)
  }

  #local(): bigint {
    const ofDay = this.#get('SSSS')
    const second = this.#get('SS') || ofDay % 60
    const minute = this.#get('MI') || Math.floor(ofDay / 60) % 60
    const hour = this.#hour(this.#get('HH') || Math.floor(ofDay / 3_600))
    const days = this.#days()
    const micros = this.#get('MS') * 1_000 + this.#get('US')
    const outside = (value: number, end: number): boolean => value < 0 || value >= end
    if (outside(hour, 24) || outside(minute, 60) || outside(second, 60) || outside(micros, 1e6))
      throw this.#range()
    return BigInt(days) * DAY + BigInt(hour * 3_600 + minute * 60 + second) * 1_000_000n + BigInt(micros)
  }

  #hour(hour: number): number {
    if (!this.#twelve) return hour
    if (hour < 1 || hour > 12)
      throw wrong(
        `hour "${hour}" is invalid for the 12-hour clock`,
        undefined,
        'Use the 24-hour clock, or give an hour between 1 and 12.',
      )
    return (hour % 12) + (this.#get('PM') === 1 ? 12 : 0)
  }

  /** The year, counted through zero; null where nothing was said. */
  #year(): number | null {
    const written = this.#get('YYYY')
    const before = this.#get('BC') === 1
    const century = before ? -this.#get('CC') : this.#get('CC')
    if (written !== 0 && (century === 0 || this.#yearDigits > 2)) {
      const year = before ? -written : written
      return year < 0 ? year + 1 : year
    }
    if (written !== 0) {
      const rest = written % 100
      if (rest === 0) return century * 100 + (century >= 0 ? 0 : 1)
      return century >= 0 ? (century - 1) * 100 + rest : (century + 1) * 100 - rest + 1
    }
    if (century === 0) return null
    return century > 0 ? (century - 1) * 100 + 1 : century * 100 + 1
  }

  #days(): number {
    const given = this.#year()
    let year = given ?? 0
    let month = 1
    let day = 1
    let whole = false
    const take = (days: number): void => {
      const civil = civilFromDays(days)
      year = civil.year
      month = civil.month
      day = civil.day
      whole = true
    }
    if (this.#get('J') !== 0) take(this.#get('J') - 2_440_588)
    let ofYear = this.#get('DDD')
    const week = this.#get('WW')
    if (week !== 0 && this.#mode === 'iso') {
      const weekday = this.#get('D')
      take(isoWeekStart(year, week) + (weekday === 0 ? 0 : weekday > 1 ? weekday - 2 : 6))
    } else if (week !== 0) ofYear = (week - 1) * 7 + 1
    const ofMonth = this.#get('W') === 0 ? this.#get('DD') : (this.#get('W') - 1) * 7 + 1
    if (ofMonth !== 0) day = ofMonth
    if (this.#get('MM') !== 0) month = this.#get('MM')
    const dated = whole || (given !== null && (ofMonth !== 0 || this.#get('MM') !== 0))
    if (ofYear !== 0 && (month <= 1 || day <= 1)) {
      if (year === 0 && this.#get('BC') === 0)
        throw wrong('cannot calculate day of year without year information')
      if (this.#mode === 'iso') return isoWeekStart(year, 1) - 1 + ofYear
      const last = daysInMonth(year, 2) === 29 ? 366 : 365
      if (ofYear < 1 || ofYear > last) throw this.#range()
      const civil = civilFromDays(daysFromCivil({ year, month: 1, day: 1 }) + ofYear - 1)
      if (month <= 1) month = civil.month
      if (day <= 1) day = civil.day
    }
    if (month < 1 || month > 12 || day < 1 || day > 31) throw this.#range()
    if (dated && day > daysInMonth(year, month)) throw this.#range()
    return daysFromCivil({ year, month, day: 1 }) + day - 1
  }

  #offset(): number | null {
    if (this.#zoneSign === 0) return null
    const [hours, minutes] = [this.#get('TZH'), this.#get('TZM')]
    if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59)
      throw sqlError('22009', `time zone displacement out of range: "${this.#text}"`)
    return this.#zoneSign * (hours * 3_600 + minutes * 60)
  }
}

/** The Monday of a week of the ISO year, in days since 1970. */
function isoWeekStart(year: number, week: number): number {
  const fourth = daysFromCivil({ year, month: 1, day: 4 })
  return fourth - isoWeekday(fourth) + 1 + (week - 1) * 7
}

const short = (names: readonly string[]): readonly string[] => names.map((name) => name.slice(0, 3))

/** The year of one to three digits that is nearest to 2020. */
function nearYear(value: number): number {
  if (value < 70) return value + 2_000
  if (value < 100) return value + 1_900
  if (value < 520) return value + 2_000
  return value < 1_000 ? value + 1_000 : value
}

/**
 * Reads a text by a template of `to_date` and `to_timestamp`.
 * @throws 22007 for what does not fit the template, 22008 for fields out of range
 */
export const readDateTime = (text: string, format: string): ReadDateTime =>
  new TemplateReader(text, format, false).read()

/** What a template can say. */
export type TemplateKind = 'date' | 'time' | 'timetz' | 'timestamp' | 'timestamptz'

const timed = /^(?:HH24|HH12|HH|MI|SSSSS|SSSS|SS|MS|US|FF[1-6]|[AP]\.M\.|[AP]M)$/
const zonedParts = /^(?:TZH|TZM|TZ|OF)$/

/** The same, where text and template must fit as a whole; the template tells the type. */
export function readStrictly(text: string, format: string): ReadDateTime & { readonly kind: TemplateKind } {
  const names = datePartsOf(format, true).flatMap((part) => (part.kind === 'field' ? [part.name] : []))
  const read = new TemplateReader(text, format, true).read()
  const zoned = names.some((name) => zonedParts.test(name))
  const hasTime = names.some((name) => timed.test(name))
  const hasDate = names.some((name) => !timed.test(name) && !zonedParts.test(name) && name !== 'FX')
  if (!hasTime && !hasDate) throw wrong('datetime format is not dated and not timed')
  if (zoned && !hasTime) throw wrong('datetime format is zoned but not timed')
  const kind: TemplateKind = !hasTime ? 'date' : hasDate ? 'timestamp' : 'time'
  return { ...read, kind: zoned && kind !== 'date' ? `${kind}tz` : kind }
}
