import { describe, expect, test } from '@jest/globals'
import { Cluster } from './support/cluster.ts'

/** Five voters that agree on a word; `recovering` are told so when they start. */
async function five(): Promise<{ readonly cluster: Cluster; readonly recovering: Set<string> }> {
  const names = ['a', 'b', 'c', 'd', 'e']
  const recovering = new Set<string>()
  const cluster = new Cluster(names, (name) => ({ recoverFromSurvivors: recovering.has(name) }))
  await cluster.start(...names)
  await cluster.untilVoters(...names)
  await cluster.submit('a', 'one')
  await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.length === 1))
  return { cluster, recovering }
}

describe('more than half of the voters burnt', () => {
  test('the survivors wait, and go on from one of them by the word of the operator', async () => {
    const { cluster, recovering } = await five()
    for (const name of ['c', 'd', 'e']) cluster.node(name).crash('power')
    await cluster.world.run(20_000)
    await expect(cluster.submit('a', 'no', { deadlineMs: 500 })).rejects.toMatchObject({
      code: 'LOG_NO_QUORUM',
    })
    const before = cluster.group('a').lineage
    recovering.add('a')
    cluster.node('a').crash('kill')
    await cluster.start('a')
    await cluster.untilVoters('a', 'b')
    expect(cluster.group('b').lineage).not.toBe(before)
    await cluster.submit('b', 'two')
    // One that was not lost after all comes back and has nothing to say.
    await cluster.start('c')
    await cluster.untilVoters('a', 'b', 'c')
    await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.join() === 'one,two'))
  })

  test('it is refused while a quorum is there', async () => {
    const { cluster, recovering } = await five()
    const { lineage } = cluster.group('a')
    recovering.add('a')
    cluster.node('a').crash('kill')
    await cluster.start('a')
    await cluster.world.run(10_000)
    expect(cluster.group('a')).toMatchObject({ lineage, voters: ['a', 'b', 'c', 'd', 'e'] })
  })

  test('the survivor with the longest log goes on, and no other', async () => {
    const { cluster, recovering } = await five()
    // What is acknowledged by c, d, e and a only.
    cluster.world.network.isolate('b')
    await cluster.submit('a', 'two')
    for (const name of ['c', 'd', 'e']) cluster.node(name).crash('power')
    cluster.world.network.mend()
    for (const name of ['a', 'b']) cluster.node(name).crash('power')
    recovering.add('b')
    const starting = Promise.all(['a', 'b'].map((name) => cluster.node(name).start()))
    await cluster.world.settle(starting, 1_000)
    await cluster.world.run(10_000)
    expect(cluster.group('b').leader).toBeNull()
    recovering.delete('b')
    recovering.add('a')
    for (const name of ['a', 'b']) cluster.node(name).crash('kill')
    await cluster.start('a', 'b')
    await cluster.untilVoters('a', 'b')
    await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.join() === 'one,two'))
  })
})
