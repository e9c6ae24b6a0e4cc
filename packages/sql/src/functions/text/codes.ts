import { SQLSTATE, sqlError } from '../../errors.ts'
import { parseValue } from '../../types/parse.ts'
import { BYTEA } from '../../types/type.ts'
import { fn } from '../define.ts'
import type { ScalarFunction } from '../function.ts'
import { sha224, sha256, sha384, sha512 } from './sha.ts'

const utf8 = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** @throws 22023 */
function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s/g, '')
  const bad = /[^0-9a-fA-F]/.exec(digits)
  if (bad !== null) throw sqlError(SQLSTATE.invalidParameterValue, `invalid hexadecimal digit: "${bad[0]}"`)
  if (digits.length % 2 !== 0)
    throw sqlError(SQLSTATE.invalidParameterValue, 'invalid hexadecimal data: odd number of digits')
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Lines of 76 signs. */
function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3)
    const bits = (a << 16) | (b << 8) | c
    const left = bytes.length - i
    if (i > 0 && i % 57 === 0) text += '\n'
    text += alphabet.charAt(bits >> 18) + alphabet.charAt((bits >> 12) & 63)
    text += left > 1 ? alphabet.charAt((bits >> 6) & 63) : '='
    text += left > 2 ? alphabet.charAt(bits & 63) : '='
  }
  return text
}

/** @throws 22023 */
function fromBase64(text: string): Uint8Array {
  const bytes: number[] = []
  let bits = 0
  let count = 0
  const signs = text.replace(/\s/g, '')
  const body = signs.replace(/=+$/, '')
  for (const sign of body) {
    const value = alphabet.indexOf(sign)
    if (value < 0)
      throw sqlError(
        SQLSTATE.invalidParameterValue,
        `invalid symbol "${sign}" found while decoding base64 sequence`,
      )
    bits = ((bits << 6) | value) & 0xffffff
    if (++count % 4 === 0) bytes.push(bits >> 16, (bits >> 8) & 255, bits & 255)
  }
  if (signs.length % 4 !== 0 || count % 4 === 1)
    throw sqlError(SQLSTATE.invalidParameterValue, 'invalid base64 end sequence', {
      hint: 'Input data is missing padding, is truncated, or is otherwise corrupted.',
    })
  if (count % 4 === 2) bytes.push((bits >> 4) & 255)
  if (count % 4 === 3) bytes.push((bits >> 10) & 255, (bits >> 2) & 255)
  return Uint8Array.from(bytes)
}

const toEscape = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) =>
    byte === 0 || byte > 127
      ? `\\${byte.toString(8).padStart(3, '0')}`
      : byte === 92
        ? '\\\\'
        : String.fromCharCode(byte),
  ).join('')

const unknownEncoding = (name: string) =>
  sqlError(SQLSTATE.invalidParameterValue, `unrecognized encoding: "${name}"`)

function encode(bytes: Uint8Array, name: string): string {
  if (name === 'hex') return hexOf(bytes)
  if (name === 'base64') return toBase64(bytes)
  if (name === 'escape') return toEscape(bytes)
  throw unknownEncoding(name)
}

function decode(text: string, name: string): Uint8Array {
  if (name === 'hex') return fromHex(text)
  if (name === 'base64') return fromBase64(text)
  if (name === 'escape') return parseValue(BYTEA, text.startsWith('\\x') ? `\\${text}` : text) as Uint8Array
  throw unknownEncoding(name)
}

const utf8Names = new Set(['utf8', 'utf-8', 'unicode'])

