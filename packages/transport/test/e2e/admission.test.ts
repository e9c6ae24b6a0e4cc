import { address } from '@cluster/core'
import { afterEach, expect, jest, test } from '@jest/globals'
import { readIdentity } from '../../src/driver/identity.ts'
import { buildNode } from '../../src/driver/libp2p-node.ts'
import { identityOf, libp2pTransport, newIdentity } from '../../src/index.ts'
import { Cleanup, failureOf, firstAddress, makeNode, nextEvent, startNode } from './nodes.ts'
import { realPorts } from './real-ports.ts'

// A busy machine may take seconds for what needs milliseconds.
jest.setTimeout(60_000)

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const wrongs = [
  ['another secret', { secret: 'right' }, { secret: 'wrong' }, 'secret'],
  ['no secret where one is needed', { secret: 'right' }, {}, 'secret'],
  ['a secret where none is known', {}, { secret: 'right' }, 'secret'],
  ['another cluster name', { name: 'one' }, { name: 'two' }, 'name'],
] as const

for (const [what, here, there, reason] of wrongs)
  test(`${what} is refused on both sides`, async () => {
    const [a, b] = [await startNode(cleanup, here), await startNode(cleanup, there)]
    const refused = nextEvent(a, 'refused')
    let links = 0
    for (const side of [a, b]) side.on('linkUp', () => links++)
    expect(await failureOf(b.connect(firstAddress(a)))).toMatchObject({ code: 'ADMISSION_REFUSED', reason })
    expect((await refused).reason.startsWith(`${reason}: `)).toBe(true)
    expect(links).toBe(0)
    // The node goes on serving its own.
    const friend = await startNode(cleanup, here)
    expect(await friend.connect(firstAddress(a))).toMatchObject({ peer: a.self })
  })

test('without a secret no public address is dialled', async () => {
  const node = await startNode(cleanup)
  const refused = { code: 'ADMISSION_REFUSED', reason: 'public-address' }
  expect(await failureOf(node.connect(address('/ip4/8.8.8.8/tcp/4100')))).toMatchObject(refused)
  expect(await failureOf(node.connect(address('/ip6/2001:4860::8/tcp/4100')))).toMatchObject(refused)
})

test('dials that cannot work say why', async () => {
  const node = await startNode(cleanup)
  expect(await failureOf(node.connect(address('10.0.0.1:4100')))).toMatchObject({ code: 'DIAL_FAILED' })
  expect(await failureOf(node.connect(firstAddress(node)))).toMatchObject({ code: 'DIAL_FAILED' })
  expect(await failureOf(node.connect(address('/dns4/no-such-host.invalid/tcp/1')))).toMatchObject({
    code: 'DIAL_FAILED',
  })
  expect(await failureOf(node.connect(address('/ip4/127.0.0.1/tcp/1')))).toMatchObject({
    code: 'DIAL_REFUSED',
  })
  expect(await node.probe(firstAddress(node))).toEqual({ answer: 'node', peer: node.self, start: 1 })
  const cancelled = AbortSignal.abort()
  const other = await startNode(cleanup)
  expect(await failureOf(node.connect(firstAddress(other), { signal: cancelled }))).toMatchObject({
    code: 'ABORTED',
  })
})

test('a name is resolved, and an id in the address must match', async () => {
  const [a, b, c] = [await startNode(cleanup), await startNode(cleanup), await startNode(cleanup)]
  const port = firstAddress(b).split('/').at(-1)
  expect(await a.connect(address(`/dns4/localhost/tcp/${port}/p2p/${b.self}`))).toMatchObject({
    peer: b.self,
  })
  expect(await failureOf(c.connect(address(`${firstAddress(b)}/p2p/${a.self}`)))).toMatchObject({
    code: 'DIAL_FAILED',
  })
})

test('links work over IPv6', async () => {
  const listen = [address('/ip6/::1/tcp/0')]
  const [a, b] = [await startNode(cleanup, { listen }), await startNode(cleanup, { listen })]
  expect(firstAddress(b)).toMatch(/^\/ip6\/::1\/tcp\/\d+$/)
  const up = nextEvent(b, 'linkUp')
  await a.connect(firstAddress(b))
  expect((await up).listening).toEqual(a.addresses())
  expect(await a.request(b.self, 'echo', Uint8Array.of(6))).toEqual(Uint8Array.of(6))
})

test('by default a node listens on every interface', async () => {
  const { privateKey, id } = await newIdentity()
  const node = libp2pTransport({ identity: privateKey, name: 'all', start: 1 })(realPorts)
  cleanup.add(() => node.stop())
  await node.start()
  expect(node.self).toBe(id)
  expect(identityOf(privateKey)).toBe(id)
  expect(node.addresses().some((each) => each.startsWith('/ip4/127.0.0.1/tcp/'))).toBe(true)
  expect(node.addresses().every((each) => !each.includes('/0.0.0.0/') && !each.includes('/p2p/'))).toBe(true)
})

test('a port in use and an address of another host are told apart', async () => {
  const first = await startNode(cleanup)
  const second = await makeNode(cleanup, { listen: [firstAddress(first)] })
  expect(await failureOf(second.start())).toMatchObject({
    code: 'PORT_IN_USE',
    address: firstAddress(first),
  })
  const foreign = address('/ip4/203.0.113.7/tcp/0')
  const third = await makeNode(cleanup, { listen: [foreign] })
  expect(await failureOf(third.start())).toMatchObject({ code: 'ADDRESS_NOT_USABLE', address: foreign })
  const fourth = await makeNode(cleanup, { listen: [address('0.0.0.0:1')] })
  expect(await failureOf(fourth.start())).toMatchObject({ code: 'ADDRESS_NOT_USABLE' })
})

test('a listener that fails later is reported', async () => {
  const { privateKey } = await newIdentity()
  const failed = Promise.withResolvers<string>()
  const node = await buildNode(
    {
      identity: readIdentity(privateKey),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      handshakeMs: 1000,
      pendingMax: 8,
      streamsMax: 8,
      closeMs: 100,
    },
    { deny: () => null, inboundFailed: () => {}, listenerFailed: (at) => failed.resolve(at) },
    realPorts.logger,
  )
  cleanup.add(() => node.libp2p.stop())
  await node.libp2p.start()
  // What the system does to a listening socket is done here through libp2p's own list of listeners.
  const components = Reflect.get(node.libp2p, 'components') as {
    readonly transportManager: { getListeners(): readonly { close(): Promise<void> }[] }
  }
  await components.transportManager.getListeners()[0]?.close()
  expect(await failed.promise).toBe('/ip4/127.0.0.1/tcp/0')
})

test('an identity that is none is refused', () => {
  expect(() => identityOf(Uint8Array.of(1, 2, 3))).toThrow('identity')
})
