import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeClock } from '@cluster/node'
import { type SqlResult, type SqlType, sqlEngine, TEXT } from '@cluster/sql'
import { modelDatabases, SimRandom } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { parseArguments } from '../slt/arguments.ts'
import { findScripts } from '../slt/files.ts'
import { type Connection, playScript } from '../slt/play.ts'
import { difference, fixed, hashOf, renderResult, renderValue } from '../slt/render.ts'
import { type FileReport, failureLines, totalsOf } from '../slt/report.ts'
import { readScript } from '../slt/script.ts'

const INTEGER: SqlType = { ...TEXT, id: 'integer' }
const NUMERIC: SqlType = { ...TEXT, id: 'numeric' }

const script = (text: string) => readScript(text, 'postgresql')

describe('reading scripts', () => {
  test('statements, queries, labels and results', () => {
    const { records } = script(
      [
        '# a comment',
        'hash-threshold 8',
        '',
        'statement ok',
        'CREATE TABLE t (a integer,',
        '  b integer)',
        '',
        'statement error',
        'BROKEN',
        '',
        'query IT rowsort a-label-of-more-than-twenty-characters',
        'SELECT 1,',
        "  'x'",
        '----',
        '1',
        'x',
        '',
        'query R',
        'SELECT 1.5 WHERE false',
        '----',
      ].join('\n'),
    )
    expect(records).toEqual([
      { kind: 'statement', line: 4, sql: 'CREATE TABLE t (a integer,\n  b integer)', succeeds: true },
      { kind: 'statement', line: 8, sql: 'BROKEN', succeeds: false },
      {
        kind: 'query',
        line: 11,
        sql: "SELECT 1,\n  'x'",
        types: 'IT',
        sort: 'rowsort',
        label: 'a-label-of-more-than',
        expected: ['1', 'x'],
      },
      {
        kind: 'query',
        line: 18,
        sql: 'SELECT 1.5 WHERE false',
        types: 'R',
        sort: 'nosort',
        label: null,
        expected: [],
      },
    ])
  })

  test('records of other engines are skipped, halt ends', () => {
    const { records, skipped } = script(
      [
        'skipif postgresql # not here',
        'statement ok',
        'one',
        '',
        'onlyif mysql',
        'query I',
        'two',
        '----',
        '1',
        '',
        'onlyif sqlite',
        'halt',
        '',
        'skipif mysql',
        '# a comment between',
        'onlyif postgresql',
        'statement ok',
        'three',
        '',
        'skipif sqlite',
        'halt',
        '',
        'statement ok',
        'four',
      ].join('\n'),
    )
    expect(records.map(({ sql, line }) => [sql, line])).toEqual([['three', 17]])
    expect(skipped).toBe(2)
  })

  test('what is no record is refused with its line', () => {
    expect(() => script('\nquery\nSELECT 1')).toThrow('line 2: the types of a query cannot be ""')
    expect(() => script('statement maybe\nSELECT 1')).toThrow('line 1: a statement is ok or error')
    expect(() => script('quarry I\nSELECT 1')).toThrow('line 1: a record cannot begin with "quarry"')
  })
})

const result = (types: readonly SqlType[], rows: SqlResult['rows']): SqlResult => ({
  command: 'SELECT',
  columns: types.map((type) => ({ name: 'c', type })),
  rows,
  rowCount: rows.length,
  receipt: null,
})

describe('rendering', () => {
  test('values follow the letter of their column', () => {
    expect(renderValue(null, INTEGER, 'R')).toBe('NULL')
    expect(renderValue('-2.75', NUMERIC, 'I')).toBe('-2')
    expect(renderValue('-0.5', NUMERIC, 'I')).toBe('0')
    expect(renderValue(true, { ...INTEGER, id: 'boolean' }, 'I')).toBe('1')
    expect(renderValue(-0.25, { ...INTEGER, id: 'double' }, 'I')).toBe('0')
    expect(renderValue('12 apples', TEXT, 'I')).toBe('12')
    expect(renderValue('1.2345', NUMERIC, 'R')).toBe('1.234')
    expect(renderValue(7, INTEGER, 'R')).toBe('7.000')
    expect(renderValue('', TEXT, 'T')).toBe('(empty)')
    expect(renderValue('a\té', TEXT, 'T')).toBe('a@@@')
  })

  test('three decimals, halves to the even neighbour as printf has it', () => {
    expect([0.0625, 0.1875, -0.0625, 2.0005, 1e-9, -1e-9, 1234.5678].map(fixed)).toEqual([
      '0.062',
      '0.188',
      '-0.062',
      '2.001',
      '0.000',
      '-0.000',
      '1234.568',
    ])
  })

  test('sorting by rows and by values compares bytes', () => {
    const two = result(
      [INTEGER, TEXT],
      [
        [9, 'b'],
        [10, 'a'],
        [10, 'B'],
      ],
    )
    expect(renderResult(two, 'IT', 'nosort')).toEqual(['9', 'b', '10', 'a', '10', 'B'])
    expect(renderResult(two, 'IT', 'rowsort')).toEqual(['10', 'B', '10', 'a', '9', 'b'])
    expect(renderResult(two, 'IT', 'valuesort')).toEqual(['10', '10', '9', 'B', 'a', 'b'])
  })

  test('results are compared by value or by hash', () => {
    expect(hashOf(['1', 'a'])).toBe('86dec6795291dfba039215c78468337e')
    expect(difference(['1', 'a'], [`2 values hashing to ${hashOf(['1', 'a'])}`])).toBeNull()
    expect(difference(['1', 'b'], [`2 values hashing to ${hashOf(['1', 'a'])}`])).toMatch('by their hash')
    expect(difference(['1'], [`2 values hashing to ${hashOf(['1', 'a'])}`])).toBe('1 values, not 2')
    expect(difference(['1', 'b'], ['1', 'a'])).toBe('value 2 is b, not a')
    expect(difference([], [])).toBeNull()
  })
})

