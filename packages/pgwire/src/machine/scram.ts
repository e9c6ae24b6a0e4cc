/**
 * SCRAM-SHA-256 on the side of the server, without channel binding.
 * @see RFC 5802, RFC 7677
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
  // `n,,` or `y,,`: no channel binding; what follows is `n=user,r=nonce`. The user was named at the start already.
  const found = /^((?:n|y),(?:a=[^,]*)?,)(n=[^,]*,r=([^,]+)(?:,.*)?)$/.exec(text)
  if (!found) return null
  const [, binding = '', bare = '', nonce = ''] = found
  return { bare, nonce, binding }
}

/** One exchange: `first`, then `final`. Takes a verifier that fits nobody for a user that does not exist. */
export class ScramExchange {
  readonly #crypto: ScramCrypto
  readonly #verifier: ScramVerifier
  readonly #serverNonce: string
  #clientFirst: ClientFirst | null = null
  #serverFirst = ''

  constructor(crypto: ScramCrypto, verifier: ScramVerifier, nonce: Uint8Array) {
    this.#crypto = crypto
    this.#verifier = verifier
    this.#serverNonce = crypto.toBase64(nonce)
  }

  /** The answer to the client's first message; null when that is none. */
  first(message: Uint8Array): string | null {
    const client = parseClientFirst(decoder.decode(message))
    if (client === null) return null
    this.#clientFirst = client
    const { salt, iterations } = this.#verifier
    const salt64 = this.#crypto.toBase64(salt)
    this.#serverFirst = `r=${client.nonce}${this.#serverNonce},s=${salt64},i=${iterations}`
    return this.#serverFirst
  }

  /** The proof for the client when its own holds; null when it does not. */
  final(message: Uint8Array): string | null {
    const client = this.#clientFirst
    const found = /^(c=([^,]+),r=([^,]+)(?:,.*)?),p=([^,]+)$/.exec(decoder.decode(message))
    if (client === null || !found) return null
    const [, withoutProof = '', binding = '', nonce = '', proof64 = ''] = found
    const { toBase64, fromBase64 } = this.#crypto
    if (nonce !== client.nonce + this.#serverNonce) return null
    if (binding !== toBase64(encoder.encode(client.binding))) return null
    const proof = fromBase64(proof64)
    const { storedKey, serverKey } = this.#verifier
    if (proof === null || proof.length !== storedKey.length) return null
    const all = encoder.encode(`${client.bare},${this.#serverFirst},${withoutProof}`)
    const signature = this.#crypto.hmacSha256(storedKey, all)
    const clientKey = proof.map((byte, i) => byte ^ (signature[i] ?? 0))
    if (!sameBytes(this.#crypto.sha256(clientKey), storedKey)) return null
    return `v=${toBase64(this.#crypto.hmacSha256(serverKey, all))}`
  }
}

/** In a time that does not tell where they differ. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}
