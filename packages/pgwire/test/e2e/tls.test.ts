import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as secure } from 'node:tls'
import { scramLogin, selfSigned, wire } from '@cluster/testkit'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { scramVerifier } from '../../src/index.ts'
import { ToyServer } from './support/toy-server.ts'

const { Body, query, untyped, WireClient } = wire
const SSL_REQUEST = untyped(new Body().int32(80_877_103).done())

const tls = selfSigned()
let toy: ToyServer

beforeEach(async () => {
  toy = await ToyServer.start({ tls })
})
afterEach(() => toy.close())

async function asked(
  ...more: readonly Uint8Array[]
): Promise<{ readonly socket: Socket; readonly answer: string }> {
  const socket = connect(toy.port, '127.0.0.1')
  socket.write(Buffer.concat([SSL_REQUEST, ...more]))
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return { socket, answer: bytes.toString('latin1') }
}

test('a client that asks for encryption goes on encrypted, to the last byte', async () => {
  toy.backend.admission = { how: 'scram', verifier: await scramVerifier('secret', Uint8Array.of(1, 2)) }
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
  expect(toy.backend.origins).toEqual([{ local: true, encrypted: true }])
  client.close()
})

test('what was said before the encryption counts as an attack', async () => {
  const { socket, answer } = await asked(wire.startup({ user: 'mallory', database: 'shop' }))
  expect(answer.startsWith('E')).toBe(true)
  expect(answer).toContain('bytes came before the encryption')
  socket.destroy()
  expect(toy.backend.sessions).toEqual([])
})

describe('a login bound to the certificate', () => {
  const endPoint = createHash('sha256').update(new X509Certificate(tls.cert).raw).digest()
  const who = { user: 'tester', database: 'shop', password: 'secret' }

  async function login(more: Partial<Parameters<typeof scramLogin>[1]>): Promise<string[]> {
    toy.backend.admission = { how: 'scram', verifier: await scramVerifier('secret', Uint8Array.of(1, 2)) }
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
    toy.backend.admission = { how: 'scram', verifier: await scramVerifier('secret', Uint8Array.of(1, 2)) }
    const bound = await toy.connected()
    expect(await scramLogin(bound, { ...who, endPoint })).toEqual([
      'error FATAL 28000 the mechanism SCRAM-SHA-256-PLUS is not offered',
    ])
    const plain = await toy.connected()
    expect((await scramLogin(plain, { ...who, couldBind: true })).at(-1)).toBe('ready I')
  })
})
