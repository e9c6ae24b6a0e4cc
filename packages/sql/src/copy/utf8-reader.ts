const CHUNK_OVERLAP = 4

/** Bytes that are not UTF-8. */
export interface BadBytes {
  /** As PostgreSQL shows them: `0xe9 0x0a`. */
  readonly shown: string
}

/** Bytes into text, chunk by chunk. */
export class Utf8Reader {
  #rest: Uint8Array = new Uint8Array(0)
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  /** Set when what follows the text so far is no text. */
  bad: BadBytes | null = null

  /** @param last nothing more comes */
  read(bytes: Uint8Array, last: boolean): string {
    const joined = this.#rest.length === 0 ? bytes : join(this.#rest, bytes)
    const whole = last ? joined.length : wholeCharacters(joined)
    this.#rest = joined.slice(whole)
    const part = joined.subarray(0, whole)
    if (!part.includes(0)) {
      try {
        return this.#decoder.decode(part)
      } catch (error) {
        if ((error as Error).name !== 'TypeError') throw error
      }
    }
    const good = validBytes(part)
    this.bad = { shown: hex(part.subarray(good, good + sequenceLength(part[good] ?? 0))) }
    return this.#decoder.decode(part.subarray(0, good))
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}

/** How many bytes there are before a character that is cut off at the end. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back < CHUNK_OVERLAP && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number
    if ((byte & 0xc0) === 0x80) continue
    return sequenceLength(byte) > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

/** Bytes of a character by its first one. */
function sequenceLength(byte: number): number {
  if (byte < 0xc0) return 1
  if (byte < 0xe0) return 2
  return byte < 0xf0 ? 3 : byte < 0xf8 ? 4 : 1
}

/** How many bytes are valid UTF-8 without zero bytes. */
function validBytes(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length) {
    const length = sequenceLength(bytes[at] as number)
    if (!isCharacter(bytes.subarray(at, at + length), length)) return at
    at += length
  }
  return at
}

/** Well-formed by table 3-7 of the Unicode standard, and not zero. */
function isCharacter(bytes: Uint8Array, length: number): boolean {
  const [first = 0, second = 0] = bytes
  if (bytes.length < length) return false
  if (length === 1) return first > 0 && first < 0x80
  if (first < 0xc2 || first > 0xf4) return false
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < low || second > high) return false
  return bytes.subarray(2).every((byte) => (byte & 0xc0) === 0x80)
}

const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ')

/** The text of bytes that a line's escapes made; null when they are no text. */
export function textOfBytes(bytes: Uint8Array): { readonly text: string } | BadBytes {
  const good = validBytes(bytes)
  if (good < bytes.length)
    return { shown: hex(bytes.subarray(good, good + sequenceLength(bytes[good] ?? 0))) }
  return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) }
}