/** @throws 22021, 22023 */
function fromBytes(bytes: Uint8Array, name: string): string {
  const encoding = name.toLowerCase()
  if (encoding === 'latin1' || encoding === 'iso88591') return String.fromCharCode(...bytes)
  if (!utf8Names.has(encoding) && encoding !== 'sql_ascii')
    throw sqlError(SQLSTATE.invalidParameterValue, `invalid source encoding name "${name}"`)
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    const shown = Array.from(bytes.subarray(0, 4), (byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(
      ' ',
    )
    throw sqlError('22021', `invalid byte sequence for encoding "UTF8": ${shown}`, { cause })
  }
}

function toBytes(text: string, name: string): Uint8Array {
  const encoding = name.toLowerCase()
  if (utf8Names.has(encoding)) return utf8.encode(text)
  if (encoding === 'latin1' || encoding === 'iso88591')
    return Uint8Array.from(text, (sign) => {
      const code = sign.codePointAt(0) ?? 0
      if (code < 256) return code
      const shown = Array.from(utf8.encode(sign), (byte) => `0x${byte.toString(16)}`).join(' ')
      throw sqlError(
        '22P05',
        `character with byte sequence ${shown} in encoding "UTF8" has no equivalent in encoding "LATIN1"`,
      )
    })
  throw sqlError(SQLSTATE.invalidParameterValue, `invalid destination encoding name "${name}"`)
}

/** Part of some bytes, counted from 1. @throws 22011 */
function slice(bytes: Uint8Array, start: number, count = Number.POSITIVE_INFINITY): Uint8Array {
  if (count < 0) throw sqlError(SQLSTATE.substringError, 'negative substring length not allowed')
  return bytes.slice(Math.max(0, start - 1), Math.max(0, start - 1 + count))
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

function find(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = 0; at + wanted.length <= bytes.length; at++)
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at + 1
  return 0
}

function checkIndex(index: number, length: number): number {
  if (index >= 0 && index < length) return index
  throw sqlError('2202E', `index ${index} out of valid range, 0..${length - 1}`)
}

function trimBytes(bytes: Uint8Array, signs: Uint8Array, left: boolean, right: boolean): Uint8Array {
  const set = new Set(signs)
  let from = 0
  let to = bytes.length
  if (left) while (from < to && set.has(bytes[from] ?? 0)) from++
  if (right) while (to > from && set.has(bytes[to - 1] ?? 0)) to--
  return bytes.slice(from, to)
}

const overlaid = (bytes: Uint8Array, put: Uint8Array, start: number, count: number): Uint8Array =>
  joined([bytes.slice(0, start - 1), put, bytes.slice(start - 1 + count)])

export const codeFunctions: readonly ScalarFunction[] = [
  fn('encode', ['bytea', 'text'], 'text', encode),
  fn('decode', ['text', 'text'], 'bytea', decode),
  fn('convert_from', ['bytea', 'text'], 'text', fromBytes),
  fn('convert_to', ['text', 'text'], 'bytea', toBytes),
  fn('sha224', ['bytea'], 'bytea', sha224),
  fn('sha256', ['bytea'], 'bytea', sha256),
  fn('sha384', ['bytea'], 'bytea', sha384),
  fn('sha512', ['bytea'], 'bytea', sha512),
  ...['substring', 'substr'].flatMap((name) => [
    fn(name, ['bytea', 'integer'], 'bytea', (bytes, start) => slice(bytes, start)),
    fn(name, ['bytea', 'integer', 'integer'], 'bytea', slice),
  ]),
  fn('position', ['bytea', 'bytea'], 'integer', find),
  fn('overlay', ['bytea', 'bytea', 'integer'], 'bytea', (bytes, put, start) =>
    overlaid(bytes, put, start, put.length),
  ),
  fn('overlay', ['bytea', 'bytea', 'integer', 'integer'], 'bytea', overlaid),
  fn('btrim', ['bytea', 'bytea'], 'bytea', (bytes, signs) => trimBytes(bytes, signs, true, true)),
  fn('ltrim', ['bytea', 'bytea'], 'bytea', (bytes, signs) => trimBytes(bytes, signs, true, false)),
  fn('rtrim', ['bytea', 'bytea'], 'bytea', (bytes, signs) => trimBytes(bytes, signs, false, true)),
  fn('get_byte', ['bytea', 'integer'], 'integer', (bytes, at) => bytes[checkIndex(at, bytes.length)] ?? 0),
  fn('set_byte', ['bytea', 'integer', 'integer'], 'bytea', (bytes, at, value) =>
    bytes.with(checkIndex(at, bytes.length), value & 255),
  ),
  fn('get_bit', ['bytea', 'bigint'], 'integer', (bytes, at) => {
    const index = checkIndex(Number(at), bytes.length * 8)
    return ((bytes[index >> 3] ?? 0) >> (index & 7)) & 1
  }),
  fn('set_bit', ['bytea', 'bigint', 'integer'], 'bytea', (bytes, at, value) => {
    const index = checkIndex(Number(at), bytes.length * 8)
    if (value !== 0 && value !== 1) throw sqlError(SQLSTATE.invalidParameterValue, 'new bit must be 0 or 1')
    const old = bytes[index >> 3] ?? 0
    const mask = 1 << (index & 7)
    return bytes.with(index >> 3, value === 1 ? old | mask : old & ~mask)
  }),
  fn('bit_count', ['bytea'], 'bigint', (bytes) =>
    BigInt(bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)),
  ),
  fn('bit_length', ['bytea'], 'integer', (bytes) => bytes.length * 8),
  fn('convert', ['bytea', 'text', 'text'], 'bytea', (bytes, from, to) => toBytes(fromBytes(bytes, from), to)),
  fn('length', ['bytea', 'text'], 'integer', (bytes, name) => [...fromBytes(bytes, name)].length),
]
