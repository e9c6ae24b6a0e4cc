/**
 * SCRAM-SHA-256 on the side of the server, and SCRAM-SHA-256-PLUS, which is bound to the certificate of the channel.
 * @see RFC 5802, RFC 7677, RFC 5929
 */

/** What the platform computes. */
export interface ScramCrypto {
  sha256(data: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array
  toBase64(bytes: Uint8Array): string
  /** @returns null for another text */
  fromBase64(text: string): Uint8Array | null
}

/** What is stored of a password: enough to check one, and not to pretend to know it. */
export interface ScramVerifier {
  readonly iterations: number
  readonly salt: Uint8Array
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

export const SCRAM = 'SCRAM-SHA-256'
/** The same, and the client proves which certificate it sees, so that nobody can be in between. */
export const SCRAM_PLUS = 'SCRAM-SHA-256-PLUS'
/** The one kind of binding: the hash of the server's certificate. */
const BINDING = 'tls-server-end-point'
/** RFC 7677 asks for at least so many. */
export const SCRAM_ITERATIONS = 4096

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The bytes of a password that are salted. */
export const passwordBytes = (password: string): Uint8Array => encoder.encode(password.normalize('NFKC'))

/** @param salted what PBKDF2 makes of the password's bytes */
export function verifierOf(
  crypto: ScramCrypto,
  salted: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): ScramVerifier {
  const clientKey = crypto.hmacSha256(salted, encoder.encode('Client Key'))
  return {
    iterations,
    salt,
    storedKey: crypto.sha256(clientKey),
    serverKey: crypto.hmacSha256(salted, encoder.encode('Server Key')),
  }
}

/** The client's first message. */
interface ClientFirst {
  readonly bare: string
  readonly nonce: string
  readonly binding: string
}

function parseClientFirst(text: string): ClientFirst | null {
  // `n,,`, `y,,` or `p=KIND,,`; what follows is `n=user,r=nonce`. The user was named at the start already.
  const found = /^((?:n|y|p=[\w.-]+),(?:a=[^,]*)?,)(n=[^,]*,r=([^,]+)(?:,.*)?)$/.exec(text)
  if (!found) return null
  const [, binding = '', bare = '', nonce = ''] = found
  return { bare, nonce, binding }
}

/** What the client may bind its proof to. */
export interface ScramChannel {
  /** The hash of the certificate that the server showed; null: the channel cannot be bound to. */
  readonly endPoint: Uint8Array | null
  /** The client chose SCRAM-SHA-256-PLUS. */
  readonly bound: boolean
}

export type ScramReply =
  | { readonly type: 'reply'; readonly text: string }
  | { readonly type: 'malformed' }
  /** The client could bind and was told, by somebody in between, that the server cannot. */
  | { readonly type: 'downgraded' }

/** One exchange: `first`, then `final`. Takes a verifier that fits nobody for a user that does not exist. */
export class ScramExchange {
  readonly #crypto: ScramCrypto
  readonly #verifier: ScramVerifier
  readonly #serverNonce: string
  readonly #channel: ScramChannel
  #clientFirst: ClientFirst | null = null
  #serverFirst = ''

  constructor(crypto: ScramCrypto, verifier: ScramVerifier, nonce: Uint8Array, channel: ScramChannel) {
    this.#crypto = crypto
    this.#verifier = verifier
    this.#serverNonce = crypto.toBase64(nonce)
    this.#channel = channel
  }

  /** The answer to the client's first message. */
  first(message: Uint8Array): ScramReply {
    const client = parseClientFirst(decoder.decode(message))
    if (client === null) return { type: 'malformed' }
    const { endPoint, bound } = this.#channel
    const flag = client.binding.slice(0, client.binding.indexOf(','))
    if (flag === 'y' && endPoint !== null) return { type: 'downgraded' }
    if (bound ? flag !== `p=${BINDING}` || endPoint === null : flag.startsWith('p'))
      return { type: 'malformed' }
    this.#clientFirst = client
    const { salt, iterations } = this.#verifier
    const salt64 = this.#crypto.toBase64(salt)
    this.#serverFirst = `r=${client.nonce}${this.#serverNonce},s=${salt64},i=${iterations}`
    return { type: 'reply', text: this.#serverFirst }
  }

  /** The proof for the client when its own holds; null when it does not. */
  final(message: Uint8Array): string | null {
    const client = this.#clientFirst
    const found = /^(c=([^,]+),r=([^,]+)(?:,.*)?),p=([^,]+)$/.exec(decoder.decode(message))
    if (client === null || !found) return null
    const [, withoutProof = '', binding = '', nonce = '', proof64 = ''] = found
    const { toBase64, fromBase64 } = this.#crypto
    if (nonce !== client.nonce + this.#serverNonce) return null
    if (binding !== toBase64(this.#bindingOf(client))) return null
    const proof = fromBase64(proof64)
    const { storedKey, serverKey } = this.#verifier
    if (proof === null || proof.length !== storedKey.length) return null
    const all = encoder.encode(`${client.bare},${this.#serverFirst},${withoutProof}`)
    const signature = this.#crypto.hmacSha256(storedKey, all)
    const clientKey = proof.map((byte, i) => byte ^ (signature[i] ?? 0))
    if (!sameBytes(this.#crypto.sha256(clientKey), storedKey)) return null
    return `v=${toBase64(this.#crypto.hmacSha256(serverKey, all))}`
  }

  /** What the client said of binding, and what it is bound to. */
  #bindingOf({ binding }: ClientFirst): Uint8Array {
    const { endPoint, bound } = this.#channel
    const header = encoder.encode(binding)
    return bound && endPoint !== null ? Uint8Array.of(...header, ...endPoint) : header
  }
}

/** In a time that does not tell where they differ. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}
