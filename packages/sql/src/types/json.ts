import { SQLSTATE, type SqlError, sqlError } from '../errors.ts'
import { compareDecimal, parseDecimal } from './decimal.ts'
import { compareText } from './text-order.ts'

/** A number of JSON, exact: canonical decimal text. */
export class JsonNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A value of JSON. Objects keep the order of their keys; of equal keys the last one counts. */
export type Json = null | boolean | string | JsonNumber | JsonArray | JsonObject
export type JsonArray = readonly Json[]
export type JsonObject = ReadonlyMap<string, Json>

export const isArray = (value: Json): value is JsonArray => Array.isArray(value)
export const isObject = (value: Json): value is JsonObject => value instanceof Map
export const isNumber = (value: Json): value is JsonNumber => value instanceof JsonNumber

/** How deep values may nest. */
const DEPTH_MAX = 1_000

export type JsonKind = 'null' | 'boolean' | 'string' | 'number' | 'array' | 'object'

export function kindOf(value: Json): JsonKind {
  if (value === null) return 'null'
  if (isArray(value)) return 'array'
  if (isObject(value)) return 'object'
  return isNumber(value) ? 'number' : (typeof value as 'boolean' | 'string')
}

const word = /[\p{L}\p{N}_$]/u

/** What JSON knows, whether or not it may stand there. */
const isToken = (text: string): boolean => /^(?:[[\]{}:,]|".*|-?\d.*|true|false|null)$/s.test(text)

class JsonReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): Json {
    const value = this.#value(0)
    this.#blanks()
    if (this.#at < this.#text.length) {
      const found = this.#found()
      throw this.#wrong(
        isToken(found) ? `Expected end of input, but found "${found}".` : `Token "${found}" is invalid.`,
      )
    }
    return value
  }

  #wrong(detail: string): SqlError {
    return sqlError(SQLSTATE.invalidTextRepresentation, 'invalid input syntax for type json', { detail })
  }

  #blanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
      this.#at++
    }
  }

  /** The token that stands here, for messages. */
  #found(): string {
    const start = this.#at
    if (this.#text.charAt(start) === '"') {
      const quoted = /"(?:[^"\\]|\\.)*"/sy
      quoted.lastIndex = start
      return quoted.exec(this.#text)?.[0] ?? this.#text.slice(start)
    }
    let end = start
    while (end < this.#text.length && word.test(this.#text.charAt(end))) end++
    return this.#text.slice(this.#at, Math.max(end, this.#at + 1))
  }

  #expected(what: string): SqlError {
    if (this.#at >= this.#text.length) return this.#wrong('The input string ended unexpectedly.')
    const found = this.#found()
    return this.#wrong(
      !isToken(found) ? `Token "${found}" is invalid.` : `Expected ${what}, but found "${found}".`,
    )
  }

  #value(depth: number): Json {
    if (depth > DEPTH_MAX) throw sqlError(SQLSTATE.statementTooComplex, 'stack depth limit exceeded')
    this.#blanks()
    const sign = this.#text.charAt(this.#at)
    if (sign === '{') return this.#object(depth)
    if (sign === '[') return this.#array(depth)
    if (sign === '"') return this.#string()
    if (sign === '-' || (sign >= '0' && sign <= '9')) return this.#number()
    for (const [name, value] of literals)
      if (this.#text.startsWith(name, this.#at) && !word.test(this.#text.charAt(this.#at + name.length))) {
        this.#at += name.length
        return value
      }
    throw this.#expected('JSON value')
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, Json>()
    this.#at++
    this.#blanks()
    if (this.#text.charAt(this.#at) === '}') {
      this.#at++
      return members
    }
    for (;;) {
      this.#blanks()
      if (this.#text.charAt(this.#at) !== '"')
        throw this.#expected(members.size === 0 ? 'string or "}"' : 'string')
      const key = this.#string()
      this.#blanks()
      if (this.#text.charAt(this.#at) !== ':') throw this.#expected('":"')
      this.#at++
      members.set(key, this.#value(depth + 1))
      this.#blanks()
      const sign = this.#text.charAt(this.#at)
      if (sign !== ',' && sign !== '}') throw this.#expected('"," or "}"')
      this.#at++
      if (sign === '}') return members
    }
  }

  #array(depth: number): JsonArray {
    const items: Json[] = []
    this.#at++
    this.#blanks()
    if (this.#text.charAt(this.#at) === ']') {
      this.#at++
      return items
    }
    for (;;) {
      items.push(this.#value(depth + 1))
      this.#blanks()
      const sign = this.#text.charAt(this.#at)
      if (sign !== ',' && sign !== ']') throw this.#expected('"," or "]"')
      this.#at++
      if (sign === ']') return items
    }
  }

  #number(): JsonNumber {
    const pattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    const end = match === null ? this.#at : pattern.lastIndex
    if (match === null || word.test(this.#text.charAt(end)) || this.#text.charAt(end) === '.') {
      const shown = /^-?[\w.+-]*/.exec(this.#text.slice(this.#at))?.[0] ?? ''
      throw this.#wrong(`Token "${shown}" is invalid.`)
    }
    this.#at = end
    return new JsonNumber(match[0])
  }

  #string(): string {
    let value = ''
    let from = ++this.#at
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (Number.isNaN(code)) throw this.#wrong(`Token ""${this.#text.slice(from)}" is invalid.`)
      if (code === 34) {
        value += this.#text.slice(from, this.#at++)
        return value
      }
      if (code < 32)
        throw this.#wrong(`Character with value 0x${code.toString(16).padStart(2, '0')} must be escaped.`)
      if (code !== 92) {
        this.#at++
        continue
      }
      value += this.#text.slice(from, this.#at)
      value += this.#escape()
      from = this.#at
    }
  }

  #escape(): string {
    const sign = this.#text.charAt(this.#at + 1)
    this.#at += 2
    const simple = escapes[sign]
    if (simple !== undefined) return simple
    if (sign !== 'u') throw this.#wrong(`Escape sequence "\\${sign}" is invalid.`)
    const digits = this.#text.slice(this.#at, this.#at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(digits))
      throw this.#wrong('"\\u" must be followed by four hexadecimal digits.')
    this.#at += 4
    return String.fromCharCode(Number.parseInt(digits, 16))
  }
}

