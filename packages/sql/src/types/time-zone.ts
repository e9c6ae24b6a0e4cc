import { SQLSTATE, sqlError } from '../errors.ts'
import { DAY, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY } from './calendar.ts'
import type { Styles } from './styles.ts'

/** A rule that tells local time from UTC. */
export interface Zone {
  /** As SHOW TimeZone tells it. */
  readonly name: string
  /** Seconds east of UTC at a moment, in milliseconds since 1970. */
  offsetAt(ms: number): number
  /** What people write behind a time then: `CET`, `+03`. */
  abbreviationAt(ms: number): string
  /** How the session that is there writes and reads dates and spans; absent: as PostgreSQL does by default. */
  readonly styles?: Styles
}

const MICROS = 1_000_000n
/** What `Intl` can tell about. */
const MS_MAX = 8_640_000_000_000_000
/** Since 1970 all changes of offset happen on a quarter of an hour. */
const QUARTER_MS = 900_000
const OFFSETS_MAX = 4_096

const two = (value: number): string => String(value).padStart(2, '0')

/** `+02`, `-03:30`, `+00:19:32`. */
export function offsetText(seconds: number): string {
  const absolute = Math.abs(seconds)
  const parts = [Math.floor(absolute / 3_600), Math.floor(absolute / 60) % 60, absolute % 60]
  while (parts.length > 1 && parts.at(-1) === 0) parts.pop()
  return `${seconds < 0 ? '-' : '+'}${parts.map(two).join(':')}`
}

/** A zone that is always `seconds` east of UTC. */
export const fixedZone = (seconds: number, name: string, abbreviation = offsetText(seconds)): Zone => ({
  name,
  offsetAt: () => seconds,
  abbreviationAt: () => abbreviation,
})

export const UTC: Zone = fixedZone(0, 'UTC', 'UTC')

/** A zone of the tz database, as the JavaScript engine knows it. */
class NamedZone implements Zone {
  readonly name: string
  readonly #offset: Intl.DateTimeFormat
  readonly #short: Intl.DateTimeFormat
  readonly #known = new Map<number, number>()

  constructor(name: string) {
    this.#offset = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
    this.#short = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'short' })
    this.name = name
  }

