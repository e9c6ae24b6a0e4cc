import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type SqlEngine, sqlEngine } from '../../src/index.ts'
import { failure, textOf } from '../engine/support.ts'
import { MemoryFiles } from './memory-files.ts'

const ROWS = 2_500

/** A statement for every operator that writes to files. */
const writing: readonly (readonly [what: string, text: string])[] = [
  ['a sort', 'SELECT id, s FROM m ORDER BY n, s'],
  ['the first rows of a sort', 'SELECT id, s FROM m ORDER BY n, id LIMIT 1500'],
  ['groups', 'SELECT n, id, count(*) FROM m GROUP BY n, id'],
  ['grouping sets', 'SELECT n, id, count(*) FROM m GROUP BY ROLLUP (n, id)'],
  ['DISTINCT', 'SELECT DISTINCT s, id FROM m'],
  ['UNION', 'SELECT s, id FROM m UNION SELECT s, n FROM m'],
  ['a join', 'SELECT a.id, b.s FROM m a JOIN m b ON a.s = b.s AND a.n = b.n'],
  ['an outer join', 'SELECT a.id, b.s FROM m a FULL JOIN m b ON a.n = b.id'],
  ['an anti join', 'SELECT id FROM m WHERE NOT EXISTS (SELECT 1 FROM m o WHERE o.n = m.id AND o.s > m.s)'],
  ['INTERSECT', 'SELECT s, id FROM m INTERSECT ALL SELECT s, n FROM m'],
  ['EXCEPT', 'SELECT s, id FROM m EXCEPT SELECT s, n FROM m'],
  ['a window', 'SELECT id, sum(n) OVER (PARTITION BY s ORDER BY n, id) FROM m'],
  ['one large partition', 'SELECT id, s, count(*) OVER () FROM m'],
  [
    'a table of WITH',
    'WITH w AS MATERIALIZED (SELECT id, s FROM m) SELECT count(*), (SELECT max(s) FROM w) FROM w',
  ],
  [
    'a table of WITH beside one that writes',
    'WITH w AS MATERIALIZED (SELECT id, s FROM m), d AS (DELETE FROM m WHERE id < 0 RETURNING id) SELECT count(*), (SELECT count(*) FROM d), (SELECT max(s) FROM w) FROM w',
  ],
  [
    'a recursion',
    'WITH RECURSIVE r(n, d) AS (SELECT id, 0 FROM m UNION ALL SELECT n + 1, d + 1 FROM r WHERE d < 2) SELECT count(*) FROM r',
  ],
  ['an INSERT', 'INSERT INTO copied SELECT id, s FROM m ORDER BY n, s'],
]

