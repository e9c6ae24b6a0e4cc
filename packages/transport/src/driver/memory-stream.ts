import { assert, type ClusterError, type FrameStream, isClusterError, type NodeId } from '@cluster/core'
import { aborted, carriedError, frameTooLarge } from '../errors.ts'
import type { TransportLimits } from '../options.ts'

/** Hands something to the other side, after all that was handed before. */
export type Post = (run: () => void) => void

/** One end of a stream between two transports of one process. */
export class MemoryStream implements FrameStream {
  readonly peer: NodeId
  readonly #limits: TransportLimits
  readonly #post: Post
  #far: MemoryStream | null = null
  readonly #frames: Uint8Array[] = []
  /** Bytes sent to this end and not read; what is on its way counts. */
  #unread = 0
  #ended = false
  #closed = false
  #failure: ClusterError | null = null
  #reading: (() => void) | null = null
  /** Senders at the other end that wait for room at this one. */
  #waiting: (() => void)[] = []
  readonly #onFinished: (stream: MemoryStream) => void

  constructor(peer: NodeId, limits: TransportLimits, post: Post, onFinished: (stream: MemoryStream) => void) {
    this.peer = peer
    this.#limits = limits
    this.#post = post
    this.#onFinished = onFinished
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
    if (this.#failure) throw this.#failure
    if (this.#closed) throw aborted('This end of the stream is closed', 'rejected')
    const { far } = this
    far.#unread += frame.length
    this.#post(() => far.#receive(frame))
    while (far.#unread > this.#limits.streamBytesMax) {
      await new Promise<void>((resolve) => far.#waiting.push(resolve))
      if (this.#failure) throw this.#failure
    }
  }

  async close(): Promise<void> {
    if (this.#failure) throw this.#failure
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
    if (this.#failure || (this.#ended && this.#closed)) return
    this.fail(error)
    const carried = { message: error.message, detail: isClusterError(error) ? error.detail : null }
    this.#post(() => this.far.fail(carriedError(carried, this.peer)))
  }

  fail(error: ClusterError): void {
    if (this.#ended && this.#closed) return
    this.#failure ??= error
    for (const resolve of this.#waiting.splice(0)) resolve()
    for (const resolve of this.far.#waiting.splice(0)) resolve()
    this.#wake()
    this.#onFinished(this)
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      return: async () => {
        if (!this.#ended) this.abort('its reader stopped')
        return { done: true, value: undefined }
      },
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame) {
        this.#unread -= frame.length
        if (this.#unread <= this.#limits.streamBytesMax)
          for (const resolve of this.#waiting.splice(0)) resolve()
        return { done: false, value: frame }
      }
      if (this.#ended) return { done: true, value: undefined }
      if (this.#failure) throw this.#failure
      await new Promise<void>((resolve) => {
        this.#reading = resolve
      })
    }
  }

  /** A frame, or `null` for the end. */
  #receive(frame: Uint8Array | null): void {
    if (this.#ended || this.#failure) return
    if (frame) this.#frames.push(frame)
    else {
      this.#ended = true
      this.#maybeFinished()
    }
    this.#wake()
  }

  #maybeFinished(): void {
    if (this.#ended && this.#closed) this.#onFinished(this)
  }

  #wake(): void {
    const reading = this.#reading
    this.#reading = null
    reading?.()
  }
}