const literals: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** Reads JSON; numbers stay as they were written. @throws 22P02 with what is wrong as the detail */
export const readJson = (text: string): Json => new JsonReader(text).read()

const canonicalNumber = ({ text }: JsonNumber): JsonNumber => new JsonNumber(parseDecimal(text) ?? text)

/** As jsonb keeps it: keys by length, then by bytes; numbers as numeric. @throws 22P05, 22003 */
function canonical(value: Json): Json {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return checkedText(value)
  if (isNumber(value)) return canonicalNumber(value)
  if (isArray(value)) return value.map(canonical)
  if (!isObject(value)) return value
  const entries = [...value].map(([key, member]) => [checkedText(key), canonical(member)] as const)
  return new Map(entries.sort(([a], [b]) => compareKeys(a, b)))
}

function checkedText(text: string): string {
  if (text.includes('\0'))
    throw sqlError('22P05', 'unsupported Unicode escape sequence', {
      detail: '\\u0000 cannot be converted to text.',
    })
  if (!text.isWellFormed())
    throw sqlError(SQLSTATE.invalidTextRepresentation, 'invalid input syntax for type json', {
      detail: /[\ud800-\udbff][\ud800-\udbff]/.test(text)
        ? 'Unicode high surrogate must not follow a high surrogate.'
        : 'Unicode low surrogate must follow a high surrogate.',
    })
  return text
}

const utf8 = new TextEncoder()
const byteLength = (text: string): number =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is the range of ASCII.
  /^[\x00-\x7f]*$/.test(text) ? text.length : utf8.encode(text).length

/** Shorter keys first, as jsonb stores them. */
export const compareKeys = (a: string, b: string): number =>
  byteLength(a) - byteLength(b) || compareText(a, b)

/** As JSON writes it; control characters are escaped, others are not. */
export const quoteJson = (text: string): string =>
  /["\\]/.test(text) || hasControl(text)
    ? `"${[...text].map((sign) => shown[sign] ?? (sign < ' ' ? `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}` : sign)).join('')}"`
    : `"${text}"`

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 32) return true
  return false
}

