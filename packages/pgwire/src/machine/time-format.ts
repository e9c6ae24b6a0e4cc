/** Times in binary count from 2000-01-01, in microseconds or days. */
const MICROS_TO_2000 = 946_684_800_000_000n
const DAYS_TO_2000 = 10_957
const INT64_MAX = 0x7fff_ffff_ffff_ffffn
const INT64_MIN = -0x8000_0000_0000_0000n
const INT32_MAX = 0x7fff_ffff
const INT32_MIN = -0x8000_0000
const MICROS_A_SECOND = 1_000_000n
const MICROS_A_DAY = 86_400n * MICROS_A_SECOND
const MS_A_DAY = 86_400_000

export function int64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, value)
  return bytes
}

export function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value)
  return bytes
}

/** @param micros since 1970 @param text as printed, which tells infinity */
export function encodeTimestamp(micros: bigint, text: string): Uint8Array {
  if (text === 'infinity') return int64(INT64_MAX)
  return int64(text === '-infinity' ? INT64_MIN : micros - MICROS_TO_2000)
}

/** @param days since 1970; ±Infinity */
export function encodeDate(days: number): Uint8Array {
  if (days === Number.POSITIVE_INFINITY) return int32(INT32_MAX)
  return int32(days === Number.NEGATIVE_INFINITY ? INT32_MIN : days - DAYS_TO_2000)
}

/** `2001-02-03`, with ` BC` behind years before the first. */
function dateText(daysSince1970: number): string {
  const date = new Date(daysSince1970 * MS_A_DAY)
  const year = date.getUTCFullYear()
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0')
  const shown = pad(year > 0 ? year : 1 - year, 4)
  return `${shown}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}${year > 0 ? '' : ' BC'}`
}

/** `04:05:06.789`. */
function clockText(micros: bigint): string {
  const pad = (value: bigint, width = 2): string => String(value).padStart(width, '0')
  const seconds = micros / MICROS_A_SECOND
  const fraction = pad(micros % MICROS_A_SECOND, 6).replace(/0+$/, '')
  const clock = `${pad(seconds / 3600n)}:${pad((seconds / 60n) % 60n)}:${pad(seconds % 60n)}`
  return fraction === '' ? clock : `${clock}.${fraction}`
}

export function decodeDate(value: number): string {
  if (value === INT32_MAX) return 'infinity'
  return value === INT32_MIN ? '-infinity' : dateText(value + DAYS_TO_2000)
}

export function decodeTime(micros: bigint): string {
  return clockText(micros)
}

/** @param zone what to say behind it: `+00` for a moment in time */
export function decodeTimestamp(value: bigint, zone: '' | '+00'): string {
  if (value === INT64_MAX) return 'infinity'
  if (value === INT64_MIN) return '-infinity'
  const micros = value + MICROS_TO_2000
  const within = ((micros % MICROS_A_DAY) + MICROS_A_DAY) % MICROS_A_DAY
  const [date = '', era] = dateText(Number((micros - within) / MICROS_A_DAY)).split(' ')
  return `${date} ${clockText(within)}${zone}${era === undefined ? '' : ` ${era}`}`
}

/** @param text as PostgreSQL prints intervals: `1 year 2 mons 3 days 04:05:06.7` @returns null for another text */
export function encodeInterval(text: string): Uint8Array | null {
  let months = 0
  let days = 0
  let micros = 0n
  const units: Readonly<Record<string, (count: number) => void>> = {
    year: (count) => {
      months += count * 12
    },
    mon: (count) => {
      months += count
    },
    day: (count) => {
      days += count
    },
  }
  const words = text.split(' ')
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const clock = /^([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(word)
    if (clock) {
      const [, sign, hours = '', minutes = '', seconds = '', fraction = ''] = clock
      const whole = (BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(seconds)
      const all = whole * MICROS_A_SECOND + BigInt(fraction.padEnd(6, '0') || 0)
      micros = sign === '-' ? -all : all
      continue
    }
    const unit = units[(words[++i] ?? '').replace(/s$/, '')]
    if (!/^[+-]?\d+$/.test(word) || unit === undefined) return null
    unit(Number(word))
  }
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, micros)
  view.setInt32(8, days)
  view.setInt32(12, months)
  return bytes
}

export function decodeInterval(view: DataView): string {
  const micros = view.getBigInt64(0)
  const clock = micros < 0n ? `-${clockText(-micros)}` : clockText(micros)
  return `${view.getInt32(12)} mons ${view.getInt32(8)} days ${clock}`
}

/** @param text `04:05:06.789+02:30` @returns null for another text */
export function encodeTimeWithZone(text: string): Uint8Array | null {
  const found = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/.exec(text)
  if (!found) return null
  const [, hours = '', minutes = '', seconds = '', fraction = '', sign, zh = '0', zm = '0', zs = '0'] = found
  const whole = (BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(seconds)
  const east = (Number(zh) * 60 + Number(zm)) * 60 + Number(zs)
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, whole * MICROS_A_SECOND + BigInt(fraction.padEnd(6, '0') || 0))
  // Zones count seconds to the west.
  view.setInt32(8, sign === '-' ? east : -east)
  return bytes
}

export function decodeTimeWithZone(view: DataView): string {
  const west = view.getInt32(8)
  const seconds = Math.abs(west)
  const pad = (value: number): string => String(value).padStart(2, '0')
  const parts = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) => pad(Math.floor(part)))
  return `${clockText(view.getBigInt64(0))}${west > 0 ? '-' : '+'}${parts.join(':')}`
}

const MOMENT = /^(\d{4,})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:\+00)?)?( BC)?$/

/** Days since 1970 of a date of the Gregorian calendar, by counting years from March. */
function daysOf(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** Days and microseconds of an ISO text; null for another one. */
function momentOf(text: string): { readonly days: number; readonly micros: bigint } | null {
  const found = MOMENT.exec(text)
  if (found === null) return null
  const [, y = '', month = '', day = '', hours = '0', minutes = '0', seconds = '0', fraction = '', bc] = found
  const whole = (BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(seconds)
  return {
    days: daysOf(bc === undefined ? Number(y) : 1 - Number(y), Number(month), Number(day)),
    micros: whole * MICROS_A_SECOND + BigInt(fraction.padEnd(6, '0')),
  }
}

/** @param text `2001-02-03`, `0044-03-15 BC`, `infinity` @returns null for another text */
export function dateOfText(text: string): Uint8Array | null {
  if (text === 'infinity') return encodeDate(Number.POSITIVE_INFINITY)
  if (text === '-infinity') return encodeDate(Number.NEGATIVE_INFINITY)
  const moment = momentOf(text)
  return moment && encodeDate(moment.days)
}

/** @param text `2001-02-03 04:05:06.7`, maybe with `+00` behind it @returns null for another text */
export function timestampOfText(text: string): Uint8Array | null {
  const moment = momentOf(text)
  if (moment === null && !/^-?infinity$/.test(text)) return null
  return encodeTimestamp(moment === null ? 0n : BigInt(moment.days) * MICROS_A_DAY + moment.micros, text)
}
