import { describe, expect, test } from '@jest/globals'
import type { OrderedLogOptions } from '../src/index.ts'
import { Cluster } from './support/cluster.ts'

/** Two nodes that vote and agree on a word. The options may be changed before a node starts again. */
async function two(options: OrderedLogOptions = {}): Promise<Cluster> {
  const cluster = new Cluster(['a', 'b'], options)
  await cluster.start('a', 'b')
  await cluster.untilVoters('a', 'b')
  await cluster.submit('a', 'both')
  await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.length === 1))
  return cluster
}

/** Neither hears the other any more, and both take it for gone. */
async function split(cluster: Cluster): Promise<void> {
  cluster.world.network.partition(['a'], ['b'])
  await cluster.world.run(8_000)
}

const continueAlone = (cluster: Cluster, name: string): Promise<void> => {
  const going = cluster.app(name).log.continueAlone()
  going.catch(() => {})
  return cluster.world.settle(going, 1_000)
}

describe('two voters and silence', () => {
  test('by default writes wait, on both sides, until the operator says which one goes on', async () => {
    const cluster = await two()
    await split(cluster)
    for (const name of ['a', 'b'])
      await expect(cluster.submit(name, 'no', { deadlineMs: 500 })).rejects.toMatchObject({
        code: 'LOG_NO_QUORUM',
      })
    await continueAlone(cluster, 'b')
    expect(await cluster.submit('b', 'one')).toMatchObject({ alone: true, durableOn: 1 })
    expect(cluster.group('b')).toMatchObject({ alone: true, voters: ['b'], role: 'leader' })

    // The other side never had a history of its own, so it follows.
    cluster.world.network.mend()
    await cluster.untilVoters('a', 'b')
    expect(await cluster.submit('a', 'two')).toMatchObject({ alone: false, durableOn: 2 })
    await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.join() === 'both,one,two'))
  })

  test('the word is refused while the other one is there, and to one of three', async () => {
    const cluster = await two()
    await expect(continueAlone(cluster, 'a')).rejects.toMatchObject({
      code: 'LOG_ALONE_REFUSED',
      detail: { reason: 'linkUp' },
    })
    const more = new Cluster(['a', 'b', 'c'])
    await more.start('a', 'b', 'c')
    await more.untilVoters('a', 'b', 'c')
    more.world.network.isolate('a')
    await more.world.run(5_000)
    await expect(continueAlone(more, 'a')).rejects.toMatchObject({ detail: { reason: 'notLastTwo' } })
  })

  test('the word can be given at the start', async () => {
    const options: { continueAlone?: boolean } = {}
    const cluster = await two(options)
    for (const name of ['a', 'b']) cluster.node(name).crash('power')
    options.continueAlone = true
    await cluster.start('b')
    expect(await cluster.submit('b', 'one')).toMatchObject({ alone: true })
  })

  test('the last one standing goes on by itself, and says so in every receipt', async () => {
    const cluster = await two({ quorum: 'last-standing', lastStandingMs: 2_000 })
    cluster.node('b').crash('power')
    const { alone } = await cluster.submit('a', 'one')
    expect(alone).toBe(true)
  })

  test('one that starts while the other is away does not take itself for the last one standing', async () => {
    const cluster = await two({ quorum: 'last-standing', lastStandingMs: 2_000 })
    // b was dead when a went on, so it knows nothing of what a wrote then.
    cluster.node('b').crash('power')
    await cluster.submit('a', 'one')
    cluster.node('a').crash('power')
    await cluster.world.settle(cluster.node('b').start(), 1_000)
    await cluster.world.run(10_000)
    await expect(cluster.submit('b', 'no', { deadlineMs: 500 })).rejects.toMatchObject({
      code: 'LOG_NO_QUORUM',
    })
    await cluster.start('a')
    await cluster.untilVoters('a', 'b')
    await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.join() === 'both,one'))
  })

  test('two that both went on write nothing when they meet, until one is told to give its history up', async () => {
    const options: { quorum: 'last-standing'; lastStandingMs: number; giveUpHistory?: boolean } = {
      quorum: 'last-standing',
      lastStandingMs: 2_000,
    }
    const cluster = await two(options)
    await split(cluster)
    expect(await cluster.submit('a', 'of a')).toMatchObject({ alone: true })
    expect(await cluster.submit('b', 'of b')).toMatchObject({ alone: true })
    const told: string[] = []
    for (const name of ['a', 'b'])
      cluster.app(name).log.on('forked', ({ peer }) => told.push(`${name} ${peer}`))
    cluster.world.network.mend()
    await cluster.until(() => told.length === 2)
    expect(told.sort()).toEqual(['a b', 'b a'])
    for (const name of ['a', 'b'])
      await expect(cluster.submit(name, 'no', { deadlineMs: 500 })).rejects.toMatchObject({
        code: 'LOG_FORKED_HISTORY',
      })

    cluster.node('b').crash('kill')
    options.giveUpHistory = true
    await cluster.start('b')
    options.giveUpHistory = false
    await cluster.untilVoters('a', 'b')
    await cluster.submit('b', 'again')
    await cluster.until(() =>
      cluster.running.every(({ app }) => app?.words.words.join() === 'both,of a,again'),
    )
    const kept = cluster
      .node('b')
      .disk.paths()
      .filter((path) => path.startsWith('damaged-'))
    expect(kept.some((path) => path.includes('/log-'))).toBe(true)
  })
})