describe('files of statements', () => {
  const files = new MemoryFiles()
  let clock: StillClock
  let engine: SqlEngine
  let plenty: SqlEngine

  beforeAll(async () => {
    const database = await modelDatabases().open('test', { partitions: 2 })
    clock = new StillClock()
    const ports = { database, clock, random: new SimRandom(1) }
    engine = sqlEngine({ workBytes: 15_000 })({ ...ports, temporary: files })
    plenty = sqlEngine()(ports)
    await plenty.execute(
      'CREATE TABLE m (id integer PRIMARY KEY, s text, n integer); CREATE TABLE copied (id integer, s text)',
    )
    await plenty.query(
      `INSERT INTO m SELECT g, 's' || g % 777, g * 31 % 5021 FROM generate_series(1, ${ROWS}) g`,
    )
  })

  beforeEach(() => {
    files.before = () => {}
  })

  test.each(writing)('of %s are gone when it has ended, and change nothing', async (_, text) => {
    const { made } = files
    const found = textOf(await engine.query(text))
    expect(files.made).toBeGreaterThan(made)
    expect(files.open).toBe(0)
    expect(found.sort()).toEqual(textOf(await plenty.query(text)).sort())
  })

  test.each(writing)('of %s are gone when nobody wants more of it', async (_, text) => {
    for await (const batch of engine.stream(text)) {
      expect(batch.rows.length).toBeGreaterThanOrEqual(0)
      break
    }
    expect(files.open).toBe(0)
  })

  test.each(writing)('of %s are gone when it was cancelled', async (_, text) => {
    const control = new AbortController()
    files.before = (operation) => {
      if (operation === 'append') control.abort()
    }
    expect(await failure(engine.query(text, [], { signal: control.signal }))).toMatchObject({
      sqlstate: '57014',
    })
    expect(files.open).toBe(0)
  })

  test.each(writing)('of %s are gone when the disk fails, at whatever moment', async (_, text) => {
    let operations = 0
    files.before = (operation) => {
      if (operation !== 'remove') operations++
    }
    await engine.query(text)
    const step = Math.max(1, Math.floor(operations / 5))
    for (let at = 1; at <= operations; at += step) {
      let left = at
      files.before = (operation) => {
        if (operation !== 'remove' && --left === 0) throw new Error('the disk is broken')
      }
      await expect(engine.query(text)).rejects.toThrow('the disk is broken')
      expect(files.open).toBe(0)
    }
    files.before = () => {}
    expect((await engine.query('SELECT count(*) FROM m')).rows).toEqual([[BigInt(ROWS)]])
  })

  test('are gone but for the one that cannot be deleted, which is told', async () => {
    let refused = false
    files.before = (operation) => {
      if (operation !== 'remove' || refused) return
      refused = true
      throw new Error('it cannot be deleted')
    }
    await expect(engine.query('SELECT a.id, b.s FROM m a JOIN m b ON a.s = b.s')).rejects.toThrow(
      'it cannot be deleted',
    )
    expect(files.open).toBe(1)
    files.open = 0
  })

  test('are gone when a later part of the statement fails', async () => {
    const { made } = files
    expect(
      await failure(engine.query('SELECT 1 / (n - 5000) FROM (SELECT n FROM m ORDER BY s, n) v')),
    ).toMatchObject({
      sqlstate: '22012',
    })
    expect(files.made).toBeGreaterThan(made)
    expect(files.open).toBe(0)
  })

  test('live as long as a cursor that reads from them', async () => {
    const session = engine.session()
    await session.execute('BEGIN; DECLARE c CURSOR FOR SELECT id FROM m ORDER BY s, n')
    expect((await session.query('FETCH 3 FROM c')).rows).toHaveLength(3)
    expect(files.open).toBeGreaterThan(0)
    await session.query('CLOSE c')
    expect(files.open).toBe(0)
    session.close()
  })

  test('are told of by EXPLAIN ANALYZE', async () => {
    const explained = async (text: string) =>
      textOf(await engine.query(`EXPLAIN (ANALYZE) ${text}`)).map((line) =>
        line.replace(/\d+kB/g, 'NkB').trim(),
      )
    expect(await explained('SELECT id FROM m ORDER BY s, n')).toContain(
      'Sort Method: external merge  Disk: NkB',
    )
    expect(await explained('SELECT n, id, count(*) FROM m GROUP BY n, id')).toContainEqual(
      expect.stringMatching(/^Batches: \d+ {2}Memory Usage: NkB {2}Disk Usage: NkB$/),
    )
    const [[json] = []] = (
      await engine.query('EXPLAIN (ANALYZE, FORMAT json) SELECT id FROM m ORDER BY s, n')
    ).rows
    expect(String(json)).toContain('"Sort Space Type": "Disk"')
    expect((await explained('SELECT id FROM m ORDER BY s LIMIT 2')).join()).not.toContain('Disk')
  })

  test('are made when a session asks for less, and not when it asks for more', async () => {
    const session = engine.session()
    const text = 'SELECT id FROM m ORDER BY s, n'
    const made = async (): Promise<number> => {
      const before = files.made
      await session.query(text)
      return files.made - before
    }
    expect((await session.query('SHOW work_mem')).rows).toEqual([['15kB']])
    expect(await made()).toBeGreaterThan(0)
    await session.query("SET work_mem = '64MB'")
    expect((await session.query('SHOW work_mem')).rows).toEqual([['64MB']])
    expect(await made()).toBe(0)
    await session.query('SET work_mem = 64')
    expect((await session.query('SHOW work_mem')).rows).toEqual([['64kB']])
    expect(await made()).toBeGreaterThan(0)
    for (const wrong of ['1kB', "'3 apples'", "'9999TB'"])
      expect(
        await failure(session.query(`SET work_mem = ${wrong.startsWith("'") ? wrong : `'${wrong}'`}`)),
      ).toMatchObject({
        sqlstate: '22023',
      })
    session.close()
  })

  test('do not help what cannot be written: then there is the other bound', async () => {
    const small = sqlEngine({ memoryBytesMax: 200_000, workBytes: 20_000 })({
      database: await modelDatabases().open('other', { partitions: 1 }),
      clock,
      random: new SimRandom(1),
      temporary: files,
    })
    const rows = 'generate_series(1, 20000) g'
    expect(await failure(small.query(`SELECT array_agg(g) FROM ${rows}`))).toMatchObject({
      sqlstate: '53200',
    })
    expect(await failure(small.query(`SELECT count(DISTINCT g) FROM ${rows}`))).toMatchObject({
      sqlstate: '53200',
    })
    expect((await small.query(`SELECT count(*) FROM (SELECT g FROM ${rows} ORDER BY -g) v`)).rows).toEqual([
      [20_000n],
    ])
    expect(files.open).toBe(0)
  })
})
