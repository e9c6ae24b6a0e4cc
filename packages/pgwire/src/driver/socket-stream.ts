import type { Socket } from 'node:net'
import { type SecureContext, TLSSocket } from 'node:tls'
import type { Clock } from '@cluster/core'
import type { ByteStream } from './byte-stream.ts'

/** After the last bytes a client has so long to close. */
const LINGER_MS = 500

/** What connections are encrypted with. */
export interface Encryption {
  readonly context: SecureContext
  /** See `ByteStream.endPoint`. */
  readonly endPoint: Uint8Array | null
}

/** A socket of the platform as a stream of bytes. @param secure null without encryption */
export function socketStream(socket: Socket, secure: Encryption | null, clock: Clock): ByteStream {
  const gone = new AbortController()
  socket.on('close', () => gone.abort())
  // An error ends the socket, and the close that follows says so.
  socket.on('error', () => {})
  socket.setNoDelay(true)
  const incoming = new Chunks(socket)
  const { remoteAddress = 'nobody', remotePort = 0 } = socket
  return {
    remote: `${remoteAddress}:${remotePort}`,
    address: remoteAddress,
    local: isLoopback(remoteAddress),
    encrypted: socket instanceof TLSSocket,
    endPoint: null,
    incoming,
    gone: gone.signal,
    encrypt: secure && !(socket instanceof TLSSocket) ? () => encrypt(socket, secure, clock) : null,
    write: (bytes) => write(socket, bytes),
    end() {
      if (socket.closed) return
      socket.end()
      const late = clock.after(LINGER_MS, () => socket.destroy())
      socket.on('close', late)
      // What the client still sends is thrown away: with bytes unread it would not get to see the last ones from here.
      void incoming.return?.().then(() => socket.resume())
    },
    destroy: () => void socket.destroy(),
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address)
}

async function encrypt(socket: Socket, { context, endPoint }: Encryption, clock: Clock): Promise<ByteStream> {
  const encrypted = new TLSSocket(socket, { isServer: true, secureContext: context })
  const stream = socketStream(encrypted, null, clock)
  await new Promise<void>((resolve, reject) => {
    encrypted.once('secure', () => resolve())
    encrypted.once('close', () => reject(new Error('the client gave the encryption up')))
  })
  const { remoteAddress = 'nobody', remotePort = 0 } = socket
  return {
    ...stream,
    encrypted: true,
    endPoint,
    address: remoteAddress,
    local: isLoopback(remoteAddress),
    remote: `${remoteAddress}:${remotePort}`,
  }
}

const END: IteratorResult<Uint8Array> = { done: true, value: undefined }

/** Chunks as they are asked for: the socket is read while somebody waits. A broken connection is the end, no error. */
class Chunks implements AsyncIterator<Uint8Array> {
  readonly #socket: Socket
  #waiting: ((next: IteratorResult<Uint8Array>) => void) | null = null
  #next: Uint8Array | null = null
  #ended = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onEnd)
    socket.pause()
  }

  readonly #onData = (chunk: Uint8Array): void => {
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting !== null) waiting({ done: false, value: chunk })
    else {
      // One may come that was read already when nobody asked any more.
      this.#next = this.#next === null ? chunk : Buffer.concat([this.#next, chunk])
      this.#socket.pause()
    }
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    this.#waiting?.(END)
    this.#waiting = null
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const value = this.#next
    this.#next = null
    if (value !== null) return Promise.resolve({ done: false, value })
    if (this.#ended) return Promise.resolve(END)
    return new Promise((resolve) => {
      this.#waiting = resolve
      if (this.#socket.isPaused()) this.#socket.resume()
    })
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#socket.off('data', this.#onData)
    this.#next = null
    this.#onEnd()
    return END
  }
}

/** Resolves when the platform has taken the bytes, or will never take them. */
async function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
  })
}
