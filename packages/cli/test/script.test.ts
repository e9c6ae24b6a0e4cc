import { PassThrough, Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { runScript } from '../src/shell/script.ts'
import type { ShellSession } from '../src/shell/session.ts'

async function run(chunks: readonly string[]) {
  const ran: string[] = []
  const session: ShellSession = {
    inTransaction: false,
    async run(statement) {
      ran.push(statement)
      if (statement.includes('wrong')) throw new Error('it is wrong')
      return { command: 'DONE', columns: [], rows: [], rowCount: null, receipt: null }
    },
  }
  const output = new PassThrough({ encoding: 'utf8' })
  const errors = new PassThrough({ encoding: 'utf8' })
  const code = await runScript({
    input: Readable.from(chunks.map((chunk) => Buffer.from(chunk))),
    output,
    errors,
    session,
    meta: { run: async (line) => `meta ${line}` },
    signal: new AbortController().signal,
  })
  return { code, ran, output: String(output.read() ?? ''), errors: String(errors.read() ?? '') }
}

test('runs statements as they come, however the input is cut', async () => {
  const { code, ran, output } = await run(['select 1; sel', 'ect\n2', ';\n\\d x\nselect 3'])
  expect(ran).toEqual(['select 1', 'select\n2', 'select 3'])
  expect(output).toBe('DONE\nDONE\nmeta \\d x\nDONE\n')
  expect(code).toBe(0)
})

test('stops at the first error with exit code 1', async () => {
  const { code, ran, errors } = await run(['select 1;\nwrong;\nselect 2;\n'])
  expect(ran).toEqual(['select 1', 'wrong'])
  expect(errors).toContain('it is wrong')
  expect(code).toBe(1)
})

test('an input without a character is no script', async () => {
  expect((await run([])).code).toBeNull()
  expect((await run(['-- only a comment\n'])).code).toBe(0)
})
