/** Why somebody is not let in. `protocol` covers garbage, other versions and slowness. */
export type RefusalReason = 'secret' | 'name' | 'public-address' | 'protocol'

export type HandshakeMessage =
  | {
      readonly t: 'hello'
      readonly v: number
      readonly name?: string
      readonly secret: boolean
      readonly nonce: string
    }
  | {
      readonly t: 'prove'
      readonly proof: string
      readonly start: number
      readonly listening: readonly string[]
    }
  | { readonly t: 'refuse'; readonly reason: RefusalReason }
  | { readonly t: 'use' }
  | { readonly t: 'have'; readonly link: string }
  | { readonly t: 'yes' }
  | { readonly t: 'no' }

const HANDSHAKE_VERSION = 1
const LISTENING_MAX = 16
const ADDRESS_LENGTH_MAX = 160
const NAME_LENGTH_MAX = 200
const HEX = /^[0-9a-f]{64}$/
const REASONS: readonly RefusalReason[] = ['secret', 'name', 'public-address', 'protocol']

/** Reads one message of the handshake. @returns `null` for anything else: it comes from a stranger */
export function parseHandshake(text: string): HandshakeMessage | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Not JSON: garbage, which is what null says.
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const message = value as Readonly<Record<string, unknown>>
  switch (message['t']) {
    case 'hello': {
      const { v, name, secret, nonce } = message
      if (typeof v !== 'number' || typeof secret !== 'boolean') return null
      if (typeof nonce !== 'string' || !HEX.test(nonce)) return null
      if (name === undefined) return { t: 'hello', v, secret, nonce }
      if (typeof name !== 'string' || name.length > NAME_LENGTH_MAX) return null
      return { t: 'hello', v, name, secret, nonce }
    }
    case 'prove': {
      const { proof, start, listening } = message
      if (typeof proof !== 'string' || !HEX.test(proof)) return null
      if (typeof start !== 'number' || !Number.isSafeInteger(start) || start < 0) return null
      if (!Array.isArray(listening) || listening.length > LISTENING_MAX) return null
      const addresses: string[] = []
      for (const address of listening as readonly unknown[]) {
        if (typeof address !== 'string' || address.length > ADDRESS_LENGTH_MAX) return null
        addresses.push(address)
      }
      return { t: 'prove', proof, start, listening: addresses }
    }
    case 'refuse': {
      const reason = REASONS.find((known) => known === message['reason'])
      return reason ? { t: 'refuse', reason } : null
    }
    case 'have':
      return typeof message['link'] === 'string' && HEX.test(message['link'])
        ? { t: 'have', link: message['link'] }
        : null
    case 'use':
    case 'yes':
    case 'no':
      return { t: message['t'] }
    default:
      return null
  }
}

export interface AdmissionOptions {
  readonly role: 'dial' | 'accept'
  readonly self: string
  /** Authenticated by Noise before this begins. */
  readonly peer: string
  readonly name: string
  /** 64 hexadecimal digits, fresh for every connection. */
  readonly nonce: string
  readonly start: number
  readonly listening: readonly string[]
  readonly secret: boolean
  /** The keyed hash of the text, 64 hexadecimal digits; with the cluster's secret as key, or without one a fixed key. */
  readonly mac: (text: string) => string
  /** Compares two texts of equal length in constant time. */
  readonly matches: (a: string, b: string) => boolean
}

export type AdmissionEffect =
  | { readonly type: 'send'; readonly message: HandshakeMessage }
  /** The link's id is known: both sides call it so. */
  | { readonly type: 'named'; readonly link: string }
  | { readonly type: 'admitted'; readonly start: number; readonly listening: readonly string[] }
  /** `byPeer`: the peer said so; else this side did, and has told the peer. */
  | {
      readonly type: 'refused'
      readonly reason: RefusalReason
      readonly byPeer: boolean
      readonly detail: string
    }

