import { nextTick } from 'node:process'
import { type Clock, InvariantError, type LinkDownCause } from '@cluster/core'
import type { Connection, Stream } from '@libp2p/interface'
import { Outbox } from '../machine/outbox.ts'
import { FrameReader, HANDSHAKE_BYTES_MAX } from '../machine/wire.ts'
import { lazyWindow } from './lazy-window.ts'

const BY_HOST = new Set(['ECONNRESET', 'EPIPE'])
const BY_SILENCE = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN'])

/** What the end of a socket says about the other side; without an error it was a FIN. */
function causeOf(error: (Error & { readonly code?: unknown }) | undefined): LinkDownCause {
  if (!error) return 'closed-by-host'
  const code = typeof error.code === 'string' ? error.code : ''
  if (BY_HOST.has(code)) return 'closed-by-host'
  return BY_SILENCE.has(code) || error.name === 'TimeoutError' ? 'timed-out' : 'failed'
}

export interface WireHandlers {
  /** One frame: type and body from `start` to `end`. What it throws closes the wire as `failed`. */
  frame(bytes: Uint8Array, start: number, end: number): void
  /** Called once, after which nothing else is. */
  closed(cause: LinkDownCause, why: string): void
}

/** The link stream of one connection: frames in, frames out, and the truth about how it ended. */
export class Wire {
  readonly connection: Connection
  readonly outbox = new Outbox()
  /** Set whenever bytes arrive; whoever watches for silence clears it. */
  heard = true
  readonly #stream: Stream
  readonly #clock: Clock
  readonly #flushSocket: (connection: Connection) => void
  readonly #handlers: WireHandlers
  readonly #reader = new FrameReader(HANDSHAKE_BYTES_MAX)
  #scheduled = false
  #isClosed = false
  #leaving: { readonly cause: LinkDownCause; readonly why: string } | null = null
  #emptied: (() => void)[] = []

  constructor(
    connection: Connection,
    stream: Stream,
    ports: { readonly clock: Clock; readonly flush: (connection: Connection) => void },
    handlers: WireHandlers,
  ) {
    this.connection = connection
    this.#stream = stream
    this.#clock = ports.clock
    this.#flushSocket = ports.flush
    this.#handlers = handlers
    lazyWindow(stream)
    const take = (bytes: Uint8Array, start: number, end: number): void => {
      if (!this.#isClosed) handlers.frame(bytes, start, end)
    }
    stream.addEventListener('message', (event) => {
      this.heard = true
      const { data } = event
      try {
        if (data instanceof Uint8Array) this.#reader.push(data, take)
        else for (const block of data) this.#reader.push(block, take)
      } catch (error) {
        this.#broken(error)
      }
    })
    stream.addEventListener('drain', () => this.schedule())
    // The stream alone ended: the connection follows at once when the peer is leaving, else it is broken.
    const streamEnded = (): void => {
      if (connection.status !== 'open' || this.#leaving) return
      this.#clock.after(200, () => this.abort('failed', 'the peer closed the link stream'))
    }
    stream.addEventListener('close', streamEnded)
    stream.addEventListener('end', streamEnded)
    connection.addEventListener('close', (event) => this.#end(event.error))
    if (connection.status !== 'open') queueMicrotask(() => this.#end(undefined))
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** From now on frames may have this many bytes, type included. */
  allow(lengthMax: number): void {
    this.#reader.lengthMax = lengthMax
  }

  /** Sends what is in the outbox at the end of this turn, after all its promise callbacks. */
  schedule(): void {
    if (this.#scheduled || this.#isClosed) return
    this.#scheduled = true
    // Next-tick callbacks run after the last microtask, so frames that those produce are still gathered.
    queueMicrotask(() => nextTick(this.#flush))
  }

  readonly #flush = (): void => {
    this.#scheduled = false
    if (this.#isClosed) return
    const stream = this.#stream
    try {
      while (!stream.writableNeedsDrain && stream.writeStatus === 'writable') {
        const block = this.outbox.take()
        if (!block) break
        if (!stream.send(block)) break
      }
      this.#flushSocket(this.connection)
    } catch (error) {
      this.#broken(error)
    }
    if (this.outbox.bytes === 0 && this.#emptied.length > 0) {
      const emptied = this.#emptied
      this.#emptied = []
      for (const resolve of emptied) resolve()
    }
  }

  /** Sends what is queued, for at most `closeMs`, then closes. Resolves when the socket is closed. */
  async close(closeMs: number, why: string): Promise<void> {
    if (this.#isClosed) return
    const abort = new AbortController()
    const cancel = this.#clock.after(closeMs, () => {
      abort.abort(new Error('closing took too long'))
      for (const resolve of this.#emptied.splice(0)) resolve()
    })
    try {
      if (this.outbox.bytes > 0) {
        this.schedule()
        await new Promise<void>((resolve) => this.#emptied.push(resolve))
      }
      if (this.#isClosed) return
      this.#leaving ??= { cause: 'closed-here', why }
      await this.connection.close({ signal: abort.signal })
    } catch (error) {
      // The peer does not read any more: what was queued for it is lost, as it would be after a crash.
      this.connection.abort(error instanceof Error ? error : new Error(why))
    } finally {
      cancel()
      this.#end(undefined)
    }
  }

  /** Closes at once; queued frames are lost. */
  abort(cause: LinkDownCause, why: string): void {
    if (this.#isClosed) return
    this.#leaving ??= { cause, why }
    this.connection.abort(new Error(why))
    this.#end(undefined)
  }

  #broken(error: unknown): void {
    this.abort('failed', error instanceof Error ? error.message : String(error))
    // A broken invariant is this node's own fault and must stop it.
    if (error instanceof InvariantError) throw error
  }

  #end(error: Error | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const resolve of this.#emptied.splice(0)) resolve()
    const cause = this.#leaving?.cause ?? causeOf(error)
    this.#handlers.closed(cause, this.#leaving?.why ?? error?.message ?? 'the peer closed the connection')
  }
}
