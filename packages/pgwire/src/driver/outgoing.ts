import { MessageWriter } from '../machine/message-writer.ts'
import type { ByteStream } from './byte-stream.ts'

/** Written at once; rows gather up to here. */
const CHUNK_BYTES = 64 * 1024

/** Messages on their way to one client: what is not sent yet has a bound, however slowly the client reads. */
export class Outgoing {
  readonly #stream: ByteStream
  readonly writer = new MessageWriter()

  constructor(stream: ByteStream) {
    this.#stream = stream
  }

  /** Sends when enough has gathered; null: not yet, so that nobody waits for a promise at every row. */
  gathered(): Promise<void> | null {
    return this.writer.size >= CHUNK_BYTES ? this.flush() : null
  }

  async flush(): Promise<void> {
    if (this.writer.size > 0) await this.#stream.write(this.writer.take())
  }
}
