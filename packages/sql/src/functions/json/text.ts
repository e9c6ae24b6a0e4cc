import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { toArray } from '../../types/array-text.ts'
import { isInfinite } from '../../types/datetime.ts'
import { formatValue } from '../../types/format.ts'
import { quoteJson } from '../../types/json.ts'
import { isRangeId } from '../../types/range-types.ts'
import { toRecord } from '../../types/record-text.ts'
import { withIsoDates, type Zone } from '../../types/time-zone.ts'
import { elementOf, fieldsOf, type SqlType, typeCategory } from '../../types/type.ts'

/** A SQL value as JSON: numbers and booleans as such, JSON as it is, arrays as arrays, all else as its text. */
export function jsonText(type: SqlType, value: Value, zone: Zone, separator = ','): string {
  if (value === null) return 'null'
  if (type.id === 'boolean') return String(value)
  if (type.id === 'json' || type.id === 'jsonb') return value as string
  if (type.element !== undefined) return arrayJson(type, value as string, zone)
  if (type.record !== undefined) return recordJson(type, value as string, zone, separator)
  if (isRangeId(type.id)) return quoteJson(formatValue(type, value, zone))
  const text = formatValue(type, value, withIsoDates(zone))
  if (typeCategory(type.id) === 'number') return /^-?\d/.test(text) ? text : quoteJson(text)
  if (type.id === 'timestamp' || type.id === 'timestamptz')
    return quoteJson(isInfinite(value as bigint) ? text : isoText(text))
  return quoteJson(text)
}

/** `2024-01-02T03:04:05+00:00` */
const isoText = (text: string): string =>
  text.replace(' ', 'T').replace(/(T[\d:.]+[-+]\d\d)(?= BC|$)/, '$1:00')

function arrayJson(type: SqlType, text: string, zone: Zone): string {
  const element = elementOf(type)
  const { dims, items } = toArray(element, text)
  let at = 0
  const level = (dimension: number): string => {
    const parts: string[] = []
    for (let i = 0; i < (dims[dimension] ?? 0); i++)
      parts.push(
        dimension < dims.length - 1 ? level(dimension + 1) : jsonText(element, items[at++] ?? null, zone),
      )
    return `[${parts.join(',')}]`
  }
  return level(0)
}

/** @param separator what stands between two fields */
function recordJson(type: SqlType, text: string, zone: Zone, separator: string): string {
  const values = toRecord(type, text)
  const members = fieldsOf(type).map(
    (field, i) => `${quoteJson(field.name)}:${jsonText(field.type, values[i] ?? null, zone)}`,
  )
  return `{${members.join(separator)}}`
}

/** The key of an object. @throws 22023 for what is no plain value */
export function keyText(type: SqlType, value: Value, zone: Zone): string {
  if (value === null) throw sqlError(SQLSTATE.invalidParameterValue, 'null value not allowed for object key')
  const { id } = type
  if (id === 'array' || id === 'record' || id === 'json' || id === 'jsonb')
    throw sqlError(SQLSTATE.invalidParameterValue, 'key value must be scalar, not array, composite, or json')
  if (type.id === 'boolean') return String(value)
  return formatValue(type, value, zone)
}

const skip = /\s*/y
const closers: Readonly<Record<string, string>> = { '{': '}', '[': ']' }

/** The offset behind the value that begins at `at`; the text is known to be JSON. */
function valueEnd(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const sign = text.charAt(at)
    if (sign === '"') {
      at++
      while (text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1
      if (depth === 0) return at + 1
    } else if (sign === '{' || sign === '[') depth++
    else if (sign === '}' || sign === ']') {
      if (depth === 0) return at
      depth--
      if (depth === 0) return at + 1
    } else if (depth === 0 && /[\s,:]/.test(sign)) return at
  }
  return text.length
}

/** Members of an object or items of an array, as they are written in the text of a json. */
export function* partsOf(text: string): Generator<{ readonly key: string | null; readonly value: string }> {
  const blanks = (from: number): number => {
    skip.lastIndex = from
    skip.exec(text)
    return skip.lastIndex
  }
  let at = blanks(0)
  const open = text.charAt(at)
  const close = closers[open]
  if (close === undefined) return
  refuseNothing(text)
  at = blanks(at + 1)
  while (at < text.length && text.charAt(at) !== close) {
    let key: string | null = null
    if (open === '{') {
      const end = valueEnd(text, at)
      key = JSON.parse(text.slice(at, end)) as string
      at = blanks(blanks(end) + 1)
    }
    const end = valueEnd(text, at)
    yield { key, value: text.slice(at, end) }
    at = blanks(end)
    if (text.charAt(at) === ',') at = blanks(at + 1)
  }
}

export type TextKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

/** What kind of value a text of JSON is. */
export function textKind(text: string): TextKind {
  const [first = ''] = text.trimStart()
  if (first === '{') return 'object'
  if (first === '[') return 'array'
  if (first === '"') return 'string'
  if (first === 't' || first === 'f') return 'boolean'
  return first === 'n' ? 'null' : 'number'
}

/** The value as SQL text: a string without quotes, NULL for null. */
export function plainText(text: string): string | null {
  const kind = textKind(text)
  if (kind === 'null') return null
  if (kind !== 'string') return text.trim()
  refuseNothing(text)
  return JSON.parse(text.trim()) as string
}

/**
 * A json may hold the character 0 as an escape, and half a pair of surrogates, as long as nobody looks into it.
 * @throws 22P05, 22P02
 */
function refuseNothing(text: string): void {
  if (/\\ud[89a-f]/i.test(text)) refuseHalves(text)
  if (text.includes('\\u0000') && /(?<!\\)(?:\\\\)*\\u0000/.test(text))
    throw sqlError('22P05', 'unsupported Unicode escape sequence', {
      detail: '\\u0000 cannot be converted to text.',
    })
}

function refuseHalves(text: string): void {
  const alone = text.replace(/\\\\/g, '').replace(/\\ud[89ab][\da-f]{2}\\ud[c-f][\da-f]{2}/gi, '')
  if (!/\\ud[89a-f]/i.test(alone)) return
  throw sqlError(SQLSTATE.invalidTextRepresentation, 'invalid input syntax for type json', {
    detail: /\\ud[89ab][\da-f]{2}\\ud[89ab]/i.test(alone)
      ? 'Unicode high surrogate must not follow a high surrogate.'
      : 'Unicode low surrogate must follow a high surrogate.',
  })
}
