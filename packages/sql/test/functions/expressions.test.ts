import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { isSqlError } from '../../src/errors.ts'
import { parseExpression } from '../../src/syntax/parse.ts'
import { formatValue } from '../../src/types/format.ts'
import { typeName } from '../../src/types/type.ts'
import { evaluate } from './evaluate.ts'

// The outcomes are PostgreSQL 15's own: an expression, `---`, the text and type of its value or its error.
// What differs on purpose stands in `differences.txt`, with ours.
const cases = (file: string): readonly (readonly [expression: string, outcome: string])[] =>
  readFileSync(new URL(`./golden/${file}`, import.meta.url), 'utf8')
    .split(/\n\n/)
    .flatMap((block) => {
      const [expression, outcome] = block.trimStart().replace(/\n$/, '').split('\n---\n')
      return expression === undefined || outcome === undefined ? [] : [[expression, outcome] as const]
    })

function outcomeOf(expression: string): string {
  try {
    const { type, value } = evaluate(parseExpression(expression))
    const name = type.id === 'unknown' ? 'text' : typeName(type)
    return `${value === null ? 'NULL' : formatValue(type, value)} :: ${name}`
  } catch (error) {
    if (!isSqlError(error)) throw error
    return `error ${error.detail.sqlstate} ${error.message}`
  }
}

describe('expressions of constants', () => {
  test.each(cases('expressions.txt'))('%s', (expression, outcome) => {
    expect(outcomeOf(expression)).toBe(outcome)
  })
})

describe('expressions that differ from PostgreSQL', () => {
  test.each(cases('differences.txt'))('%s', (expression, outcome) => {
    expect(outcomeOf(expression)).toBe(outcome)
  })
})
