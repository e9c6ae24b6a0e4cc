import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import type { IntervalField } from './interval-fields.ts'

/** A span of time. Months and days have no fixed length, so the three parts stay apart. */
export interface Interval {
  readonly months: number
  readonly days: number
  readonly micros: bigint
}

export interface IntervalReading {
  /** The fields that the value is made of; they say what a bare number means. Default: all. */
  readonly fields?: readonly IntervalField[]
  /** IntervalStyle `sql_standard`: a sign in front of all counts for all. */
  readonly standardSign?: boolean
}

type Unit =
  | 'microsecond'
  | 'millisecond'
  | 'second'
  | 'minute'
  | 'hour'
  | 'day'
  | 'week'
  | 'month'
  | 'year'
  | 'decade'
  | 'century'
  | 'millennium'

const words: Readonly<Record<Unit, string>> = {
  microsecond: 'microsecond microseconds microsecon us usec usecs useconds',
  millisecond: 'millisecond milliseconds millisecon ms msec msecs mseconds',
  second: 's sec second seconds secs',
  minute: 'm min mins minute minutes',
  hour: 'h hour hours hr hrs',
  day: 'd day days',
  week: 'w week weeks',
  month: 'mon mons month months',
  year: 'y year years yr yrs',
  decade: 'dec decs decade decades',
  century: 'c cent century centuries',
  millennium: 'mil mils millennia millennium',
}
/** What is behind so many characters of a word does not matter. */
const WORD_MAX = 10
const unitOf: ReadonlyMap<string, Unit> = new Map(
  (Object.keys(words) as Unit[]).flatMap((unit) =>
    words[unit].split(' ').map((word) => [word.slice(0, WORD_MAX), unit] as const),
  ),
)

/** Of units that count time: microseconds. */
const MICROS: Readonly<Partial<Record<Unit, number>>> = {
  microsecond: 1,
  millisecond: 1_000,
  second: 1_000_000,
  minute: 60_000_000,
  hour: 3_600_000_000,
}
const YEARS: Readonly<Partial<Record<Unit, number>>> = {
  year: 1,
  decade: 10,
  century: 100,
  millennium: 1_000,
}
const DAY_MICROS = 86_400_000_000
const INT_MAX = 2_147_483_647
const BIGINT_MAX = 9_223_372_036_854_775_807n

type Kind = 'time' | 'signed' | 'date' | 'number' | 'word' | 'signedWord'
interface Field {
  readonly kind: Kind
  readonly text: string
}

/** What is no interval in the plain form; it may be one of ISO 8601. */
class NoInterval extends Error {}

const overflow = (text: string): SqlError => sqlError('22015', `interval field value out of range: "${text}"`)

const patterns: readonly (readonly [Kind, RegExp])[] = [
  ['time', /\d+:[\d:.]*/y],
  ['date', /\d+[-/](?:\d+(?:[-/][\d\-/]*)?|[a-z\d\-/]*)/y],
  ['date', /\d+\.\d*\.[\d.]*/y],
  ['date', /\d+\.[a-z][a-z\d.]*/y],
  ['number', /\d+\.?\d*/y],
  ['number', /\.\d+/y],
  ['word', /[a-z]+/y],
  ['signed', /[-+]\s*[\d.][\d:.-]*/y],
  ['signedWord', /[-+]\s*[a-z]+/y],
]

function fieldsOf(source: string): Field[] {
  const fields: Field[] = []
  let at = 0
  while (at < source.length) {
    if (/[\s!"#$%&'()*,/:;<=>?@[\\\]^_`{|}~]/.test(source.charAt(at))) {
      at++
      continue
    }
    let found: Field | null = null
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at
      const match = pattern.exec(source)
      if (match === null) continue
      found = { kind, text: match[0].replace(/\s/g, '') }
      at = pattern.lastIndex
      break
    }
    if (found === null) throw new NoInterval()
    fields.push(found)
  }
  return fields
}

/** Half away from zero goes to the nearer one, as in PostgreSQL: a half is not rounded up. */
function roundedMicros(value: number): bigint {
  const whole = Math.trunc(value)
  const rest = value - whole
  return BigInt(whole) + (rest > 0.5 ? 1n : rest < -0.5 ? -1n : 0n)
}

/** Adds up what the fields say. */
class Sum {
  readonly #text: string
  #months = 0
  #years = 0
  #days = 0
  #micros = 0n

  constructor(text: string) {
    this.#text = text
  }

  #whole(value: bigint): number {
    if (value > BigInt(INT_MAX) || value < -BigInt(INT_MAX) - 1n) throw overflow(this.#text)
    return Number(value)
  }

  micros(value: bigint): void {
    this.#micros += value
    if (this.#micros > BIGINT_MAX || this.#micros < -BIGINT_MAX - 1n) throw overflow(this.#text)
  }

  /** A time of day stands for all that was said of parts of days. */
  clock(value: bigint): void {
    this.#micros = value
  }

  #fractionOfDays(value: number): void {
    const whole = Math.trunc(value)
    this.#days = this.#whole(BigInt(this.#days) + BigInt(whole))
    this.micros(roundedMicros((value - whole) * DAY_MICROS))
  }

