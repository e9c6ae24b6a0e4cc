import { describe, expect, test } from '@jest/globals'
import type { OrderedLogOptions } from '../src/index.ts'
import { Cluster } from './support/cluster.ts'

const DATA = ['a', 'b', 'c']

/** Nodes of which those whose name begins with w are witnesses. */
function clusterOf(names: readonly string[], options: OrderedLogOptions = {}): Cluster {
  return new Cluster(names, (name) => ({ ...options, ...(name.startsWith('w') && { witness: true }) }))
}

async function trio(options: OrderedLogOptions = {}): Promise<Cluster> {
  const cluster = clusterOf(['a', 'b', 'w'], options)
  await cluster.start('a', 'b', 'w')
  await cluster.untilVoters('a', 'b', 'w')
  return cluster
}

const wordsOf = (cluster: Cluster, name: string): string => cluster.app(name).words.words.join(' ')

describe('a witness', () => {
  test('makes two nodes decide when one of them falls silent, whichever it is', async () => {
    const cluster = await trio()
    expect(cluster.group('a')).toMatchObject({ witnesses: ['w'], learners: [] })
    expect(await cluster.submit('a', 'one')).toMatchObject({ alone: false })
    const leader = cluster.leader()
    const other = leader === 'a' ? 'b' : 'a'
    // By then everybody knows that there are three to decide.
    await cluster.until(() => wordsOf(cluster, other) === 'one')
    cluster.world.network.isolate(leader)
    const applied = await cluster.submit(other, 'two')
    // Its word is no copy.
    expect(applied).toMatchObject({ alone: false, durableOn: 1 })
    // The silent one cannot be told from a dead one, and is taken out after a while; nobody went on alone.
    await cluster.until(() => cluster.group(other).voters.join() === other, 30_000)
    expect(cluster.group(other)).toMatchObject({ learners: ['w'], alone: false })
    cluster.world.network.mend()
    await cluster.untilVoters('a', 'b', 'w')
    await cluster.until(() => DATA.slice(0, 2).every((name) => wordsOf(cluster, name) === 'one two'))
  })

  test('brings what only a dead voter had to the other one, and hands over to it', async () => {
    // Nobody is given up for silence here.
    const cluster = await trio({ graceMs: 600_000 })
    await cluster.submit('a', 'one')
    const leader = cluster.leader()
    const other = leader === 'a' ? 'b' : 'a'
    await cluster.until(() => wordsOf(cluster, other) === 'one')
    cluster.world.network.partition([leader, 'w'], [other])
    for (const word of ['two', 'three', 'four']) await cluster.submit(leader, word)
    expect(wordsOf(cluster, other)).toBe('one')
    // The power of the one that has them fails, and it never comes back.
    cluster.node(leader).crash('power')
    cluster.world.network.mend()
    await cluster.until(() => cluster.group(other).role === 'leader', 30_000)
    expect(await cluster.submit(other, 'five')).toMatchObject({ alone: false })
    expect(wordsOf(cluster, other)).toBe('one two three four five')
    expect(cluster.group('w').role).toBe('follower')
  })

  test('votes when the others are even in number, and steps back when they are odd', async () => {
    const cluster = clusterOf(['a', 'b', 'c', 'w'])
    await cluster.start('a', 'w')
    await cluster.untilVoters('a')
    await cluster.start('b')
    await cluster.untilVoters('a', 'b', 'w')
    await cluster.start('c')
    await cluster.untilVoters('a', 'b', 'c')
    expect(cluster.group('a').learners).toEqual(['w'])
    cluster.node('b').crash('kill')
    await cluster.untilVoters('a', 'c', 'w')
    await cluster.submit('a', 'on')
    await cluster.world.settle(cluster.node('a').stop(), 5_000)
    await cluster.untilVoters('c')
    await cluster.submit('c', 'and on')
  })

  test('keeps of the log only what a voter with data may still need', async () => {
    const cluster = await trio({ snapshotEntries: 50, segmentBytesMax: 2_000, graceMs: 600_000 })
    for (let i = 0; i < 300; i++) await cluster.submit('a', `word${i}`)
    // Words that were cut are on no disk of it.
    const kept = (text: string): boolean => {
      const { disk } = cluster.node('w')
      for (const path of disk.paths()) {
        const file = disk.file(path)
        if (file && Buffer.from(file.read(0, file.size)).includes(text)) return true
      }
      return false
    }
    const gone = async (text: string): Promise<void> => {
      for (let waited = 0; kept(text) && waited < 5_000; waited += 100) await cluster.world.run(100)
      expect(kept(text)).toBe(false)
    }
    await gone('word100')
    const leader = cluster.leader()
    const other = leader === 'a' ? 'b' : 'a'
    cluster.world.network.isolate(other)
    for (let i = 0; i < 300; i++) await cluster.submit(leader, `more${i}`)
    expect(kept('more0')).toBe(true)
    cluster.world.network.mend()
    await cluster.until(() => wordsOf(cluster, other).endsWith('more299'))
    for (let i = 0; i < 60; i++) await cluster.submit(leader, 'x')
    await gone('more0')
  })

  test('founds no group, alone or with others', async () => {
    const cluster = clusterOf(['a', 'v', 'w1', 'w2'])
    for (const name of ['w1', 'w2']) await cluster.world.settle(cluster.node(name).start(), 1_000)
    await cluster.world.run(5_000)
    expect(cluster.group('w1')).toMatchObject({ cluster: null, role: 'outsider' })
    await cluster.start('a')
    await cluster.untilVoters('a')
    await cluster.until(() => cluster.group('a').learners.length === 2)
    await cluster.start('v')
    // One is enough.
    await cluster.untilVoters('a', 'v', 'w1')
    cluster.node('w1').crash('kill')
    await cluster.untilVoters('a', 'v', 'w2')
  })

  test('never goes on alone, not even by the word of an operator', async () => {
    const cluster = await trio()
    for (const name of ['a', 'b']) cluster.node(name).crash('kill')
    await cluster.world.run(20_000)
    const word = cluster.app('w').log.continueAlone()
    await expect(word).rejects.toMatchObject({ code: 'LOG_ALONE_REFUSED' })
    await cluster.start('a', 'b')
    await cluster.untilVoters('a', 'b', 'w')
  })

  test('remembers its vote and what it acknowledged through a crash', async () => {
    const cluster = await trio({ graceMs: 600_000 })
    await cluster.submit('a', 'one')
    const leader = cluster.leader()
    const other = leader === 'a' ? 'b' : 'a'
    cluster.world.network.partition([leader, 'w'], [other])
    await cluster.submit(leader, 'two')
    for (const name of [leader, 'w']) cluster.node(name).crash('power')
    cluster.world.network.mend()
    // The one that is behind cannot win with a witness that knows better.
    await cluster.start('w')
    await cluster.until(() => cluster.group(other).role === 'leader', 30_000)
    await cluster.until(() => wordsOf(cluster, other) === 'one two')
  })

  test('a folder of a witness is not taken for one with data, nor the other way round', async () => {
    let witness = true
    const cluster = new Cluster(['a', 'b'], (name) => (name === 'b' && witness ? { witness } : {}))
    await cluster.start('a', 'b')
    await cluster.world.settle(cluster.node('b').stop(), 5_000)
    witness = false
    const start = cluster.node('b').start()
    await expect(cluster.world.settle(start, 1_000)).rejects.toMatchObject({ code: 'LOG_ROLE_DIFFERS' })
  })
})
