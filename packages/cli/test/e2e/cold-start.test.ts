import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { CliPlace, type CliProcess, freePorts, TEST_MS_MAX } from './cli-process.ts'

jest.setTimeout(TEST_MS_MAX)

let place: CliPlace
beforeEach(async () => {
  place = await CliPlace.open()
})
afterEach(() => place.stop())

const NODES = [0, 1, 2]
const ACKNOWLEDGED_BEFORE_THE_KILL = 30

test('three nodes are killed while clients write: every acknowledged row is there when they are back', async () => {
  const ports = await freePorts(NODES.length)
  const addresses = ports.map((port) => `127.0.0.1:${port}`)
  const start = (): CliProcess[] =>
    addresses.map((listen, i) => {
      const seeds = addresses.filter((address) => address !== listen).flatMap((seed) => ['--seed', seed])
      return place.node(['--data', String(i), '--listen', listen, '--expect', '3', ...seeds], {
        input: 'open',
      })
    })

  const before = start()
  await Promise.all(before.map((node) => node.serving()))
  const [first] = before
  await first?.run('create table t (id integer primary key, node integer);')
  await first?.settled(NODES.length)
  // Each node writes rows of its own, one after another, far more than it gets to.
  const written = (node: CliProcess): number => node.stdout.split('INSERT 0 1').length - 1
  for (const [i, node] of before.entries()) {
    for (let n = 0; n < 5000; n++) node.write(`insert into t values (${n * NODES.length + i}, ${i});\n`)
  }
  await Promise.all(before.map((node) => node.saidTimes('INSERT 0 1', ACKNOWLEDGED_BEFORE_THE_KILL)))
  await Promise.all(before.map((node) => node.kill()))
  const acknowledged = before.map(written)

  const after = start()
  await Promise.all(after.map((node) => node.serving()))
  for (const [i, node] of after.entries()) {
    // The rows of a node are in order, so the first gap tells how many it has.
    const answer = await node.run(`select 'has', count(*), max(id) from t where node = ${i};`)
    const [, count = '0', largest = '0'] = /has +\| +(\d+) \| +(\d+)/.exec(answer) ?? []
    expect(Number(count)).toBeGreaterThanOrEqual(acknowledged[i] ?? 0)
    expect(Number(largest)).toBe((Number(count) - 1) * NODES.length + i)
    // At most the one that was under way came through without a word.
    expect(Number(count)).toBeLessThanOrEqual((acknowledged[i] ?? 0) + 1)
    expect(await node.run(`insert into t values (${-1 - i}, -1);`)).toContain('INSERT 0 1')
  }
  await Promise.all(after.map((node) => node.stop()))
})
