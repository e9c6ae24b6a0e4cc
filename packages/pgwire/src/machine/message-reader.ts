import {
  type FrontendMessage,
  ProtocolError,
  parseMessage,
  parseStartup,
  type StartupMessage,
} from './frontend-messages.ts'

/** A start-up message is small; whoever sends more wants something else. */
const STARTUP_BYTES_MAX = 10_000
const LENGTH_BYTES = 4
const HEAD_BYTES = 5

/** Cuts what comes in into messages. Bytes of several chunks are put together once, when the message is whole. */
export class MessageReader {
  #chunks: Uint8Array[] = []
  #size = 0
  #bytesMax: number

  /** @param bytesMax of one message; small until the client has said who it is */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes that wait here. */
  get size(): number {
    return this.#size
  }

  limit(bytesMax: number): void {
    this.#bytesMax = bytesMax
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#size += chunk.length
  }

  /** The first message, null while it is not whole. @throws ProtocolError */
  startup(): StartupMessage | null {
    const length = this.#length(0)
    if (length === null) return null
    if (length < LENGTH_BYTES + 4 || length > STARTUP_BYTES_MAX)
      throw new ProtocolError('this is not the start of the PostgreSQL protocol')
    if (this.#size < length) return null
    return parseStartup(this.#take(length).subarray(LENGTH_BYTES))
  }

  /** The next message, null while it is not whole. @throws ProtocolError */
  next(): FrontendMessage | null {
    const length = this.#length(1)
    if (length === null) return null
    if (length < LENGTH_BYTES) throw new ProtocolError('a message has an impossible length')
    if (length > this.#bytesMax)
      throw new ProtocolError(`a message of ${length} bytes is longer than the ${this.#bytesMax} allowed`)
    if (this.#size < length + 1) return null
    const bytes = this.#take(length + 1)
    return parseMessage(String.fromCharCode(bytes[0] ?? 0), bytes.subarray(HEAD_BYTES))
  }

  /** The length field behind `skip` bytes. */
  #length(skip: number): number | null {
    if (this.#size < skip + LENGTH_BYTES) return null
    const head = this.#join(skip + LENGTH_BYTES)
    return new DataView(head.buffer, head.byteOffset + skip, LENGTH_BYTES).getInt32(0)
  }

  /** Makes the first `length` bytes one piece, and gives the chunk that begins with them. */
  #join(length: number): Uint8Array {
    const first = this.#chunks[0] ?? new Uint8Array(0)
    if (first.length >= length) return first
    const joined = new Uint8Array(length)
    let at = 0
    while (at < length) {
      const chunk = this.#chunks[0] ?? new Uint8Array(0)
      const part = chunk.subarray(0, length - at)
      joined.set(part, at)
      at += part.length
      if (part.length === chunk.length) this.#chunks.shift()
      else this.#chunks[0] = chunk.subarray(part.length)
    }
    this.#chunks.unshift(joined)
    return joined
  }

  #take(length: number): Uint8Array {
    const first = this.#join(length)
    this.#size -= length
    if (first.length === length) this.#chunks.shift()
    else this.#chunks[0] = first.subarray(length)
    return first.subarray(0, length)
  }
}
