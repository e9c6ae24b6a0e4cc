import { goldenSuite } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { GoldenScript } from './golden-script.ts'

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

goldenSuite(
  { describe, expect, test },
  'golden scripts of the Raft machine',
  new URL('./golden/', import.meta.url),
  replay,
)
