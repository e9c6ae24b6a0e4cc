import { ClusterError } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import { errorText } from '../src/shell/error-text.ts'
import { resultText } from '../src/shell/output.ts'
import { isBlank, splitStatements } from '../src/shell/split.ts'
import { drawTable } from '../src/shell/table.ts'
import { printable, textWidth } from '../src/shell/text-width.ts'
import { drawTree } from '../src/shell/tree.ts'

describe('splitStatements', () => {
  const split = (text: string) => splitStatements(text).statements.map((statement) => statement.trim())

  test('cuts at semicolons', () => {
    expect(split('select 1; select 2;')).toEqual(['select 1', 'select 2'])
    expect(splitStatements('select 1; select')).toMatchObject({ rest: ' select', open: false })
  })

  test.each([
    ["a string: 'x;y''z;'", "select 'x;y''z;'; select 2", 2],
    ["an escape string: E'\\';'", "select E'\\';' ; select 2", 2],
    ['a quoted name: ";"', 'select ";" from t; select 2', 2],
    ['a line comment', 'select 1 -- ;\n; select 2', 2],
    ['a nested comment', 'select /* ; /* ; */ ; */ 1; select 2', 2],
    ['dollar quotes', 'select $$ ; $$; select $tag$ ; $$ ; $tag$; select 3', 3],
    ['a parameter, which is no dollar quote', 'select $1; select $2', 2],
  ])('does not cut inside %s', (_, text, count) => {
    expect(split(`${text};`)).toHaveLength(count)
  })

  test('says when a quote is open', () => {
    for (const text of ["select 'x;", 'select "x;', 'select /* x;', 'select $$ x;']) {
      expect(splitStatements(text)).toMatchObject({ statements: [], rest: text, open: true })
    }
  })

  test('comments alone are blank', () => {
    expect(isBlank(' -- x\n /* y */ ')).toBe(true)
    expect(isBlank(' -- x\n 1')).toBe(false)
  })
})

describe('drawTable', () => {
  test('draws as psql does', () => {
    const columns = [
      { name: 'id', right: true },
      { name: 'name', right: false },
    ]
    const rows = [
      ['1', 'tea'],
      ['20', '日本'],
      ['3', ''],
    ]
    expect(drawTable(columns, rows)).toBe(
      [' id | name', '----+------', '  1 | tea', ' 20 | 日本', '  3 |'].join('\n'),
    )
  })

  test('data cannot steer the terminal', () => {
    expect(printable('a\x1b[2Jb\nc')).toBe('a\\x1b[2Jb\\nc')
    expect(textWidth('e\u0301日')).toBe(3)
  })
})

describe('errorText', () => {
  const error = (detail: object) =>
    new ClusterError({ code: 'SQL_ERROR', outcome: 'rejected', ...detail }, 'it is wrong')

  test('points at the place, also behind tabs and on later lines', () => {
    const text = errorText(
      error({ sqlstate: '42703', position: 15, hint: 'Look.' }),
      'select a,\n\tb, wrng\nfrom t',
    )
    expect(text).toBe(
      ['ERROR:  42703: it is wrong', 'LINE 2:  b, wrng', '            ^', 'HINT:  Look.'].join('\n'),
    )
  })

  test('survives a position outside of the text', () => {
    expect(errorText(error({ sqlstate: '42601', position: 99 }), 'select')).toContain(
      'LINE 1: select\n              ^',
    )
  })

  test('says so when the outcome is unknown', () => {
    const unknown = new ClusterError({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' }, 'the leader changed')
    expect(errorText(unknown, '')).toContain('may or may not')
  })
})

test('results say what they did, and warn of missing copies', () => {
  const base = { columns: [], rows: [], receipt: null }
  expect(resultText({ ...base, command: 'INSERT', rowCount: 3 })).toBe('INSERT 0 3')
  expect(resultText({ ...base, command: 'CREATE TABLE', rowCount: null })).toBe('CREATE TABLE')
  const receipt = { version: 1, lineage: 'x', copies: 1, underReplicated: true, durableOn: 1 }
  expect(resultText({ ...base, command: 'UPDATE', rowCount: 1, receipt: receipt as never })).toMatch(
    /^UPDATE 1\nNOTE: {2}written with 1 copy/,
  )
})

test('drawTree draws branches', () => {
  const leaf = (name: string) => ({ kind: 'table', name, facts: {}, children: [] })
  const tree = {
    kind: 'p2p',
    name: '',
    facts: { nodes: 2 },
    children: [{ ...leaf('a'), children: [leaf('b')] }, leaf('c')],
  }
  expect(drawTree(tree)).toBe(['p2p (nodes 2)', '├─ table a', '│  └─ table b', '└─ table c'].join('\n'))
})
