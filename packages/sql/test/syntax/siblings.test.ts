import { expect, test } from '@jest/globals'
import { parse } from '../../src/syntax/parse.ts'

test('many expressions side by side do not count as deep nesting', () => {
  const row = `(${Array.from({ length: 8 }, (_, i) => `$${i + 1}`).join(', ')})`
  expect(parse(`INSERT INTO t VALUES ${Array.from({ length: 1000 }, () => row).join(', ')}`)).toHaveLength(1)
  const subqueries = Array.from({ length: 1000 }, (_, i) => `(SELECT ${i})`).join(' + ')
  expect(parse(`SELECT ${subqueries}`)).toHaveLength(1)
})

test('deep nesting is refused, not followed', () => {
  for (const text of [
    `SELECT ${'('.repeat(20_000)}1`,
    `SELECT ${'-'.repeat(1).concat(' -'.repeat(20_000))} 1`,
  ]) {
    expect(() => parse(text)).toThrow(/nests too deeply|syntax error/)
  }
})
