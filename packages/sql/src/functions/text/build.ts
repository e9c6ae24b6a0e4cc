import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { quoteIdentifier } from '../../syntax/keywords.ts'
import { castText, formatValue } from '../../types/format.ts'
import { parseValue } from '../../types/parse.ts'
import { characterCount } from '../../types/text-order.ts'
import type { Zone } from '../../types/time-zone.ts'
import { INTEGER, REGTYPE, type SqlType, TEXT, typeName } from '../../types/type.ts'
import { inSession, loosely, type Resolver } from '../generic.ts'

const settled = (args: readonly SqlType[]): SqlType[] =>
  args.map((type) => (type.id === 'unknown' ? TEXT : type))

/** PostgreSQL's own quoting: backslashes are doubled behind an E. */
export function quoted(text: string): string {
  const inner = text.replaceAll("'", "''").replaceAll('\\', '\\\\')
  return text.includes('\\') ? `E'${inner}'` : `'${inner}'`
}

const ANY_NUMBER = Number.POSITIVE_INFINITY

type Build = (types: readonly SqlType[], values: readonly Value[], zone: Zone) => Value

/** A function of any values that gives a text. */
const builder = (name: string, least: number, most: number, build: Build): [string, Resolver] => [
  name,
  (args) => {
    if (args.length < least || args.length > most) return null
    const types = settled(args)
    return inSession(name, types, TEXT, ({ zone }, ...values) => build(types, values, zone))
  },
]

/** Counts arguments of any types. */
const counter = (name: string, counts: (value: Value) => boolean): [string, Resolver] => [
  name,
  (args) =>
    args.length === 0
      ? null
      : loosely(name, settled(args), INTEGER, (...values: readonly Value[]) => values.filter(counts).length),
]

const text = (types: readonly SqlType[], values: readonly Value[], at: number, zone: Zone): string | null => {
  const value = values[at] ?? null
  return value === null ? null : formatValue(types[at] ?? TEXT, value, zone)
}

/** As a cast to text has it. */
const cast = (types: readonly SqlType[], values: readonly Value[], zone: Zone): string | null => {
  const value = values[0] ?? null
  return value === null ? null : castText(types[0] ?? TEXT, value, zone)
}

/** NULL arguments add nothing. */
const concat: Build = (types, values, zone) =>
  values.map((_, i) => text(types, values, i, zone) ?? '').join('')

const concatWith: Build = (types, values, zone) => {
  const separator = values[0] ?? null
  if (separator === null) return null
  const parts = values.slice(1).map((_, i) => text(types, values, i + 1, zone))
  return parts.filter((part) => part !== null).join(String(separator))
}

const wrong = (message: string, hint?: string) => sqlError(SQLSTATE.invalidParameterValue, message, { hint })

const specifier = /%(?:(\d+)\$)?(-?)(?:(\d+)|\*(?:(\d+)\$)?)?([\s\S]?)/g

/** `format('%s %I %L', …)`. @throws 22023 */
const format: Build = (types, values, zone) => {
  const template = values[0] ?? null
  if (template === null) return null
  let next = 1
  const argument = (position: number): number => {
    if (position === 0) throw wrong('format specifies argument 0, but arguments are numbered from 1')
    if (position >= values.length) throw wrong('too few arguments for format()')
    return position
  }
  return (template as string).replace(specifier, (whole, position, minus, width, widthAt, type) => {
    if (whole === '%%') return '%'
    if (type === '') throw wrong('unterminated format() type specifier', 'For a single "%" use "%%".')
    let left = minus === '-'
    let size = width === undefined ? 0 : Number(width)
    if (whole.includes('*')) {
      const at = argument(widthAt === undefined ? next : Number(widthAt))
      next = at + 1
      const given = values[at] ?? null
      size = given === null ? 0 : Number(parseValue(INTEGER, String(given)))
      if (size < 0) {
        left = true
        size = -size
      }
    }
    if (!'sIL'.includes(type))
      throw wrong(`unrecognized format() type specifier "${type}"`, 'For a single "%" use "%%".')
    const at = argument(position === undefined ? next : Number(position))
    next = at + 1
    const shown = formatted(type, text(types, values, at, zone))
    const padding = ' '.repeat(Math.max(0, size - characterCount(shown)))
    return left ? shown + padding : padding + shown
  })
}

function formatted(type: string, value: string | null): string {
  if (type === 's') return value ?? ''
  if (type === 'L') return value === null ? 'NULL' : quoted(value)
  if (value === null) throw sqlError('22004', 'null values cannot be formatted as an SQL identifier')
  return quoteIdentifier(value)
}

export const textBuilders: ReadonlyMap<string, Resolver> = new Map<string, Resolver>([
  [
    'pg_typeof',
    ([type, more]) =>
      type === undefined || more !== undefined
        ? null
        : loosely('pg_typeof', [type], REGTYPE, () => typeName(type)),
  ],
  counter('num_nulls', (value) => value === null),
  counter('num_nonnulls', (value) => value !== null),
  builder('concat', 1, ANY_NUMBER, concat),
  builder('concat_ws', 2, ANY_NUMBER, concatWith),
  builder('format', 1, ANY_NUMBER, format),
  builder('quote_literal', 1, 1, (types, values, zone) => {
    const value = cast(types, values, zone)
    return value === null ? null : quoted(value)
  }),
  builder('quote_nullable', 1, 1, (types, values, zone) => {
    const value = cast(types, values, zone)
    return value === null ? 'NULL' : quoted(value)
  }),
])
