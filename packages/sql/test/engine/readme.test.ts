import { readFileSync } from 'node:fs'
import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { expect, test } from '@jest/globals'
import { sqlEngine } from '../../src/index.ts'

test('the example of the README runs', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const code = /```ts\n(?<code>[\s\S]*?)```/.exec(readme)?.groups?.['code'] ?? ''
  const printed: unknown[] = []
  const database = await modelDatabases().open('readme')
  const scope = {
    sqlEngine,
    database,
    clock: new StillClock(),
    random: new SimRandom(1),
    print: (rows: unknown) => printed.push(rows),
  }
  const run = new Function(...Object.keys(scope), `return (async () => {\n${code}\nreturn rows\n})()`)
  expect(await run(...Object.values(scope))).toEqual([['pear']])
  expect(printed).toEqual([
    [
      [1, 'apple', 2],
      [2, 'pear', 1],
    ],
  ])
})
