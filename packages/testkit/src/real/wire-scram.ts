import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { Body, frame, startup, type WireClient } from './wire-client.ts'

const encoder = new TextEncoder()
const NONCE = 'clientnonce'

/** Who logs in, and how. */
export interface ScramLogin {
  readonly user: string
  readonly database: string
  readonly password: string
}

/**
 * Logs a client in by SCRAM-SHA-256.
 * @returns what the server says from its last step on, in lines
 * @see RFC 5802, RFC 7677
 */
export async function scramLogin(
  client: WireClient,
  { user, database, password }: ScramLogin,
): Promise<string[]> {
  client.send(startup({ user, database }))
  const asked = await client.lines(1)
  if (asked[0] !== 'authentication 10') return asked
  const bare = `n=,r=${NONCE}`
  const first = encoder.encode(`n,,${bare}`)
  client.send(frame('p', new Body().text('SCRAM-SHA-256').int32(first.length).bytes(first).done()))
  const reply = await client.next()
  if (reply === null) return ['closed by the server']
  const serverFirst = new TextDecoder().decode(reply.body.subarray(4))
  const [, nonce = '', salt = '', rounds = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(rounds), 32, 'sha256')
  const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const clientKey = hmac(salted, 'Client Key')
  const without = `c=${Buffer.from('n,,').toString('base64')},r=${nonce}`
  const storedKey = createHash('sha256').update(clientKey).digest()
  const signature = hmac(storedKey, `${bare},${serverFirst},${without}`)
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)))
  client.send(frame('p', encoder.encode(`${without},p=${proof.toString('base64')}`)))
  return client.untilReady()
}
