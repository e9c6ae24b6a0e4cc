import type { Value } from '@cluster/core'
import { dimensionsOf, parseArray, quoteItem } from './array-format.ts'
import { ProtocolError, utf8 } from './frontend-messages.ts'
import { decodeNumeric, encodeNumeric } from './numeric-format.ts'
import {
  BOUNDS,
  decodeMultirange,
  decodeRange,
  encodeMultirange,
  encodeRange,
  RANGES,
} from './range-format.ts'
import {
  dateOfText,
  decodeDate,
  decodeInterval,
  decodeTime,
  decodeTimestamp,
  decodeTimeWithZone,
  encodeDate,
  encodeInterval,
  encodeTimestamp,
  encodeTimeWithZone,
  int32,
  int64,
  timestampOfText,
} from './time-format.ts'

/** PostgreSQL's numbers of the types whose binary form is known here. */
export const OID = {
  bool: 16,
  bytea: 17,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  timetz: 1266,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
} as const

/** Arrays by their own number, to the number of their items. */
const ITEMS: ReadonlyMap<number, number> = new Map([
  [1000, OID.bool],
  [1001, OID.bytea],
  [1003, OID.name],
  [1016, OID.int8],
  [1005, OID.int2],
  [1007, OID.int4],
  [1009, OID.text],
  [1028, OID.oid],
  [199, OID.json],
  [1021, OID.float4],
  [1022, OID.float8],
  [1014, OID.bpchar],
  [1015, OID.varchar],
  [1182, OID.date],
  [1183, OID.time],
  [1115, OID.timestamp],
  [1185, OID.timestamptz],
  [1187, OID.interval],
  [1270, OID.timetz],
  [1231, OID.numeric],
  [2951, OID.uuid],
  [3807, OID.jsonb],
  [3905, 3904],
  [3927, 3926],
  [3907, 3906],
  [3909, 3908],
  [3911, 3910],
  [3913, 3912],
  [6150, 4451],
  [6157, 4536],
  [6151, 4532],
  [6152, 4533],
  [6153, 4534],
  [6155, 4535],
])

const JSONB_VERSION = 1
/** PostgreSQL's own limit. */
const DIMENSIONS_MAX = 6
const encoder = new TextEncoder()

/** A value that has no binary form here. */
export class NoBinaryFormat extends Error {
  override readonly name = 'NoBinaryFormat'

  constructor(oid: number) {
    super(`no binary form is known for type ${oid}; ask for text`)
  }
}

const float = (bytes: 4 | 8, value: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(bytes))
  if (bytes === 4) view.setFloat32(0, value)
  else view.setFloat64(0, value)
  return new Uint8Array(view.buffer)
}

const int16 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(2)
  new DataView(bytes.buffer).setInt16(0, value)
  return bytes
}

/**
 * A value, not null, in PostgreSQL's binary form.
 * @throws NoBinaryFormat
 */
export function encodeBinary(oid: number, value: Value, column: { text(value: Value): string }): Uint8Array {
  switch (oid) {
    case OID.timestamp:
    case OID.timestamptz:
      return encodeTimestamp(BigInt(value as bigint), column.text(value))
    case OID.date:
      return encodeDate(Number(value))
    case OID.time:
      return int64(BigInt(value as number))
    case OID.bytea:
      if (value instanceof Uint8Array) return value
      break
  }
  // What has parts is kept as text of a fixed style, whatever the one of the session is.
  const composed = typeof value === 'string' && (ITEMS.has(oid) || BOUNDS.has(oid) || RANGES.has(oid))
  return fromText(oid, composed ? value : column.text(value))
}

/** The binary form of what is printed. */
function fromText(oid: number, text: string): Uint8Array {
  switch (oid) {
    case OID.bool:
      return Uint8Array.of(text === 't' || text === 'true' ? 1 : 0)
    case OID.int2:
      return int16(Number(text))
    case OID.int4:
    case OID.oid:
      return int32(Number(text) | 0)
    case OID.int8:
      return int64(BigInt(text))
    case OID.float4:
      return float(4, Number(text))
    case OID.float8:
      return float(8, Number(text))
    case OID.numeric:
      return encodeNumeric(text)
    case OID.text:
    case OID.varchar:
    case OID.name:
    case OID.bpchar:
    case OID.json:
      return encoder.encode(text)
    case OID.jsonb:
      return Uint8Array.of(JSONB_VERSION, ...encoder.encode(text))
    case OID.uuid:
      return bytesOfHex(text.replaceAll('-', ''))
    case OID.bytea:
      if (text.startsWith('\\x')) return bytesOfHex(text.slice(2))
      break
    case OID.interval: {
      const bytes = encodeInterval(text)
      if (bytes !== null) return bytes
      break
    }
    case OID.timetz: {
      const bytes = encodeTimeWithZone(text)
      if (bytes !== null) return bytes
      break
    }
    case OID.date: {
      const bytes = dateOfText(text)
      if (bytes !== null) return bytes
      break
    }
    case OID.timestamp:
    case OID.timestamptz: {
      const bytes = timestampOfText(text)
      if (bytes !== null) return bytes
      break
    }
  }
  const bytes = rangeFromText(oid, text)
  if (bytes !== null) return bytes
  const item = ITEMS.get(oid)
  if (item === undefined) throw new NoBinaryFormat(oid)
  return encodeArray(oid, item, text)
}

/** Null for what is neither a range nor a multirange. */
function rangeFromText(oid: number, text: string): Uint8Array | null {
  const range = RANGES.get(oid)
  const bound = BOUNDS.get(range ?? oid)
  if (bound === undefined) return null
  return (range === undefined ? encodeRange : encodeMultirange)(text, (one) => fromText(bound, one))
}

