import { delay, type Transport } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { type NodePorts, type Program, type SimNode, World } from '../src/index.ts'

interface Chatter {
  readonly transport: Transport
  readonly heard: string[]
  readonly downs: string[]
  ticks: number
}

const text = new TextEncoder()
const plain = new TextDecoder()

/** Dials all others, greets them every 20 ms and writes what it hears to its disk. */
const chatter: Program<Chatter> = {
  async start({ transport, clock, disk, random, logger, self }: NodePorts): Promise<Chatter> {
    const app: Chatter = { transport, heard: [], downs: [], ticks: 0 }
    const file = await disk.open('heard')
    transport.handle('hi', {
      notify(peer, frame) {
        app.heard.push(`${peer}:${plain.decode(frame)}`)
        file.append([frame]).then(() => file.sync())
      },
      async request(peer, frame) {
        await delay(clock, 2)
        return text.encode(`${self} hears ${plain.decode(frame)} of ${peer}`)
      },
      stream(_peer, opening, stream) {
        const echo = async (): Promise<void> => {
          await stream.send(opening)
          for await (const frame of stream) await stream.send(frame)
          await stream.close()
        }
        echo().catch((error: unknown) => logger.log('warn', 'echo failed', { error: String(error) }))
      },
    })
    transport.on('linkDown', ({ peer, cause }) => app.downs.push(`${peer} ${cause}`))
    await transport.start()
    const round = (): void => {
      app.ticks++
      for (const name of ['a', 'b', 'c'])
        if (name !== self)
          transport
            .connect(`/sim/${name}` as never)
            .then((link) => transport.notify(link.peer, 'hi', text.encode(String(random.uint32() % 100))))
            .catch(() => logger.log('debug', 'dial failed', { name }))
      clock.after(20, round)
    }
    clock.after(1, round)
    return app
  },
  stop: ({ transport }) => transport.stop(),
}

async function three(seed: number): Promise<{ world: World; nodes: SimNode<Chatter>[] }> {
  const world = new World({ seed })
  const nodes = ['a', 'b', 'c'].map((name) => world.node(name, chatter))
  await world.settle(Promise.all(nodes.map((node) => node.start())), 100)
  return { world, nodes }
}

const app = (node: SimNode<Chatter> | undefined): Chatter => {
  if (!node?.app) throw new Error('the node is down')
  return node.app
}

describe('World', () => {
  const storm = async (seed: number): Promise<string> => {
    const { world, nodes } = await three(seed)
    Object.assign(world.network.faults, { loss: 0.1, reorder: 0.2, reorderMsMax: 30, duplicate: 0.1 })
    await world.run(500)
    nodes[0]?.crash('power')
    world.network.isolate('b')
    await world.run(500)
    world.heal()
    nodes[0]?.start()
    await world.run(500)
    return `${world.trace.hash} ${world.events}`
  }

  test('replays one seed exactly, and differs between seeds', async () => {
    const first = await storm(1)
    expect(await storm(1)).toBe(first)
    expect(await storm(2)).not.toBe(first)
  })

  test('runs nothing of a crashed node, and starts it anew from its disk', async () => {
    const { world, nodes } = await three(3)
    await world.run(200)
    const before = app(nodes[0])
    const { ticks } = before
    nodes[0]?.crash('kill')
    await world.run(200)
    expect(before.ticks).toBe(ticks)
    expect(app(nodes[1]).downs).toEqual(['a closed-by-host'])
    const again = nodes[0]?.start()
    await world.run(200)
    expect((await again)?.ticks).toBeGreaterThan(0)
    expect(nodes[0]?.starts).toBe(2)
    expect(app(nodes[1]).transport.links()[0]).toMatchObject({ peer: 'a', start: 2 })
  })

  test('a killed process is heard of at once, a host without power only by its silence', async () => {
    const { world, nodes } = await three(4)
    await world.run(100)
    nodes[0]?.crash('power')
    await world.run(3_900)
    expect(app(nodes[1]).downs).toEqual([])
    await world.run(200)
    expect(app(nodes[1]).downs).toEqual(['a timed-out'])
    const { transport } = app(nodes[1])
    expect(await world.settle(transport.probe('/sim/a' as never), 10_000)).toEqual({ answer: 'silent' })
    nodes[2]?.crash('kill')
    expect(await world.settle(transport.probe('/sim/c' as never), 10_000)).toEqual({ answer: 'refused' })
  })

  test('delivers what waited for the end of a short partition', async () => {
    const { world, nodes } = await three(5)
    await world.run(100)
    world.network.partition(['a'], ['b', 'c'])
    await world.run(10)
    const heard = app(nodes[0]).heard.length
    await world.run(1_000)
    expect(app(nodes[0]).heard).toHaveLength(heard)
    world.heal()
    await world.run(20)
    expect(app(nodes[0]).heard.length).toBeGreaterThan(heard + 90)
    expect(app(nodes[0]).downs).toEqual([])
  })

  test('answers requests, carries streams, and fails both when the link goes', async () => {
    const { world, nodes } = await three(6)
    await world.run(100)
    const { transport } = app(nodes[0])
    const b = 'b' as never
    expect(plain.decode(await world.settle(transport.request(b, 'hi', text.encode('x')), 100))).toBe(
      'b hears x of a',
    )
    await expect(world.settle(transport.request(b, 'no', text.encode('x')), 100)).rejects.toMatchObject({
      detail: { code: 'NO_HANDLER' },
    })
    const stream = await world.settle(transport.openStream(b, 'hi', text.encode('0')), 100)
    const sending = (async () => {
      for (let i = 1; i < 100; i++) await stream.send(text.encode(String(i)))
      await stream.close()
    })()
    const frames: string[] = []
    const reading = (async () => {
      for await (const frame of stream) frames.push(plain.decode(frame))
    })()
    await world.settle(Promise.all([sending, reading]), 10_000)
    expect(frames).toEqual(Array.from({ length: 100 }, (_, i) => String(i)))

    const open = await world.settle(transport.openStream(b, 'hi', text.encode('0')), 100)
    const iterator = open[Symbol.asyncIterator]()
    await world.settle(iterator.next(), 100)
    const calls = Promise.allSettled<unknown>([iterator.next(), transport.request(b, 'hi', text.encode('y'))])
    nodes[1]?.crash('kill')
    for (const call of await world.settle(calls, 100))
      expect(call).toMatchObject({ status: 'rejected', reason: { detail: { code: 'LINK_DOWN' } } })
  })

  test('a request that nobody answers ends at its deadline', async () => {
    const { world, nodes } = await three(7)
    await world.run(100)
    world.network.faults.loss = 1
    const call = app(nodes[0]).transport.request('b' as never, 'hi', text.encode('x'), { deadlineMs: 50 })
    await expect(world.settle(call, 100)).rejects.toMatchObject({ detail: { code: 'DEADLINE' } })
  })

  test('finds loops that stop virtual time, and stops when an event throws', async () => {
    const world = new World({ seed: 1 })
    const spin = (): void => void world.schedule(0, spin)
    spin()
    await expect(world.run(1)).rejects.toThrow('stands still')
    const other = new World({ seed: 1 })
    other.schedule(1, () => {
      throw new Error('planted')
    })
    await expect(other.run(2)).rejects.toThrow('planted')
  })
})
