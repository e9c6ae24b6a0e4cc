import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import { DAY, daysFromCivil, daysInMonth, isoWeekday } from './calendar.ts'
import { DAYS, MONTHS, ROMAN } from './to-char.ts'

/** What a text gave by its template. */
export interface ReadDateTime {
  /** Microseconds since 1970, as if it were UTC. */
  readonly local: bigint
  /** Seconds east of UTC, when the template has a zone. */
  readonly offset: number | null
}

const pattern =
  /"((?:[^"\\]|\\.)*)"|FM|FX|TH|TM|HH24|HH12|HH|MI|SSSSS|SSSS|SS|MS|US|FF[1-6]|[AP]\.M\.|[AP]M|Y,YYY|YYYY|YYY|YY|Y|IYYY|IYY|IY|IW|IDDD|ID|I|MONTH|MON|MM|DAY|DY|DDD|DD|D|WW|W|CC|J|Q|RM|TZH|TZM|TZ|OF|B\.C\.|A\.D\.|BC|AD|[\s\S]/giy

/** Digits that a template takes at most. */
const widths: Readonly<Record<string, number>> = {
  HH24: 2,
  HH12: 2,
  HH: 2,
  MI: 2,
  SS: 2,
  SSSS: 5,
  SSSSS: 5,
  MS: 3,
  US: 6,
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
  J: 9,
  Q: 1,
  TZH: 3,
  TZM: 2,
}

const isoOnly = /^(?:IYYY|IYY|IY|I|IW|IDDD|ID)$/
const gregorianOnly = /^(?:Y,YYY|YYYY|YYY|YY|Y|MONTH|MON|MM|DDD|DD|D|DAY|DY|WW|W|RM|CC|Q|J)$/

class TemplateReader {
  readonly #text: string
  #at = 0
  readonly #fields = new Map<string, number>()
  #half: 'am' | 'pm' | null = null
  #before = false
  #zoneSign = 1

  readonly #strict: boolean

  constructor(text: string, strict = false) {
    this.#text = text
    this.#strict = strict
  }

