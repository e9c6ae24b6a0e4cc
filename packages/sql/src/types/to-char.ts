import { SQLSTATE, sqlError } from '../errors.ts'
import { civilFromDays, daysFromCivil, isoWeek, isoWeekday, splitMicros, timeOf } from './calendar.ts'
import { isInfinite } from './datetime.ts'
import type { Interval } from './interval.ts'
import { offsetText, type Zone } from './time-zone.ts'

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const
export const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const
export const ROMAN = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII'] as const

/** Months of spans may be none or less, and are counted back from December. */
function roman(month: number, year: number): string {
  if (month === 0) return year >= 0 ? 'XII' : 'I'
  return ROMAN[month > 0 ? month - 1 : 12 + month] ?? ''
}

const pattern =
  /"((?:[^"\\]|\\.)*)(?:"|$)|\\"|FM|FX|TH|TM|HH24|HH12|HH|MI|SSSSS|SSSS|SS|MS|US|FF[1-6]|[AP]\.M\.|[AP]M|Y,YYY|YYYY|YYY|YY|Y|IYYY|IYY|IY|IW|IDDD|ID|I|MONTH|MON|MM|DAY|DY|DDD|DD|D|WW|W|CC|J|Q|RM|TZH|TZM|TZ|OF|B\.C\.|A\.D\.|BC|AD/gi

/** What the templates show. */
interface Fields {
  readonly year: number
  /** Not before Christ; null: an era makes no sense here. */
  readonly anno: boolean | null
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly micros: number
  /** Seconds since midnight. */
  readonly ofDay: number
  /** Days since 1970; null for spans, which have no date. */
  readonly days: number | null
  readonly zone: { readonly seconds: number; readonly name: string } | null
}

/** The templates that say how a name is written: `MONTH`, `Month`, `month`. */
function cased(template: string, name: string): string {
  if (template === template.toUpperCase()) return name.toUpperCase()
  return template === template.toLowerCase() ? name.toLowerCase() : name
}

const noCalendar = () =>
  sqlError(SQLSTATE.invalidDatetimeFormat, 'invalid format specification for an interval value', {
    hint: 'Intervals are not tied to specific calendar dates.',
  })

/** Writes the fields of a moment or a span by a template. */
class TemplateWriter {
  readonly #fields: Fields
  #fill = true
  #last = ''

  constructor(fields: Fields) {
    this.#fields = fields
  }

  write(format: string): string {
    return format.replace(pattern, (template: string, quoted: string | undefined) => {
      if (quoted !== undefined) return quoted.replace(/\\(.)/g, '$1')
      const upper = template.toUpperCase()
      if (upper === '\\"') return '"'
      if (upper === 'FM') {
        this.#fill = false
        return ''
      }
      if (upper === 'FX') return ''
      // Names in the session's language, which is English, are not filled up.
      if (upper === 'TM') {
        this.#fill = false
        return ''
      }
      const ordinal = upper === 'TH'
      const text = ordinal ? cased(template, ordinalOf(this.#last)) : this.#one(template, upper)
      if (!ordinal) {
        this.#fill = true
        this.#last = text
      }
      return text
    })
  }

  #digits(value: number, width: number): string {
    const text = String(Math.abs(value))
    const sign = value < 0 ? '-' : ''
    return sign + (this.#fill ? text.padStart(width, '0') : text)
  }

  #named(name: string, width: number): string {
    return this.#fill ? name.padEnd(width) : name
  }

  #one(template: string, upper: string): string {
    const { hour, minute, second, micros, month, day, year, ofDay } = this.#fields
    switch (upper) {
      case 'HH24':
        return this.#digits(hour, 2)
      case 'HH12':
      case 'HH':
        return this.#digits(hour % 12 === 0 ? 12 : hour % 12, 2)
      case 'MI':
        return this.#digits(minute, 2)
      case 'SS':
        return this.#digits(second, 2)
      case 'SSSS':
      case 'SSSSS':
        return this.#digits(ofDay, 1)
      case 'MS':
        return String(Math.trunc(micros / 1_000)).padStart(3, '0')
      case 'US':
        return String(micros).padStart(6, '0')
      case 'Y,YYY':
        return `${Math.floor(year / 1_000)},${String(year % 1_000).padStart(3, '0')}`
      case 'YYYY':
        return this.#digits(year, 4)
      case 'YYY':
        return this.#digits(year % 1_000, 3)
      case 'YY':
        return this.#digits(year % 100, 2)
      case 'Y':
        return this.#digits(year % 10, 1)
      case 'MM':
        return this.#digits(month, 2)
      case 'DD':
        return this.#fill ? String(day).padStart(2, '0') : String(day)
      case 'Q':
        return month === 0 ? '' : this.#digits(Math.floor((month - 1) / 3) + 1, 1)
      case 'CC':
        if (this.#fields.days === null) return this.#digits(Math.trunc(year / 100), 2)
        return this.#digits(Math.floor((year + 99) / 100) * (this.#fields.anno === false ? -1 : 1), 2)
      case 'MONTH':
      case 'MON':
        if (this.#fields.days === null) throw noCalendar()
        if (upper === 'MON') return cased(template, (MONTHS[month - 1] ?? '').slice(0, 3))
        return this.#named(cased(template, MONTHS[month - 1] ?? ''), 9)
      case 'RM':
        if (month === 0 && year === 0) return ''
        return this.#named(template === 'rm' ? roman(month, year).toLowerCase() : roman(month, year), 4)
      case 'AM':
      case 'PM':
      case 'A.M.':
      case 'P.M.': {
        const dotted = upper.includes('.')
        const half = hour % 24 < 12 ? (dotted ? 'a.m.' : 'am') : dotted ? 'p.m.' : 'pm'
        return template === template.toUpperCase() ? half.toUpperCase() : half
      }
      case 'BC':
      case 'AD':
      case 'B.C.':
      case 'A.D.': {
        if (this.#fields.anno === null) throw noCalendar()
        const era = this.#fields.anno ? 'AD' : 'BC'
        const shown = upper.includes('.') ? `${era[0]}.${era[1]}.` : era
        return cased(template, shown)
      }
      default:
        return upper.startsWith('FF') ? this.#fraction(Number(upper[2])) : this.#dated(template, upper)
    }
  }

  /** What a span has instead of a date. @throws 22007 */
  #ofSpan(upper: string): string {
    const { year, month, day } = this.#fields
    const dayOfYear = (year * 12 + month) * 30 + day
    switch (upper) {
      case 'DDD':
        return this.#digits(dayOfYear, 3)
      case 'WW':
        return this.#digits(Math.trunc((dayOfYear - 1) / 7) + 1, 2)
      case 'W':
        return this.#digits(Math.trunc((day - 1) / 7) + 1, 1)
      case 'J':
        return this.#digits(daysFromCivil({ year, month, day }) + 2_440_588, 1)
      case 'DAY':
      case 'DY':
      case 'D':
      case 'ID':
      case 'TZ':
      case 'OF':
        throw noCalendar()
      default:
        return ''
    }
  }

  #fraction(digits: number): string {
    return String(this.#fields.micros).padStart(6, '0').slice(0, digits)
  }

  /** What only a date or a zone has. */
  #dated(template: string, upper: string): string {
    const { days, zone, year: _, anno, ...rest } = this.#fields
    if (days !== null && (zone !== null || ['TZ', 'OF', 'TZH', 'TZM'].includes(upper))) {
      const seconds = zone?.seconds ?? 0
      const offset = offsetText(seconds)
      if (upper === 'TZ')
        return template === template.toLowerCase() ? (zone?.name ?? '').toLowerCase() : (zone?.name ?? '')
      if (upper === 'OF') return zone === null ? '+00' : offset
      if (upper === 'TZH') return offset.slice(0, 3)
      if (upper === 'TZM') return offset.slice(4, 6).padStart(2, '0')
    }
    if (days === null) return this.#ofSpan(upper)
    const weekday = isoWeekday(days)
    const { week, year: isoYear } = isoWeek(days)
    // Before Christ years count backwards.
    const iso = { week, year: isoYear > 0 ? isoYear : 1 - isoYear }
    const dayOfYear = days - daysFromCivil({ year: civilFromDays(days).year, month: 1, day: 1 }) + 1
    const name = DAYS[weekday - 1] ?? ''
    switch (upper) {
      case 'DAY':
        return this.#named(cased(template, name), 9)
      case 'DY':
        return cased(template, name.slice(0, 3))
      case 'DDD':
        return this.#digits(dayOfYear, 3)
      case 'D':
        return this.#digits((weekday % 7) + 1, 1)
      case 'ID':
        return this.#digits(weekday, 1)
      case 'IDDD':
        return this.#digits((iso.week - 1) * 7 + weekday, 3)
      case 'IW':
        return this.#digits(iso.week, 2)
      case 'IYYY':
        return this.#digits(iso.year, 4)
      case 'IYY':
        return this.#digits(iso.year % 1_000, 3)
      case 'IY':
        return this.#digits(iso.year % 100, 2)
      case 'I':
        return this.#digits(iso.year % 10, 1)
      case 'WW':
        return this.#digits(Math.floor((dayOfYear - 1) / 7) + 1, 2)
      case 'W':
        return this.#digits(Math.floor((rest.day - 1) / 7) + 1, 1)
      case 'J':
        return this.#digits(days + 2_440_588, 1)
      default:
        return anno === null ? '' : template
    }
  }
}

function ordinalOf(text: string): string {
  const value = Number(/\d+$/.exec(text)?.[0] ?? 0)
  const tens = value % 100
  if (tens >= 11 && tens <= 13) return 'th'
  return ['th', 'st', 'nd', 'rd'][value % 10] ?? 'th'
}

/**
 * `to_char` of a moment: PostgreSQL's templates for dates and times with the modifiers FM and TH, and text in double
 * quotes. What is no template stands as it is.
 * @param zone set for timestamptz, which is given in UTC
 * @returns null for an infinite one
 */
export function timestampToChar(micros: bigint, format: string, zone: Zone | null = null): string | null {
  if (isInfinite(micros) || format === '') return null
  const at = Number(micros / 1_000n)
  const seconds = zone?.offsetAt(at) ?? 0
  const { days, rest } = splitMicros(micros + BigInt(seconds) * 1_000_000n)
  const date = civilFromDays(days)
  const time = timeOf(rest)
  return new TemplateWriter({
    ...time,
    year: date.year > 0 ? date.year : 1 - date.year,
    anno: date.year > 0,
    month: date.month,
    day: date.day,
    days,
    ofDay: time.hour * 3_600 + time.minute * 60 + time.second,
    zone: zone === null ? null : { seconds, name: zone.abbreviationAt(at) },
  }).write(format)
}

/** `to_char` of a span: hours may be more than a day has. */
export function intervalToChar({ months, days, micros }: Interval, format: string): string | null {
  if (format === '') return null
  const seconds = Number(micros / 1_000_000n)
  return new TemplateWriter({
    year: Math.trunc(months / 12),
    anno: null,
    month: months % 12,
    day: days,
    hour: Math.trunc(seconds / 3_600),
    minute: Math.trunc(seconds / 60) % 60,
    second: seconds % 60,
    micros: Number(micros % 1_000_000n),
    ofDay: seconds,
    days: null,
    zone: null,
  }).write(format)
}
