import type { LinkDownCause } from '@cluster/core'
import type { HandshakeMessage } from './admission.ts'

type PairMessage = Extract<HandshakeMessage, { readonly t: 'use' | 'have' | 'yes' | 'no' }>

export type PairEffect =
  | { readonly type: 'send'; readonly link: string; readonly message: PairMessage }
  | { readonly type: 'up'; readonly link: string }
  | { readonly type: 'down'; readonly link: string; readonly cause: LinkDownCause }
  /** The connection is one too many, or replaced; it is closed without a word to anyone above. */
  | { readonly type: 'close'; readonly link: string; readonly why: 'duplicate' | 'replaced' | 'older-start' }

interface Connection {
  /** The peer's start number, once it was admitted. */
  start: number | null
  /** The link that the peer was asked about when this connection came in. */
  asked: string | null
}

/**
 * Keeps at most one link with one peer, whoever dials whenever. The node with the smaller id decides, alone and
 * in the order in which admitted connections reach it, so both ends agree: it sends `use` on the one it takes.
 * When another comes while one is in use it asks `have` (do you still see that one?); `yes` closes the new one,
 * `no` means that the old one is half dead and the new one replaces it, as does a higher start number.
 */
export class Pairing {
  readonly #decides: boolean
  readonly #connections = new Map<string, Connection>()
  #current: string | null = null

  constructor(self: string, peer: string) {
    this.#decides = self < peer
  }

  get current(): string | null {
    return this.#current
  }

  /** True when nothing is known any more and this object may be dropped. */
  get empty(): boolean {
    return this.#connections.size === 0
  }

  /** A connection to the peer has its id; it may be asked about from now on. */
  opened(link: string): readonly PairEffect[] {
    this.#connections.set(link, { start: null, asked: null })
    return []
  }

  admitted(link: string, start: number): readonly PairEffect[] {
    const connection = this.#connections.get(link)
    if (!connection) return []
    connection.start = start
    if (!this.#decides) return []
    const current = this.#current
    if (current === null) return this.#use(link)
    const known = this.#connections.get(current)?.start ?? 0
    if (start > known) return this.#use(link)
    if (start < known) return [{ type: 'close', link, why: 'older-start' }]
    connection.asked = current
    return [{ type: 'send', link, message: { t: 'have', link: current } }]
  }

  /** @returns `null` when the peer may not say this now */
  message(link: string, message: PairMessage): readonly PairEffect[] | null {
    const connection = this.#connections.get(link)
    if (!connection || connection.start === null) return null
    if (message.t === 'yes' || message.t === 'no') {
      if (!this.#decides || connection.asked === null) return null
      const asked = connection.asked
      connection.asked = null
      const current = this.#current
      if (current === null || (message.t === 'no' && current === asked)) return this.#use(link)
      return [{ type: 'close', link, why: 'duplicate' }]
    }
    if (this.#decides || this.#current === link) return null
    if (message.t === 'use') return this.#take(link)
    const t = this.#connections.has(message.link) ? 'yes' : 'no'
    return [{ type: 'send', link, message: { t } }]
  }

  closed(link: string, cause: LinkDownCause): readonly PairEffect[] {
    if (!this.#connections.delete(link)) return []
    if (this.#current !== link) return []
    this.#current = null
    return [{ type: 'down', link, cause }]
  }

  #use(link: string): readonly PairEffect[] {
    return [{ type: 'send', link, message: { t: 'use' } }, ...this.#take(link)]
  }

  #take(link: string): readonly PairEffect[] {
    const effects: PairEffect[] = []
    const old = this.#current
    if (old !== null) {
      this.#connections.delete(old)
      effects.push(
        { type: 'down', link: old, cause: 'failed' },
        { type: 'close', link: old, why: 'replaced' },
      )
    }
    this.#current = link
    effects.push({ type: 'up', link })
    return effects
  }
}
