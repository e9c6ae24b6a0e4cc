import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { isSqlError } from '../../src/errors.ts'
import { parse } from '../../src/syntax/parse.ts'
import { printStatement } from '../../src/syntax/print.ts'
import { withoutSpans } from './without-spans.ts'

// Each file: blocks of a source, `---`, and what becomes of it: a line for each statement in canonical form,
// or the error. UPDATE_GOLDEN=1 records anew.
const files = ['statements', 'definitions', 'precedence', 'errors', 'lexical', 'access']
const at = (file: string): URL => new URL(`./golden/${file}.txt`, import.meta.url)

function outcomeOf(source: string): string {
  try {
    return parse(source).map(printStatement).join('\n')
  } catch (error) {
    if (!isSqlError(error)) throw error
    const { sqlstate, position, hint } = error.detail
    return `error ${sqlstate} at ${position}: ${error.message}${hint === undefined ? '' : `\nhint: ${hint}`}`
  }
}

describe.each(files)('%s', (file) => {
  const sources = readFileSync(at(file), 'utf8')
    .split('\n\n')
    .map((block) => block.replace(/^\n+|\n+$/g, ''))
    .filter((block) => block !== '')
    .map((block) => block.split(/\n---(?:\n|$)/))
  if (process.env['UPDATE_GOLDEN'] === '1') {
    const blocks = sources.map(([source = '']) => `${source}\n---\n${outcomeOf(source)}`)
    writeFileSync(at(file), `${blocks.join('\n\n')}\n`)
  }

  test.each(sources)('%s', (source, outcome) => {
    expect(outcomeOf(source ?? '')).toBe(outcome)
  })

  test('canonical forms parse to the same tree', () => {
    for (const [source = '', outcome = ''] of sources) {
      if (outcome.startsWith('error')) continue
      const again = parse(parse(source).map(printStatement).join(';\n'))
      expect(withoutSpans(again)).toEqual(withoutSpans(parse(source)))
    }
  })
})