/**
 * The first messages of a connection, one instance a side. The dialler shows its proof first, so that a stranger
 * who knocks learns nothing that he could try secrets against; start number and addresses are told only together
 * with a proof.
 *
 *     dial -> accept   hello {version, name, nonce}
 *     accept -> dial   hello {version, nonce}            or refuse {reason}
 *     dial -> accept   prove {proof, start, listening}
 *     accept -> dial   prove {proof, start, listening}   or refuse {reason}
 */
export class Admission {
  readonly #options: AdmissionOptions
  #waitsFor: 'hello' | 'prove' | 'nothing' = 'hello'
  #peerNonce = ''

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  begin(): readonly AdmissionEffect[] {
    const { role, name } = this.#options
    if (role === 'accept') return []
    return [{ type: 'send', message: { ...this.#hello(), name } }]
  }

  step(message: HandshakeMessage): readonly AdmissionEffect[] {
    const { role, name, secret, nonce } = this.#options
    if (message.t === 'refuse') {
      this.#waitsFor = 'nothing'
      return [{ type: 'refused', reason: message.reason, byPeer: true, detail: 'the other side refused' }]
    }
    if (message.t !== this.#waitsFor) return this.#refuse('protocol', `an unexpected message '${message.t}'`)
    if (message.t === 'hello') {
      if (message.v !== HANDSHAKE_VERSION)
        return this.#refuse(
          'protocol',
          `version ${message.v} of the handshake, here it is ${HANDSHAKE_VERSION}`,
        )
      if (role === 'accept' && message.name !== name) return this.#refuse('name', 'another cluster name')
      if (message.secret !== secret)
        return this.#refuse('secret', secret ? 'it has no secret' : 'it has a secret, this node has none')
      this.#peerNonce = message.nonce
      this.#waitsFor = 'prove'
      const named: AdmissionEffect = { type: 'named', link: role === 'dial' ? nonce : message.nonce }
      return [named, { type: 'send', message: role === 'dial' ? this.#prove() : this.#hello() }]
    }
    if (message.t === 'prove') {
      const expected = this.#proof(role === 'dial' ? 'accept' : 'dial')
      if (!this.#options.matches(message.proof, expected)) return this.#refuse('secret', 'the wrong secret')
      this.#waitsFor = 'nothing'
      const admitted: AdmissionEffect = {
        type: 'admitted',
        start: message.start,
        listening: message.listening,
      }
      return role === 'dial' ? [admitted] : [{ type: 'send', message: this.#prove() }, admitted]
    }
    return this.#refuse('protocol', 'an unexpected message')
  }

  #hello(): HandshakeMessage & { readonly t: 'hello' } {
    return { t: 'hello', v: HANDSHAKE_VERSION, secret: this.#options.secret, nonce: this.#options.nonce }
  }

  #prove(): HandshakeMessage {
    const { role, start, listening } = this.#options
    const told = listening.filter((address) => address.length <= ADDRESS_LENGTH_MAX).slice(0, LISTENING_MAX)
    return { t: 'prove', proof: this.#proof(role), start, listening: told }
  }

  /** The role is part of the proof, so that one side's cannot be played back as the other's. */
  #proof(by: 'dial' | 'accept'): string {
    const { role, self, peer, name, nonce } = this.#options
    const [dialler, accepter] = role === 'dial' ? [self, peer] : [peer, self]
    const [dialNonce, acceptNonce] = role === 'dial' ? [nonce, this.#peerNonce] : [this.#peerNonce, nonce]
    const parts = ['cluster link', HANDSHAKE_VERSION, by, dialler, accepter, dialNonce, acceptNonce, name]
    return this.#options.mac(JSON.stringify(parts))
  }

  #refuse(reason: RefusalReason, detail: string): readonly AdmissionEffect[] {
    this.#waitsFor = 'nothing'
    return [
      { type: 'send', message: { t: 'refuse', reason } },
      { type: 'refused', reason, byPeer: false, detail },
    ]
  }
}