  offsetAt(ms: number): number {
    const quarter = ms >= 0 ? Math.floor(ms / QUARTER_MS) : -1
    const known = quarter < 0 ? undefined : this.#known.get(quarter)
    if (known !== undefined) return known
    const offset = readOffset(partOf(this.#offset, ms))
    if (quarter >= 0) {
      if (this.#known.size >= OFFSETS_MAX) this.#known.clear()
      this.#known.set(quarter, offset)
    }
    return offset
  }

  abbreviationAt(ms: number): string {
    const short = partOf(this.#short, ms)
    if (/^[A-Z]{2,5}$/.test(short) && short !== 'GMT') return short
    const offset = this.offsetAt(ms)
    const known = european.get(this.name)
    const name = known?.[offset / 3_600]
    return name ?? (offset === 0 && short === 'GMT' ? 'GMT' : offsetText(offset))
  }
}

const central = { 1: 'CET', 2: 'CEST' }
const eastern = { 2: 'EET', 3: 'EEST' }
const western = { 0: 'WET', 1: 'WEST' }

/** Abbreviations that the engine's English does not know. */
const european: ReadonlyMap<string, Readonly<Record<number, string>>> = new Map<
  string,
  Readonly<Record<number, string>>
>([
  ...'Amsterdam Andorra Belgrade Berlin Bratislava Brussels Budapest Copenhagen Gibraltar Ljubljana Luxembourg Madrid Malta Monaco Oslo Paris Prague Rome San_Marino Sarajevo Skopje Stockholm Tirane Vaduz Vatican Vienna Warsaw Zagreb Zurich'
    .split(' ')
    .map((city) => [`Europe/${city}`, central] as const),
  ...'Athens Bucharest Helsinki Kiev Kyiv Riga Sofia Tallinn Vilnius'
    .split(' ')
    .map((city) => [`Europe/${city}`, eastern] as const),
  ['Europe/Lisbon', western],
  ['Europe/London', { 0: 'GMT', 1: 'BST' }],
  ['Europe/Dublin', { 0: 'GMT', 1: 'IST' }],
  ['Europe/Moscow', { 3: 'MSK' }],
  ['Asia/Tokyo', { 9: 'JST' }],
  ['Asia/Seoul', { 9: 'KST' }],
  ['Asia/Shanghai', { 8: 'CST' }],
  ['Asia/Kolkata', { 5.5: 'IST' }],
  ['Asia/Hong_Kong', { 8: 'HKT' }],
  ['Australia/Sydney', { 10: 'AEST', 11: 'AEDT' }],
  ['Australia/Melbourne', { 10: 'AEST', 11: 'AEDT' }],
  ['Australia/Brisbane', { 10: 'AEST' }],
  ['Australia/Perth', { 8: 'AWST' }],
  ['Pacific/Auckland', { 12: 'NZST', 13: 'NZDT' }],
  ['CET', central],
  ['MET', central],
  ['EET', eastern],
  ['WET', western],
])

function partOf(format: Intl.DateTimeFormat, ms: number): string {
  const moment = Math.min(Math.max(ms, -MS_MAX), MS_MAX)
  return format.formatToParts(moment).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
}

/** `GMT+05:30` in seconds. */
function readOffset(text: string): number {
  const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] =
    /([-+\u2212])(\d+)(?::(\d+))?(?::(\d+))?/.exec(text) ?? []
  const value = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)
  return sign === '+' ? value : -value
}

/** Hours east of UTC by PostgreSQL's default set of abbreviations. */
const abbreviations: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ut: 0,
    utc: 0,
    gmt: 0,
    z: 0,
    zulu: 0,
    uct: 0,
    est: -5,
    edt: -4,
    cst: -6,
    cdt: -5,
    mst: -7,
    mdt: -6,
    pst: -8,
    pdt: -7,
    akst: -9,
    akdt: -8,
    hst: -10,
    ast: -4,
    adt: -3,
    nst: -3.5,
    ndt: -2.5,
    wet: 0,
    west: 1,
    cet: 1,
    cest: 2,
    mez: 1,
    mesz: 2,
    met: 1,
    mest: 2,
    eet: 2,
    eest: 3,
    bst: 1,
    ist: 2,
    idt: 3,
    msk: 3,
    msd: 4,
    sast: 2,
    eat: 3,
    pkt: 5,
    uzt: 5,
    npt: 5.75,
    hkt: 8,
    sgt: 8,
    awst: 8,
    jst: 9,
    kst: 9,
    acst: 9.5,
    acdt: 10.5,
    aest: 10,
    aedt: 11,
    nzst: 12,
    nzdt: 13,
    brt: -3,
    art: -3,
    clt: -4,
    cot: -5,
    pet: -5,
  }),
)

/** Seconds of an abbreviation such as `PST`; null when it is none. */
export function abbreviationSeconds(word: string): number | null {
  const hours = abbreviations.get(word.toLowerCase())
  return hours === undefined ? null : hours * 3_600
}

const zones = new Map<string, Zone | null>()
const ZONES_MAX = 1_024

/** The zone of that name: an abbreviation, a name of the tz database, or a POSIX rule of one offset; null: none. */
export function findZone(name: string): Zone | null {
  const key = name.trim().toLowerCase()
  let zone = zones.get(key)
  if (zone === undefined) {
    zone = makeZone(name.trim())
    if (zones.size >= ZONES_MAX) zones.clear()
    zones.set(key, zone)
  }
  return zone
}

function makeZone(name: string): Zone | null {
  if (/^(utc|uct|zulu|universal|etc\/(utc|uct|universal|zulu))$/i.test(name)) return UTC
  if (/^(gmt|etc\/gmt)$/i.test(name)) return fixedZone(0, 'GMT', 'GMT')
  const seconds = abbreviationSeconds(name)
  if (seconds !== null) return fixedZone(seconds, name.toUpperCase(), name.toUpperCase())
  return namedZone(name) ?? posixZone(name)
}

function posixZone(name: string): Zone | null {
  // POSIX counts to the west: `UTC+3` is behind UTC.
  const posix = /^(<[^>]+>|[a-z]{3,}|)([-+]?)(\d{1,3})(?::(\d{1,2}))?(?::(\d{1,2}))?$/i.exec(name)
  if (posix === null) return null
  const [, word = '', sign, hours = '0', minutes = '0', rest = '0'] = posix
  const west = Number(hours) * 3_600 + Number(minutes) * 60 + Number(rest)
  if (Number(hours) > 167) return null
  const offset = sign === '-' ? west : -west
  const shown = word.replace(/[<>]/g, '')
  return fixedZone(offset + 0, name, shown === '' ? offsetText(offset) : shown)
}

