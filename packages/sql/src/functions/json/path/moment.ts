import { SQLSTATE, sqlError } from '../../../errors.ts'
import { DAY } from '../../../types/calendar.ts'
import { dateToText, timestampText, timestamptzText } from '../../../types/datetime.ts'
import { readStrictly, type TemplateKind } from '../../../types/from-char.ts'
import type { Json } from '../../../types/json.ts'
import { timeText } from '../../../types/time.ts'
import { fixedZone, fromLocal, offsetText, type Zone } from '../../../types/time-zone.ts'

const typeNames: Readonly<Record<TemplateKind, string>> = {
  date: 'date',
  time: 'time without time zone',
  timetz: 'time with time zone',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
}

/** How messages call them. */
const shortNames: Readonly<Record<TemplateKind, string>> = {
  date: 'date',
  time: 'time',
  timetz: 'timetz',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
}

const full = (offset: number): string => {
  const text = offsetText(offset)
  return text.length === 3 ? `${text}:00` : text
}

/** A date, a time or both, as `datetime()` reads it of a string. */
export class JsonMoment {
  readonly kind: TemplateKind
  /** Microseconds since 1970 as the clocks there show them; for times since midnight. */
  readonly local: bigint
  /** Seconds east of UTC. */
  readonly offset: number

  constructor(kind: TemplateKind, local: bigint, offset: number) {
    this.kind = kind
    this.local = local
    this.offset = offset
  }

  get typeName(): string {
    return typeNames[this.kind]
  }

  /** As JSON has it: ISO 8601. */
  text(): string {
    const { local, offset } = this
    switch (this.kind) {
      case 'date':
        return dateToText(Number(local / DAY))
      case 'time':
        return timeText(Number(local))
      case 'timetz':
        return timeText(Number(local)) + full(offset)
      case 'timestamp':
        return timestampText(local).replace(' ', 'T')
      case 'timestamptz':
        return timestamptzText(local - BigInt(offset) * 1_000_000n, fixedZone(offset, ''))
          .replace(' ', 'T')
          .replace(/[-+][\d:]+(?= BC|$)/, full(offset))
    }
  }
}

const iso =
  /^\s*(?:(\d{4,})-(\d{1,2})-(\d{1,2}))?(?:(^|[ T]\s*)(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?(?:\s*([-+]\d{1,2})(?::(\d{1,2}))?)?)?\s*$/

/** The formats of ISO 8601 that need no template. */
function isoTemplate(text: string): string | null {
  const match = iso.exec(text)
  if (match === null) return null
  const [, year, , , gap, hour, , , fraction, zone, minutes] = match
  if (year === undefined && hour === undefined) return null
  if (year !== undefined && hour !== undefined && (gap ?? '') === '') return null
  const date = year === undefined ? '' : 'yyyy-mm-dd'
  const between = date === '' || hour === undefined ? '' : gap?.startsWith('T') === true ? '"T"' : ' '
  const time =
    hour === undefined
      ? ''
      : `HH24:MI:SS${fraction === undefined ? '' : '.US'}${zone === undefined ? '' : 'TZH'}${minutes === undefined ? '' : ':TZM'}`
  return date + between + time
}

/** @throws 22031 for what is no string, and no moment of that form; 22007, 22008 */
export function momentOf(item: Json | JsonMoment, template: string | null): JsonMoment {
  if (typeof item !== 'string')
    throw sqlError('22031', 'jsonpath item method .datetime() can only be applied to a string')
  const format = template ?? isoTemplate(item)
  if (format === null)
    throw sqlError('22031', `datetime format is not recognized: "${item}"`, {
      hint: 'Use a datetime template argument to specify the input data format.',
    })
  const { kind, local, offset } = readStrictly(item, format)
  return new JsonMoment(
    kind,
    kind === 'time' || kind === 'timetz' ? ((local % DAY) + DAY) % DAY : local,
    offset ?? 0,
  )
}

const isTime = ({ kind }: JsonMoment): boolean => kind === 'time' || kind === 'timetz'
const isZoned = ({ kind }: JsonMoment): boolean => kind === 'timetz' || kind === 'timestamptz'

/** In UTC, for moments that have a zone, or get the session's. @throws 0A000 */
function absolute(moment: JsonMoment, other: JsonMoment, zone: Zone | null): bigint {
  if (isZoned(moment)) return moment.local - BigInt(moment.offset) * 1_000_000n
  if (zone === null)
    throw sqlError(
      SQLSTATE.featureNotSupported,
      `cannot convert value from ${shortNames[moment.kind]} to ${shortNames[other.kind]} without time zone usage`,
      { hint: 'Use *_tz() function for time zone support.' },
    )
  return isTime(moment) ? moment.local - BigInt(zone.offsetAt(0)) * 1_000_000n : fromLocal(zone, moment.local)
}

/** @returns null for a time beside what is none @throws 0A000 */
export function compareMoments(a: JsonMoment, b: JsonMoment, zone: Zone | null): number | null {
  if (isTime(a) !== isTime(b)) return null
  const zoned = isZoned(a) || isZoned(b)
  const [x, y] = zoned ? [absolute(a, b, zone), absolute(b, a, zone)] : [a.local, b.local]
  if (x !== y) return x < y ? -1 : 1
  // Of times at the same moment the one farther west is later.
  return a.kind === 'timetz' && b.kind === 'timetz' ? b.offset - a.offset : 0
}
