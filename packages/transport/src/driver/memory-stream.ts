import { assert, type ClusterError, type FrameStream, isClusterError, type NodeId } from '@cluster/core'
import { aborted, carriedError, frameTooLarge } from '../errors.ts'
import type { TransportLimits } from '../options.ts'
import { FrameInbox } from './frame-inbox.ts'

/** Hands something to the other side, after all that was handed before. */
export type Post = (run: () => void) => void

/** One end of a stream between two transports of one process. */
export class MemoryStream implements FrameStream {
  readonly peer: NodeId
  readonly #limits: TransportLimits
  readonly #post: Post
  #far: MemoryStream | null = null
  readonly #inbox: FrameInbox
  /** Bytes sent to this end and not read; what is on its way counts. */
  #unread = 0
  #closed = false
  /** Senders at the other end that wait for room at this one. */
  #waiting: (() => void)[] = []
  readonly #onFinished: (stream: MemoryStream) => void

  constructor(peer: NodeId, limits: TransportLimits, post: Post, onFinished: (stream: MemoryStream) => void) {
    this.peer = peer
    this.#limits = limits
    this.#post = post
    this.#onFinished = onFinished
    this.#inbox = new FrameInbox(({ length }) => {
      this.#unread -= length
      if (this.#unread > limits.streamBytesMax) return
      for (const resolve of this.#waiting.splice(0)) resolve()
    })
  }

  static join(a: MemoryStream, b: MemoryStream): void {
    a.#far = b
    b.#far = a
  }

  /** The other end. */
  get far(): MemoryStream {
    assert(this.#far !== null, 'a stream has two ends')
    return this.#far
  }

  async send(frame: Uint8Array): Promise<void> {
    if (frame.length > this.#limits.frameBytesMax)
      throw frameTooLarge(frame.length, this.#limits.frameBytesMax)
    if (this.#inbox.failure) throw this.#inbox.failure
    if (this.#closed) throw aborted('This end of the stream is closed', 'rejected')
    const { far } = this
    far.#unread += frame.length
    this.#post(() => far.#receive(frame))
    while (far.#unread > this.#limits.streamBytesMax) {
      await new Promise<void>((resolve) => far.#waiting.push(resolve))
      if (this.#inbox.failure) throw this.#inbox.failure
    }
  }

  async close(): Promise<void> {
    if (this.#inbox.failure) throw this.#inbox.failure
    if (this.#closed) return
    this.#closed = true
    this.#post(() => this.far.#receive(null))
    this.#maybeFinished()
  }

  abort(reason: string): void {
    this.refuse(aborted(`The stream was aborted: ${reason}`, 'unknown'))
  }

  /** Ends both directions; the other side gets the error too. */
  refuse(error: ClusterError): void {
    if (this.#inbox.failure || (this.#inbox.ended && this.#closed)) return
    this.fail(error)
    const carried = { message: error.message, detail: isClusterError(error) ? error.detail : null }
    this.#post(() => this.far.fail(carriedError(carried, this.peer)))
  }

  fail(error: ClusterError): void {
    if (this.#inbox.ended && this.#closed) return
    for (const resolve of this.#waiting.splice(0)) resolve()
    for (const resolve of this.far.#waiting.splice(0)) resolve()
    this.#inbox.fail(error)
    this.#onFinished(this)
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#inbox.read(() => this.abort('its reader stopped'))
  }

  /** A frame, or `null` for the end. */
  #receive(frame: Uint8Array | null): void {
    if (this.#inbox.ended || this.#inbox.failure) return
    if (frame) this.#inbox.push(frame)
    else {
      this.#inbox.end()
      this.#maybeFinished()
    }
  }

  #maybeFinished(): void {
    if (this.#inbox.ended && this.#closed) this.#onFinished(this)
  }
}
