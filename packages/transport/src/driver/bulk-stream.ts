import { type ClusterError, type FrameStream, isClusterError, type NodeId } from '@cluster/core'
import type { Connection, Stream } from '@libp2p/interface'
import { decode, encode } from 'cbor-x'
import { aborted, carriedError, frameTooLarge, linkDown } from '../errors.ts'
import { FrameReader, LENGTH_BYTES, PIECE_BYTES_MAX, ProtocolViolation, writeU32 } from '../machine/wire.ts'
import { FrameInbox } from './frame-inbox.ts'
import { lazyWindow } from './lazy-window.ts'

/** What follows the length of a frame of a stream; `u32 length | u8 kind | payload`. */
const KIND = { data: 0, end: 1, failure: 2, opening: 3 } as const
const HEAD = LENGTH_BYTES + 1
const OPENING_MAX_EXTRA = 512

export interface BulkLimits {
  readonly frameBytesMax: number
  readonly streamBytesMax: number
}

/** One libp2p stream as a `FrameStream`: yamux's windows hold the sender back when the reader is slow. */
export class BulkStream implements FrameStream {
  readonly peer: NodeId
  /** Called with the first frame of a stream that came in. */
  onOpening: ((channel: string, opening: Uint8Array) => void) | null = null
  readonly #connection: Connection
  readonly #stream: Stream
  readonly #limits: BulkLimits
  readonly #reader: FrameReader
  readonly #inbox: FrameInbox
  #bytes = 0
  #draining: (() => void)[] = []
  #sending: Promise<void> = Promise.resolve()
  #closed = false
  #onFinished: () => void

