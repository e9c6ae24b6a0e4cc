import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

test('the example runs to its end, and the stale leader is refused', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=source', '--disable-warning=ExperimentalWarning', MAIN],
    { timeout: 100_000 },
  )
  expect(stdout).toContain('the leader is killed')
  expect(stdout).toContain('it was refused')
  expect(stdout.match(/^token \d+: \d+ steps$/gm)).toHaveLength(3)
}, 120_000)
