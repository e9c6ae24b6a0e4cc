import { PassThrough, Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { runScript } from '../src/shell/script.ts'
import type { ShellSession } from '../src/shell/session.ts'

async function run(chunks: readonly string[], rowsPerTransaction?: number) {
  const ran: string[] = []
  const session: ShellSession = {
    inTransaction: false,
    copies: (statement) =>
      statement.includes('copy ') ? (statement.includes(' from ') ? 'from' : 'to') : null,
    async copyFrom(statement, source, { rowsPerTransaction }) {
      let data = ''
      for await (const piece of source) data += String(piece)
      ran.push(`${statement} by ${rowsPerTransaction}: ${JSON.stringify(data)}`)
      return { command: 'COPY', columns: [], rows: [], rowCount: 1, receipt: null }
    },
    async *copyTo() {
      yield Buffer.from('1\tone\n')
    },
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
    ...(rowsPerTransaction === undefined ? {} : { rowsPerTransaction }),
  })
  return { code, ran, output: String(output.read() ?? ''), errors: String(errors.read() ?? '') }
}

test('runs statements as they come, however the input is cut', async () => {
  const { code, ran, output } = await run(['select 1; sel', 'ect\n2', ';\n\\d x\nselect 3'])
  expect(ran).toEqual(['select 1', 'select\n2', 'select 3'])
  expect(output).toBe('DONE\nDONE\nmeta \\d x\nDONE\n')
  expect(code).toBe(0)
})

test('rows of a COPY stand between the statements', async () => {
  const script = 'select 1;\ncopy t from stdin;\n1\tone;\n\\N\n\\.\ncopy t to stdout;\nselect 2'
  for (const size of [1, 7, 1000]) {
    const chunks = script.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
    const { code, ran, output } = await run(chunks, 5)
    expect(ran).toEqual([
      'select 1',
      `copy t from stdin by 5: ${JSON.stringify('1\tone;\n\\N\n')}`,
      'select 2',
    ])
    expect(output).toBe('DONE\nCOPY 1\n1\tone\nDONE\n')
    expect(code).toBe(0)
  }
})

test('what pg_dump writes for psql is passed over, and comments may come before a statement', async () => {
  const { ran, code } = await run([
    '\\restrict abc\n--\n-- Data\n--\ncopy t from stdin;\n1\n\\.\n\\unrestrict abc\nselect 1;',
  ])
  expect(ran).toEqual([expect.stringContaining('copy t from stdin by undefined: "1\\n"'), 'select 1'])
  expect(code).toBe(0)
})

test('what only this database is to read stands in a comment', async () => {
  const { ran } = await run([
    "create table t (a text) /*cluster with (redundancy = 'all') */;select '/*cluster x */';",
  ])
  expect(ran).toEqual(["create table t (a text) with (redundancy = 'all')", "select '/*cluster x */'"])
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
