import { ClusterError, type ErrorDetail, type Key, type Row, type Value } from '@cluster/core'

/** The bytes of a frame or command are not what this format says they should be. */
export type MalformedDetail = { readonly code: 'DB_FRAME_DAMAGED' } & ErrorDetail

const malformed = (what: string): ClusterError<MalformedDetail> =>
  new ClusterError(
    { code: 'DB_FRAME_DAMAGED', outcome: 'rejected' },
    `Bytes of the database layer cannot be read: ${what}. The sender runs another version, or they were damaged on the way.`,
  )

const TAG_NULL = 0
const TAG_FALSE = 1
const TAG_TRUE = 2
const TAG_INTEGER = 3
const TAG_DOUBLE = 4
const TAG_BIGINT64 = 5
const TAG_TEXT = 6
const TAG_BYTES = 7
const TAG_BIGINT = 8
const TAG_UTF16 = 9

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Up to this many characters a loop beats the call into the platform's encoder. */
const LOOP_CHARS = 48

interface Buffer {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly view: DataView
}

const newBuffer = (size: number): Buffer => {
  const bytes = new Uint8Array(size)
  return { bytes, view: new DataView(bytes.buffer) }
}

/** Making a buffer costs more than filling it, so writers hand theirs on. Larger ones are left to the collector. */
const BUFFER_BYTES = 64 * 1024
const FREE_BUFFERS_MAX = 4
const freeBuffers: Buffer[] = []

/** Appends to a growing buffer. One writer makes one message. */
export class ByteWriter {
  #buffer: Buffer
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView
  #length = 0

  constructor() {
    this.#buffer = freeBuffers.pop() ?? newBuffer(BUFFER_BYTES)
    this.#bytes = this.#buffer.bytes
    this.#view = this.#buffer.view
  }

  get length(): number {
    return this.#length
  }