  read(format: string): ReadDateTime {
    pattern.lastIndex = 0
    const parts = format.match(new RegExp(pattern.source, 'gi')) ?? []
    const uppers = parts.map((part) => part.toUpperCase())
    if (uppers.some((part) => isoOnly.test(part)) && uppers.some((part) => gregorianOnly.test(part)))
      throw sqlError(SQLSTATE.invalidDatetimeFormat, 'invalid combination of date conventions', {
        hint: 'Do not mix Gregorian and ISO week date conventions in a formatting template.',
      })
    parts.forEach((template, i) => {
      if (this.#at < this.#text.length) this.#take(template, parts[i + 1])
      else if (this.#strict && /\S/.test(template))
        throw sqlError(SQLSTATE.invalidDatetimeFormat, 'input string is too short for datetime format')
    })
    if (this.#strict && /\S/.test(this.#text.slice(this.#at)))
      throw sqlError(
        SQLSTATE.invalidDatetimeFormat,
        'trailing characters remain in input string after datetime format',
      )
    return { local: this.#local(), offset: this.#offset() }
  }

  #blanks(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at++
  }

  #take(template: string, next: string | undefined): void {
    const upper = template.toUpperCase()
    if (upper === 'FM' || upper === 'FX' || upper === 'TM') return
    if (template.startsWith('"')) {
      this.#at += template.length - 2
      return
    }
    if (upper === 'TH') {
      this.#at += 2
      return
    }
    const width = upper.startsWith('FF') ? Number(upper[2]) : widths[upper]
    if (upper === 'TZ' || upper === 'OF')
      throw sqlError(
        SQLSTATE.featureNotSupported,
        `formatting field "${template}" is only supported in to_char`,
      )
    if (width === undefined && !isNamed(upper)) {
      this.#separator(template)
      return
    }
    this.#blanks()
    if (width === undefined) this.#word(template, upper)
    else this.#number(template, upper, width, next)
  }

  /** One sign of the format stands for any sign that is neither letter nor digit. */
  #separator(template: string): void {
    if (/\s/.test(template)) this.#blanks()
    else if (/[A-Za-z0-9]/.test(template)) {
      if (this.#strict)
        throw sqlError(SQLSTATE.invalidDatetimeFormat, `invalid datetime format separator: "${template}"`)
      this.#at++
    } else {
      this.#blanks()
      if (/[^A-Za-z0-9\s+-]/.test(this.#text.charAt(this.#at)) || this.#text.charAt(this.#at) === template)
        this.#at++
    }
  }

  #number(template: string, upper: string, width: number, next: string | undefined): void {
    const rest = this.#text.slice(this.#at)
    // Digits go on unless another number follows at once.
    const open = (upper === 'YYYY' || upper === 'IYYY' || upper === 'J') && !followedByNumber(next)
    const match = new RegExp(`^[-+]?\\d{1,${open ? 9 : width}}`).exec(rest)
    if (match === null)
      throw sqlError(
        SQLSTATE.invalidDatetimeFormat,
        `invalid value "${rest.slice(0, width)}" for "${template}"`,
        { detail: 'Value must be an integer.' },
      )
    this.#at += match[0].length
    let value = Number(match[0])
    const digits = match[0].replace(/^[-+]/, '').length
    if (upper === 'TZH') this.#zoneSign = match[0].startsWith('-') ? -1 : 1
    if (upper === 'MS') value *= 10 ** (3 - digits)
    if (upper === 'US' || upper.startsWith('FF')) value *= 10 ** (6 - digits)
    if (['YYY', 'YY', 'Y'].includes(upper)) value = nearYear(value, digits)
    this.#fields.set(upper.startsWith('FF') ? 'US' : upper, value)
  }

  #word(template: string, upper: string): void {
    const rest = this.#text.slice(this.#at).toLowerCase()
    const pick = (names: readonly string[]): number => {
      const at = names.findIndex((name) => rest.startsWith(name.toLowerCase()))
      if (at < 0) {
        const found = /^\S*/.exec(this.#text.slice(this.#at))?.[0] ?? ''
        throw sqlError(SQLSTATE.invalidDatetimeFormat, `invalid value "${found}" for "${template}"`, {
          detail: 'The given value did not match any of the allowed values for this field.',
        })
      }
      this.#at += (names[at] ?? '').length
      return at
    }
    const short = (names: readonly string[]): string[] => names.map((name) => name.slice(0, 3))
    switch (upper) {
      case 'MONTH':
        this.#fields.set('MM', pick(MONTHS) + 1)
        return
      case 'MON':
        this.#fields.set('MM', pick(short(MONTHS)) + 1)
        return
      case 'RM':
        this.#fields.set('MM', 12 - pick([...ROMAN].reverse()))
        return
      case 'DAY':
        pick(DAYS)
        return
      case 'DY':
        pick(short(DAYS))
        return
      case 'Y,YYY': {
        const match = /^(\d+),(\d{3})/.exec(rest)
        if (match === null) throw sqlError(SQLSTATE.invalidDatetimeFormat, 'invalid input string for "Y,YYY"')
        this.#at += match[0].length
        this.#fields.set('YYYY', Number(match[1]) * 1_000 + Number(match[2]))
        return
      }
      default: {
        const dotted = upper.includes('.')
        if (upper.startsWith('B') || upper.startsWith('AD') || upper === 'A.D.')
          this.#before = pick(dotted ? ['b.c.', 'a.d.'] : ['bc', 'ad']) === 0
        else this.#half = pick(dotted ? ['a.m.', 'p.m.'] : ['am', 'pm']) === 0 ? 'am' : 'pm'
      }
    }
  }

  #get(...names: readonly string[]): number | undefined {
    for (const name of names) {
      const value = this.#fields.get(name)
      if (value !== undefined) return value
    }
    return undefined
  }

  #wrong(): SqlError {
    return sqlError(SQLSTATE.datetimeFieldOverflow, `date/time field value out of range: "${this.#text}"`)
  }

  #local(): bigint {
    const hour = this.#hour()
    const minute = this.#get('MI') ?? 0
    const second = this.#get('SS') ?? 0
    if (hour > 23 || minute > 59 || second > 59 || hour < 0) throw this.#wrong()
    const seconds = this.#get('SSSS', 'SSSSS')
    if (seconds !== undefined && seconds >= 86_400) throw this.#wrong()
    const ofDay = seconds ?? hour * 3_600 + minute * 60 + second
    const fraction = (this.#get('MS') ?? 0) * 1_000 + (this.#get('US') ?? 0)
    return BigInt(this.#days()) * DAY + BigInt(ofDay) * 1_000_000n + BigInt(fraction)
  }

  #hour(): number {
    const whole = this.#get('HH24')
    if (whole !== undefined) return whole
    const hour = this.#get('HH12', 'HH') ?? 0
    if (this.#get('HH12', 'HH') !== undefined && (hour < 1 || hour > 12))
      throw sqlError(SQLSTATE.invalidDatetimeFormat, `hour "${hour}" is invalid for the 12-hour clock`, {
        hint: 'Use the 24-hour clock, or give an hour between 1 and 12.',
      })
    if (this.#half === null) return hour === 12 && this.#get('HH12', 'HH') !== undefined ? 0 : hour
    return (hour % 12) + (this.#half === 'pm' ? 12 : 0)
  }

  #days(): number {
    const julian = this.#get('J')
    if (julian !== undefined) return julian - 2_440_588
    const isoYear = this.#get('IYYY', 'IYY', 'IY', 'I')
    if (isoYear !== undefined) {
      const first = daysFromCivil({ year: isoYear, month: 1, day: 4 })
      const monday = first - isoWeekday(first) + 1
      const ofYear = this.#get('IDDD')
      if (ofYear !== undefined) return monday + ofYear - 1
      return monday + ((this.#get('IW') ?? 1) - 1) * 7 + (this.#get('ID') ?? 1) - 1
    }
    const century = this.#get('CC')
    const written = this.#get('YYYY', 'YYY', 'YY', 'Y')
    const short = this.#fields.get('YYYY') === undefined && this.#fields.get('YYY') === undefined
    const inCentury = written !== undefined && century !== undefined && short
    const year = inCentury
      ? (century - 1) * 100 + (written % 100)
      : (written ?? (century === undefined ? 0 : (century - 1) * 100 + 1))
    // Nothing said: the year before the first one. Years below zero are those before Christ.
    const shown =
      written === undefined && century === undefined
        ? 0
        : this.#before
          ? 1 - Math.abs(year)
          : year < 0
            ? year + 1
            : year
    const start = daysFromCivil({ year: shown, month: 1, day: 1 })
    const ofYear = this.#get('DDD')
    if (ofYear !== undefined) {
      if (ofYear > (daysInMonth(shown, 2) === 29 ? 366 : 365)) throw this.#wrong()
      return start + ofYear - 1
    }
    const week = this.#get('WW')
    if (week !== undefined) return start + (week - 1) * 7
    // Zero is as if nothing were said.
    const quarterless = this.#get('MM') || 1
    const ofMonth = this.#get('DD') || ((this.#get('W') ?? 1) - 1) * 7 + 1
    if (quarterless < 1 || quarterless > 12 || ofMonth < 1 || ofMonth > daysInMonth(shown, quarterless))
      throw this.#wrong()
    return daysFromCivil({ year: shown, month: quarterless, day: ofMonth })
  }

  #offset(): number | null {
    const hours = this.#get('TZH')
    if (hours === undefined) return null
    return hours * 3_600 + this.#zoneSign * (this.#get('TZM') ?? 0) * 60
  }
}

const names = new Set([
  'MONTH',
  'MON',
  'DAY',
  'DY',
  'RM',
  'AM',
  'PM',
  'A.M.',
  'P.M.',
  'BC',
  'AD',
  'B.C.',
  'A.D.',
  'Y,YYY',
])
const isNamed = (upper: string): boolean => names.has(upper)

const followedByNumber = (next: string | undefined): boolean =>
  next !== undefined && widths[next.toUpperCase()] !== undefined

/** The year of one to three digits that is nearest to 2020. */
function nearYear(value: number, digits: number): number {
  if (digits > 3) return value
  if (value < 70) return value + 2_000
  if (value < 100) return value + 1_900
  return value < 520 ? value + 2_000 : value + 1_000
}

/**
 * Reads a text by a template of `to_date` and `to_timestamp`.
 * @throws 22007 for what does not fit the template, 22008 for fields out of range
 */
export const readDateTime = (text: string, format: string): ReadDateTime =>
  new TemplateReader(text).read(format)

/** What a template can say. */
export type TemplateKind = 'date' | 'time' | 'timetz' | 'timestamp' | 'timestamptz'

const timed = /^(?:HH24|HH12|HH|MI|SSSSS|SSSS|SS|MS|US|FF[1-6]|[AP]\.M\.|[AP]M)$/i
const zonedParts = /^(?:TZH|TZM|TZ|OF)$/i

/** The same, where text and template must fit as a whole; the template tells the type. */
export function readStrictly(text: string, format: string): ReadDateTime & { readonly kind: TemplateKind } {
  const parts = (format.match(new RegExp(pattern.source, 'gi')) ?? []).filter(
    (part) =>
      !part.startsWith('"') &&
      (isNamed(part.toUpperCase()) || widths[part.toUpperCase()] !== undefined || /^FF[1-6]$/i.test(part)),
  )
  const read = new TemplateReader(text, true).read(format)
  const zoned = parts.some((part) => zonedParts.test(part))
  const hasTime = parts.some((part) => timed.test(part))
  const hasDate = parts.some((part) => !timed.test(part) && !zonedParts.test(part))
  if (!hasTime && !hasDate)
    throw sqlError(SQLSTATE.invalidDatetimeFormat, 'datetime format is not dated and not timed')
  if (zoned && !hasTime)
    throw sqlError(SQLSTATE.invalidDatetimeFormat, 'datetime format is zoned but not timed')
  const kind: TemplateKind = !hasTime ? 'date' : hasDate ? 'timestamp' : 'time'
  return { ...read, kind: zoned && kind !== 'date' ? `${kind}tz` : kind }
}