function namedZone(name: string): Zone | null {
  if (!/^[A-Za-z][\w+\-/]*$/.test(name)) return null
  try {
    return new NamedZone(usualCase(name))
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** The tz database's capitals, whichever were written. */
function usualCase(name: string): string {
  if (!name.includes('/'))
    return /\d|^(?:cet|met|eet|wet|est|mst|hst)$/i.test(name) ? name.toUpperCase() : name
  const capitals = (_: string, before: string, first: string, rest: string): string =>
    before + first.toUpperCase() + rest.toLowerCase()
  return name
    .replace(/(^|[/_-])([a-z])([a-z]*)/gi, capitals)
    .replace(/^Us\//, 'US/')
    .replace(/^Etc\/Gmt/, 'Etc/GMT')
    .replace(/_Of_/g, '_of_')
    .replace(/-Au-/g, '-au-')
}

/** The zone that a session can be in: a name of the tz database or a POSIX rule, no abbreviation; null: none. */
export const sessionZone = (name: string): Zone | null =>
  abbreviationSeconds(name) === null || /^(?:cet|met|eet|wet|est|mst|hst|utc|gmt|uct|zulu)$/i.test(name)
    ? /^[a-z]{3}$/i.test(name) && !/^(?:utc|gmt|uct)$/i.test(name)
      ? namedZone(name)
      : findZone(name)
    : null

/** @throws 22023 */
export function zoneNamed(name: string): Zone {
  const zone = findZone(name)
  if (zone !== null) return zone
  throw sqlError(SQLSTATE.invalidParameterValue, `time zone "${name}" not recognized`)
}

const isInfinite = (micros: bigint): boolean =>
  micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_MINUS_INFINITY

const msOf = (micros: bigint): number => Number(micros / 1_000n)

/** What the clocks of the zone show at a moment: microseconds since 1970 as if it were UTC. */
export const toLocal = (zone: Zone, micros: bigint): bigint =>
  isInfinite(micros) ? micros : micros + BigInt(zone.offsetAt(msOf(micros))) * MICROS

/**
 * The moment at which the clocks of the zone show a time. A time that is skipped is read by the offset before the
 * change, one that comes twice by the offset behind it.
 */
export function fromLocal(zone: Zone, local: bigint): bigint {
  if (isInfinite(local)) return local
  const at = (moment: bigint): bigint => BigInt(zone.offsetAt(msOf(moment))) * MICROS
  const before = at(local - DAY)
  const after = at(local + DAY)
  if (before === after) {
    // Two changes within two days are not known to any zone of today; an offset that holds on its own is taken.
    const here = at(local - before)
    return local - (at(local - here) === here ? here : before)
  }
  const early = local - before
  const late = local - after
  const holdsBefore = at(early) === before
  const holdsAfter = at(late) === after
  if (holdsBefore !== holdsAfter) return holdsBefore ? early : late
  return holdsBefore ? late : early
}

const styledZones = new Map<string, Zone>()

/** The same zone for a session of that style; one object for equal ones. */
export function withStyles(zone: Zone, styles: Styles): Zone {
  const { date, order, interval, bytea, floatDigits } = styles
  const plain = date === 'ISO' && order === 'MDY' && interval === 'postgres' && bytea === 'hex'
  if (plain && floatDigits > 0) return zone
  const key = JSON.stringify([zone.name, date, order, interval, bytea, floatDigits])
  let styled = styledZones.get(key)
  if (styled === undefined) {
    styled = {
      name: zone.name,
      offsetAt: (ms) => zone.offsetAt(ms),
      abbreviationAt: (ms) => zone.abbreviationAt(ms),
      styles,
    }
    if (styledZones.size >= ZONES_MAX) styledZones.clear()
    styledZones.set(key, styled)
  }
  return styled
}

const plainOf = ({ name, offsetAt, abbreviationAt }: Zone): Zone => ({ name, offsetAt, abbreviationAt })

/** The same zone where dates are those of ISO 8601, as in JSON. */
export const withIsoDates = (zone: Zone): Zone =>
  zone.styles === undefined ? zone : withStyles(plainOf(zone), { ...zone.styles, date: 'ISO', order: 'MDY' })