  #reserve(bytes: number): void {
    const need = this.#length + bytes
    if (need <= this.#bytes.length) return
    const grown = newBuffer(Math.max(need, this.#bytes.length * 2))
    grown.bytes.set(this.#bytes.subarray(0, this.#length))
    this.#buffer = grown
    this.#bytes = grown.bytes
    this.#view = grown.view
  }

  byte(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  /** A whole number from 0 to 2^53 − 1, seven bits a byte. */
  varint(value: number): this {
    this.#reserve(8)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
    return this
  }

  double(value: number): this {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
    return this
  }

  /** A binary string, one byte a character. */
  key(key: Key): this {
    const length = key.length
    this.varint(length)
    this.#reserve(length)
    const bytes = this.#bytes
    let at = this.#length
    for (let i = 0; i < length; i++) bytes[at++] = key.charCodeAt(i)
    this.#length = at
    return this
  }

  /** Well-formed text. */
  text(text: string): this {
    const length = text.length
    if (length <= LOOP_CHARS) {
      this.#reserve(length + 1)
      const bytes = this.#bytes
      const start = this.#length + 1
      let i = 0
      for (; i < length; i++) {
        const code = text.charCodeAt(i)
        if (code > 0x7f) break
        bytes[start + i] = code
      }
      if (i === length) {
        bytes[this.#length] = length
        this.#length = start + length
        return this
      }
    }
    return this.blob(encoder.encode(text))
  }

  blob(bytes: Uint8Array): this {
    this.varint(bytes.length)
    return this.raw(bytes)
  }

  /** Bytes whose length the reader knows from elsewhere. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  value(value: Value): this {
    if (value === null) return this.byte(TAG_NULL)
    switch (typeof value) {
      case 'boolean':
        return this.byte(value ? TAG_TRUE : TAG_FALSE)
      case 'number':
        if (Number.isSafeInteger(value) && Math.abs(value) < 2 ** 51 && !Object.is(value, -0))
          return this.byte(TAG_INTEGER).varint(value < 0 ? -value * 2 - 1 : value * 2)
        return this.byte(TAG_DOUBLE).double(value)
      case 'bigint':
        if (value < INT64_MIN || value > INT64_MAX) return this.byte(TAG_BIGINT).text(String(value))
        this.byte(TAG_BIGINT64)
        this.#reserve(8)
        this.#view.setBigInt64(this.#length, value, true)
        this.#length += 8
        return this
      case 'string':
        if (value.isWellFormed()) return this.byte(TAG_TEXT).text(value)
        this.byte(TAG_UTF16).varint(value.length)
        this.#reserve(value.length * 2)
        for (let i = 0; i < value.length; i++) {
          this.#view.setUint16(this.#length, value.charCodeAt(i), true)
          this.#length += 2
        }
        return this
      default:
        return this.byte(TAG_BYTES).blob(value)
    }
  }

  row(row: Row): this {
    this.varint(row.length)
    for (let i = 0; i < row.length; i++) this.value(row[i] as Value)
    return this
  }

  /** A copy of the bytes written; the writer is used up. */
  finish(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#length)
    this.#release()
    return bytes
  }

  /** Appends what the other writer has written, which is used up. */
  append(other: ByteWriter): this {
    this.raw(other.#bytes.subarray(0, other.#length))
    other.#release()
    return this
  }

  #release(): void {
    if (this.#bytes.length === BUFFER_BYTES && freeBuffers.length < FREE_BUFFERS_MAX)
      freeBuffers.push(this.#buffer)
    // Whoever writes on gets another buffer, not another's message.
    this.#bytes = NO_BYTES
    this.#length = 0
  }
}

const NO_BYTES = new Uint8Array(0)

/** Reads what `ByteWriter` wrote. Every method throws DB_FRAME_DAMAGED when the bytes do not fit. */
export class ByteReader {
  readonly #bytes: Uint8Array
  /** Made when the first number of several bytes comes; most messages have none. */
  #lazyView: DataView | null = null
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  get #view(): DataView {
    const { buffer, byteOffset, byteLength } = this.#bytes
    this.#lazyView ??= new DataView(buffer, byteOffset, byteLength)
    return this.#lazyView
  }

  get position(): number {
    return this.#at
  }

  #need(bytes: number): void {
    if (this.#at + bytes > this.#bytes.length) throw malformed('they end too early')
  }

  byte(): number {
    this.#need(1)
    return this.#bytes[this.#at++] as number
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 8; i++) {
      this.#need(1)
      const byte = this.#bytes[this.#at++] as number
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 128
    }
    throw malformed('a number is too large')
  }

  /** The length of a list whose items take at least `itemBytes` each; protects from absurd allocations. */
  count(itemBytes = 1): number {
    const count = this.varint()
    if (count * itemBytes > this.#bytes.length - this.#at) throw malformed('a list is longer than its bytes')
    return count
  }

  double(): number {
    this.#need(8)
    const value = this.#view.getFloat64(this.#at, true)
    this.#at += 8
    return value
  }

  key(): Key {
    const length = this.count()
    const end = this.#at + length
    let key = ''
    // Flat one-byte strings come out of one call; long keys are joined from pieces that fit the argument limit.
    while (this.#at < end) {
      const piece = this.#bytes.subarray(this.#at, Math.min(end, this.#at + 4096))
      key += String.fromCharCode.apply(null, piece as unknown as number[])
      this.#at += piece.length
    }
    return key
  }

  text(): string {
    const length = this.count()
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    if (length <= LOOP_CHARS && isAscii(bytes))
      return String.fromCharCode.apply(null, bytes as unknown as number[])
    try {
      return decoder.decode(bytes)
    } catch {
      throw malformed('a text is not UTF-8')
    }
  }

  /** A copy, so that what keeps it does not keep the whole message. */
  blob(): Uint8Array {
    const length = this.count()
    const bytes = this.#bytes.slice(this.#at, this.#at + length)
    this.#at += length
    return bytes
  }

  skip(bytes: number): void {
    this.#need(bytes)
    this.#at += bytes
  }

  value(): Value {
    const tag = this.byte()
    switch (tag) {
      case TAG_NULL:
        return null
      case TAG_FALSE:
        return false
      case TAG_TRUE:
        return true
      case TAG_INTEGER: {
        const zigzag = this.varint()
        return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
      }
      case TAG_DOUBLE:
        return this.double()
      case TAG_BIGINT64: {
        this.#need(8)
        const value = this.#view.getBigInt64(this.#at, true)
        this.#at += 8
        return value
      }
      case TAG_TEXT:
        return this.text()
      case TAG_BYTES:
        return this.blob()
      case TAG_BIGINT: {
        const text = this.text()
        if (!/^-?\d+$/.test(text)) throw malformed('a number has no digits')
        return BigInt(text)
      }
      case TAG_UTF16: {
        const length = this.count(2)
        let text = ''
        for (let i = 0; i < length; i++) {
          text += String.fromCharCode(this.#view.getUint16(this.#at, true))
          this.#at += 2
        }
        return text
      }
      default:
        throw malformed(`a value has the unknown type ${tag}`)
    }
  }

  row(): Row {
    const length = this.count()
    const row: Value[] = []
    for (let i = 0; i < length; i++) row.push(this.value())
    return row
  }
}

const isAscii = (bytes: Uint8Array): boolean => {
  for (const byte of bytes) if (byte > 0x7f) return false
  return true
}
