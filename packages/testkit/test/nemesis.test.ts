import { describe, expect, test } from '@jest/globals'
import { defaultNemesis, type FaultKind, Nemesis, type Program, type SimNode, World } from '../src/index.ts'

/** Syncs a file all the time, and links to all others. */
const idle: Program<object> = {
  async start({ disk, clock, transport }) {
    const file = await disk.open('beats')
    const beat = (): void => {
      file
        .append([new Uint8Array(8)])
        .then(() => file.sync())
        .then(() => clock.after(20, beat))
        .catch(() => {})
    }
    await transport.start()
    beat()
    return {}
  },
  stop: () => Promise.resolve(),
}

interface Played {
  readonly world: World
  readonly nodes: SimNode<object>[]
  readonly nemesis: Nemesis
  readonly starts: number
}

async function play(kind: FaultKind, count = 5, nodes: SimNode<object>[] = []): Promise<Played> {
  const world = new World({ seed: `nemesis ${kind}` })
  for (let i = 1; i <= count; i++) nodes.push(world.node(`n${i}`, idle))
  await world.settle(Promise.all(nodes.map((node) => node.start())), 1_000)
  let joined = count
  const nemesis = new Nemesis(world, nodes, () => 'n1', {
    ...defaultNemesis,
    weights: { [kind]: 1 },
    mayLoseDisk: () => nodes.every((node) => node.running),
    mayLeave: () => nodes.every((node) => node.running),
    replace: (left) => {
      const newcomer = world.node(`n${++joined}`, idle)
      nodes[nodes.findIndex((node) => node.id === left.id)] = newcomer
      void newcomer.start()
    },
  })
  nemesis.start()
  await world.run(60_000)
  nemesis.stop()
  await world.run(20_000)
  world.heal()
  const starts = nodes.reduce((sum, node) => sum + node.starts, 0)
  return { world, nodes, nemesis, starts }
}

describe('Nemesis', () => {
  const crashing: FaultKind[] = [
    'kill',
    'killLeader',
    'killInTurn',
    'undermine',
    'power',
    'killAll',
    'powerAll',
    'brownout',
    'stop',
    'bridge',
    'rot',
    'newDisk',
    'coldLoss',
  ]
  for (const kind of crashing)
    test(`${kind} happens, and everybody comes back from it`, async () => {
      const { nodes, nemesis, starts } = await play(kind)
      expect(nemesis.counts[kind]).toBeGreaterThan(3)
      expect(starts).toBeGreaterThan(nodes.length + 3)
      // A kill that was still due when the faults ended may have left a first one down; `heal` of the caller starts it.
      expect(nodes.filter((node) => !node.running).length).toBeLessThan(2)
    })

  test('whoever leaves for good is replaced', async () => {
    const { nodes, nemesis } = await play('leave')
    expect(nemesis.counts.leave).toBeGreaterThan(3)
    expect(nodes.filter(({ id }) => Number(id.slice(1)) > 5).length).toBeGreaterThan(1)
    expect(nodes.every((node) => node.running)).toBe(true)
  })

  test('in a ring everybody reaches a majority, and no two the same one', async () => {
    for (const count of [3, 4, 5, 6, 7]) {
      const world = new World({ seed: `ring ${count}` })
      const nodes = Array.from({ length: count }, (_, i) => world.node(`n${i + 1}`, idle))
      await world.settle(Promise.all(nodes.map((node) => node.start())), 1_000)
      const nemesis = new Nemesis(world, nodes, () => null, { ...defaultNemesis, weights: { ring: 1 } })
      nemesis.start()
      await world.until(() => (nemesis.counts.ring ?? 0) > 0, 10_000)
      const reach = nodes.map(({ id }) =>
        nodes
          .filter((other) => other.id === id || !world.network.isBlocked(id, other.id))
          .map((other) => other.id)
          .join(),
      )
      const majority = Math.floor(count / 2) + 1
      expect(reach.every((group) => group.split(',').length >= majority)).toBe(true)
      expect(new Set(reach).size).toBe(count)
    }
  })

  test('clocks drift and jump, and monotonic ones never go back', async () => {
    const world = new World({ seed: 'clocks' })
    const nows: number[] = []
    const walls: number[] = []
    const nodes = ['n1', 'n2', 'n3'].map((name) =>
      world.node<object>(name, {
        async start({ clock }) {
          const look = (): void => {
            nows.push(clock.now())
            walls.push(clock.wall())
            clock.after(50, look)
          }
          if (name === 'n1') look()
          return {}
        },
        stop: () => Promise.resolve(),
      }),
    )
    await Promise.all(nodes.map((node) => node.start()))
    const nemesis = new Nemesis(world, nodes, () => null, {
      ...defaultNemesis,
      weights: { drift: 1, clockJump: 1 },
      rates: [0.5, 2],
    })
    nemesis.start()
    await world.run(60_000)
    // Each timer took at least its time on the clock of its own node, whatever became of its speed meanwhile.
    for (const [i, now] of nows.entries())
      if (i > 0) expect(now - (nows[i - 1] ?? 0)).toBeGreaterThanOrEqual(50)
    expect(walls.some((wall, i) => wall < (walls[i - 1] ?? 0))).toBe(true)
    expect((nows.at(-1) ?? 0) - (nows[0] ?? 0)).not.toBeCloseTo(60_000, -3)
  })

  test('strikes whom it is told to, if one may go down', async () => {
    const world = new World({ seed: 'strike' })
    const nodes = ['n1', 'n2', 'n3'].map((name) => world.node(name, idle))
    await world.settle(Promise.all(nodes.map((node) => node.start())), 1_000)
    const nemesis = new Nemesis(world, nodes, () => null, { ...defaultNemesis, weights: { clockJump: 1 } })
    nemesis.strike('killSource', 'n1', 5)
    await world.run(10)
    expect(nodes[0]?.running).toBe(true)
    nemesis.start()
    nemesis.strike('killSource', 'n1', 5)
    nemesis.strike('killCopier', 'n2', 6)
    await world.run(10)
    expect(nodes.map((node) => node.running)).toEqual([false, true, true])
    expect(nemesis.counts.killSource).toBe(1)
    expect(nemesis.counts.killCopier).toBeUndefined()
  })
})
