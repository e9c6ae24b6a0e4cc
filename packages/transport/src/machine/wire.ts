/**
 * The bytes of the link stream. A frame is `u32 length | u8 type | body`, little endian; `length` counts the
 * type and the body. The version of this layout is part of the libp2p protocol name (`PROTOCOLS` in options).
 */
export const FRAME = {
  /** JSON; the only type before a peer is admitted. */
  handshake: 0,
  /** `u16 channel | payload` */
  notify: 1,
  /** `u16 channel | u32 call | u32 deadlineMs | payload` */
  request: 2,
  /** `u32 call | payload` */
  reply: 3,
  /** `u32 call | CBOR of {message, detail}` */
  failure: 4,
  /** `u32 call` */
  cancel: 5,
  /** `u16 channel | UTF-8 name`: what the sender calls a channel from now on. */
  channel: 6,
  /** Empty; asks for a `pong`. */
  ping: 7,
  pong: 8,
  /** `u32 total | bytes`: the first piece of a frame (type and body) of `total` bytes. */
  first: 9,
  /** The next piece of the frame that `first` began. */
  next: 10,
} as const

export const LENGTH_BYTES = 4
/** The most that a type and the fields before a payload take. */
export const HEAD_BYTES_MAX = 11
/** Payloads up to this size are copied into the batch of their turn; bigger ones travel in pieces. */
export const SMALL_BYTES_MAX = 16 * 1024
/** One piece fits one Noise message (65,519 bytes) together with the headers of yamux and ours. */
export const PIECE_BYTES_MAX = 64_000
/** Bytes of one frame as written: a piece or a small frame, whichever is larger. */
export const WIRE_FRAME_BYTES_MAX = PIECE_BYTES_MAX + 16
/** Before admission a peer may send only short messages. */
export const HANDSHAKE_BYTES_MAX = 8 * 1024

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255
  bytes[at + 1] = (value >>> 8) & 255
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255
  bytes[at + 1] = (value >>> 8) & 255
  bytes[at + 2] = (value >>> 16) & 255
  bytes[at + 3] = (value >>> 24) & 255
}

/** Reading past the end gives zeros; callers check lengths first. */
export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  )
}

/** The peer sent what no peer of this version sends. The link is closed with cause `failed`. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation'
}

/**
 * Cuts a byte stream at length prefixes. Frames that lie whole in one pushed block are handed on as a range of
 * that block, without a copy.
 */
export class FrameReader {
  #lengthMax: number
  /** Up to four bytes of a length that has not arrived whole. */
  readonly #head = new Uint8Array(LENGTH_BYTES)
  #headFilled = 0
  #partial: Uint8Array | null = null
  #filled = 0

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax
  }

  set lengthMax(value: number) {
    this.#lengthMax = value
  }

  /**
   * Calls `take` for each complete frame, in order; `start` is the first byte after the length.
   * @throws ProtocolViolation for a length of 0 or above the limit
   */
  push(block: Uint8Array, take: (bytes: Uint8Array, start: number, end: number) => void): void {
    let at = 0
    const size = block.length
    while (at < size) {
      if (this.#partial) {
        const wanted = this.#partial.length - this.#filled
        const given = Math.min(wanted, size - at)
        this.#partial.set(block.subarray(at, at + given), this.#filled)
        this.#filled += given
        at += given
        if (given < wanted) return
        const whole = this.#partial
        this.#partial = null
        take(whole, 0, whole.length)
        continue
      }
      if (this.#headFilled > 0 || size - at < LENGTH_BYTES) {
        while (this.#headFilled < LENGTH_BYTES && at < size) this.#head[this.#headFilled++] = block[at++] ?? 0
        if (this.#headFilled < LENGTH_BYTES) return
        this.#headFilled = 0
        this.#begin(this.#length(this.#head, 0))
        continue
      }
      const length = this.#length(block, at)
      at += LENGTH_BYTES
      if (at + length <= size) {
        take(block, at, at + length)
        at += length
      } else this.#begin(length)
    }
  }

  #begin(length: number): void {
    this.#partial = new Uint8Array(length)
    this.#filled = 0
  }

  #length(bytes: Uint8Array, at: number): number {
    const length = readU32(bytes, at)
    if (length === 0 || length > this.#lengthMax)
      throw new ProtocolViolation(`a frame of ${length} bytes, at most ${this.#lengthMax} are allowed`)
    return length
  }
}

/** Puts the pieces of one large frame together; a link carries one at a time. */
export class PieceReader {
  readonly #totalMax: number
  #whole: Uint8Array | null = null
  #filled = 0

  constructor(totalMax: number) {
    this.#totalMax = totalMax
  }

  /** @returns the whole frame (type and body) once its last piece is here */
  first(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
    if (this.#whole) throw new ProtocolViolation('a large frame began inside another')
    if (end - start < 5) throw new ProtocolViolation('a large frame without a size')
    const total = readU32(bytes, start)
    if (total === 0 || total > this.#totalMax)
      throw new ProtocolViolation(`a frame of ${total} bytes, at most ${this.#totalMax} are allowed`)
    this.#whole = new Uint8Array(total)
    this.#filled = 0
    return this.next(bytes, start + 4, end)
  }

  next(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
    const whole = this.#whole
    if (!whole) throw new ProtocolViolation('a piece of no frame')
    if (this.#filled + end - start > whole.length)
      throw new ProtocolViolation('more pieces than the frame has')
    whole.set(bytes.subarray(start, end), this.#filled)
    this.#filled += end - start
    if (this.#filled < whole.length) return null
    this.#whole = null
    return whole
  }
}
