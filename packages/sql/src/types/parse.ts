import type { Value } from '@cluster/core'
import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import { arrayText, parseArray } from './array.ts'
import { parseBits } from './bits.ts'
import {
  parseDate,
  parseTimestamp,
  parseTimestamptz,
  type ReadingContext,
  roundTimestamp,
} from './datetime.ts'
import { fitDecimal, parseDecimal } from './decimal.ts'
import { parseEnum } from './enum.ts'
import { parseFloatText } from './float-text.ts'
import { formatValue } from './format.ts'
import { fitInterval, intervalText, parseInterval } from './interval.ts'
import { fieldsOfSpan } from './interval-fields.ts'
import { jsonbOf, readJson } from './json.ts'
import { jsonPathOf } from './json-path/text.ts'
import { listText } from './range.ts'
import { rangeKindOf, readRanges } from './range-kind.ts'
import { checkFieldCount, parseRecord, recordText } from './record.ts'
import { characterCount, sliceCharacters } from './text-order.ts'
import { parseTime, parseTimetz, roundTime, roundTimetz } from './time.ts'
import {
  elementOf,
  fieldsOf,
  formatType,
  type RecordField,
  type SqlType,
  type TypeId,
  typeName,
} from './type.ts'

const malformed = (type: SqlType, text: string): SqlError =>
  sqlError(SQLSTATE.invalidTextRepresentation, `invalid input syntax for type ${typeName(type)}: "${text}"`)

const outOfRange = (type: SqlType, text: string): SqlError =>
  sqlError(
    SQLSTATE.numericValueOutOfRange,
    type.id === 'real' || type.id === 'double'
      ? `"${text.trim()}" is out of range for type ${typeName(type)}`
      : `value "${text}" is out of range for type ${typeName(type)}`,
  )

const bounds: Partial<Readonly<Record<TypeId, bigint>>> = {
  smallint: 32_768n,
  integer: 2_147_483_648n,
  bigint: 9_223_372_036_854_775_808n,
}

/**
 * The value that a text stands for, in a type with its modifiers: what PostgreSQL's input functions do for
 * literals, parameters and casts from text.
 * @param context the session's zone and present; without it times are of UTC and `now` is refused
 * @throws 22P02 when it is no such value, 22003 when it is out of range, 22001 when it is too long for its type,
 * 22007 and 22008 for dates
 */
export function parseValue(type: SqlType, text: string, context?: ReadingContext): Value {
  switch (type.id) {
    case 'oid':
      return parseOid(type, text)
    case 'enum':
      return parseEnum(type, text)
    case 'boolean':
      return parseBoolean(type, text)
    case 'smallint':
    case 'integer':
    case 'bigint':
      return parseWhole(type, text)
    case 'real':
    case 'double': {
      const value = parseFloatText(text, type.id === 'real')
      if (value === null) throw malformed(type, text)
      if (value === 'range') throw outOfRange(type, text)
      return value
    }
    case 'numeric': {
      const value = parseDecimal(text)
      if (value === null) throw malformed(type, text)
      return type.precision === null ? value : fitDecimal(value, type.precision, type.scale ?? 0)
    }
    case 'timestamp': {
      const value = parseTimestamp(text, context)
      return type.length === null ? value : roundTimestamp(value, type.length)
    }
    case 'timestamptz': {
      const value = parseTimestamptz(text, context)
      return type.length === null ? value : roundTimestamp(value, type.length)
    }
    case 'date':
      return parseDate(text, context)
    case 'time': {
      const value = parseTime(text, context)
      return type.length === null ? value : roundTime(value, type.length)
    }
    case 'timetz': {
      const value = parseTimetz(text, context)
      return type.length === null ? value : roundTimetz(value, type.length)
    }
    case 'uuid':
      return parseUuid(type, text)
    case 'json':
      readJson(text)
      return text
    case 'jsonb':
      return jsonbOf(text)
    case 'jsonpath':
      return jsonPathOf(text)
    case 'array': {
      const element = elementOf(type)
      const array = parseArray(text, (item) => parseValue(element, item, context))
      return arrayText(array, (item) => formatValue(element, item))
    }
    case 'record': {
      const fields = fieldsOf(type)
      const texts = parseRecord(text)
      checkFieldCount(text, texts.length, fields.length)
      const values = texts.map((own, i) =>
        own === null ? null : parseValue((fields[i] as RecordField).type, own, context),
      )
      return recordText(values, (value, i) => formatValue((fields[i] as RecordField).type, value))
    }
    case 'bit':
    case 'varbit':
      return parseBits(type, text)
    case 'interval': {
      const fields = type.span === undefined ? {} : { fields: fieldsOfSpan(type.span) }
      const read = intervalText(parseInterval(text, { ...signsOf(context), ...fields }))
      return fitInterval(read, undefined, type.length)
    }
    case 'bytea':
      return parseBytes(type, text)
    case 'varchar':
    case 'char':
      return fitText(type, text, false)
    default: {
      const kind = rangeKindOf(type)
      if (kind === null) return type.catalogName === true ? fitName(text) : text
      const ranges = readRanges(kind, type, text, (bound) => parseValue(kind.subtype, bound, context))
      return listText(ranges, kind.multirange.id === type.id, (value) => formatValue(kind.subtype, value))
    }
  }
}

