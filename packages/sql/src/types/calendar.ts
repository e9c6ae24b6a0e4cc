/** Microseconds. */
export const SECOND = 1_000_000n
export const MINUTE = 60_000_000n
export const HOUR = 3_600_000_000n
export const DAY = 86_400_000_000n

/** The ends of the range stand for the infinities. */
export const TIMESTAMP_INFINITY = 9_223_372_036_854_775_807n
export const TIMESTAMP_MINUS_INFINITY = -9_223_372_036_854_775_808n

/** 4714-11-24 BC and 294277-01-01, in days since 1970: PostgreSQL's range of timestamps. */
export const DAY_MIN = -2_440_588
export const TIMESTAMP_DAY_MAX = 106_762_940
/** 5874898-01-01: the end of dates. */
export const DATE_DAY_MAX = 2_145_042_906

/** A day of the proleptic Gregorian calendar. Year 0 is 1 BC. */
export interface CivilDate {
  readonly year: number
  /** 1 … 12 */
  readonly month: number
  /** 1 … 31 */
  readonly day: number
}

export interface CivilTime {
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly micros: number
}

/**
 * Days since 1970-01-01.
 * @see Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March, so that the leap
 * day is the last
 */
export function daysFromCivil({ year, month, day }: CivilDate): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

export function civilFromDays(days: number): CivilDate {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

const isLeapYear = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Whole days and the rest of the day, 0 … 86,399,999,999 µs. */
export function splitMicros(micros: bigint): { readonly days: number; readonly rest: bigint } {
  let days = micros / DAY
  let rest = micros % DAY
  if (rest < 0n) {
    days -= 1n
    rest += DAY
  }
  return { days: Number(days), rest }
}

export function timeOf(rest: bigint): CivilTime {
  const micros = Number(rest)
  return {
    hour: Math.floor(micros / 3_600_000_000),
    minute: Math.floor(micros / 60_000_000) % 60,
    second: Math.floor(micros / 1_000_000) % 60,
    micros: micros % 1_000_000,
  }
}

/** ISO 8601: the number of the week, 1 … 53, and the year that it belongs to. */
export function isoWeek(days: number): { readonly year: number; readonly week: number } {
  const weekday = isoWeekday(days)
  const thursday = days - weekday + 4
  const { year } = civilFromDays(thursday)
  const first = daysFromCivil({ year, month: 1, day: 1 })
  return { year, week: Math.floor((thursday - first) / 7) + 1 }
}

/** 1 is Monday, 7 is Sunday. */
export const isoWeekday = (days: number): number => ((((days + 3) % 7) + 7) % 7) + 1

const two = (value: number): string => String(value).padStart(2, '0')

/** `2024-01-02`, `0044-03-15 BC` without the era. */
export function dateText({ year, month, day }: CivilDate): string {
  const shown = year > 0 ? year : 1 - year
  return `${String(shown).padStart(4, '0')}-${two(month)}-${two(day)}`
}

export const eraText = ({ year }: CivilDate): string => (year > 0 ? '' : ' BC')

/** `04:05:06.789`; trailing zeros of the fraction are not shown. */
export function clockText({ hour, minute, second, micros }: CivilTime): string {
  const fraction = micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`
  return `${two(hour)}:${two(minute)}:${two(second)}${fraction}`
}