  add(unit: Unit, value: bigint, fraction: number): void {
    const micros = MICROS[unit]
    const years = YEARS[unit]
    if (micros !== undefined) this.micros(value * BigInt(micros) + roundedMicros(fraction * micros))
    else if (years !== undefined) {
      this.#years = this.#whole(BigInt(this.#years) + value * BigInt(years))
      this.#months = this.#whole(BigInt(this.#months) + BigInt(roundEven(fraction * years * 12)))
    } else if (unit === 'month') {
      this.#months = this.#whole(BigInt(this.#months) + value)
      this.#fractionOfDays(fraction * 30)
    } else {
      const size = unit === 'week' ? 7 : 1
      this.#days = this.#whole(BigInt(this.#days) + value * BigInt(size))
      this.#fractionOfDays(fraction * size)
    }
  }

  /** @throws 22008 */
  result(negated: boolean): Interval {
    const sign = negated ? -1 : 1
    const months = (this.#years * 12 + this.#months) * sign
    const days = this.#days * sign
    const outside = (value: number): boolean => value > INT_MAX || value < -INT_MAX - 1
    if (outside(months) || outside(days))
      throw sqlError(SQLSTATE.datetimeFieldOverflow, 'interval out of range')
    return { months: months + 0, days: days + 0, micros: negated ? -this.#micros : this.#micros }
  }
}

function roundEven(value: number): number {
  const rounded = Math.round(value)
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

const fractionOf = (digits: string): number => (digits === '' || digits === '.' ? 0 : Number(`0${digits}`))

/** `hh:mm`, `hh:mm:ss.ffffff` or, with a fraction behind the second number, `mm:ss.ffffff`. */
function clockMicros(text: string, field: string, minuteToSecond: boolean): bigint {
  const match = /^(\d+):(\d*)(?::(\d*))?(\.\d*)?$/.exec(field)
  if (match === null) throw new NoInterval()
  const [, first = '', second = '', third, point = ''] = match
  const short = third === undefined && (point !== '' || minuteToSecond)
  const [hours, minutes, seconds] = short ? ['0', first, second] : [first, second, third ?? '0']
  if (BigInt(minutes) > 59n || BigInt(seconds) > 60n) throw overflow(text)
  const fraction = BigInt(Math.round(fractionOf(point) * 1e6))
  const micros = (BigInt(hours) * 3_600n + BigInt(minutes) * 60n + BigInt(seconds)) * 1_000_000n + fraction
  if (micros > BIGINT_MAX) throw overflow(text)
  return micros
}

/** What a bare number counts: the smallest of the fields. */
const bareUnit = (fields: readonly IntervalField[] | undefined): Unit => fields?.at(-1) ?? 'second'

/** Which other units two spellings of one amount exclude. */
const SECONDS: readonly string[] = ['second', 'millisecond', 'microsecond']
const CLOCK: readonly string[] = ['hour', 'minute', ...SECONDS]

function readFields(text: string, fields: readonly Field[], reading: IntervalReading): Interval {
  const sum = new Sum(text)
  const seen = new Set<string>()
  let unit: Unit | 'none' | null = null
  let ago = false
  const { fields: wanted } = reading
  const first = fields[0]?.text ?? ''
  const force =
    reading.standardSign === true &&
    first.startsWith('-') &&
    !fields.slice(1).some((field) => /^[-+]/.test(field.text))
  const take = (units: readonly string[]): void => {
    if (units.some((one) => seen.has(one))) throw new NoInterval()
    for (const one of units) seen.add(one)
  }
  // From the right, since the unit stands behind its number.
  for (const field of [...fields].reverse()) {
    const { kind } = field
    if (kind === 'word' || kind === 'signedWord') {
      if (field.text === 'ago') {
        ago = true
        // A number right before it needs a unit.
        unit = 'none'
        continue
      }
      const named = unitOf.get(field.text.slice(0, WORD_MAX))
      if (named === undefined) throw new NoInterval()
      unit = named
      continue
    }
    const negative = field.text.startsWith('-') || (force && !field.text.startsWith('+'))
    const body = field.text.replace(/^[-+]/, '')
    if (kind === 'time' || (kind === 'signed' && body.includes(':'))) {
      const micros = clockMicros(text, body, wanted?.join() === 'minute,second')
      sum.clock(negative ? -micros : micros)
      take(CLOCK)
      unit = 'day'
      continue
    }
    unit ??= bareUnit(wanted)
    const parts = /^(\d*)(?:-(\d+)|(\.\d*))?$/.exec(body)
    if (parts === null) throw new NoInterval()
    const [, digits = '', months, point = ''] = parts
    let value = BigInt(digits === '' ? 0 : digits)
    if (value > BIGINT_MAX) throw overflow(text)
    if (months !== undefined) {
      if (Number(months) >= 12) throw overflow(text)
      unit = 'month'
      value = value * 12n + BigInt(months)
    }
    const fraction = fractionOf(point)
    if (unit === 'none') throw new NoInterval()
    sum.add(unit, negative ? -value : value, negative ? -fraction : fraction)
    take(unit === 'second' && fraction !== 0 ? SECONDS : [unit])
    if (unit === 'hour') unit = 'day'
  }
  if (seen.size === 0) throw new NoInterval()
  return sum.result(ago)
}

const isoNumber = /(-?)(\d*)(\.\d*)?(?:e([-+]?\d+))?/y

/** `P1Y2M3DT4H5M6S`, `P0001-02-03T04:05:06` and `P00010203T040506`. */
function readIso(text: string): Interval {
  if (!/^P./.test(text)) throw new NoInterval()
  const sum = new Sum(text)
  let at = 1
  let dated = true
  let given = false
  const number = (): { readonly value: bigint; readonly fraction: number; readonly width: number } => {
    isoNumber.lastIndex = at
    const [whole = '', sign = '', digits = '', point = '', exponent] = isoNumber.exec(text) ?? []
    if (digits === '' && point.length < 2) throw new NoInterval()
    at += whole.length
    if (exponent !== undefined) {
      const amount = Number(whole)
      if (!(Math.abs(amount) <= INT_MAX)) throw overflow(text)
      const integer = Math.trunc(amount)
      return { value: BigInt(integer), fraction: amount - integer, width: digits.length }
    }
    const value = BigInt(digits === '' ? 0 : digits)
    if (value > BIGINT_MAX) throw overflow(text)
    const fraction = fractionOf(point)
    return {
      value: sign === '-' ? -value : value,
      fraction: sign === '-' ? -fraction : fraction,
      width: digits.length,
    }
  }
  const add = (
    unit: Unit,
    { value, fraction }: { readonly value: bigint; readonly fraction: number },
  ): void => sum.add(unit, value, fraction)
  while (at < text.length) {
    if (text[at] === 'T') {
      dated = false
      given = false
      at++
      continue
    }
    const amount = number()
    const sign = text.charAt(at++)
    const unit = (dated ? DATE_SIGNS : TIME_SIGNS)[sign]
    if (unit !== undefined) {
      add(unit, amount)
      given = true
      continue
    }
    const ends = sign === '' || (dated && sign === 'T')
    const { value, fraction, width } = amount
    if (ends && !given && width === (dated ? 8 : 6)) {
      const [high, middle, low] = [value / 10_000n, (value / 100n) % 100n, value % 100n]
      const units = dated ? (['year', 'month', 'day'] as const) : (['hour', 'minute', 'second'] as const)
      sum.add(units[0], high, 0)
      sum.add(units[1], middle, 0)
      sum.add(units[2], low, fraction)
    } else if (ends || sign === (dated ? '-' : ':')) {
      if (given) throw new NoInterval()
      add(dated ? 'year' : 'hour', amount)
      let last = sign
      for (const next of dated ? (['month', 'day'] as const) : (['minute', 'second'] as const)) {
        if (last === '' || last === 'T') break
        if (last !== (dated ? '-' : ':')) throw new NoInterval()
        add(next, number())
        last = text.charAt(at++)
      }
      if (last !== '' && !(dated && last === 'T')) throw new NoInterval()
      if (last === 'T') at--
      given = true
      continue
    } else throw new NoInterval()
    if (sign === 'T') at--
    given = false
  }
  return sum.result(false)
}

const DATE_SIGNS: Readonly<Record<string, Unit>> = { Y: 'year', M: 'month', W: 'week', D: 'day' }
const TIME_SIGNS: Readonly<Record<string, Unit>> = { H: 'hour', M: 'minute', S: 'second' }

/** What is smaller than the last field is cut off. */
export function cutInterval({ months, days, micros }: Interval, fields: readonly IntervalField[]): Interval {
  const last = fields.at(-1)
  if (last === 'year') return { months: months - (months % 12), days: 0, micros: 0n }
  if (last === 'month') return { months, days: 0, micros: 0n }
  if (last === 'day') return { months, days, micros: 0n }
  const unit = last === 'hour' ? 3_600_000_000n : last === 'minute' ? 60_000_000n : 1n
  return { months, days, micros: micros - (micros % unit) }
}

/**
 * Reads `1 year 2 mons -3 days 04:05:06`, `1-2 3 4:05:06` of the SQL standard, `1 day ago`, ISO 8601, and plain
 * seconds.
 * @throws 22007 when it is no interval, 22008 and 22015 when a field is out of range
 */
export function parseInterval(text: string, reading: IntervalReading = {}): Interval {
  const whole = plainOrIso(text, reading)
  return reading.fields === undefined ? whole : cutInterval(whole, reading.fields)
}

function plainOrIso(text: string, reading: IntervalReading): Interval {
  try {
    return readFields(text, fieldsOf(text.trim().toLowerCase()), reading)
  } catch (error) {
    if (!(error instanceof NoInterval)) throw error
  }
  try {
    return readIso(text)
  } catch (error) {
    if (!(error instanceof NoInterval)) throw error
    throw sqlError(SQLSTATE.invalidDatetimeFormat, `invalid input syntax for type interval: "${text}"`)
  }
}
