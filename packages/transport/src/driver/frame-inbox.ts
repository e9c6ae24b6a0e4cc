import type { ClusterError } from '@cluster/core'

/**
 * The reader's end of a stream: frames that came in and wait to be read, and how the stream ends. What came before a
 * failure is still read.
 */
export class FrameInbox {
  readonly #frames: Uint8Array[] = []
  readonly #taken: (frame: Uint8Array) => void
  #ended = false
  #failure: ClusterError | null = null
  #reading: (() => void) | null = null

  /** @param taken called with each frame that its reader took: there is room for so much more */
  constructor(taken: (frame: Uint8Array) => void) {
    this.#taken = taken
  }

  /** The other side sends no more. */
  get ended(): boolean {
    return this.#ended
  }

  get failure(): ClusterError | null {
    return this.#failure
  }

  push(frame: Uint8Array): void {
    this.#frames.push(frame)
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  /** The first reason counts. */
  fail(error: ClusterError): void {
    this.#failure ??= error
    this.#wake()
  }

  /** @param abandoned called when the reader stops before the end */
  read(abandoned: () => void): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      return: async () => {
        if (!this.#ended) abandoned()
        return { done: true, value: undefined }
      },
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame) {
        this.#taken(frame)
        return { done: false, value: frame }
      }
      if (this.#ended) return { done: true, value: undefined }
      if (this.#failure) throw this.#failure
      await new Promise<void>((resolve) => {
        this.#reading = resolve
      })
    }
  }

  #wake(): void {
    const reading = this.#reading
    this.#reading = null
    reading?.()
  }
}