async function connection(): Promise<Connection> {
  const database = await modelDatabases().open('slt', { partitions: 4, redundancy: 1 })
  return sqlEngine()({ database, clock: nodeClock, random: new SimRandom(1) }).session()
}

describe('playing', () => {
  test('a script against the engine', async () => {
    const text = `statement ok
CREATE TABLE t (a integer, b text)

statement ok
INSERT INTO t VALUES (2, 'two'), (1, 'one')

query IT rowsort all
SELECT a, b FROM t
----
1
one
2
two

query T nosort
SELECT b FROM t ORDER BY a DESC
----
two
one

statement error
INSERT INTO nosuch VALUES (1)
`
    const played = await playScript(script(text), await connection())
    expect(played).toEqual({ passed: 5, failures: [], skipped: 0 })
  })

  test('every way to fail is told with its place', async () => {
    const text = `statement error
SELECT 1

query II
SELECT 1
----
1

query I
SELECT 2
----
1

query I nosort same
SELECT 1
----
1

query I nosort same
SELECT 2
----
2

statement ok
SELECT 1 FROM missing7
`
    const { passed, failures } = await playScript(script(text), await connection())
    expect(passed).toBe(1)
    expect(failures.map(({ line, reason, detail }) => `${line}: ${reason}: ${detail}`)).toEqual([
      '1: a statement that must fail succeeded: SELECT',
      '4: another number of columns: 1, not 2',
      '9: another result: value 1 is 2, not 1',
      '19: another result than an earlier query of the same label: same',
      '24: 42P01 relation "…" does not exist: relation "missing7" does not exist',
    ])
  })

  test('a bug of the engine is no refusal', async () => {
    const broken: Connection = { query: () => Promise.reject(new TypeError('oops')) }
    const { passed, failures } = await playScript(script('statement error\nSELECT 1'), broken)
    expect([passed, failures[0]?.reason]).toEqual([0, 'no SQL error: TypeError: oops'])
  })
})

test('failures come together by reason, the most frequent first', () => {
  const file = (name: string, lines: readonly number[], reason: string): FileReport => ({
    name,
    passed: 10,
    skipped: 1,
    ms: 5,
    held: null,
    rowsFromOthers: 3,
    failures: lines.map((line) => ({ line, sql: 'SELECT', reason, detail: 'why' })),
  })
  const files = [file('a', [1], 'rare'), file('b', [2, 3], 'often'), file('c', [4], 'often')]
  expect(totalsOf(files)).toEqual({ passed: 30, failed: 4, skipped: 3, share: 30 / 34, rowsFromOthers: 9 })
  expect(failureLines(files)).toEqual([
    '3 × often',
    '    SELECT',
    '      why',
    '  b: lines 2, 3',
    '  c: lines 4',
    '1 × rare',
    '    SELECT',
    '      why',
    '  a: lines 1',
  ])
})

test('arguments', () => {
  expect(parseArguments(['folder'])).toEqual({
    paths: ['folder'],
    nodes: 1,
    partitions: 8,
    least: 0.9926,
    storage: 'memory',
    json: false,
  })
  expect(
    parseArguments(['a', 'b', '--nodes', '3', '--json', '--least', '0.5', '--storage', 'lmdb']),
  ).toMatchObject({
    storage: 'lmdb',
    paths: ['a', 'b'],
    nodes: 3,
    least: 0.5,
    json: true,
  })
  expect(() => parseArguments([])).toThrow('no file and no folder')
  expect(() => parseArguments(['a', '--nodes', 'many'])).toThrow('--nodes is many')
  expect(() => parseArguments(['a', '--storage', 'paper'])).toThrow(
    '--storage is paper; it must be memory or lmdb',
  )
})

test('folders are searched for scripts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slt-files-'))
  try {
    for (const name of ['b.test', 'a.test', 'readme.md']) writeFileSync(join(folder, name), '')
    expect(findScripts([folder]).map(({ name }) => name)).toEqual(['a.test', 'b.test'])
    expect(() => findScripts([join(folder, 'nothing')])).toThrow('there is no')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