/** Bytes of a `name`. */
const NAME_BYTES_MAX = 63
const utf8 = new TextEncoder()

/** The beginning of a text that has room in a `name`: no character is cut in two. */
export function fitName(text: string): string {
  if (text.length * 3 <= NAME_BYTES_MAX) return text
  const { read } = utf8.encodeInto(text, new Uint8Array(NAME_BYTES_MAX))
  return text.slice(0, read)
}

/** As PostgreSQL has it, numbers below zero count from the end. */
function parseOid(type: SqlType, text: string): number {
  const trimmed = text.trim()
  if (!/^[-+]?\d+$/.test(trimmed)) throw malformed(type, text)
  const value = BigInt(trimmed.replace('+', ''))
  if (value > 0xffff_ffffn || value < -0x8000_0000n) throw outOfRange(type, text)
  return Number(BigInt.asUintN(32, value))
}

const signsOf = (context: ReadingContext | undefined): { readonly standardSign: boolean } => ({
  standardSign: context?.zone.styles?.interval === 'sql_standard',
})

const truths = ['true', 'yes', 'on', '1']
const lies = ['false', 'no', 'off', '0']

function parseBoolean(type: SqlType, text: string): boolean {
  const word = text.trim().toLowerCase()
  // A prefix will do unless it fits both ways, as `o` does.
  if (word !== '' && word !== 'o') {
    if (truths.some((truth) => truth.startsWith(word))) return true
    if (lies.some((lie) => lie.startsWith(word))) return false
  }
  throw malformed(type, text)
}

/** Digits in any case, hyphens behind any four of them, maybe in braces. */
function parseUuid(type: SqlType, text: string): string {
  const bare = /^\{.*\}$/.test(text) ? text.slice(1, -1) : text
  const digits = bare.replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(digits) || !/^(?:[0-9a-fA-F]{4}-?){8}$/.test(`${bare}`) || bare.endsWith('-'))
    throw malformed(type, text)
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join('-')
}

function parseWhole(type: SqlType, text: string): number | bigint {
  const trimmed = text.trim()
  if (!/^[-+]?\d+$/.test(trimmed)) throw malformed(type, text)
  return wholeNumber(type, BigInt(trimmed.replace('+', '')), text)
}

/** A whole number as a value of an integer type. @throws 22003, naming it as `text` */
export function wholeNumber(type: SqlType, value: bigint, text = value.toString()): number | bigint {
  const bound = bounds[type.id] ?? 0n
  if (value >= bound || value < -bound) throw outOfRange(type, text)
  return type.id === 'bigint' ? value : Number(value)
}

function parseBytes(type: SqlType, text: string): Uint8Array {
  if (text.startsWith('\\x')) {
    const digits = text.slice(2).replace(/\s/g, '')
    const bad = /[^0-9a-fA-F]/.exec(digits)
    if (bad !== null) throw sqlError(SQLSTATE.invalidParameterValue, `invalid hexadecimal digit: "${bad[0]}"`)
    if (digits.length % 2 !== 0)
      throw sqlError(SQLSTATE.invalidParameterValue, 'invalid hexadecimal data: odd number of digits')
    return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  }
  const bytes: number[] = []
  const encoded = new TextEncoder().encode(text)
  for (let i = 0; i < encoded.length; i++) {
    const byte = encoded[i] ?? 0
    if (byte !== 92) {
      bytes.push(byte)
      continue
    }
    if (encoded[i + 1] === 92) {
      bytes.push(92)
      i++
      continue
    }
    const octal = String.fromCharCode(...encoded.slice(i + 1, i + 4))
    if (!/^[0-3][0-7]{2}$/.test(octal))
      throw sqlError(SQLSTATE.invalidTextRepresentation, `invalid input syntax for type ${typeName(type)}`)
    bytes.push(Number.parseInt(octal, 8))
    i += 3
  }
  return Uint8Array.from(bytes)
}

/**
 * Fits a text into varchar(n) or char(n). Blanks beyond the length always go; an explicit cast cuts anything.
 * @throws 22001 when something else than blanks is too much
 */
export function fitText(type: SqlType, text: string, explicit: boolean): string {
  if (type.length === null) return text
  const count = characterCount(text)
  if (count <= type.length) return type.id === 'char' ? text + ' '.repeat(type.length - count) : text
  const kept = sliceCharacters(text, 0, type.length)
  if (explicit || /^ *$/.test(text.slice(kept.length))) return kept
  throw sqlError(SQLSTATE.stringDataRightTruncation, `value too long for type ${formatType(type)}`)
}
