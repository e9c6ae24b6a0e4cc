import type { Disk } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import {
  clockSuite,
  diskSuite,
  MemoryDisk,
  type NodePorts,
  type Program,
  SimRandom,
  World,
} from '../src/index.ts'

const bare: Program<NodePorts> = { start: async (ports) => ports, stop: async () => {} }

async function oneNode(seed: number, rate = 1) {
  const world = new World({ seed })
  const node = world.node('a', bare)
  node.clockFaults.rate = rate
  const ports = await node.start()
  const settle = <T>(promise: Promise<T>): Promise<T> => world.settle(promise, 60_000)
  return { world, node, ports, settle }
}

describe('SimDisk', () => {
  diskSuite({ describe, test, expect }, async () => {
    const { ports, settle } = await oneNode(1)
    return { disk: ports.disk, settle, close: async () => {} }
  })

  const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill)
  const crash = async (seed: number, kind: 'kill' | 'power', work: (disk: Disk) => Promise<void>) => {
    const { node, ports, settle } = await oneNode(seed)
    await settle(work(ports.disk))
    node.crash(kind)
    const { disk } = await node.start()
    return { node, settle, disk }
  }
  const appendUnsynced = async (disk: Disk): Promise<void> => {
    const file = await disk.open('log')
    await file.append([bytes(100, 1)])
    await file.sync()
    await file.append([bytes(1_000, 2)])
  }

  test('a killed process loses nothing of what it wrote, synced or not', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { settle, disk } = await crash(seed, 'kill', appendUnsynced)
      const read = await settle(disk.read('log'))
      expect(read).toEqual(new Uint8Array([...bytes(100, 1), ...bytes(1_000, 2)]))
    }
  })

  test('a power loss keeps what was synced, and of the rest all, nothing, a part or a torn part', async () => {
    const seen = { all: 0, nothing: 0, part: 0, torn: 0 }
    for (let seed = 0; seed < 100; seed++) {
      const { settle, disk } = await crash(seed, 'power', appendUnsynced)
      const read = (await settle(disk.read('log'))) ?? new Uint8Array()
      expect([...read.subarray(0, 100)]).toEqual([...bytes(100, 1)])
      const rest = [...read.subarray(100)]
      if (rest.some((byte) => byte !== 2)) seen.torn++
      else if (rest.length === 0) seen.nothing++
      else if (rest.length === 1_000) seen.all++
      else seen.part++
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(5)
  })

  test('a crash in the middle of a replace leaves the old file or the new one', async () => {
    const seen = new Set<number | undefined>()
    for (let seed = 0; seed < 30; seed++) {
      const { world, node, ports, settle } = await oneNode(seed)
      await settle(ports.disk.replace('state', bytes(50, 1)))
      ports.disk.replace('state', bytes(60, 2))
      await world.run(0.05)
      node.crash(seed % 2 === 0 ? 'power' : 'kill')
      const { disk } = await node.start()
      const read = await settle(disk.read('state'))
      expect(read?.every((byte) => byte === read[0])).toBe(true)
      seen.add(read?.length)
    }
    expect([...seen].sort()).toEqual([50, 60])
  })

  test('a crash in the middle of an append leaves a part of it; nothing completes for the dead', async () => {
    const lengths = new Set<number>()
    for (let seed = 0; seed < 30; seed++) {
      const { world, node, ports, settle } = await oneNode(seed)
      const file = await settle(ports.disk.open('log'))
      let completed = false
      file.append([bytes(40, 1), bytes(40, 2)]).then(() => {
        completed = true
      })
      node.crash('kill')
      const { disk } = await node.start()
      await world.run(10)
      expect(completed).toBe(false)
      const read = (await settle(disk.read('log'))) ?? new Uint8Array()
      expect(read.length).toBeLessThanOrEqual(80)
      lengths.add(read.length)
    }
    expect(lengths.size).toBeGreaterThan(10)
  })

  test('a crash while a full disk is asked for a new file makes none', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { world, node, ports } = await oneNode(seed)
      node.disk.faults.full = true
      for (const work of [ports.disk.open('new'), ports.disk.replace('other', bytes(1, 1))])
        work.catch((error: unknown) => world.fail(error))
      node.crash('power')
      expect(node.disk.paths()).toEqual([])
      await world.run(1_000)
    }
  })

  test('slow syncs are slow, and damage flips a bit', async () => {
    const { world, node, ports, settle } = await oneNode(1)
    Object.assign(node.disk.faults, { slow: 1, slowMsMax: 500 })
    const before = world.now
    const file = await settle(ports.disk.open('log'))
    await settle(file.append([bytes(3, 0)]))
    for (let i = 0; i < 5; i++) await settle(file.sync())
    expect(world.now - before).toBeGreaterThan(500)
    expect(node.disk.counts.slowSyncs).toBeGreaterThanOrEqual(5)
    expect(node.disk.damage('log', 1)).toBe(true)
    expect(node.disk.damage('log', 3)).toBe(false)
    const read = await settle(file.read(0, 3))
    expect([read[0], read[2]]).toEqual([0, 0])
    expect(read[1]).not.toBe(0)
  })
})

describe('MemoryDisk', () => {
  diskSuite({ describe, test, expect }, async () => ({ disk: new MemoryDisk(), close: async () => {} }))
})

describe('SimClock', () => {
  for (const rate of [1, 1.01, 0.7])
    describe(`at ${rate} of the true speed`, () =>
      clockSuite({ describe, test, expect }, async () => {
        const { ports, settle } = await oneNode(1, rate)
        return { clock: ports.clock, settle }
      }))

  test('drifts and is skewed as told, and shows no time of other nodes', async () => {
    const world = new World({ seed: 1 })
    const a = world.node('a', bare)
    const b = world.node('b', bare)
    Object.assign(b.clockFaults, { skewMs: 90_000, rate: 2 })
    const [clockA, clockB] = [(await a.start()).clock, (await b.start()).clock]
    const [startA, startB] = [clockA.now(), clockB.now()]
    expect(startA).not.toBe(startB)
    await world.run(1_000)
    expect(clockA.now() - startA).toBe(1_000)
    expect(clockB.now() - startB).toBe(2_000)
    expect(clockB.wall() - clockA.wall()).toBe(90_000)
  })
})

describe('SimRandom', () => {
  test('forks are independent of how much was drawn before', () => {
    const one = new SimRandom(7)
    const other = new SimRandom(7)
    other.uint32()
    expect(one.fork('x').uint32()).toBe(other.fork('x').uint32())
    expect(one.fork('x').uint32()).not.toBe(one.fork('y').uint32())
  })

  test('is spread evenly', () => {
    const random = new SimRandom(1)
    const buckets = new Array<number>(16).fill(0)
    for (let i = 0; i < 16_000; i++) {
      const bucket = random.uint32() >>> 28
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  })
})
