import { type Address, address, type Transport } from '@cluster/core'
import { expect, jest, test } from '@jest/globals'
import { libp2pTransport, newIdentity } from '../../src/index.ts'
import { realPorts } from './real-ports.ts'

// A busy machine may take seconds for what needs milliseconds.
jest.setTimeout(60_000)

async function node(): Promise<Transport> {
  const { privateKey } = await newIdentity()
  const listen = [address('/ip4/127.0.0.1/tcp/0')]
  return libp2pTransport({ identity: privateKey, name: 'pair', start: 1, listen })(realPorts)
}

const firstOf = (transport: Transport): Address => transport.addresses()[0] ?? address('')

test('two nodes connect, notify and ask each other', async () => {
  const [a, b] = await Promise.all([node(), node()])
  const heard = new Promise<string>((resolve) => {
    b.handle('hello', {
      notify: (_peer, frame) => resolve(new TextDecoder().decode(frame)),
      request: async (_peer, frame) => frame.toReversed(),
    })
  })
  await Promise.all([a.start(), b.start()])
  try {
    const info = await a.connect(firstOf(b))
    expect(info).toMatchObject({ peer: b.self, start: 1, inbound: false })
    expect(a.notify(b.self, 'hello', new TextEncoder().encode('good day'))).toBe(true)
    expect(await heard).toBe('good day')
    expect(await a.request(b.self, 'hello', Uint8Array.of(1, 2, 3))).toEqual(Uint8Array.of(3, 2, 1))
    expect(await a.probe(firstOf(b))).toEqual({ answer: 'node', peer: b.self, start: 1 })
  } finally {
    await Promise.all([a.stop(), b.stop()])
  }
})
