import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { Body, frame, show, startup, type WireClient } from './wire-client.ts'

const encoder = new TextEncoder()
const NONCE = 'clientnonce'

/** Who logs in, and how. */
export interface ScramLogin {
  readonly user: string
  readonly database: string
  readonly password: string
  /** Binds the login to the server's certificate, by its hash (SCRAM-SHA-256-PLUS). Default: not bound. */
  readonly endPoint?: Uint8Array
  /** Says that the client could bind if the server could. */
  readonly couldBind?: boolean
}

/**
 * Logs a client in by SCRAM-SHA-256, or SCRAM-SHA-256-PLUS.
 * @returns what the server says from its last step on, in lines
 * @see RFC 5802, RFC 7677
 */
export async function scramLogin(
  client: WireClient,
  { user, database, password, endPoint, couldBind = false }: ScramLogin,
): Promise<string[]> {
  client.send(startup({ user, database }))
  const asked = await client.lines(1)
  if (asked[0] !== 'authentication 10') return asked
  const bare = `n=,r=${NONCE}`
  const header = endPoint === undefined ? (couldBind ? 'y,,' : 'n,,') : 'p=tls-server-end-point,,'
  const first = encoder.encode(`${header}${bare}`)
  const mechanism = endPoint === undefined ? 'SCRAM-SHA-256' : 'SCRAM-SHA-256-PLUS'
  client.send(frame('p', new Body().text(mechanism).int32(first.length).bytes(first).done()))
  const reply = await client.next()
  if (reply === null) return ['closed by the server']
  if (reply.type !== 'R') return [show(reply)]
  const serverFirst = new TextDecoder().decode(reply.body.subarray(4))
  const [, nonce = '', salt = '', rounds = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(rounds), 32, 'sha256')
  const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const clientKey = hmac(salted, 'Client Key')
  const binding = Buffer.concat([encoder.encode(header), endPoint ?? new Uint8Array()])
  const without = `c=${binding.toString('base64')},r=${nonce}`
  const storedKey = createHash('sha256').update(clientKey).digest()
  const signature = hmac(storedKey, `${bare},${serverFirst},${without}`)
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)))
  client.send(frame('p', encoder.encode(`${without},p=${proof.toString('base64')}`)))
  return client.untilReady()
}
