import { describe, expect, test } from '@jest/globals'
import type { OrderedLogOptions } from '../src/index.ts'
import { SessionTable } from '../src/machine/commands/session-table.ts'
import { Cluster, word } from './support/cluster.ts'

/** Bugs that systems like this one have had, each by its name. Others of the kind are golden scripts and properties. */
async function formed(names: readonly string[], options: OrderedLogOptions = {}): Promise<Cluster> {
  const cluster = new Cluster(names, options)
  await cluster.start(...names)
  await cluster.untilVoters(...names)
  await cluster.submit(names[0] ?? '', 'first')
  await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.length === 1))
  return cluster
}

const words = (cluster: Cluster, name: string): string => cluster.app(name).words.words.join()
const others = (cluster: Cluster, ...but: string[]): string[] =>
  cluster.nodes.map(({ id }) => id as string).filter((name) => !but.includes(name))
const agreeOn = (cluster: Cluster, all: string): Promise<void> =>
  cluster.until(() => cluster.running.every(({ id }) => words(cluster, id) === all))

describe('bug classes', () => {
  test('a commit is not lost by a membership change during a partition', async () => {
    const cluster = await formed(['a', 'b', 'c', 'd', 'e'], { graceMs: 1_000 })
    const leader = cluster.leader()
    const [x = '', ...rest] = others(cluster, leader)
    // The old leader and one more are cut off; the three others remove them, and go on being fewer.
    cluster.world.network.partition([leader, x], rest)
    await expect(cluster.submit(leader, 'no', { deadlineMs: 1_500 })).rejects.toMatchObject({
      outcome: 'unknown',
    })
    const [first = ''] = rest
    await cluster.submit(first, 'second')
    await cluster.until(() => rest.every((name) => cluster.group(name).voters.length === 3))
    await cluster.submit(first, 'third')
    cluster.world.network.mend()
    await cluster.untilVoters('a', 'b', 'c', 'd', 'e')
    await cluster.until(() => cluster.running.every(({ app }) => (app?.words.words.length ?? 0) >= 3))
    for (const { id } of cluster.running) expect(words(cluster, id)).toMatch(/^first,second,third(,no)?$/)
  })

  test('a node that was removed while it was down confuses nobody when it starts again', async () => {
    const cluster = await formed(['a', 'b', 'c'], { graceMs: 1_000 })
    const gone = others(cluster, cluster.leader())[0] ?? ''
    cluster.node(gone).crash('power')
    const rest = others(cluster, gone)
    await cluster.until(() => rest.every((name) => cluster.group(name).voters.length === 2))
    await cluster.submit(rest[0] ?? '', 'second')
    const { leader, term } = cluster.group(rest[0] ?? '')
    // It still takes itself for a voter of three, and hears only one of the others at first.
    cluster.world.network.block(gone, leader ?? '')
    cluster.world.network.block(leader ?? '', gone)
    await cluster.world.settle(cluster.node(gone).start(), 1_000)
    await cluster.world.run(3_000)
    for (const name of rest) expect(cluster.group(name)).toMatchObject({ leader, term })
    cluster.world.network.mend()
    await cluster.untilVoters('a', 'b', 'c')
    await agreeOn(cluster, 'first,second')
  })

  test('of two leaders only one acknowledges, and the old one gives no stale read', async () => {
    const cluster = await formed(['a', 'b', 'c'])
    const old = cluster.leader()
    const rest = others(cluster, old)
    cluster.world.network.isolate(old)
    // The others see its links break, and have another leader before the old one knows that it is none.
    for (const link of cluster.world.network.links()) if (link.joins(old, old)) link.reset()
    const write = cluster
      .app(old)
      .log.submit('words', word('lost'), { deadlineMs: 200 })
      .then(
        () => 'acknowledged',
        () => 'not',
      )
    const read = cluster
      .app(old)
      .log.barrier({ deadlineMs: 2_000 })
      .then(
        (seen) => ({ seen }),
        ({ code }) => ({ code }),
      )
    const { index } = await cluster.submit(rest[0] ?? '', 'second')
    expect(await cluster.world.settle(write, 1_000)).toBe('not')
    cluster.world.network.mend()
    const answer = await cluster.world.settle(read, 10_000)
    if ('seen' in answer) expect(answer.seen).toBeGreaterThanOrEqual(index)
    else expect(answer.code).toBe('LOG_NO_QUORUM')
  })

  test('a proof of death helps no voter that was restarted and has not caught up', async () => {
    const cluster = await formed(['a', 'b'])
    const survivor = cluster.leader()
    const [stale = ''] = others(cluster, survivor)
    cluster.node(stale).crash('kill')
    // The other one goes on alone, on proof, and writes.
    await cluster.submit(survivor, 'second')
    // The one that was killed starts, and the other dies before they have said a word: it proves that death, and knows
    // nothing of the second word.
    cluster.world.network.partition([survivor], [stale])
    await cluster.world.settle(cluster.node(stale).start(), 1_000)
    await cluster.world.run(50)
    cluster.node(survivor).crash('kill')
    cluster.world.network.mend()
    await cluster.world.run(5_000)
    await expect(cluster.submit(stale, 'no', { deadlineMs: 500 })).rejects.toMatchObject({
      code: 'LOG_NO_QUORUM',
    })
    await cluster.start(survivor)
    await cluster.untilVoters('a', 'b')
    await agreeOn(cluster, 'first,second')
  })

  test('two histories have no entries of one term in common after one went on alone', async () => {
    const cluster = await formed(['a', 'b'])
    const survivor = cluster.leader()
    const [gone = ''] = others(cluster, survivor)
    const before = cluster.group(survivor)
    cluster.node(gone).crash('kill')
    await cluster.submit(survivor, 'second')
    const after = cluster.group(survivor)
    expect(after.lineage).not.toBe(before.lineage)
    expect(after.term).toBeGreaterThan(before.term)
    await cluster.start(gone)
    await cluster.untilVoters('a', 'b')
    expect(cluster.group(gone).lineage).toBe(after.lineage)
    await agreeOn(cluster, 'first,second')
  })

  test('a command that others overtook is applied, and one that was applied is not applied again', async () => {
    const table = new SessionTable()
    table.open(1, { owner: 'a', nonce: 'n', machines: ['words'], supports: 1 })
    const outcome = { index: 2, result: new Uint8Array() }
    for (const number of [2, 5]) {
      expect(table.begin(1, number, 1).verdict).toBe('new')
      table.finish(1, number, outcome)
    }
    expect([1, 2, 3, 4, 5].map((number) => table.begin(1, number, 1).verdict)).toEqual([
      'new',
      'done',
      'new',
      'new',
      'done',
    ])
    const cluster = await formed(['a', 'b', 'c'])
    Object.assign(cluster.world.network.faults, { duplicate: 0.5, reorder: 0.3, reorderMsMax: 30 })
    const texts = Array.from({ length: 30 }, (_, i) => `w${i}`)
    const logs = cluster.running.flatMap(({ app }) => (app ? [app.log] : []))
    const submitted = texts.map((text, i) => logs[i % 3]?.submit('words', word(text)))
    await cluster.world.settle(Promise.all(submitted), 30_000)
    Object.assign(cluster.world.network.faults, { duplicate: 0, reorder: 0 })
    await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.length === 31))
    expect(cluster.app('a').words.words.toSorted()).toEqual(['first', ...texts].toSorted())
  })
})
