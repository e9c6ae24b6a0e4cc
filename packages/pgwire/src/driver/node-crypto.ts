import { createHash, createHmac, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import {
  passwordBytes,
  SCRAM_ITERATIONS,
  type ScramCrypto,
  type ScramVerifier,
  verifierOf,
} from '../machine/scram.ts'

const derive = promisify(pbkdf2)
const KEY_BYTES = 32

/** What SCRAM needs, from Node. */
export const nodeCrypto: ScramCrypto = {
  sha256: (data) => createHash('sha256').update(data).digest(),
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
  toBase64: (bytes) => Buffer.from(bytes).toString('base64'),
  fromBase64: (text) =>
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
      ? new Uint8Array(Buffer.from(text, 'base64'))
      : null,
}

/** What to keep of a password. It takes milliseconds, on purpose, in another thread. */
export async function scramVerifier(
  password: string,
  salt: Uint8Array,
  iterations = SCRAM_ITERATIONS,
): Promise<ScramVerifier> {
  const salted = await derive(passwordBytes(password), salt, iterations, KEY_BYTES, 'sha256')
  return verifierOf(nodeCrypto, salted, salt, iterations)
}
