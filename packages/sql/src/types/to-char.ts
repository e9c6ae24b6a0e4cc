import { civilFromDays, daysFromCivil, isoWeek, isoWeekday, splitMicros, timeOf } from './calendar.ts'

const monthNames = [
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
]
const dayNames = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

const pattern =
  /"([^"]*)"|FM|HH24|HH12|HH|MI|SSSS|SS|MS|US|[AP]\.?M\.?|Y,YYY|YYYY|YYY|YY|Y|IYYY|IW|IDDD|ID|MONTH|MON|MM|DAY|DY|DDD|DD|D|WW|W|CC|J|Q|BC|AD|TH/gi

/**
 * `to_char` of a timestamp: the templates of PostgreSQL for dates and times, the modifier FM, ordinals (TH), and
 * text in double quotes. What is no template stands as it is.
 */
export function timestampToChar(micros: bigint, format: string): string {
  const { days, rest } = splitMicros(micros)
  const date = civilFromDays(days)
  const time = timeOf(rest)
  const shown = date.year > 0 ? date.year : 1 - date.year
  const iso = isoWeek(days)
  const weekday = isoWeekday(days)
  const dayOfYear = days - daysFromCivil({ year: date.year, month: 1, day: 1 }) + 1
  const hour12 = time.hour % 12 === 0 ? 12 : time.hour % 12
  const month = monthNames[date.month - 1] ?? ''
  const day = dayNames[weekday - 1] ?? ''
  let fill = true
  let last = 0
  const digits = (value: number, width: number): string => {
    last = value
    return fill ? String(value).padStart(width, '0') : String(value)
  }
  const word = (template: string, name: string): string => {
    const cased =
      template === template.toUpperCase()
        ? name.toUpperCase()
        : template === template.toLowerCase()
          ? name.toLowerCase()
          : name
    return cased
  }
  const one = (template: string): string => {
    switch (template.toUpperCase()) {
      case 'HH24':
        return digits(time.hour, 2)
      case 'HH12':
      case 'HH':
        return digits(hour12, 2)
      case 'MI':
        return digits(time.minute, 2)
      case 'SS':
        return digits(time.second, 2)
      case 'SSSS':
        return digits(time.hour * 3600 + time.minute * 60 + time.second, 1)
      case 'MS':
        return digits(Math.floor(time.micros / 1_000), 3)
      case 'US':
        return digits(time.micros, 6)
      case 'Y,YYY':
        return `${Math.floor(shown / 1_000)},${String(shown % 1_000).padStart(3, '0')}`
      case 'YYYY':
        return digits(shown, 4)
      case 'YYY':
        return digits(shown % 1_000, 3)
      case 'YY':
        return digits(shown % 100, 2)
      case 'Y':
        return digits(shown % 10, 1)
      case 'IYYY':
        return digits(iso.year, 4)
      case 'IW':
        return digits(iso.week, 2)
      case 'ID':
        return digits(weekday, 1)
      case 'IDDD':
        return digits((iso.week - 1) * 7 + weekday, 3)
      case 'MM':
        return digits(date.month, 2)
      case 'DDD':
        return digits(dayOfYear, 3)
      case 'DD':
        return digits(date.day, 2)
      case 'D':
        return digits((weekday % 7) + 1, 1)
      case 'WW':
        return digits(Math.floor((dayOfYear - 1) / 7) + 1, 2)
      case 'W':
        return digits(Math.floor((date.day - 1) / 7) + 1, 1)
      case 'CC':
        return digits(Math.floor((shown + 99) / 100), 2)
      case 'J':
        return digits(days + 2_440_588, 1)
      case 'Q':
        return digits(Math.floor((date.month - 1) / 3) + 1, 1)
      case 'TH':
        return word(template, ordinal(last))
      case 'BC':
      case 'AD':
        return word(template, date.year > 0 ? 'AD' : 'BC')
      default:
        return named(template)
    }
  }
  const named = (template: string): string => {
    const letters = template.replaceAll('.', '').toLowerCase()
    if (letters === 'am' || letters === 'pm') {
      const half = time.hour < 12 ? 'am' : 'pm'
      const dotted = template.includes('.') ? `${half[0]}.${half[1]}.` : half
      return template[0] === 'a' || template[0] === 'p' ? dotted : dotted.toUpperCase()
    }
    if (letters === 'mon') return word(template, month.slice(0, 3))
    if (letters === 'dy') return word(template, day.slice(0, 3))
    // Full names are padded to the longest unless FM stands before them.
    const name = word(template, letters === 'month' ? month : day)
    return fill ? name.padEnd(9) : name
  }
  return format.replace(pattern, (template, quoted: string | undefined) => {
    if (quoted !== undefined) return quoted
    if (template.toUpperCase() === 'FM') {
      fill = false
      return ''
    }
    const text = one(template)
    if (template.toLowerCase() !== 'th') fill = true
    return text
  })
}

function ordinal(value: number): string {
  const tens = value % 100
  if (tens >= 11 && tens <= 13) return 'th'
  return ['th', 'st', 'nd', 'rd'][value % 10] ?? 'th'
}
