import { VERSION_OF } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import type { OrderedLogOptions } from '../src/index.ts'
import { Cluster, word } from './support/cluster.ts'

/** Words longer than this travel in parts. */
const SMALL = { entryBytesMax: 64 } as const
const long = (letter: string, length = 4_000): string => letter.repeat(length)

async function three(options: OrderedLogOptions | ((name: string) => OrderedLogOptions)): Promise<Cluster> {
  const cluster = new Cluster(['a', 'b', 'c'], options)
  await cluster.start('a', 'b', 'c')
  await cluster.untilVoters('a', 'b', 'c')
  const versionOf = (name: string): number => cluster.group(name).version
  await cluster.until(() =>
    ['a', 'b', 'c'].every((name) => versionOf(name) === versionOf('a') && versionOf(name) > 0),
  )
  return cluster
}

const followers = (cluster: Cluster): string[] =>
  cluster.running.map(({ id }) => String(id)).filter((id) => id !== cluster.leader())

describe('a command in parts', () => {
  test('is one command on every node, and shorter ones do not wait for it', async () => {
    const cluster = await three(SMALL)
    const [name = ''] = followers(cluster)
    await cluster.submit(name, 'opens the session')
    const whole = cluster.app(name).log.submit('words', word(long('x')))
    const { result } = await cluster.world.settle(cluster.app(name).log.submit('words', word('short')), 5_000)
    expect(result).toEqual(word('2'))
    expect((await cluster.world.settle(whole, 5_000)).result).toEqual(word('3'))
    const words = ['opens the session', 'short', long('x')]
    await cluster.until(() => cluster.running.every(({ app }) => app?.words.words.length === 3))
    for (const { app } of cluster.running) expect(app?.words.words).toEqual(words)
  })

  test('goes on with the next leader behind the parts that are there', async () => {
    const cluster = await three(SMALL)
    const [name = ''] = followers(cluster)
    await cluster.submit(name, 'first')
    const whole = cluster.app(name).log.submit('words', word(long('x')))
    const before = cluster.app(name).log.appliedIndex()
    await cluster.until(() => cluster.app(name).log.appliedIndex() >= before + 16)
    expect(cluster.app(name).words.words).toEqual(['first'])
    cluster.node(cluster.leader()).crash('kill')
    await cluster.world.settle(whole, 10_000)
    expect(cluster.app(name).words.words).toEqual(['first', long('x')])
    // What was there was not all sent again.
    expect(cluster.app(name).log.appliedIndex()).toBeLessThan(before + 16 + 63 + 12)
  })

  test('is whole for a node that got a snapshot in the middle of it', async () => {
    const cluster = await three({ ...SMALL, snapshotEntries: 20, tailEntries: 1 })
    const [name = '', other = ''] = followers(cluster)
    await cluster.submit(name, 'first')
    cluster.node(other).crash('kill')
    const whole = cluster.app(name).log.submit('words', word(long('x')))
    const before = cluster.app(name).log.appliedIndex()
    await cluster.until(() => cluster.app(name).log.appliedIndex() >= before + 40)
    expect(cluster.app(name).words.words).toEqual(['first'])
    await cluster.start(other)
    expect(cluster.app(other).events).toContain('snapshot installed')
    await cluster.world.settle(whole, 10_000)
    await cluster.until(() => cluster.app(other).words.words.length === 2)
    expect(cluster.app(other).words.words).toEqual(['first', long('x')])
  })

  test('is rejected, and not of unknown outcome, when it was not sent to its end', async () => {
    const cluster = await three(SMALL)
    const [name = ''] = followers(cluster)
    await cluster.submit(name, 'first')
    cluster.world.network.isolate(name)
    const given = cluster.app(name).log.submit('words', word(long('x')), { deadlineMs: 200 })
    await expect(cluster.world.settle(given, 5_000)).rejects.toMatchObject({ outcome: 'rejected' })
    cluster.world.network.mend()
    await cluster.submit(name, 'second')
    await cluster.submit(name, long('y'))
    expect(cluster.app(name).words.words).toEqual(['first', 'second', long('y')])
  })

  test('waits for another one of its node', async () => {
    const cluster = await three(SMALL)
    const [name = ''] = followers(cluster)
    const words = ['x', 'y', 'z'].map((letter) => long(letter, 1_000))
    const all = words.map((each) => cluster.app(name).log.submit('words', word(each)))
    await cluster.world.settle(Promise.all(all), 5_000)
    expect(cluster.app(name).words.words).toEqual(words)
  })

  test('needs members that all know parts, when it is too long for one entry', async () => {
    const old = VERSION_OF.parts - 1
    const cluster = await three((name) => (name === 'c' ? { supports: old } : SMALL))
    await cluster.submit('a', long('x', 1_000))
    const before = cluster.app('a').log.appliedIndex()
    await cluster.submit('a', long('y', 1_000))
    expect(cluster.app('a').log.appliedIndex()).toBe(before + 1)
    const refused = cluster.app('a').log.submit('words', new Uint8Array(4 * 1024 * 1024))
    await expect(cluster.world.settle(refused, 5_000)).rejects.toMatchObject({
      code: 'LOG_VERSION_TOO_LOW',
      detail: { needs: VERSION_OF.parts, behind: ['c'] },
    })
  })
})
