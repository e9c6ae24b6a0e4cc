/** The fields that `INTERVAL '…' HOUR TO MINUTE` names, from the largest. */
export type IntervalField = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second'

const allFields: readonly IntervalField[] = ['year', 'month', 'day', 'hour', 'minute', 'second']

/** What may stand behind the name of the type: one field, YEAR TO MONTH, and from DAY on to anything smaller. */
const spans = [
  'year',
  'month',
  'day',
  'hour',
  'minute',
  'second',
  'year to month',
  'day to hour',
  'day to minute',
  'day to second',
  'hour to minute',
  'hour to second',
  'minute to second',
] as const

export type IntervalSpan = (typeof spans)[number]

export const isIntervalSpan = (words: string): words is IntervalSpan =>
  (spans as readonly string[]).includes(words)

/** The names of all types of interval that have fields. */
export const intervalNames: readonly string[] = spans.map((span) => `interval ${span}`)

/** `interval day to second` */
export const spanOfName = (name: string): IntervalSpan | null => {
  const words = name.replace(/^interval /, '')
  return isIntervalSpan(words) ? words : null
}

/** Every field of a span, from the largest. */
export function fieldsOfSpan(span: IntervalSpan): readonly IntervalField[] {
  const [first, last = first] = span.split(' to ') as [IntervalField, IntervalField?]
  return allFields.slice(allFields.indexOf(first), allFields.indexOf(last) + 1)
}

/** Where PostgreSQL has the fields in a modifier. */
const bits: Readonly<Record<IntervalField, number>> = {
  month: 1,
  year: 2,
  day: 3,
  hour: 10,
  minute: 11,
  second: 12,
}
const ANY_SPAN = 0x7fff
const ANY_DIGITS = 0xffff
const SPAN_UNIT = 0x1_0000

const maskOf = (span: IntervalSpan): number =>
  fieldsOfSpan(span).reduce((mask, field) => mask | (1 << bits[field]), 0)

/** `atttypmod` of an interval. @param digits of the fraction of seconds; null: any */
export const intervalModifier = (span: IntervalSpan | undefined, digits: number | null): number =>
  span === undefined && digits === null
    ? -1
    : (span === undefined ? ANY_SPAN : maskOf(span)) * SPAN_UNIT + (digits ?? ANY_DIGITS)

/** What a modifier means. */
export function readIntervalModifier(modifier: number): {
  readonly span: IntervalSpan | null
  readonly digits: number | null
} {
  const [mask, digits] = [Math.floor(modifier / SPAN_UNIT), modifier % SPAN_UNIT]
  return {
    span: spans.find((span) => maskOf(span) === mask) ?? null,
    digits: digits === ANY_DIGITS ? null : digits,
  }
}
