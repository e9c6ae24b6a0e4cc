import { hmacSha256, pbkdf2Sha256, sha256 } from './sha256.ts'

/** What is kept of a password: enough to check one, and not to know it. */
export interface PasswordVerifier {
  readonly iterations: number
  readonly salt: Uint8Array
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/** As many as PostgreSQL 15 makes. */
const ITERATIONS = 4_096
export const SALT_BYTES = 16

const FORM = /^SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/

const encoder = new TextEncoder()

/** The text to keep for a password. One that is a verifier already, as a dump has it, is kept as it is. */
export function verifierText(password: string, salt: Uint8Array): string {
  if (FORM.test(password)) return password
  const salted = pbkdf2Sha256(encoder.encode(password.normalize('NFKC')), salt, ITERATIONS)
  const storedKey = sha256(hmacSha256(salted, encoder.encode('Client Key')))
  const serverKey = hmacSha256(salted, encoder.encode('Server Key'))
  return `SCRAM-SHA-256$${ITERATIONS}:${toBase64(salt)}$${toBase64(storedKey)}:${toBase64(serverKey)}`
}

/** Null for a text that is no verifier. */
export function parseVerifier(text: string): PasswordVerifier | null {
  const found = FORM.exec(text)
  if (found === null) return null
  const [, iterations = '', salt = '', storedKey = '', serverKey = ''] = found
  return {
    iterations: Number(iterations),
    salt: fromBase64(salt),
    storedKey: fromBase64(storedKey),
    serverKey: fromBase64(serverKey),
  }
}

const SIGNS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    const signs = [18, 12, 6, 0].map((shift) => SIGNS.charAt((group >> shift) & 63)).join('')
    text += signs.slice(0, Math.min(4, bytes.length - i + 1))
  }
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

function fromBase64(text: string): Uint8Array {
  const plain = text.replace(/=+$/, '')
  const bytes = new Uint8Array(Math.floor((plain.length * 3) / 4))
  let bits = 0
  let value = 0
  let at = 0
  for (const sign of plain) {
    value = ((value << 6) | SIGNS.indexOf(sign)) & 0xffffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (value >> bits) & 255
  }
  return bytes
}
