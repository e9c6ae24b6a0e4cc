import { nodeId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { Cluster, word } from './support/cluster.ts'

/** Nodes whose programs support what `supports` says when they start. */
function clusterOf(supports: Record<string, number>): Cluster {
  return new Cluster(Object.keys(supports), (name) => ({ supports: supports[name] ?? 1 }))
}

async function restart(cluster: Cluster, name: string): Promise<void> {
  cluster.node(name).crash('kill')
  await cluster.start(name)
}

const bundle = (cluster: Cluster, name: string): Promise<unknown> => {
  const answer = cluster.app(name).log.submitBundle({ commands: [{ machine: 'words', command: word('x') }] })
  return cluster.world.settle(answer, 20_000)
}

describe('programs of several versions', () => {
  test('the cluster is raised once the last member was upgraded, and every node sees it at the same entry', async () => {
    const supports = { a: 1, b: 1, c: 1 }
    const cluster = clusterOf(supports)
    await cluster.start('a', 'b', 'c')
    await cluster.untilVoters('a', 'b', 'c')
    await cluster.until(() => cluster.running.every(({ app }) => app?.log.group().version === 1))
    for (const name of ['a', 'b', 'c'] as const) {
      expect(cluster.running.every(({ app }) => app?.log.group().version === 1)).toBe(true)
      supports[name] = 2
      await restart(cluster, name)
      await cluster.untilVoters('a', 'b', 'c')
    }
    await cluster.until(() => cluster.running.every(({ app }) => app?.log.group().version === 2))
    // It is part of the state: one that comes up later has it from the log or a snapshot.
    await restart(cluster, 'b')
    await cluster.until(() => cluster.group('b').version === 2)
  })

  test('one that is away holds it back: it comes back with the program that it had', async () => {
    const supports = { a: 1, b: 1, c: 1 }
    const cluster = clusterOf(supports)
    await cluster.start('a', 'b', 'c')
    await cluster.untilVoters('a', 'b', 'c')
    await cluster.world.settle(cluster.node('c').stop(), 5_000)
    await cluster.untilVoters('a', 'b')
    for (const name of ['a', 'b'] as const) {
      supports[name] = 2
      await restart(cluster, name)
      await cluster.untilVoters('a', 'b')
    }
    await cluster.submit('a', 'word')
    expect(cluster.group('a')).toMatchObject({ version: 1, away: ['c'] })
    await cluster.start('c')
    expect(cluster.group('c').version).toBe(1)
    supports.c = 2
    await restart(cluster, 'c')
    await cluster.until(() => cluster.running.every(({ app }) => app?.log.group().version === 2))
  })

  test('what a member does not know is refused, and named', async () => {
    const supports = { a: 2, b: 1 }
    const cluster = clusterOf(supports)
    // The older program founds the group.
    await cluster.start('b')
    await cluster.start('a')
    await cluster.untilVoters('a', 'b')
    await expect(bundle(cluster, 'a')).rejects.toMatchObject({
      code: 'LOG_VERSION_TOO_LOW',
      detail: { version: 1, needs: 2, behind: ['b'], outcome: 'rejected' },
    })
    supports.b = 2
    await restart(cluster, 'b')
    await cluster.until(() => cluster.group('a').version === 2)
    // Known now; this machine just takes part in none.
    await expect(bundle(cluster, 'a')).rejects.toMatchObject({ code: 'LOG_NO_BUNDLES' })
  })

  test('a program that is too old is not let in, and says why it waits', async () => {
    const cluster = clusterOf({ a: 2, b: 1 })
    await cluster.start('a')
    await cluster.until(() => cluster.group('a').version === 2)
    const { log, events } = await cluster.world.settle(cluster.node('b').start(), 1_000)
    const ready = cluster.world.settle(log.ready({ deadlineMs: 2_000 }), 5_000)
    await expect(ready).rejects.toMatchObject({ code: 'LOG_NO_GROUP' })
    expect(events.some((event) => event.includes('a newer program'))).toBe(true)
    expect(events.at(-1)).toContain('the cluster is at version 2, this program supports 1')
    expect(cluster.group('a')).toMatchObject({ voters: ['a'], learners: [] })
  })

  test('a member that was downgraded stops before it misunderstands anything', async () => {
    const supports = { a: 2, b: 2 }
    const cluster = clusterOf(supports)
    await cluster.start('a', 'b')
    await cluster.untilVoters('a', 'b')
    await cluster.until(() => cluster.running.every(({ app }) => app?.log.group().version === 2))
    cluster.node('b').crash('kill')
    supports.b = 1
    const { events } = await cluster.world.settle(cluster.node('b').start(), 1_000)
    await cluster.until(() => events.some((event) => event.startsWith('failed')))
    expect(events.at(-1)).toContain('The cluster is at version 2, and this program supports 1 at most')
    expect(cluster.group('a').voters).toContain(nodeId('a'))
  })
})
