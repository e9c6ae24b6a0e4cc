import { ProtocolError } from './frontend-messages.ts'
import { int32 } from './time-format.ts'

/** PostgreSQL's numbers of the types of ranges, and what their bounds are. */
export const BOUNDS: ReadonlyMap<number, number> = new Map([
  [3904, 23],
  [3926, 20],
  [3906, 1700],
  [3908, 1114],
  [3910, 1184],
  [3912, 1082],
])

/** Multiranges, and their ranges. */
export const RANGES: ReadonlyMap<number, number> = new Map([
  [4451, 3904],
  [4536, 3926],
  [4532, 3906],
  [4533, 3908],
  [4534, 3910],
  [4535, 3912],
])

/** What a range's first byte says, bit by bit. */
const EMPTY = 1
const LOWER_INCLUSIVE = 2
const UPPER_INCLUSIVE = 4
const LOWER_OPEN = 8
const UPPER_OPEN = 16

const BOUND = /(?:"(?:[^"]|"")*"|[^",[\](){}])*/.source
const RANGE = new RegExp(`([[(])(${BOUND}),(${BOUND})([\\])])`)
const WHOLE = new RegExp(`^${RANGE.source}$`)
const EACH = new RegExp(RANGE.source, 'g')

const unquoted = (text: string): string =>
  text.startsWith('"') ? text.slice(1, -1).replace(/(["\\])\1/g, '$1') : text

const quoted = (text: string): string =>
  /[\s"\\()[\],]|^$/.test(text) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const counted = (bytes: Uint8Array): readonly Uint8Array[] => [int32(bytes.length), bytes]

/**
 * The binary form of a range, from what PostgreSQL prints for it.
 * @param bound binary form of a bound
 * @returns null for another text
 * @see PostgreSQL, src/backend/utils/adt/rangetypes.c, range_send: flags, then each bound there is with its length
 */
export function encodeRange(text: string, bound: (text: string) => Uint8Array): Uint8Array | null {
  if (text === 'empty') return Uint8Array.of(EMPTY)
  const found = WHOLE.exec(text)
  if (found === null) return null
  const [, open, lower = '', upper = '', close] = found
  const flags =
    (open === '[' ? LOWER_INCLUSIVE : 0) |
    (close === ']' ? UPPER_INCLUSIVE : 0) |
    (lower === '' ? LOWER_OPEN : 0) |
    (upper === '' ? UPPER_OPEN : 0)
  const bounds = [lower, upper].filter((one) => one !== '').flatMap((one) => counted(bound(unquoted(one))))
  return joined([Uint8Array.of(flags), ...bounds])
}

/** The same of a multirange: how many ranges it has, and each with its length. */
export function encodeMultirange(text: string, bound: (text: string) => Uint8Array): Uint8Array | null {
  if (!/^\{.*\}$/s.test(text)) return null
  const ranges = (text.match(EACH) ?? []).map((range) => encodeRange(range, bound))
  if (ranges.includes(null)) return null
  return joined([int32(ranges.length), ...ranges.flatMap((range) => (range === null ? [] : counted(range)))])
}

/** Takes pieces off bytes, each with its length before it. */
class Pieces {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #what: string
  #at: number

  constructor(bytes: Uint8Array, at: number, what: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = what
    this.#at = at
    if (bytes.length < at) throw this.broken()
  }

  broken(): ProtocolError {
    return new ProtocolError(`a value is no ${this.#what} in binary form`)
  }

  next(): Uint8Array {
    const start = this.#at + 4
    const length = start > this.#bytes.length ? -1 : this.#view.getInt32(this.#at)
    if (length < 0 || start + length > this.#bytes.length) throw this.broken()
    this.#at = start + length
    return this.#bytes.subarray(start, this.#at)
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw this.broken()
  }
}

/**
 * A range in binary form as the text that means the same.
 * @param bound text of a bound in binary form
 * @throws ProtocolError, and what `bound` throws
 */
export function decodeRange(bytes: Uint8Array, bound: (bytes: Uint8Array) => string): string {
  const pieces = new Pieces(bytes, 1, 'range')
  const flags = bytes[0] ?? 0
  if (flags > (EMPTY | LOWER_INCLUSIVE | UPPER_INCLUSIVE | LOWER_OPEN | UPPER_OPEN)) throw pieces.broken()
  const empty = (flags & EMPTY) !== 0
  const [lower, upper] = [LOWER_OPEN, UPPER_OPEN].map((open) =>
    empty || (flags & open) !== 0 ? '' : quoted(bound(pieces.next())),
  )
  pieces.end()
  if (empty) return 'empty'
  return `${flags & LOWER_INCLUSIVE ? '[' : '('}${lower},${upper}${flags & UPPER_INCLUSIVE ? ']' : ')'}`
}

/** The same of a multirange. @throws ProtocolError, and what `bound` throws */
export function decodeMultirange(bytes: Uint8Array, bound: (bytes: Uint8Array) => string): string {
  const pieces = new Pieces(bytes, 4, 'multirange')
  const count = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(0)
  // Each range has at least its length and its first byte.
  if (count < 0 || count > bytes.length / 5) throw pieces.broken()
  const ranges = Array.from({ length: count }, () => decodeRange(pieces.next(), bound))
  pieces.end()
  return `{${ranges.join(',')}}`
}
