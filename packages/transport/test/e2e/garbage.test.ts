import { createHmac } from 'node:crypto'
import { connect as connectSocket, type Socket } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import type { Address, Transport } from '@cluster/core'
import { afterEach, expect, jest, test } from '@jest/globals'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { Admission } from '../../src/machine/admission.ts'
import { FRAME, FrameReader, writeU32 } from '../../src/machine/wire.ts'
import { Cleanup, firstAddress, nextEvent, startNode } from './nodes.ts'

// A busy machine may take seconds for what needs milliseconds.
jest.setTimeout(60_000)

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

/** A TCP connection without any manners; resolves when the node has hung up. */
function rawConnection(
  to: Address,
  bytes: Uint8Array,
): { readonly socket: Socket; readonly closed: Promise<void> } {
  const socket = connectSocket(Number(to.split('/').at(-1)), '127.0.0.1')
  cleanup.add(() => void socket.destroy())
  socket.on('error', () => {}).on('data', () => {})
  socket.write(bytes)
  return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve())) }
}

/** A stranger who speaks libp2p well. */
async function stranger(): Promise<Libp2p> {
  const node = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  })
  cleanup.add(() => node.stop())
  return node
}

const closed = (connection: Connection): Promise<void> =>
  new Promise((resolve) => connection.addEventListener('close', () => resolve()))

async function stillServes(node: Transport): Promise<void> {
  const friend = await startNode(cleanup)
  await friend.connect(firstAddress(node))
  expect(await friend.request(node.self, 'echo', Uint8Array.of(5))).toEqual(Uint8Array.of(5))
}

test('garbage on the port is turned away, a few times aloud', async () => {
  const node = await startNode(cleanup)
  let reports = 0
  node.on('refused', () => reports++)
  const bytes = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919) & 255)
  for (let i = 0; i < 30; i++) await rawConnection(firstAddress(node), bytes).closed
  expect(reports).toBeGreaterThan(0)
  expect(reports).toBeLessThan(20)
  await stillServes(node)
})

test('who connects and says nothing is hung up on', async () => {
  const node = await startNode(cleanup, { handshakeMs: 700 })
  const refused = nextEvent(node, 'refused')
  await rawConnection(firstAddress(node), new Uint8Array(0)).closed
  expect((await refused).from).toContain('/ip4/127.0.0.1/')
  const quiet = await stranger()
  const spoken = nextEvent(node, 'refused')
  const connection = await quiet.dial(multiaddr(firstAddress(node)))
  await closed(connection)
  expect((await spoken).reason).toContain('said nothing')
  await stillServes(node)
})

const frame = (type: number, body: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(5 + body.length)
  writeU32(bytes, 0, 1 + body.length)
  bytes[4] = type
  bytes.set(body, 5)
  return bytes
}
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

const rudeness: readonly (readonly [string, Uint8Array])[] = [
  ['no frames at all', new Uint8Array(64).fill(0xff)],
  ['a frame without length', new Uint8Array(4)],
  ['a notification before the handshake', frame(FRAME.notify, new Uint8Array(10))],
  ['a handshake that is no JSON', frame(FRAME.handshake, new Uint8Array(40).fill(0x80))],
  ['an unknown handshake', frame(FRAME.handshake, json({ t: 'please' }))],
  ['a handshake out of order', frame(FRAME.handshake, json({ t: 'use' }))],
  [
    'another version',
    frame(FRAME.handshake, json({ t: 'hello', v: 99, secret: false, nonce: 'a'.repeat(64) })),
  ],
]

for (const [what, bytes] of rudeness)
  test(`a stranger with the right encryption is turned away: ${what}`, async () => {
    const node = await startNode(cleanup)
    const guest = await stranger()
    const connection = await guest.dial(multiaddr(firstAddress(node)))
    const stream = await connection.newStream('/cluster/link/1')
    const gone = closed(connection)
    const refused = nextEvent(node, 'refused')
    stream.send(bytes)
    expect((await refused).reason).toContain('protocol')
    await gone
    expect(node.links()).toEqual([])
    await stillServes(node)
  })

