import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as secure } from 'node:tls'
import { silentLogger } from '@cluster/core'
import { scramLogin, selfSigned, wire } from '@cluster/testkit'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type PgwireServer, pgwireServer, scramVerifier } from '../../src/index.ts'
import { realClock } from './support/real-clock.ts'
import { ToyBackend } from './support/toy-backend.ts'

const { Body, query, untyped, WireClient } = wire
const SSL_REQUEST = untyped(new Body().int32(80_877_103).done())

let backend: ToyBackend
let server: PgwireServer
let port: number
const tls = selfSigned()

beforeEach(async () => {
  backend = new ToyBackend()
  server = pgwireServer()({
    backend,
    clock: realClock,
    random: { uint32: () => 1, bytes: (length) => new Uint8Array(length).fill(3) },
    logger: silentLogger,
  })
  port = await server.listen({ port: 0, tls })
})
afterEach(() => server.close())

async function asked(
  ...more: readonly Uint8Array[]
): Promise<{ readonly socket: Socket; readonly answer: string }> {
  const socket = connect(port, '127.0.0.1')
  socket.write(Buffer.concat([SSL_REQUEST, ...more]))
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return { socket, answer: bytes.toString('latin1') }
}

test('a client that asks for encryption goes on encrypted, to the last byte', async () => {
  backend.admission = { how: 'scram', verifier: await scramVerifier('secret', Uint8Array.of(1, 2)) }
  const { socket, answer } = await asked()
  expect(answer).toBe('S')
  const encrypted = secure({ socket, ca: [tls.cert], servername: 'localhost' })
  await once(encrypted, 'secureConnect')
  expect(encrypted.authorized).toBe(true)
  const client = new WireClient(encrypted)
  const lines = await scramLogin(client, { user: 'tester', database: 'shop', password: 'secret' })
  expect(lines.at(-1)).toBe('ready I')
  client.send(query('rows 20000'))
  const rows = await client.untilReady()
  expect(rows).toHaveLength(20_003)
  expect(backend.origins).toEqual([{ local: true, encrypted: true }])
  client.close()
})

test('what was said before the encryption counts as an attack', async () => {
  const { socket, answer } = await asked(wire.startup({ user: 'mallory', database: 'shop' }))
  expect(answer.startsWith('E')).toBe(true)
  expect(answer).toContain('bytes came before the encryption')
  socket.destroy()
  expect(backend.sessions).toEqual([])
})

describe('a login bound to the certificate', () => {
  const endPoint = createHash('sha256').update(new X509Certificate(tls.cert).raw).digest()
  const who = { user: 'tester', database: 'shop', password: 'secret' }

  async function login(more: Partial<Parameters<typeof scramLogin>[1]>): Promise<string[]> {
    backend.admission = { how: 'scram', verifier: await scramVerifier('secret', Uint8Array.of(1, 2)) }
    const { socket } = await asked()
    const encrypted = secure({ socket, ca: [tls.cert], servername: 'localhost' })
    await once(encrypted, 'secureConnect')
    const client = new WireClient(encrypted)
    const lines = await scramLogin(client, { ...who, ...more })
    client.close()
    return lines
  }

  test('succeeds with the right one and is refused with another, as with somebody in between', async () => {
    expect((await login({ endPoint })).at(-1)).toBe('ready I')
    expect(await login({ endPoint: endPoint.toReversed() })).toContain(
      'error FATAL 28P01 password authentication failed for user "tester"',
    )
  })

  test('is not talked out of it: a client that could bind and was told that the server cannot is refused', async () => {
    expect(await login({ couldBind: true })).toEqual([
      'error FATAL 28000 SCRAM channel binding negotiation error',
    ])
    expect((await login({})).at(-1)).toBe('ready I')
  })

  test('is not offered without encryption', async () => {
    backend.admission = { how: 'scram', verifier: await scramVerifier('secret', Uint8Array.of(1, 2)) }
    const bound = await WireClient.connect(port)
    expect(await scramLogin(bound, { ...who, endPoint })).toEqual([
      'error FATAL 28000 the mechanism SCRAM-SHA-256-PLUS is not offered',
    ])
    const plain = await WireClient.connect(port)
    expect((await scramLogin(plain, { ...who, couldBind: true })).at(-1)).toBe('ready I')
    bound.close()
    plain.close()
  })
})
