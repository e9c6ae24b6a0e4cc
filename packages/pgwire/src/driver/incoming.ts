import type { FrontendMessage, StartupMessage } from '../machine/frontend-messages.ts'
import type { MessageReader } from '../machine/message-reader.ts'
import type { ByteStream } from './byte-stream.ts'

/** The messages of one client, one after another, with a look ahead. */
export class Incoming {
  readonly #stream: ByteStream
  readonly #reader: MessageReader
  #ahead: FrontendMessage | null = null

  constructor(stream: ByteStream, reader: MessageReader) {
    this.#stream = stream
    this.#reader = reader
  }

  /** Null when the client is gone. @throws ProtocolError */
  async startup(): Promise<StartupMessage | null> {
    for (;;) {
      const message = this.#reader.startup()
      if (message !== null) return message
      if (!(await this.#more())) return null
    }
  }

  /** Null when the client is gone. @throws ProtocolError */
  async next(): Promise<FrontendMessage | null> {
    const ahead = this.#ahead ?? (await this.#read())
    this.#ahead = null
    return ahead
  }

  /** As `next`, at once; null: it is not here yet. @throws ProtocolError */
  nextNow(): FrontendMessage | null {
    const ahead = this.peekNow()
    this.#ahead = null
    return ahead
  }

  /** As `peek`, at once; null: it is not here yet. @throws ProtocolError */
  peekNow(): FrontendMessage | null {
    this.#ahead ??= this.#reader.next()
    return this.#ahead
  }

  /** The next message, which stays where it is. @throws ProtocolError */
  async peek(): Promise<FrontendMessage | null> {
    this.#ahead ??= await this.#read()
    return this.#ahead
  }

  /** Aborted when the client is gone. */
  get gone(): AbortSignal {
    return this.#stream.gone
  }

  async #read(): Promise<FrontendMessage | null> {
    for (;;) {
      const message = this.#reader.next()
      if (message !== null) return message
      if (!(await this.#more())) return null
    }
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#stream.incoming.next()
    if (done) return false
    this.#reader.push(value)
    return true
  }
}
