import { SQLSTATE, sqlError } from '../../errors.ts'
import { quoteIdentifier } from '../../syntax/keywords.ts'
import { trimBlanks } from '../../types/compare.ts'
import { characterCount, sliceCharacters } from '../../types/text-order.ts'
import { fn } from '../define.ts'
import type { ScalarFunction } from '../function.ts'
import { like, likeEscape } from './like.ts'
import { md5 } from './md5.ts'

/** Texts beyond this are refused: PostgreSQL's limit of a field. */
const CHARACTERS_MAX = 1_073_741_823

/** @throws 22023 */
function normalForm(form: string): string {
  const name = form.toUpperCase()
  if (/^NFK?[CD]$/.test(name)) return name
  throw sqlError(SQLSTATE.invalidParameterValue, `invalid normalization form: ${form}`)
}

const tooLong = () => sqlError(SQLSTATE.programLimitExceeded, 'requested length too large')

/** @throws 22011 when `count` is negative */
function substring(text: string, start: number, count: number): string {
  if (count < 0) throw sqlError(SQLSTATE.substringError, 'negative substring length not allowed')
  const end = start - 1 + count
  return end <= 0 ? '' : sliceCharacters(text, Math.max(0, start - 1), Math.max(0, end))
}

function trimStart(text: string, signs: string): string {
  const set = new Set(signs)
  const all = [...text]
  let at = 0
  while (at < all.length && set.has(all[at] ?? '')) at++
  return all.slice(at).join('')
}

function trimEnd(text: string, signs: string): string {
  const set = new Set(signs)
  const all = [...text]
  let end = all.length
  while (end > 0 && set.has(all[end - 1] ?? '')) end--
  return all.slice(0, end).join('')
}

function pad(text: string, length: number, fill: string, left: boolean): string {
  if (length > CHARACTERS_MAX) throw tooLong()
  const wanted = Math.max(0, length)
  const count = characterCount(text)
  if (count >= wanted) return sliceCharacters(text, 0, wanted)
  const signs = [...fill]
  if (signs.length === 0) return text
  let padding = fill.repeat(Math.floor((wanted - count) / signs.length))
  padding += signs.slice(0, (wanted - count) % signs.length).join('')
  return left ? padding + text : text + padding
}

function repeat(text: string, count: number): string {
  if (count <= 0) return ''
  if (text.length * count > CHARACTERS_MAX) throw tooLong()
  return text.repeat(count)
}

/** Negative counts leave that many off the other end. */
const left = (text: string, count: number): string =>
  sliceCharacters(text, 0, count >= 0 ? count : Math.max(0, characterCount(text) + count))

function right(text: string, count: number): string {
  const length = characterCount(text)
  return sliceCharacters(text, count >= 0 ? Math.max(0, length - count) : Math.min(length, -count))
}

/** @throws 22011 */
function overlaid(text: string, put: string, start: number, count: number): string {
  if (start <= 0) throw sqlError(SQLSTATE.substringError, 'negative substring length not allowed')
  return sliceCharacters(text, 0, start - 1) + put + sliceCharacters(text, Math.max(0, start - 1 + count))
}