test('a stream before admission closes the connection', async () => {
  const node = await startNode(cleanup)
  const guest = await stranger()
  const connection = await guest.dial(multiaddr(firstAddress(node)))
  const gone = closed(connection)
  const refused = nextEvent(node, 'refused')
  // The node may hang up before the guest knows that the stream was opened.
  await connection.newStream('/cluster/stream/1').catch(() => null)
  expect((await refused).reason).toContain('before its admission')
  await gone
})

/** Goes through the handshake as a node without secret would, until the link is up at the other side. */
async function beAdmitted(guest: Libp2p, connection: Connection, peer: Transport): Promise<Stream> {
  const stream = await connection.newStream('/cluster/link/1')
  const say = (message: unknown): void => {
    stream.send(frame(FRAME.handshake, json(message)))
  }
  const admission = new Admission({
    role: 'dial',
    self: guest.peerId.toString(),
    peer: peer.self,
    name: 'faults',
    nonce: createHmac('sha256', 'n').update(String(performance.now())).digest('hex'),
    start: 1,
    listening: [],
    secret: false,
    mac: (text) => createHmac('sha256', new Uint8Array(32)).update(text).digest('hex'),
    matches: (a, b) => a === b,
  })
  const run = (effects: ReturnType<Admission['begin']>): void => {
    for (const effect of effects) {
      if (effect.type === 'send') say(effect.message)
      // With the smaller id the guest decides, otherwise the node says so itself.
      else if (effect.type === 'admitted' && guest.peerId.toString() < peer.self) say({ t: 'use' })
    }
  }
  const reader = new FrameReader(8192)
  stream.addEventListener('message', ({ data }) =>
    reader.push(data.subarray(), (bytes, start, end) => {
      if (bytes[start] !== FRAME.handshake) return
      const message = JSON.parse(new TextDecoder().decode(bytes.subarray(start + 1, end)))
      if (message.t !== 'use') run(admission.step(message))
    }),
  )
  const up = nextEvent(peer, 'linkUp')
  run(admission.begin())
  await up
  return stream
}

const lateRudeness: readonly (readonly [string, Uint8Array])[] = [
  ['an unknown type', frame(77, new Uint8Array(3))],
  ['a second handshake', frame(FRAME.handshake, json({ t: 'use' }))],
  ['a channel that was not named', frame(FRAME.notify, Uint8Array.of(9, 0, 1))],
  ['a channel out of order', frame(FRAME.channel, Uint8Array.of(5, 0, 65))],
  ['a request that is cut off', frame(FRAME.request, Uint8Array.of(0, 0, 1))],
  ['a piece of nothing', frame(FRAME.next, new Uint8Array(100))],
  ['a frame larger than allowed', frame(FRAME.first, Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 1))],
  ['a length larger than allowed', new Uint8Array(8).fill(0xff)],
]

for (const [what, bytes] of lateRudeness)
  test(`an admitted peer that breaks the protocol loses its link: ${what}`, async () => {
    const node = await startNode(cleanup)
    const guest = await stranger()
    const connection = await guest.dial(multiaddr(firstAddress(node)))
    const stream = await beAdmitted(guest, connection, node)
    const down = nextEvent(node, 'linkDown')
    stream.send(bytes)
    expect(await down).toMatchObject({ peer: guest.peerId.toString(), cause: 'failed' })
    await stillServes(node)
  })

test('a frame that its handler cannot bear costs the sender its link', async () => {
  const [a, b] = [await startNode(cleanup), await startNode(cleanup)]
  a.handle('json', { notify: (_peer, bytes) => void JSON.parse(new TextDecoder().decode(bytes)) })
  await b.connect(firstAddress(a))
  const down = nextEvent(a, 'linkDown')
  b.notify(a.self, 'json', Uint8Array.of(123, 123))
  expect(await down).toMatchObject({ peer: b.self, cause: 'failed' })
  await stillServes(a)
})
