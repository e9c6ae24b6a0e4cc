import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { CliPlace, type CliProcess, freePorts, TEST_MS_MAX } from './cli-process.ts'

jest.setTimeout(TEST_MS_MAX)

let place: CliPlace
beforeEach(async () => {
  place = await CliPlace.open()
})
afterEach(() => place.stop())

/** Keeps a fresh node from forming a cluster of its own when a busy machine lets it wait for its seed. */
const JOINING = ['--expect', '2']

/** Two places for nodes that know each other's port, so that either can be started first. */
async function pair(...args: readonly string[]) {
  const [one = 0, two = 0] = await freePorts(2)
  const node =
    (data: string, own: number, other: number, always: readonly string[] = []) =>
    (...more: readonly string[]): CliProcess =>
      place.node(
        [
          '--data',
          data,
          '--listen',
          `127.0.0.1:${own}`,
          '--seed',
          `127.0.0.1:${other}`,
          ...args,
          ...always,
          ...more,
        ],
        { input: 'open' },
      )
  return { first: node('first', one, two), second: node('second', two, one, JOINING) }
}

describe('two nodes', () => {
  test('share rows; one stops and the other goes on; it comes back and reads what it missed', async () => {
    const { first, second } = await pair()
    let one = await first('--alone').serving()
    await one.run("create table t (id integer primary key, text text);insert into t values (1, 'one');")
    const two = await second().serving()
    expect(await two.run('select text from t;')).toContain(' one')
    await two.settled(2)

    await one.stop('SIGINT')
    expect((await one.exited).code).toBe(0)
    const from = performance.now()
    expect(await two.run("insert into t values (2, 'two');")).toContain('INSERT 0 1')
    expect(performance.now() - from).toBeLessThan(2000)
    await two.said(/\* \w{8} stopped/)

    one = await first().serving()
    expect(await one.run('select text from t order by id;')).toMatch(/ one\n two/)
    await two.said(/\* \w{8} is back/)
    await one.run("insert into t values (3, 'three');")
    expect(await two.run('select text from t order by id;')).toMatch(/ one\n two\n three/)
    await Promise.all([one.stop(), two.stop()])
  })

  test('that stopped one after the other: the first to go waits for the last, and nothing is lost', async () => {
    const { first, second } = await pair()
    let one = await first('--alone').serving()
    await one.run("create table t (id integer primary key, text text);insert into t values (1, 'one');")
    let two = await second().serving()
    await two.settled(2)
    await one.stop()
    expect(await two.run("insert into t values (2, 'two');")).toContain('INSERT 0 1')
    await two.stop()

    one = first()
    one.write('select text from t order by id;\n')
    await one.said(/\* waiting for .+/)
    two = await second().serving()
    await one.said(/ one\n two/)
    expect(await two.run('select text from t order by id;')).toMatch(/ one\n two/)
    expect(await one.run("insert into t values (3, 'three');")).toContain('INSERT 0 1')
    expect(await two.run('select text from t order by id;')).toMatch(/ one\n two\n three/)
    await Promise.all([one.stop(), two.stop()])
  })
})

describe('a secret', () => {
  test('lets in who knows it and turns away who does not, with a word on both sides', async () => {
    const first = await place.node(['--data', 'first', '--secret', 'tea time'], { input: 'open' }).serving()
    expect(first.stderr).not.toContain('no --secret')
    const seed = ['--seed', await first.address()]
    const friend = await place
      .node(['--data', 'friend', '--secret', 'tea time', ...seed, ...JOINING], { input: 'open' })
      .serving()
    const stranger = place.node(['--data', 'stranger', '--secret', 'coffee', ...seed])
    const nobody = place.node(['--data', 'nobody', ...seed])
    await Promise.all([
      stranger.said('start both nodes with the same secret'),
      nobody.said('start both nodes with the same secret'),
      first.said(/\* turned away \/ip4\/127.0.0.1\/.*secret/),
    ])
    await first.run('create table t (id integer);insert into t values (1);')
    expect(await friend.run('select count(*) from t;')).toContain('     1')
    await Promise.all([stranger.stop(), nobody.stop(), friend.stop()])
    await first.stop()
  })
})