const unicodeEscape = /\\\\|\\(?:([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|\\/g

/** `\\XXXX`, `\\+XXXXXX`, `\\uXXXX` and `\\UXXXXXXXX` are characters. @throws 42601, 22023 */
function unistr(text: string): string {
  const result = text.replace(unicodeEscape, (whole, ...digits: (string | undefined)[]) => {
    if (whole === '\\\\') return '\\'
    const found = digits.slice(0, 4).find((one) => one !== undefined)
    if (found === undefined)
      throw sqlError(SQLSTATE.syntaxError, 'invalid Unicode escape', {
        hint: 'Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.',
      })
    const code = Number.parseInt(found, 16)
    if (code === 0 || code > 0x10ffff)
      throw sqlError(
        SQLSTATE.invalidParameterValue,
        `invalid Unicode code point: ${found.toUpperCase().replace(/^0+(?=.{4})/, '')}`,
      )
    return String.fromCodePoint(code)
  })
  if (!result.isWellFormed()) throw sqlError(SQLSTATE.syntaxError, 'invalid Unicode surrogate pair')
  return result
}

/** @throws 22023 for field 0 */
function splitPart(text: string, delimiter: string, field: number): string {
  if (field === 0) throw sqlError(SQLSTATE.invalidParameterValue, 'field position must not be zero')
  const parts = delimiter === '' ? [text] : text.split(delimiter)
  return parts.at(field > 0 ? field - 1 : field) ?? ''
}

function position(text: string, wanted: string): number {
  const at = text.indexOf(wanted)
  return at < 0 ? 0 : characterCount(text.slice(0, at)) + 1
}

/** Character by character: what would become several characters stays as it is. */
function upper(text: string): string {
  const result = text.toUpperCase()
  return result.length === text.length ? result : mapped(text, (sign) => sign.toUpperCase())
}

function lower(text: string): string {
  const result = text.toLowerCase()
  return result.length === text.length ? result : mapped(text, (sign) => sign.toLowerCase())
}

const mapped = (text: string, change: (sign: string) => string): string =>
  [...text]
    .map((sign) => {
      const changed = change(sign)
      return changed.length === sign.length ? changed : sign
    })
    .join('')

/** Each letter that begins a word in upper case, the others in lower. */
const initcap = (text: string): string =>
  text.toLowerCase().replace(/[\p{L}\p{N}]+/gu, (word) => {
    const [first = ''] = word
    return first.toUpperCase() + word.slice(first.length)
  })

/** @throws 54000 when there is no such character */
function chr(code: number): string {
  if (code === 0) throw sqlError(SQLSTATE.programLimitExceeded, 'null character not permitted')
  if (code < 0) throw sqlError(SQLSTATE.invalidParameterValue, 'character number must be positive')
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    throw sqlError(
      SQLSTATE.programLimitExceeded,
      code > 0x10ffff
        ? `requested character too large for encoding: ${code}`
        : `requested character not valid for encoding: ${code}`,
    )
  return String.fromCodePoint(code)
}

function translate(text: string, from: string, to: string): string {
  const targets = [...to]
  const map = new Map<string, string>()
  ;[...from].forEach((sign, i) => {
    if (!map.has(sign)) map.set(sign, targets[i] ?? '')
  })
  return [...text].map((sign) => map.get(sign) ?? sign).join('')
}

const utf8 = new TextEncoder()
/** A character a byte. */
const signs = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')

export const textFunctions: readonly ScalarFunction[] = [
  fn('||', ['text', 'text'], 'text', (a, b) => a + b, { js: ([a, b]) => `${a} + ${b}` }),
  fn('||', ['bytea', 'bytea'], 'bytea', (a, b) => Uint8Array.from([...a, ...b])),
  ...['length', 'char_length', 'character_length'].flatMap((name) => [
    fn(name, ['text'], 'integer', characterCount),
    fn(name, ['char'], 'integer', (text) => characterCount(trimBlanks(text))),
  ]),
  fn('length', ['bytea'], 'integer', (bytes) => bytes.length),
  fn('octet_length', ['text'], 'integer', (text) => utf8.encode(text).length),
  fn('octet_length', ['char'], 'integer', (text) => utf8.encode(text).length),
  fn('octet_length', ['bytea'], 'integer', (bytes) => bytes.length),
  fn('bit_length', ['text'], 'integer', (text) => utf8.encode(text).length * 8),
  fn('lower', ['text'], 'text', lower),
  fn('upper', ['text'], 'text', upper),
  fn('initcap', ['text'], 'text', initcap),
  ...['substring', 'substr'].flatMap((name) => [
    fn(name, ['text', 'integer'], 'text', (text, start) => sliceCharacters(text, Math.max(0, start - 1))),
    fn(name, ['text', 'integer', 'integer'], 'text', substring),
  ]),
  fn('btrim', ['text'], 'text', (text) => text.replace(/^ +| +$/g, '')),
  fn('btrim', ['text', 'text'], 'text', (text, signs) => trimEnd(trimStart(text, signs), signs)),
  fn('ltrim', ['text'], 'text', (text) => text.replace(/^ +/, '')),
  fn('ltrim', ['text', 'text'], 'text', trimStart),
  fn('rtrim', ['text'], 'text', trimBlanks),
  fn('rtrim', ['text', 'text'], 'text', trimEnd),
  fn('replace', ['text', 'text', 'text'], 'text', (text, from, to) =>
    from === '' ? text : text.replaceAll(from, () => to),
  ),
  fn('translate', ['text', 'text', 'text'], 'text', translate),
  fn('strpos', ['text', 'text'], 'integer', position),
  fn('position', ['text', 'text'], 'integer', position),
  fn('left', ['text', 'integer'], 'text', left),
  fn('right', ['text', 'integer'], 'text', right),
  fn('repeat', ['text', 'integer'], 'text', repeat),
  fn('reverse', ['text'], 'text', (text) => [...text].reverse().join('')),
  fn('split_part', ['text', 'text', 'integer'], 'text', splitPart),
  fn('lpad', ['text', 'integer'], 'text', (text, length) => pad(text, length, ' ', true)),
  fn('lpad', ['text', 'integer', 'text'], 'text', (text, length, fill) => pad(text, length, fill, true)),
  fn('rpad', ['text', 'integer'], 'text', (text, length) => pad(text, length, ' ', false)),
  fn('rpad', ['text', 'integer', 'text'], 'text', (text, length, fill) => pad(text, length, fill, false)),
  fn('starts_with', ['text', 'text'], 'boolean', (text, start) => text.startsWith(start)),
  fn('^@', ['text', 'text'], 'boolean', (text, start) => text.startsWith(start)),
  fn('ascii', ['text'], 'integer', (text) => text.codePointAt(0) ?? 0),
  fn('chr', ['integer'], 'text', chr),
  fn('md5', ['text'], 'text', (text) => md5(utf8.encode(text))),
  fn('md5', ['bytea'], 'text', md5),
  fn('to_hex', ['integer'], 'text', (value) => (value >>> 0).toString(16)),
  fn('to_hex', ['bigint'], 'text', (value) => BigInt.asUintN(64, value).toString(16)),
  fn('quote_ident', ['text'], 'text', quoteIdentifier),
  fn('overlay', ['text', 'text', 'integer'], 'text', (text, put, start) =>
    overlaid(text, put, start, characterCount(put)),
  ),
  fn('overlay', ['text', 'text', 'integer', 'integer'], 'text', overlaid),
  fn('normalize', ['text'], 'text', (text) => text.normalize('NFC')),
  fn('normalize', ['text', 'text'], 'text', (text, form) => text.normalize(normalForm(form))),
  fn('is_normalized', ['text'], 'boolean', (text) => text.normalize('NFC') === text),
  fn('is_normalized', ['text', 'text'], 'boolean', (text, form) => text.normalize(normalForm(form)) === text),
  fn('unistr', ['text'], 'text', unistr),
  // What LIKE and its kin stand for.
  fn('~~', ['text', 'text'], 'boolean', like),
  fn('!~~', ['text', 'text'], 'boolean', (text, pattern) => !like(text, pattern)),
  fn('~~', ['char', 'text'], 'boolean', like),
  fn('!~~', ['char', 'text'], 'boolean', (text, pattern) => !like(text, pattern)),
  fn('~~*', ['text', 'text'], 'boolean', (text, pattern) => like(text.toLowerCase(), pattern.toLowerCase())),
  fn(
    '!~~*',
    ['text', 'text'],
    'boolean',
    (text, pattern) => !like(text.toLowerCase(), pattern.toLowerCase()),
  ),
  fn('~~', ['bytea', 'bytea'], 'boolean', (bytes, pattern) => like(signs(bytes), signs(pattern))),
  fn('!~~', ['bytea', 'bytea'], 'boolean', (bytes, pattern) => !like(signs(bytes), signs(pattern))),
  fn('textlen', ['text'], 'integer', characterCount),
  fn('like_escape', ['text', 'text'], 'text', likeEscape),
  fn('like_escape', ['bytea', 'bytea'], 'bytea', (pattern, mark) =>
    Uint8Array.from(likeEscape(signs(pattern), signs(mark)), (sign) => sign.charCodeAt(0)),
  ),
]
