import { address, nodeId, type TransportEvents } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { peers } from '../../src/index.ts'
import { simPeers } from '../sim-peers.ts'

describe('bad company', () => {
  test('a peer that sends garbage is logged once and otherwise ignored', async () => {
    const sim = simPeers('garbage')
    const a = await sim.start('a', [])
    const raw = sim.world.node('raw', {
      async start({ transport }) {
        await transport.start()
        await transport.connect(sim.world.network.addressOf('a'))
        for (let i = 0; i < 50; i++) transport.notify(nodeId('a'), 'p2p', Uint8Array.of(1, 1, 0xff, i))
        await transport.request(nodeId('a'), 'p2p', Uint8Array.of(9)).catch(() => {})
        return null
      },
      stop: async () => {},
    })
    await sim.settle(raw.start())
    await sim.world.run(100)
    expect(a.member(nodeId('raw'))?.state).toBe('alive')
    const lines = sim.world.trace.tail(2_000).filter((line) => line.includes('ignored a membership frame'))
    expect(lines.length).toBe(1)
  })

  test('a node that is given its own address by another name notices', async () => {
    const sim = simPeers('alias')
    const a = await sim.start('a', ['a'])
    await sim.world.run(5_000)
    expect(a.members().length).toBe(1)
  })

  test('unknown addresses are dialled in vain without end and without harm', async () => {
    const sim = simPeers('nobody')
    const a = await sim.start('a', ['nobody', 'b'])
    await sim.world.run(60_000)
    const b = await sim.start('b', [])
    await sim.until(() => a.members().length === 2 && b.members().length === 2, 5_000)
    expect(a.members().map(({ addresses }) => addresses)).toEqual([[address('/sim/a')], [address('/sim/b')]])
  })

  test('a node whose listening port fails is told to stop, and a discovery that fails stops nobody', async () => {
    const sim = simPeers('listener')
    const failures: string[] = []
    const node = sim.world.node('a', {
      async start({ transport, clock, random, logger }) {
        const breakPorts: ((event: TransportEvents['listenerFailed']) => void)[] = []
        // The simulated transport's port never fails, so its events are overheard.
        const on = transport.on.bind(transport)
        transport.on = (type, listener) => {
          if (type === 'listenerFailed') breakPorts.push(listener as (typeof breakPorts)[number])
          return on(type, listener)
        }
        const discovery = {
          start: () => Promise.reject(new Error('no multicast here')),
          stop: () => Promise.reject(new Error('it never ran')),
        }
        const built = peers({ start: 1 })({
          transport,
          discoveries: [discovery],
          clock,
          random,
          logger,
        })
        built.on('failed', ({ error }) => failures.push(error.code))
        await built.start()
        for (const breakPort of breakPorts) breakPort({ address: '/sim/a', reason: 'gone' })
        return built
      },
      stop: (built) => built.stop('away'),
    })
    const built = await sim.settle(node.start())
    await sim.settle(built.stop('away'))
    expect(failures).toEqual(['LISTENER_FAILED'])
    expect(sim.world.trace.tail(50).some((line) => line.includes('a discovery does not start'))).toBe(true)
  })
})
