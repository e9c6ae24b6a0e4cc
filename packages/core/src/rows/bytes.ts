const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** UTF-8 bytes of `bytes` from `start` up to `end` as text. */
export const textOf = (bytes: Uint8Array, start: number, end: number): string =>
  start === end ? '' : decoder.decode(bytes.subarray(start, end))

/** Gathers bytes, little-endian. One writer is used again and again: `reset` keeps its memory. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView
  #length = 0

  constructor(bytes = 8192) {
    this.#bytes = new Uint8Array(bytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#length
  }

  reset(): this {
    this.#length = 0
    return this
  }

  /** What was written, valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length)
  }

  u8(value: number): void {
    this.#grow(1)
    this.#bytes[this.#length++] = value
  }

  u32(value: number): void {
    this.#grow(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  f64(value: number): void {
    this.#grow(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  i64(value: bigint): void {
    this.#grow(8)
    this.#view.setBigInt64(this.#length, value, true)
    this.#length += 8
  }

  /** @param width bytes: 0, 1, 2 or 4 */
  uint(value: number, width: number): void {
    if (width === 0) return
    this.#grow(4)
    if (width === 1) this.#bytes[this.#length] = value
    else if (width === 2) this.#view.setUint16(this.#length, value, true)
    else this.#view.setUint32(this.#length, value, true)
    this.#length += width
  }

  /** A whole number from 0 to 2^53 − 1, seven bits a byte. */
  varint(value: number): void {
    this.#grow(8)
    let rest = value
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  raw(bytes: Uint8Array): void {
    this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** UTF-8 without a length. The text must be well-formed. @returns bytes written */
  text(text: string): number {
    this.#grow(text.length * 3)
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.#length))
    this.#length += written
    return written
  }

  /** Puts a number in where `u32` left room earlier. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true)
  }

  #grow(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** Reads what `ByteWriter` wrote, one field after another. */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly view: DataView
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
  }

  u8(): number {
    return this.view.getUint8(this.at++)
  }

  u32(): number {
    this.at += 4
    return this.view.getUint32(this.at - 4, true)
  }

  f64(): number {
    this.at += 8
    return this.view.getFloat64(this.at - 8, true)
  }

  i64(): bigint {
    this.at += 8
    return this.view.getBigInt64(this.at - 8, true)
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.view.getUint8(this.at++)
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }

  /** `bytes` of UTF-8. */
  text(bytes: number): string {
    this.at += bytes
    return textOf(this.bytes, this.at - bytes, this.at)
  }
}
