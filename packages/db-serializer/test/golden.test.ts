import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { GoldenScript } from './golden-script.ts'

const folder = new URL('./golden/', import.meta.url)

/** Runs each block of commands and puts what happened behind its `---`. Lines with `#` are kept as they are. */
function replay(script: string): string {
  const golden = new GoldenScript()
  const blocks = script.trim().split(/\n\n+/)
  const replayed = blocks.map((block) => {
    const [commands = ''] = block.split(/^---$/m)
    const lines = commands.trim().split('\n')
    const output = lines.flatMap((line) => (line.startsWith('#') ? [] : golden.run(line)))
    return lines.every((line) => line.startsWith('#'))
      ? lines.join('\n')
      : [...lines, '---', ...output].join('\n')
  })
  return `${replayed.join('\n\n')}\n`
}

describe('golden scripts of the Raft machine', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'))
  test.each(names.sort())('%s', (name) => {
    const file = new URL(name, folder)
    const recorded = readFileSync(file, 'utf8')
    const replayed = replay(recorded)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, replayed)
    else expect(replayed).toBe(recorded)
  })
})
