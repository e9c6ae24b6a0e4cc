import { describe, expect, test } from '@jest/globals'
import { Cluster } from './support/cluster.ts'

/** A word that makes its node's state large. */
const long = (i: number): string => `${i}-`.padEnd(20_000, 'x')

/** Three nodes, of which c was down while the others filled and cut their logs. */
async function behind(seed: number): Promise<Cluster> {
  const cluster = new Cluster(
    ['a', 'b', 'c'],
    { snapshotEntries: 40, tailEntries: 5, snapshotBytes: 1e9 },
    seed,
  )
  await cluster.start('a', 'b', 'c')
  await cluster.untilVoters('a', 'b', 'c')
  cluster.node('c').crash('kill')
  for (let i = 0; i < 130; i++) await cluster.submit('a', long(i))
  return cluster
}

const lines = (cluster: Cluster, what: string): string[] =>
  cluster.world.trace.tail(2_000).filter((line) => line.includes(what))

describe('a follower behind the cut', () => {
  test('gets a snapshot of several pieces', async () => {
    const cluster = await behind(1)
    await cluster.start('c')
    await cluster.until(() => cluster.app('c').words.words.length === 130)
    expect(cluster.app('c').events).toContain('snapshot installed')
    expect(cluster.app('c').words.words).toEqual(cluster.app('a').words.words)
  })

  test('goes on with it after its links were reset in the middle, again and again', async () => {
    let resumed = 0
    for (let seed = 1; seed <= 6; seed++) {
      const cluster = await behind(seed)
      const { disk } = cluster.node('c')
      const arrived = (): number =>
        Math.max(0, ...[1, 2, 3].map((n) => disk.file(`incoming-${n}`)?.size ?? 0))
      const starting = cluster.node('c').start()
      starting.catch((error) => cluster.world.fail(error))
      for (const bytes of [200_000, 700_000, 1_200_000]) {
        while (arrived() <= bytes) await cluster.world.run(0.1)
        for (const link of cluster.world.network.links())
          if (link.joins('a', 'c') || link.joins('b', 'c')) link.reset()
      }
      await cluster.until(() => cluster.node('c').app?.words.words.length === 130)
      expect(cluster.app('c').words.words).toEqual(cluster.app('a').words.words)
      expect(disk.paths().filter((path) => path.startsWith('incoming-'))).toEqual([])
      const begun = [...lines(cluster, 'snapshot not sent'), ...lines(cluster, 'snapshot sent')].map((line) =>
        Number(/from=(\d+)/.exec(line)?.[1]),
      )
      // Nothing that has arrived is sent again.
      for (const [i, from] of begun.entries()) if (i > 0) expect(from).toBeGreaterThan(begun[i - 1] ?? 0)
      expect(begun.at(-1)).toBeGreaterThan(0)
      resumed += begun.length - 1
    }
    expect(resumed).toBeGreaterThan(6)
  })

  test('takes the next leader’s when the sender dies', async () => {
    const cluster = await behind(3)
    const leader = cluster.leader()
    const starting = cluster.node('c').start()
    starting.catch((error) => cluster.world.fail(error))
    await cluster.world.run(15)
    cluster.node(leader).crash('kill')
    await cluster.until(() => cluster.node('c').app?.words.words.length === 130)
    await cluster.submit('c', 'more')
  })

  test('applies what comes while it takes the snapshot in, after it', async () => {
    const cluster = await behind(4)
    const starting = cluster.node('c').start()
    starting.catch((error) => cluster.world.fail(error))
    for (let i = 0; i < 30; i++) {
      cluster
        .app('a')
        .log.submit('words', new TextEncoder().encode(`more-${i}`))
        .catch((error) => cluster.world.fail(error))
      await cluster.world.run(2)
    }
    await cluster.until(() => cluster.node('c').app?.words.words.length === 160)
    expect(cluster.app('c').words.words).toEqual(cluster.app('a').words.words)
  })
})
