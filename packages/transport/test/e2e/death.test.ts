import { afterEach, expect, jest, test } from '@jest/globals'
import { newIdentity } from '../../src/index.ts'
import { Cleanup, failureOf, firstAddress, nextEvent, startNode, startPeer } from './nodes.ts'

// A busy machine may take seconds for what needs milliseconds.
jest.setTimeout(60_000)

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

test('a killed process is noticed at once, and its port refuses', async () => {
  // No sign of life is asked for, so only the socket can tell.
  const node = await startNode(cleanup, { keepAliveMs: 3_600_000 })
  const { privateKey, id } = await newIdentity()
  const peer = await startPeer(cleanup, { identity: privateKey, start: 1 })
  await node.connect(peer.address)
  expect(await node.request(id, 'echo', Uint8Array.of(1))).toEqual(Uint8Array.of(1))
  const waiting = failureOf(node.request(id, 'nothing', Uint8Array.of(1)))
  expect(await waiting).toMatchObject({ code: 'NO_HANDLER' })

  const down = nextEvent(node, 'linkDown')
  peer.process.kill('SIGKILL')
  expect(await down).toMatchObject({ peer: id, start: 1, cause: 'closed-by-host' })
  expect(await node.probe(peer.address)).toEqual({ answer: 'refused' })
  expect(node.notify(id, 'echo', Uint8Array.of(1))).toBe(false)
})

test('a process killed in the middle of a transfer counts as closed by its host too', async () => {
  const node = await startNode(cleanup)
  const { privateKey, id } = await newIdentity()
  const peer = await startPeer(cleanup, { identity: privateKey, start: 1 })
  await node.connect(peer.address)
  const down = nextEvent(node, 'linkDown')
  const asked = Array.from({ length: 20 }, () =>
    failureOf(node.request(id, 'echo', new Uint8Array(1024 * 1024))).catch(() => null),
  )
  await new Promise((resolve) => setImmediate(resolve))
  peer.process.kill('SIGKILL')
  expect(await down).toMatchObject({ cause: 'closed-by-host' })
  await Promise.all(asked)
})

test('a silent process times out, and its port is silent', async () => {
  const node = await startNode(cleanup, { keepAliveMs: 40, keepAliveMisses: 3 })
  const { privateKey, id } = await newIdentity()
  const peer = await startPeer(cleanup, { identity: privateKey, start: 1 })
  await node.connect(peer.address)
  const down = nextEvent(node, 'linkDown')
  peer.process.kill('SIGSTOP')
  expect(await down).toMatchObject({ peer: id, cause: 'timed-out' })
  expect(await node.probe(peer.address, { deadlineMs: 100 })).toEqual({ answer: 'silent' })
})

test('an idle link stays up', async () => {
  const options = { keepAliveMs: 20, keepAliveMisses: 2 }
  const [a, b] = [await startNode(cleanup, options), await startNode(cleanup, options)]
  await a.connect(firstAddress(b))
  let downs = 0
  a.on('linkDown', () => downs++)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(downs).toBe(0)
  expect(a.links()).toHaveLength(1)
})

test('a restarted process replaces the link of the one before, which never said good-bye', async () => {
  const node = await startNode(cleanup)
  const { privateKey, id } = await newIdentity()
  const before = await startPeer(cleanup, { identity: privateKey, start: 1 })
  await node.connect(before.address)
  before.process.kill('SIGSTOP')
  const down = nextEvent(node, 'linkDown')
  const up = nextEvent(node, 'linkUp')
  const after = await startPeer(cleanup, { identity: privateKey, start: 2, dial: firstAddress(node) })
  expect(await down).toMatchObject({ peer: id, start: 1, cause: 'failed' })
  expect(await up).toMatchObject({ peer: id, start: 2, inbound: true })
  expect(await node.probe(after.address)).toEqual({ answer: 'node', peer: id, start: 2 })
  expect(await node.request(id, 'echo', Uint8Array.of(9))).toEqual(Uint8Array.of(9))
})
