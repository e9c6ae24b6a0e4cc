import type { NodeOptions } from '@cluster/node'
import { describe, expect, test } from '@jest/globals'
import { WholeCluster } from './whole-cluster.ts'

const BOTH = ['a', 'b'] as const
const numbered = (from: number, to: number, text: string): [number, string][] =>
  Array.from({ length: to - from }, (_, i) => [from + i, text])

/** Two nodes that each went on alone: what both wrote before, and what each wrote for itself under the same keys. */
async function parted(optionsOf: (name: string, start: number) => Omit<NodeOptions, 'start'>) {
  const cluster = new WholeCluster('parted', BOTH, optionsOf)
  await cluster.start(...BOTH)
  await cluster.open('a', { redundancy: 2, partitions: 4 })
  await cluster.write('a', numbered(0, 20, 'both'))
  await cluster.whole('a')
  // Each has to know that the other one has everything.
  await cluster.world.run(1_000)
  cluster.world.network.partition(['b'], ['a'])
  await cluster.until('both alone', () => BOTH.every((name) => cluster.app(name).log.group().alone))
  await cluster.write('a', numbered(10, 30, 'of a'))
  for (let i = 0; i < 5; i++) await cluster.write('b', numbered(15, 40, 'of b'))
  for (const name of BOTH)
    await cluster.settle(cluster.app(name).databases?.checkpoint() ?? Promise.resolve())
  return cluster
}

const OF_A = [...numbered(0, 10, 'both'), ...numbered(10, 30, 'of a')]
const OF_B = [...numbered(0, 15, 'both'), ...numbered(15, 40, 'of b')]

describe('two histories that have parted', () => {
  test('a node that is told to give its own up takes over every row of the other', async () => {
    const cluster = await parted((name, start) => ({
      log: { quorum: 'last-standing', lastStandingMs: 2_000, giveUpHistory: name === 'b' && start === 2 },
    }))
    expect(await cluster.read('a')).toEqual(OF_A)
    expect(await cluster.read('b')).toEqual(OF_B)
    cluster.node('b').crash('kill')
    cluster.world.heal()
    await cluster.start('b')
    await cluster.whole('a')
    for (const name of BOTH) expect(await cluster.read(name)).toEqual(OF_A)
    // The rows come from the stores on b now, after a restart, too.
    await cluster.world.run(1_000)
    cluster.node('b').crash('kill')
    await cluster.world.run(100)
    await cluster.start('b')
    await cluster.world.run(1_000)
    await cluster.whole('b')
    cluster.node('a').crash('kill')
    await cluster.until('b alone', () => cluster.app('b').log.group().alone)
    expect(await cluster.read('b')).toEqual(OF_A)
  })

  test('a rule that was set before picks one while both run', async () => {
    const cluster = await parted(() => ({
      log: { quorum: 'last-standing', lastStandingMs: 2_000, keep: 'most-writes' },
    }))
    cluster.world.heal()
    await cluster.until('one history', () => {
      const [one, other] = cluster.running.map(({ log }) => log.group())
      return one?.lineage === other?.lineage && one?.voters.length === 2
    })
    await cluster.whole('b')
    for (const name of BOTH) expect(await cluster.read(name)).toEqual(OF_B)
    await cluster.write('a', [[0, 'again']])
    for (const name of BOTH) expect((await cluster.read(name))[0]).toEqual([0, 'again'])
  })
})