function encodeArray(oid: number, item: number, text: string): Uint8Array {
  const items = parseArray(text)
  const dimensions = items && dimensionsOf(items)
  if (items === null || dimensions === null) throw new NoBinaryFormat(oid)
  const leaves = (items as readonly unknown[]).flat(DIMENSIONS_MAX) as (string | null)[]
  const parts = leaves.map((leaf) => (leaf === null ? null : fromText(item, leaf)))
  const head = 12 + dimensions.length * 8
  const size = parts.reduce((sum, part) => sum + 4 + (part?.length ?? 0), head)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, dimensions.length)
  view.setInt32(4, parts.includes(null) ? 1 : 0)
  view.setInt32(8, item)
  for (const [i, length] of dimensions.entries()) {
    view.setInt32(12 + i * 8, length)
    view.setInt32(16 + i * 8, 1)
  }
  let at = head
  for (const part of parts) {
    view.setInt32(at, part?.length ?? -1)
    at += 4
    if (part === null) continue
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function bytesOfHex(digits: string): Uint8Array {
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16),
  )
}

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Bytes that a value of the type has; for types whose values all have as many. */
const SIZES: Readonly<Record<number, number>> = {
  [OID.bool]: 1,
  [OID.int2]: 2,
  [OID.int4]: 4,
  [OID.oid]: 4,
  [OID.int8]: 8,
  [OID.float4]: 4,
  [OID.float8]: 8,
  [OID.date]: 4,
  [OID.time]: 8,
  [OID.timestamp]: 8,
  [OID.timestamptz]: 8,
  [OID.interval]: 16,
  [OID.timetz]: 12,
  [OID.uuid]: 16,
}

/**
 * A parameter in PostgreSQL's binary form as the text that means the same; of a bytea the bytes themselves.
 * @throws NoBinaryFormat, ProtocolError when the bytes are none of that type
 */
export function decodeBinary(oid: number, bytes: Uint8Array): string | Uint8Array {
  const size = SIZES[oid]
  if (size !== undefined && bytes.length !== size)
    throw new ProtocolError(`a value of type ${oid} has ${size} bytes, not ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (oid) {
    case OID.bytea:
      return bytes
    case OID.bool:
      return bytes[0] === 0 ? 'false' : 'true'
    case OID.int2:
      return String(view.getInt16(0))
    case OID.int4:
      return String(view.getInt32(0))
    case OID.oid:
      return String(view.getUint32(0))
    case OID.int8:
      return String(view.getBigInt64(0))
    case OID.float4:
      return floatText(view.getFloat32(0))
    case OID.float8:
      return floatText(view.getFloat64(0))
    case OID.numeric: {
      const text = decodeNumeric(bytes)
      if (text === null) throw new ProtocolError('a value is no numeric in binary form')
      return text
    }
    case OID.text:
    case OID.varchar:
    case OID.name:
    case OID.bpchar:
    case OID.json:
    case 0:
      return utf8(bytes)
    case OID.jsonb:
      if (bytes[0] !== JSONB_VERSION) throw new ProtocolError('a value is no jsonb in binary form')
      return utf8(bytes.subarray(1))
    case OID.uuid:
      return hexOf(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    case OID.date:
      return decodeDate(view.getInt32(0))
    case OID.time:
      return decodeTime(view.getBigInt64(0))
    case OID.timestamp:
      return decodeTimestamp(view.getBigInt64(0), '')
    case OID.timestamptz:
      return decodeTimestamp(view.getBigInt64(0), '+00')
    case OID.interval:
      return decodeInterval(view)
    case OID.timetz:
      return decodeTimeWithZone(view)
  }
  const range = RANGES.get(oid)
  const bound = BOUNDS.get(range ?? oid)
  if (bound !== undefined)
    return (range === undefined ? decodeRange : decodeMultirange)(bytes, (one) =>
      String(decodeBinary(bound, one)),
    )
  if (!ITEMS.has(oid)) throw new NoBinaryFormat(oid)
  return decodeArray(bytes)
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? String(value) : value > 0 ? 'Infinity' : '-Infinity'
}

function decodeArray(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const broken = (): ProtocolError => new ProtocolError('a value is no array in binary form')
  if (bytes.length < 12) throw broken()
  const count = view.getInt32(0)
  const item = view.getInt32(8)
  if (count < 0 || count > DIMENSIONS_MAX || bytes.length < 12 + count * 8) throw broken()
  const dimensions = Array.from({ length: count }, (_, i) => view.getInt32(12 + i * 8))
  if (dimensions.some((length) => length < 0 || length > bytes.length)) throw broken()
  let at = 12 + count * 8
  const items = dimensions.reduce((product, length) => product * length, 1)
  if (count === 0 || items === 0) {
    if (at !== bytes.length) throw broken()
    return '{}'
  }
  // Each item has at least its length.
  if (items > (bytes.length - at) / 4) throw broken()
  const leaf = (): string => {
    if (at + 4 > bytes.length) throw broken()
    const length = view.getInt32(at)
    at += 4
    if (length === -1) return 'NULL'
    if (length < 0 || at + length > bytes.length) throw broken()
    const value = decodeBinary(item, bytes.subarray(at, at + length))
    at += length
    return quoteItem(typeof value === 'string' ? value : `\\x${hexOf(value)}`)
  }
  const list = ([length = 0, ...inner]: readonly number[]): string =>
    `{${Array.from({ length }, () => (inner.length > 0 ? list(inner) : leaf())).join(',')}}`
  const text = list(dimensions)
  if (at !== bytes.length) throw broken()
  return text
}
