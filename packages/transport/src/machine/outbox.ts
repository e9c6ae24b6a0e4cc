import { assert } from '@cluster/core'
import { FRAME, HEAD_BYTES_MAX, LENGTH_BYTES, PIECE_BYTES_MAX, SMALL_BYTES_MAX, writeU32 } from './wire.ts'

const SLAB_BYTES = 64 * 1024
const NOTHING = new Uint8Array(0)

interface Large {
  readonly head: Uint8Array
  readonly payload: Uint8Array
  /** The channel whose later notifications must wait, or −1. */
  readonly channel: number
  /** How many small bytes were added before; they go first. */
  readonly after: number
  /** Bytes of head and payload already taken. */
  taken: number
}

/**
 * What one link has yet to send. Small frames of one turn are copied into one block, so that they become one
 * encrypted message; large frames are cut in pieces, and pieces and small blocks take turns, so that a large
 * frame delays nobody for long. Notifications of one channel keep their order.
 */
export class Outbox {
  #slab = new Uint8Array(SLAB_BYTES)
  #start = 0
  #end = 0
  /** Filled blocks, first to be sent first. */
  #blocks: Uint8Array[] = []
  #large: Large[] = []
  /** How many notifications of a channel wait among the large frames. */
  readonly #waiting = new Map<number, number>()
  #pieceNext = false
  #bytes = 0
  #smallAdded = 0
  #smallTaken = 0

  /** Bytes not taken yet. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Adds a frame: `head` is the type and the fields before the payload. The payload of a large frame is not
   * copied before it is sent.
   * @param channel the channel of a notification, or −1 for frames whose order does not matter
   */
  add(head: Uint8Array, headLength: number, payload: Uint8Array, channel: number): void {
    assert(headLength <= HEAD_BYTES_MAX, 'a frame head is too long')
    const length = headLength + payload.length
    this.#bytes += length + LENGTH_BYTES
    if (payload.length > SMALL_BYTES_MAX || (channel >= 0 && this.#waiting.has(channel))) {
      this.#large.push({
        head: head.slice(0, headLength),
        payload,
        channel,
        after: this.#smallAdded,
        taken: 0,
      })
      if (channel >= 0) this.#waiting.set(channel, (this.#waiting.get(channel) ?? 0) + 1)
      return
    }
    this.#smallAdded += length + LENGTH_BYTES
    const at = this.#room(length + LENGTH_BYTES)
    const slab = this.#slab
    writeU32(slab, at, length)
    for (let i = 0; i < headLength; i++) slab[at + LENGTH_BYTES + i] = head[i] ?? 0
    if (payload.length > 0) slab.set(payload, at + LENGTH_BYTES + headLength)
  }

  /** The next bytes to send, at most some 64 KiB; `null` when there are none. They are not touched again. */
  take(): Uint8Array | null {
    const large = this.#large[0]
    if (large && this.#smallTaken >= large.after && (this.#pieceNext || !this.#hasSmall())) {
      this.#pieceNext = false
      return this.#piece(large)
    }
    this.#pieceNext = true
    const block = this.#blocks.shift() ?? this.#seal()
    if (block.length === 0) return null
    this.#bytes -= block.length
    this.#smallTaken += block.length
    return block
  }

  #hasSmall(): boolean {
    return this.#blocks.length > 0 || this.#end > this.#start
  }

  /** Where `bytes` more can be written in the slab. */
  #room(bytes: number): number {
    if (this.#end + bytes > SLAB_BYTES) {
      const block = this.#seal()
      if (block.length > 0) this.#blocks.push(block)
      // The old slab belongs to whoever still sends ranges of it.
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#start = 0
      this.#end = 0
    }
    const at = this.#end
    this.#end += bytes
    return at
  }

  #seal(): Uint8Array {
    if (this.#end === this.#start) return NOTHING
    const block = this.#slab.subarray(this.#start, this.#end)
    this.#start = this.#end
    return block
  }

  #piece(large: Large): Uint8Array {
    const total = large.head.length + large.payload.length
    const isFirst = large.taken === 0
    const fields = isFirst ? 5 : 1
    const size = Math.min(PIECE_BYTES_MAX - fields, total - large.taken)
    const piece = new Uint8Array(LENGTH_BYTES + fields + size)
    writeU32(piece, 0, fields + size)
    piece[LENGTH_BYTES] = isFirst ? FRAME.first : FRAME.next
    let at = LENGTH_BYTES + fields
    let from = large.taken
    if (isFirst) {
      writeU32(piece, LENGTH_BYTES + 1, total)
      piece.set(large.head, at)
      at += large.head.length
      from += large.head.length
    }
    const skip = large.head.length
    piece.set(large.payload.subarray(from - skip, large.taken + size - skip), at)
    large.taken += size
    this.#bytes -= size
    if (large.taken === total) this.#finish(large)
    return piece
  }

  #finish(large: Large): void {
    this.#large.shift()
    this.#bytes -= LENGTH_BYTES
    if (large.channel < 0) return
    const left = (this.#waiting.get(large.channel) ?? 0) - 1
    if (left > 0) this.#waiting.set(large.channel, left)
    else this.#waiting.delete(large.channel)
  }
}
