import { describe, expect, test } from '@jest/globals'
import { isSqlError, nearest } from '../../src/errors.ts'
import { parse, parseExpression, parseStatement } from '../../src/syntax/parse.ts'

function sqlstateOf(run: () => unknown): string | null {
  try {
    run()
    return null
  } catch (error) {
    if (isSqlError(error)) return error.detail.sqlstate
    throw error
  }
}

describe('what nests too deeply is refused, not a crash', () => {
  const deep = 100_000
  test.each([
    ['parentheses', `select ${'('.repeat(deep)}1${')'.repeat(deep)}`],
    ['unclosed parentheses', `select ${'('.repeat(deep)}`],
    ['subqueries', `${'select ('.repeat(5_000)}1${')'.repeat(5_000)}`],
    ['calls', `select ${'f('.repeat(deep)}1${')'.repeat(deep)}`],
    ['CASE', `select ${'case when '.repeat(deep)}`],
    ['NOT', `select ${'not '.repeat(deep)}a`],
    ['signs', `select ${'- '.repeat(deep)}a`],
    ['sums', `select 1${' + 1'.repeat(deep)}`],
    ['casts', `select 1${'::int'.repeat(deep)}`],
    ['IS', `select a${' is null'.repeat(deep)}`],
    ['joins in parentheses', `select * from ${'('.repeat(deep)}a`],
  ])('%s', (_, source) => {
    expect(sqlstateOf(() => parse(source))).toBe('54001')
  })

  test('what people write is far from the limits', () => {
    expect(sqlstateOf(() => parse(`select ${'('.repeat(300)}1${')'.repeat(300)}`))).toBeNull()
    expect(sqlstateOf(() => parse(`select a${' || a'.repeat(1_000)}`))).toBeNull()
  })

  test('chains of AND and OR are flat and have no limit', () => {
    const chain = parseExpression(`a = 0${' or a = 1'.repeat(20_000)}`)
    expect(chain.kind === 'or' && chain.operands.length).toBe(20_001)
  })

  test('long lists are no depth', () => {
    const rows = Array.from({ length: 5_000 }, (_, i) => `(${i}, 'x')`).join(', ')
    expect(parse(`insert into t values ${rows}`)).toHaveLength(1)
    expect(parse(`select ${'1, '.repeat(5_000)} 1`)).toHaveLength(1)
  })
})

describe('positions', () => {
  const source = "select 'é😀' as a,\n  b + c -- end\nfrom t where f(x) = $1"
  test('spans are offsets of the source', () => {
    const statement = parseStatement(source)
    if (statement.kind !== 'query' || statement.body.kind !== 'select') throw new Error('no select')
    const { items, where } = statement.body
    const cut = ({ start, end }: { readonly start: number; readonly end: number }) => source.slice(start, end)
    expect(items.map(({ span }) => cut(span))).toEqual(["'é😀' as a", 'b + c'])
    expect(where === null ? '' : cut(where.span)).toBe('f(x) = $1')
    expect(where?.kind === 'binary' ? cut(where.operatorSpan) : '').toBe('=')
  })

  test('a second statement keeps the offsets of the whole', () => {
    const [, second] = parse('select 1; delete from t')
    expect(second?.span).toEqual({ start: 10, end: 23 })
  })

  test('one statement is one', () => {
    expect(sqlstateOf(() => parseStatement(''))).toBe('42601')
    expect(sqlstateOf(() => parseStatement('select 1; select 2'))).toBe('42601')
    expect(sqlstateOf(() => parseStatement('select 1;'))).toBeNull()
  })
})

describe('nearest', () => {
  test.each([
    ['custmer', ['orders', 'customer'], 'customer'],
    ['NAME', ['id', 'name'], 'name'],
    ['nmae', ['name'], 'name'],
    ['x', ['y', 'id'], 'y'],
    ['price', ['quantity', 'id'], null],
    ['a', [], null],
  ])('%s', (name, candidates, expected) => {
    expect(nearest(name, candidates)).toBe(expected)
  })
})