  constructor(
    connection: Connection,
    stream: Stream,
    peer: NodeId,
    limits: BulkLimits,
    onFinished: (stream: BulkStream) => void,
  ) {
    this.peer = peer
    this.#connection = connection
    this.#stream = stream
    this.#limits = limits
    this.#reader = new FrameReader(limits.frameBytesMax + OPENING_MAX_EXTRA)
    this.#onFinished = () => onFinished(this)
    this.#inbox = new FrameInbox(({ length }) => {
      this.#bytes -= length
      if (this.#bytes <= limits.streamBytesMax / 2 && stream.readStatus === 'paused') stream.resume()
    })
    lazyWindow(stream)
    const take = (bytes: Uint8Array, start: number, end: number): void => this.#take(bytes, start, end)
    stream.addEventListener('message', (event) => {
      const { data } = event
      try {
        if (data instanceof Uint8Array) this.#reader.push(data, take)
        else for (const block of data) this.#reader.push(block, take)
      } catch (error) {
        this.abort(error instanceof Error ? error.message : String(error))
      }
      if (this.#bytes > limits.streamBytesMax && stream.readStatus === 'readable') stream.pause()
    })
    stream.addEventListener('drain', () => {
      for (const resolve of this.#draining.splice(0)) resolve()
    })
    stream.addEventListener('close', () => {
      if (!(this.#inbox.ended && this.#closed)) this.#fail(this.#lost())
      this.#onFinished()
    })
  }

  async send(frame: Uint8Array): Promise<void> {
    if (frame.length > this.#limits.frameBytesMax)
      throw frameTooLarge(frame.length, this.#limits.frameBytesMax)
    if (this.#inbox.failure) throw this.#inbox.failure
    if (this.#closed) throw aborted('This end of the stream is closed', 'rejected')
    await this.#inTurn(() => this.#write(KIND.data, frame))
  }

  /** Sends the frame that tells the other side what the stream is about. */
  async open(channel: string, opening: Uint8Array): Promise<void> {
    const name = new TextEncoder().encode(channel)
    const frame = new Uint8Array(1 + name.length + opening.length)
    frame[0] = name.length
    frame.set(name, 1)
    frame.set(opening, 1 + name.length)
    await this.#inTurn(() => this.#write(KIND.opening, frame))
  }

  async close(): Promise<void> {
    if (this.#inbox.failure) throw this.#inbox.failure
    if (this.#closed) return
    this.#closed = true
    await this.#inTurn(() => this.#write(KIND.end, new Uint8Array(0)))
    try {
      await this.#stream.close()
    } catch {
      // The reason is not in what libp2p throws here: it is the failure of the stream.
      throw this.#inbox.failure ?? this.#lost()
    }
  }

  abort(reason: string): void {
    this.refuse(aborted(`The stream was aborted: ${reason}`, 'unknown'))
  }

  /** Ends both directions; the other side gets the error when it still can. */
  refuse(error: Error): void {
    if (this.#inbox.failure || (this.#inbox.ended && this.#closed)) return
    const detail = isClusterError(error) ? error.detail : null
    if (this.#stream.writeStatus === 'writable' && !this.#stream.writableNeedsDrain)
      this.#stream.send(head(KIND.failure, encode({ message: error.message, detail })))
    this.#fail(isClusterError(error) ? error : aborted(error.message, 'unknown'))
    this.#stream.abort(error)
  }

  /** The link went down. */
  linkLost(): void {
    this.#fail(linkDown(this.peer, 'unknown'))
    this.#stream.abort(new Error('the link went down'))
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#inbox.read(() => this.abort('its reader stopped'))
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    if (this.#inbox.ended || this.#inbox.failure) return
    const payload = bytes.subarray(start + 1, end)
    switch (bytes[start]) {
      case KIND.data:
        if (this.onOpening) throw new ProtocolViolation('a stream that does not say what it is about')
        this.#bytes += payload.length
        this.#inbox.push(payload)
        break
      case KIND.end:
        this.#inbox.end()
        break
      case KIND.failure:
        this.#fail(carriedError(decode(payload), this.peer))
        break
      case KIND.opening: {
        const opened = this.onOpening
        if (!opened) throw new ProtocolViolation('a second opening')
        this.onOpening = null
        const length = payload[0] ?? 0
        if (payload.length < 1 + length) throw new ProtocolViolation('a stream opening that is too short')
        opened(new TextDecoder().decode(payload.subarray(1, 1 + length)), payload.subarray(1 + length))
        break
      }
      default:
        throw new ProtocolViolation(`a stream frame of kind ${bytes[start]}`)
    }
  }

  #lost(): ClusterError {
    return this.#connection.status === 'open'
      ? aborted('The peer gave the stream up', 'unknown')
      : linkDown(this.peer, 'unknown')
  }

  #fail(error: ClusterError): void {
    for (const resolve of this.#draining.splice(0)) resolve()
    this.#inbox.fail(error)
  }

  /** Writes one frame after the other, however many callers do not wait. */
  #inTurn(write: () => Promise<void>): Promise<void> {
    const done = this.#sending.then(write)
    this.#sending = done.catch(() => {})
    return done
  }

  async #write(kind: number, frame: Uint8Array): Promise<void> {
    const inFirst = Math.min(frame.length, PIECE_BYTES_MAX - HEAD)
    await this.#sendBlock(head(kind, frame, inFirst))
    for (let at = inFirst; at < frame.length; at += PIECE_BYTES_MAX)
      await this.#sendBlock(frame.subarray(at, at + PIECE_BYTES_MAX))
  }

  async #sendBlock(block: Uint8Array): Promise<void> {
    if (this.#inbox.failure) throw this.#inbox.failure
    let hasRoom: boolean
    try {
      hasRoom = this.#stream.send(block)
    } catch {
      // libp2p only says that the stream is closed; why is known here.
      throw this.#inbox.failure ?? this.#lost()
    }
    while (!hasRoom && this.#stream.writableNeedsDrain) {
      await new Promise<void>((resolve) => this.#draining.push(resolve))
      if (this.#inbox.failure) throw this.#inbox.failure
      hasRoom = !this.#stream.writableNeedsDrain
    }
  }
}

/** The length, the kind, and the first `bytes` of the payload. */
function head(kind: number, payload: Uint8Array, bytes = payload.length): Uint8Array {
  const block = new Uint8Array(HEAD + bytes)
  writeU32(block, 0, 1 + payload.length)
  block[LENGTH_BYTES] = kind
  block.set(payload.subarray(0, bytes), HEAD)
  return block
}
