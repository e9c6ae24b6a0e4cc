import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'

/** Where the quote closes, from `start` inside it; a doubled quote does not close. −1 when it stays open. */
export function closingQuote(source: string, start: number, quote: string, escapes: boolean): number {
  for (let at = start; at < source.length; at++) {
    const sign = source[at]
    if (escapes && sign === '\\') at++
    else if (sign === quote) {
      if (source[at + 1] !== quote) return at
      at++
    }
  }
  return -1
}

/** A `$tag$ … $tag$` string at `start`; null when none begins there. */
export function dollarQuoted(
  source: string,
  start: number,
): { readonly value: string; readonly end: number } | 'unterminated' | null {
  const pattern = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y
  pattern.lastIndex = start
  const tag = pattern.exec(source)?.[0]
  if (tag === undefined) return null
  const close = source.indexOf(tag, start + tag.length)
  if (close < 0) return 'unterminated'
  return { value: source.slice(start + tag.length, close), end: close + tag.length }
}

const simple: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }
const decoder = new TextDecoder('utf-8', { fatal: true })

const badEscape = (message: string, offset: number): SqlError =>
  sqlError(SQLSTATE.invalidEscapeSequence, message, { position: offset + 1 })

/**
 * The value of an `E'…'` string. `\ooo` and `\xhh` are bytes of UTF-8.
 * @param raw what stands between the quotes, at `offset` of the source
 * @throws 22025 for a code point that does not exist, 22021 for bytes that are no UTF-8
 */
export function escapedString(raw: string, source: string, offset: number): string {
  if (!raw.includes('\\')) return raw.replaceAll("''", "'")
  let result = ''
  let bytes: number[] = []
  const flush = (): void => {
    if (bytes.length === 0) return
    try {
      result += decoder.decode(Uint8Array.from(bytes))
    } catch (cause) {
      const shown = bytes.map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ')
      throw sqlError('22021', `invalid byte sequence for encoding "UTF8": ${shown}`, { cause })
    }
    bytes = []
  }
  let high = 0
  const point = (digits: string, at: number): void => {
    const code = Number.parseInt(digits, 16)
    const low = code >= 0xdc00 && code <= 0xdfff
    if ((high !== 0) !== low) throw badEscape('invalid Unicode surrogate pair', offset + at)
    if (code === 0 || code > 0x10ffff) throw badEscape('invalid Unicode escape value', offset + at)
    if (low) {
      result += String.fromCharCode(high, code)
      high = 0
    } else if (code >= 0xd800 && code <= 0xdbff) high = code
    else result += String.fromCodePoint(code)
  }
  for (let at = 0; at < raw.length; at++) {
    const sign = raw.charAt(at)
    const next = raw.charAt(at + 1)
    if (sign === '\\' && (next === 'u' || next === 'U')) {
      flush()
      const wanted = next === 'u' ? 4 : 8
      const digits = /^[0-9a-fA-F]+/.exec(raw.slice(at + 2, at + 2 + wanted))?.[0] ?? ''
      if (digits.length < wanted)
        throw sqlError(SQLSTATE.invalidEscapeSequence, 'invalid Unicode escape', {
          position: offset + at + 1,
          hint: 'Unicode escapes must be \\uXXXX or \\UXXXXXXXX.',
        })
      point(digits, at)
      at += 1 + wanted
      continue
    }
    if (high !== 0) throw badEscape('invalid Unicode surrogate pair', offset + at)
    if (sign === '\\') {
      const coded = /^(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2})/.exec(raw.slice(at + 1, at + 4))?.[0]
      if (coded !== undefined) {
        const byte = coded.startsWith('x') ? Number.parseInt(coded.slice(1), 16) : Number.parseInt(coded, 8)
        bytes.push(byte & 255)
        at += coded.length
        continue
      }
      flush()
      result += simple[next] ?? next
      at++
      continue
    }
    flush()
    result += sign
    if (sign === "'") at++
  }
  flush()
  if (high !== 0) throw badEscape('invalid Unicode surrogate pair', offset + raw.length)
  if (result.includes('\0')) throw sqlError('22021', 'invalid byte sequence for encoding "UTF8": 0x00')
  return result
}

/** `UESCAPE 'x'` behind a string at `start`: its sign, and where it ends; else a backslash, and nothing is skipped. */
export function escapeClause(source: string, start: number): { readonly sign: string; readonly end: number } {
  const pattern = /\s*uescape\s*'([^'])'/iy
  pattern.lastIndex = start
  const sign = pattern.exec(source)?.[1]
  if (sign === undefined) return { sign: '\\', end: start }
  if (/[0-9a-f+\s"]/i.test(sign))
    throw sqlError(SQLSTATE.syntaxError, 'invalid Unicode escape character', {
      position: pattern.lastIndex - 1,
    })
  return { sign, end: pattern.lastIndex }
}

/**
 * The value of a `U&'…'` string or name: `\XXXX` and `\+XXXXXX` are code points, a doubled sign is itself.
 * @param raw what stands between the quotes, at `offset` of the source
 * @throws 42601 for anything else behind the sign, and for half a surrogate pair
 */
export function unicodeEscaped(raw: string, sign: string, offset: number): string {
  let result = ''
  let at = 0
  while (at < raw.length) {
    if (raw[at] !== sign) {
      result += raw[at++]
      continue
    }
    if (raw[at + 1] === sign) {
      result += sign
      at += 2
      continue
    }
    const digits = /^(?:([0-9a-f]{4})|\+([0-9a-f]{6}))/i.exec(raw.slice(at + 1))
    if (digits === null)
      throw sqlError(SQLSTATE.syntaxError, 'invalid Unicode escape', {
        position: offset + at + 1,
        hint: 'Unicode escapes must be \\XXXX or \\+XXXXXX.',
      })
    const code = Number.parseInt(digits[1] ?? digits[2] ?? '', 16)
    if (code === 0 || code > 0x10ffff)
      throw sqlError(SQLSTATE.syntaxError, 'invalid Unicode escape value', { position: offset + at + 1 })
    result += String.fromCodePoint(code)
    at += 1 + digits[0].length
  }
  if (!result.isWellFormed())
    throw sqlError(SQLSTATE.syntaxError, 'invalid Unicode surrogate pair', { position: offset })
  return result
}