const shown: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** The text of jsonb, with a blank behind `:` and `,`. */
export function jsonbText(value: Json): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return quoteJson(value)
  if (isNumber(value)) return value.text
  if (isArray(value)) return `[${value.map(jsonbText).join(', ')}]`
  return `{${[...value].map(([key, member]) => `${quoteJson(key)}: ${jsonbText(member)}`).join(', ')}}`
}

/** Four blanks a level, as `jsonb_pretty` has it. */
export function prettyText(value: Json, level = 0): string {
  const indent = '    '.repeat(level + 1)
  const outer = '    '.repeat(level)
  if (isArray(value))
    return value.length === 0
      ? `[\n${outer}]`
      : `[\n${value.map((item) => indent + prettyText(item, level + 1)).join(',\n')}\n${outer}]`
  if (isObject(value))
    return value.size === 0
      ? `{\n${outer}}`
      : `{\n${[...value].map(([key, member]) => `${indent}${quoteJson(key)}: ${prettyText(member, level + 1)}`).join(',\n')}\n${outer}}`
  return jsonbText(value)
}

const known = new Map<string, Json>()
const KNOWN_MAX = 256
const KNOWN_LENGTH_MAX = 16_384

/** The value of a stored jsonb, or of a json. The last ones are remembered: they must not be changed. */
export function toJson(text: string): Json {
  let value = known.get(text)
  if (value === undefined) {
    value = readJson(text)
    if (text.length > KNOWN_LENGTH_MAX) return value
    if (known.size >= KNOWN_MAX) known.clear()
    known.set(text, value)
  }
  return value
}

/** The canonical text of a jsonb. @throws 22P02, 22P05, 22003 */
export const jsonbOf = (text: string): string => jsonbText(canonical(readJson(text)))

const ranks: Readonly<Record<JsonKind, number>> = {
  null: 0,
  string: 1,
  number: 2,
  boolean: 3,
  array: 4,
  object: 5,
}

/**
 * The order of jsonb: Object > Array > Boolean > Number > String > Null; more members first, then key by key or item
 * by item. An empty array at the top is less than everything, as PostgreSQL has it.
 */
export function compareJson(a: Json, b: Json, top = true): number {
  const [x, y] = [kindOf(a), kindOf(b)]
  if (x !== y) {
    if (top && isArray(a) && a.length === 0) return -1
    if (top && isArray(b) && b.length === 0) return 1
    return ranks[x] - ranks[y]
  }
  if (isArray(a) && isArray(b)) {
    if (a.length !== b.length) return a.length - b.length
    for (let i = 0; i < a.length; i++) {
      const order = compareJson(a[i] as Json, b[i] as Json, false)
      if (order !== 0) return order
    }
    return 0
  }
  if (isObject(a) && isObject(b)) {
    if (a.size !== b.size) return a.size - b.size
    const others = [...b]
    let i = 0
    for (const [key, member] of a) {
      const [otherKey, other] = others[i++] as [string, Json]
      // Between keys their text decides, although shorter ones are stored first.
      const order = compareText(key, otherKey) || compareJson(member, other, false)
      if (order !== 0) return order
    }
    return 0
  }
  if (typeof a === 'string') return compareText(a, b as string)
  if (typeof a === 'boolean') return Number(a) - Number(b)
  return a === null ? 0 : compareDecimal((a as JsonNumber).text, (b as JsonNumber).text)
}

/** True when every part of `part` is found in `whole`, by jsonb's rules of `@>`. */
export function containsJson(whole: Json, part: Json, top = true): boolean {
  if (isObject(whole) && isObject(part)) {
    for (const [key, member] of part) {
      const found = whole.get(key)
      if (found === undefined || !containsJson(found, member, false)) return false
    }
    return true
  }
  if (isArray(whole)) {
    if (isArray(part)) return part.every((item) => whole.some((own) => containsItem(own, item)))
    // An array contains a single plain value.
    return top && !isObject(part) && whole.some((own) => containsItem(own, part))
  }
  return !isObject(whole) && !isArray(part) && !isObject(part) && compareJson(whole, part, false) === 0
}

function containsItem(own: Json, item: Json): boolean {
  if (isArray(item) || isObject(item)) return kindOf(own) === kindOf(item) && containsJson(own, item, false)
  return compareJson(own, item, false) === 0
}
