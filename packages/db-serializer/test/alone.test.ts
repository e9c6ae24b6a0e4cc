import { describe, expect, test } from '@jest/globals'
import type { OrderedLogOptions } from '../src/index.ts'
import { Cluster } from './support/cluster.ts'

/** Two nodes that vote and agree on a word. The options may be changed before a node starts again. */
async function two(
  options: OrderedLogOptions | ((name: string) => OrderedLogOptions) = {},
): Promise<Cluster> {
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

const continueAlone = (cluster: Cluster, name: string): Promise<void> =>
  cluster.world.settle(cluster.app(name).log.continueAlone(), 1_000)

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

  /** Both sides of a split went on, and wrote so many words. */
  async function parted(
    keep: 'oldest-voter' | 'most-writes',
    words: Readonly<Record<'a' | 'b', number>>,
  ): Promise<Cluster> {
    const cluster = await two({ quorum: 'last-standing', lastStandingMs: 2_000, keep })
    await split(cluster)
    for (const name of ['a', 'b'] as const)
      for (let i = 0; i < words[name]; i++) await cluster.submit(name, `${name}${i}`)
    cluster.world.network.mend()
    await cluster.untilVoters('a', 'b')
    await cluster.submit('a', 'again')
    await cluster.until(() =>
      cluster.running.every(({ app }) => app?.words.words.at(-1) === 'again' && app.words.words.length > 1),
    )
    return cluster
  }

  const textOn = (cluster: Cluster, name: string, path: RegExp): string => {
    const { disk } = cluster.node(name)
    const found = disk.paths().filter((each) => path.test(each))
    expect(found).toHaveLength(1)
    const file = disk.file(found[0] ?? '')
    return file ? new TextDecoder().decode(file.read(0, file.size)) : ''
  }

  test('a rule that was set before picks the history with more in it, and the other one is kept in a file', async () => {
    const cluster = await parted('most-writes', { a: 1, b: 4 })
    for (const { app } of cluster.running)
      expect(app?.words.words).toEqual(['both', 'b0', 'b1', 'b2', 'b3', 'again'])
    const [head = '', ...writes] = textOn(cluster, 'a', /damaged-.*\/writes\.jsonl$/)
      .trim()
      .split('\n')
    expect(JSON.parse(head)).toMatchObject({ complete: true, parted: { by: 'a' } })
    expect(writes.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ machine: 'words', origin: 'a', command: '6130' }),
    ])
    // The one that won has given up nothing.
    expect(
      cluster
        .node('b')
        .disk.paths()
        .some((path) => path.startsWith('damaged-')),
    ).toBe(false)
  })

  test('what was written alone is kept from the log, however often it was cut meanwhile', async () => {
    const options = { quorum: 'last-standing', lastStandingMs: 2_000, keep: 'most-writes' } as const
    const cluster = await two({ ...options, snapshotEntries: 10, tailEntries: 2, segmentBytesMax: 500 })
    await split(cluster)
    for (let i = 0; i < 40; i++) await cluster.submit('a', `a${i}`)
    for (let i = 0; i < 80; i++) await cluster.submit('b', `b${i}`)
    cluster.world.network.mend()
    await cluster.untilVoters('a', 'b')
    const [head = '', ...writes] = textOn(cluster, 'a', /writes\.jsonl$/)
      .trim()
      .split('\n')
    expect(JSON.parse(head)).toMatchObject({ complete: true })
    expect(writes).toHaveLength(40)
  })

  test('or that of the voter that has served longer, whatever the other one wrote', async () => {
    const cluster = await parted('oldest-voter', { a: 1, b: 4 })
    const [words = []] = cluster.running.map(({ app }) => app?.words.words)
    // Whoever founded the group is the older one.
    expect([
      ['both', 'a0', 'again'],
      ['both', 'b0', 'b1', 'b2', 'b3', 'again'],
    ]).toContainEqual(words)
    const kept = cluster.nodes.filter(({ disk }) => disk.paths().some((path) => path.startsWith('damaged-')))
    expect(kept).toHaveLength(1)
  })

  test('nobody is picked when the two were told different rules', async () => {
    const options = { quorum: 'last-standing', lastStandingMs: 2_000 } as const
    const cluster = await two((name) => ({
      ...options,
      keep: name === 'a' ? 'most-writes' : 'oldest-voter',
    }))
    await split(cluster)
    for (const name of ['a', 'b']) await cluster.submit(name, `of ${name}`)
    cluster.world.network.mend()
    await cluster.world.run(10_000)
    for (const name of ['a', 'b'])
      await expect(cluster.submit(name, 'no', { deadlineMs: 500 })).rejects.toMatchObject({
        code: 'LOG_FORKED_HISTORY',
      })
  })
})
