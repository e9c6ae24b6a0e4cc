import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Address, Cancel, Clock, LinkDownCause, LinkInfo, NodeId } from '@cluster/core'
import type { Connection, Stream } from '@libp2p/interface'
import {
  Admission,
  type AdmissionEffect,
  type HandshakeMessage,
  parseHandshake,
  type RefusalReason,
} from '../machine/admission.ts'
import { FRAME } from '../machine/wire.ts'
import type { BulkStream } from './bulk-stream.ts'
import type { Link } from './link.ts'
import { Wire } from './wire.ts'

const text = { encoder: new TextEncoder(), decoder: new TextDecoder('utf-8', { fatal: true }) }

/** What a session asks of, and reports to, the transport. */
export interface SessionHooks {
  named(session: Session): void
  admitted(session: Session, start: number): void
  /** A message about which connection to use. @returns false when the peer may not say it */
  pairMessage(session: Session, message: HandshakeMessage): boolean
  refused(session: Session, reason: RefusalReason, byPeer: boolean, detail: string): void
  closed(session: Session, cause: LinkDownCause, why: string): void
}

export interface SessionOptions {
  readonly role: 'dial' | 'accept'
  readonly self: NodeId
  readonly name: string
  readonly start: number
  readonly listening: readonly Address[]
  /** The key of the proof; `null` without a secret. */
  readonly key: Uint8Array | null
  readonly nonce: string
  readonly dialled: Address | null
  readonly closeMs: number
}

const NO_SECRET = new Uint8Array(32)

/** One connection from its first handshake message to its end; it carries the link once both sides took it. */
export class Session {
  readonly peer: NodeId
  readonly role: 'dial' | 'accept'
  readonly connection: Connection
  readonly wire: Wire
  readonly dialled: Address | null
  readonly streams = new Set<BulkStream>()
  /** What both sides call this connection, once the peer answered. */
  id: string | null = null
  start = 0
  listening: readonly string[] = []
  link: Link | null = null
  /** Stops the clock of the handshake. */
  cancelDeadline: Cancel = () => {}
  readonly #admission: Admission
  readonly #hooks: SessionHooks
  readonly #closeMs: number
  #refused = false

  constructor(
    connection: Connection,
    stream: Stream,
    options: SessionOptions,
    ports: { readonly clock: Clock; readonly flush: (connection: Connection) => void },
    hooks: SessionHooks,
  ) {
    this.peer = connection.remotePeer.toString() as NodeId
    this.role = options.role
    this.connection = connection
    this.dialled = options.dialled
    this.#hooks = hooks
    this.#closeMs = options.closeMs
    const key = options.key ?? NO_SECRET
    this.#admission = new Admission({
      ...options,
      peer: this.peer,
      secret: options.key !== null,
      mac: (message) => createHmac('sha256', key).update(message).digest('hex'),
      matches: (a, b) => timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex')),
    })
    this.wire = new Wire(connection, stream, ports, {
      frame: (bytes, start, end) => this.#receive(bytes, start, end),
      closed: (cause, why) => {
        this.cancelDeadline()
        for (const open of this.streams) open.linkLost()
        this.streams.clear()
        if (cause === 'failed' && !this.link && !this.#refused) {
          this.#refused = true
          hooks.refused(this, 'protocol', false, why)
        }
        hooks.closed(this, cause, why)
      },
    })
  }

  begin(): void {
    this.#run(this.#admission.begin())
  }

  get info(): LinkInfo | null {
    return this.link?.info ?? null
  }

  send(message: HandshakeMessage): void {
    this.wire.outbox.add(Uint8Array.of(FRAME.handshake), 1, text.encoder.encode(JSON.stringify(message)), -1)
    this.wire.schedule()
  }

  /** Turns the peer away. */
  refuse(reason: RefusalReason, detail: string): void {
    if (this.#refused || this.wire.isClosed) return
    this.#run([
      { type: 'send', message: { t: 'refuse', reason } },
      { type: 'refused', reason, byPeer: false, detail },
    ])
  }

  /** Closes without a word; queued frames are sent. */
  async close(why: string): Promise<void> {
    await this.wire.close(this.#closeMs, why)
  }

  #receive(bytes: Uint8Array, start: number, end: number): void {
    if (this.#refused) return
    if (this.link) {
      this.link.receive(bytes, start, end)
      return
    }
    const isHandshake = bytes[start] === FRAME.handshake
    const message = isHandshake ? readMessage(bytes.subarray(start + 1, end)) : null
    if (!message) this.refuse('protocol', 'it sent garbage instead of a handshake')
    else if (message.t === 'use' || message.t === 'have' || message.t === 'yes' || message.t === 'no') {
      if (!this.#hooks.pairMessage(this, message)) this.refuse('protocol', `an unexpected '${message.t}'`)
    } else this.#run(this.#admission.step(message))
  }

  #run(effects: readonly AdmissionEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') this.send(effect.message)
      else if (effect.type === 'named') {
        this.id = effect.link
        this.#hooks.named(this)
      } else if (effect.type === 'admitted') {
        this.start = effect.start
        this.listening = effect.listening
        this.#hooks.admitted(this, effect.start)
      } else {
        this.#refused = true
        this.#hooks.refused(this, effect.reason, effect.byPeer, effect.detail)
      }
    }
  }
}

function readMessage(bytes: Uint8Array): HandshakeMessage | null {
  try {
    return parseHandshake(text.decoder.decode(bytes))
  } catch {
    // Not UTF-8: garbage, which is what null says.
    return null
  }
}
