import { type ChannelHandlers, errorCode, type NodeId, nodeId, type Peers } from '@cluster/core'
import type { SuiteRunner } from './runner.ts'

export interface PeersFixture {
  /**
   * Builds the peers of a node, lets `prepare` register services and listeners, and starts them. A name that
   * was started before and is over now is the same node, started again. Its id is the name.
   * @param seeds names of nodes whose addresses it is given
   */
  start(name: string, seeds: readonly string[], prepare?: (peers: Peers) => void): Promise<Peers>
  /** Ends the process of a node as kill −9 does. */
  kill(name: string): void
  /** Stops a node in good order. */
  stop(name: string, reason: 'away' | 'left'): Promise<void>
  /** Drops everything between a node and all others, without a word, until `heal`. */
  isolate(name: string): void
  heal(): void
  /** Breaks the link between two living nodes as a reset does. */
  breakLink(a: string, b: string): void
  /** Lets (virtual) time pass until it holds. @throws when it does not within `withinMs` */
  until(done: () => boolean, withinMs: number): Promise<void>
  /** Lets (virtual) time pass until the promise settles. */
  settle<T>(promise: Promise<T>): Promise<T>
  /** A peer is dead without proof after at most so long. */
  readonly giveUpMs: number
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const read = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const A = nodeId('a')
const B = nodeId('b')
const C = nodeId('c')

/** Within so long nodes meet, notice a broken link and meet again. */
const SOON_MS = 10_000

/** Writes down what happens to one node's peers, one short line an event. */
function record(lines: string[]): (peers: Peers) => void {
  return (peers) => {
    peers.on('linkUp', ({ peer }) => lines.push(`up ${peer}`))
    peers.on('linkDown', ({ peer, cause }) => lines.push(`down ${peer} ${cause}`))
    peers.on('member', ({ member, before }) =>
      lines.push(`${member.id} ${before ?? 'new'} > ${member.state}`),
    )
    peers.on('deathProved', ({ peer, start, by }) => lines.push(`proved ${peer} ${start} ${by}`))
  }
}

const sees = (peers: Peers, id: NodeId, state: string): boolean => peers.member(id)?.state === state

const echo: ChannelHandlers = {
  request: async (peer, frame) => text(`${peer} asked ${read(frame)}`),
  stream: (_, opening, stream) => {
    const answer = async (): Promise<void> => {
      await stream.send(text(`opened with ${read(opening)}`))
      for await (const frame of stream) await stream.send(text(`again ${read(frame)}`))
      await stream.close()
    }
    answer().catch(() => stream.abort('the other end is gone'))
  },
}

/** What every `Peers` does. Times are of the fixture's clock. */
export function peersSuite({ describe, test, expect }: SuiteRunner, make: () => Promise<PeersFixture>): void {
  /** Three nodes that met, `lines` what happened at `a` since. */
  async function trio(prepare: (peers: Peers) => void = () => {}) {
    const world = await make()
    const lines: string[] = []
    const prepareA = (peers: Peers): void => {
      record(lines)(peers)
      prepare(peers)
    }
    const a = await world.start('a', [], prepareA)
    const b = await world.start('b', ['a'], prepare)
    const c = await world.start('c', ['a'], prepare)
    await world.until(
      () => [a, b, c].every((peers) => [A, B, C].every((id) => sees(peers, id, 'alive'))),
      SOON_MS,
    )
    lines.length = 0
    return { world, a, b, c, lines }
  }

  describe('peers', () => {
    test('a lone node knows itself and nobody else', async () => {
      const world = await make()
      const peers = await world.start('a', [])
      expect(peers.self).toBe('a')
      expect(peers.members().map(({ id, state, self }) => [id, state, self])).toEqual([['a', 'alive', true]])
      expect(peers.member(B)).toBeNull()
      expect(peers.broadcast('service', text('x'))).toBe(0)
      expect(peers.notify(B, 'service', text('x'))).toBe(false)
      const failure = await world.settle(peers.request(B, 'service', text('x')).catch(errorCode))
      expect(failure).toBe('PEER_UNKNOWN')
    })

    test('everybody meets everybody, though two know one address only', async () => {
      const { a, b, c } = await trio()
      for (const peers of [a, b, c]) {
        expect(peers.members().map(({ id }) => id)).toEqual(['a', 'b', 'c'])
        expect(peers.members().filter(({ self }) => self).length).toBe(1)
        for (const member of peers.members()) expect(member.addresses.length).toBeGreaterThan(0)
      }
    })

    test('everybody meets, whoever starts first, with the same list for all', async () => {
      const world = await make()
      const all: Peers[] = []
      for (const name of ['c', 'a', 'b']) all.push(await world.start(name, ['a', 'b', 'c']))
      await world.until(
        () => all.every((peers) => [A, B, C].every((id) => sees(peers, id, 'alive'))),
        SOON_MS,
      )
    })

    test('notifications, requests and streams arrive and name their sender', async () => {
      const heard: string[] = []
      const { world, a, b } = await trio((peers) => {
        peers.serve('news', {
          notify: (peer, frame) => heard.push(`${peer} told ${peers.self} ${read(frame)}`),
        })
        peers.serve('echo', echo)
      })
      expect(a.notify(B, 'news', text('one'))).toBe(true)
      expect(a.notify(B, 'news', text('two'))).toBe(true)
      expect(b.broadcast('news', text('all'))).toBe(2)
      await world.until(() => heard.length === 4, SOON_MS)
      expect([...heard].sort()).toEqual(['a told b one', 'a told b two', 'b told a all', 'b told c all'])
      expect(heard.indexOf('a told b one')).toBeLessThan(heard.indexOf('a told b two'))
      expect(read(await world.settle(a.request(C, 'echo', text('why'))))).toBe('a asked why')
      const talk = async (): Promise<string[]> => {
        const stream = await a.openStream(B, 'echo', text('hello'))
        await stream.send(text('1'))
        await stream.send(text('2'))
        await stream.close()
        const frames: string[] = []
        for await (const frame of stream) frames.push(read(frame))
        return frames
      }
      expect(await world.settle(talk())).toEqual(['opened with hello', 'again 1', 'again 2'])
    })

    test('a killed process is suspected at once, then proved dead', async () => {
      const { world, a, c, lines } = await trio()
      const start = a.member(B)?.start ?? 0
      const silences: number[] = []
      a.on('deathProved', ({ silentMs }) => silences.push(silentMs))
      world.kill('b')
      await world.until(() => sees(a, B, 'dead') && sees(c, B, 'dead'), 500)
      expect(lines).toEqual([
        'down b closed-by-host',
        'b alive > suspected',
        `proved b ${start} refused`,
        'b suspected > dead',
      ])
      expect(silences.length).toBe(1)
      for (const silentMs of silences) {
        expect(silentMs).toBeGreaterThanOrEqual(0)
        expect(silentMs).toBeLessThan(500)
      }
      expect(a.notify(B, 'news', text('x'))).toBe(false)
      expect(await world.settle(a.request(B, 'news', text('x')).catch(errorCode))).toBe('LINK_DOWN')
    })

    test('a process started again is alive again, with a higher start number', async () => {
      const { world, a, lines } = await trio()
      const start = a.member(B)?.start ?? 0
      world.kill('b')
      await world.until(() => sees(a, B, 'dead'), SOON_MS)
      await world.start('b', ['a'])
      await world.until(() => sees(a, B, 'alive'), SOON_MS)
      expect(a.member(B)?.start).toBe(start + 1)
      expect(lines.slice(-2)).toEqual(['up b', 'b dead > alive'])
    })

    test('a broken link of two living nodes proves nothing and comes back', async () => {
      const { world, a, b, lines } = await trio()
      world.breakLink('a', 'b')
      await world.until(() => lines.length >= 2, SOON_MS)
      await world.until(() => sees(a, B, 'alive') && sees(b, A, 'alive'), SOON_MS)
      expect(lines).toEqual(['down b closed-by-host', 'b alive > suspected', 'up b', 'b suspected > alive'])
    })

    test('silence proves nothing: suspected, dead after the grace time, alive when heard again', async () => {
      const { world, a, b, lines } = await trio()
      world.isolate('b')
      await world.until(() => sees(a, B, 'suspected'), SOON_MS)
      await world.until(() => sees(a, B, 'dead') && sees(b, A, 'dead'), world.giveUpMs)
      expect(lines.filter((line) => line.startsWith('proved'))).toEqual([])
      world.heal()
      await world.until(() => sees(a, B, 'alive') && sees(b, A, 'alive') && sees(b, C, 'alive'), 40_000)
      expect(lines.filter((line) => line.startsWith('proved'))).toEqual([])
    })

    for (const reason of ['away', 'left'] as const) {
      test(`a node that stops is ${reason}, which is no death, until it is seen again`, async () => {
        const { world, a, c, lines } = await trio()
        await world.settle(world.stop('b', reason))
        await world.until(() => lines.some((line) => line.startsWith('down b')), SOON_MS)
        expect(sees(a, B, reason) && sees(c, B, reason)).toBe(true)
        expect(lines.filter((line) => line.startsWith('b '))).toEqual([`b alive > ${reason}`])
        await world.start('b', ['a'])
        await world.until(() => sees(a, B, 'alive') && sees(c, B, 'alive'), SOON_MS)
        expect(lines.filter((line) => line.startsWith('proved'))).toEqual([])
      })
    }
  })
}
