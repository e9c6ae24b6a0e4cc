import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { failure, type TestEngine, testEngine, textOf } from './support.ts'

async function withStock(): Promise<TestEngine['engine']> {
  const { engine } = await testEngine()
  await engine.execute(`
    CREATE TABLE stock (id integer PRIMARY KEY, name text UNIQUE, qty integer NOT NULL DEFAULT 1, CHECK (qty < 100));
    INSERT INTO stock VALUES (1, 'apple', 10), (2, 'pear', 20)
  `)
  return engine
}

describe('INSERT … ON CONFLICT', () => {
  test('DO NOTHING leaves out what is there, and rows that repeat a key', async () => {
    const engine = await withStock()
    const text =
      "INSERT INTO stock VALUES (1, 'other', 5), (3, 'plum', 6), (3, 'again', 7), (4, 'pear', 8) ON CONFLICT DO NOTHING RETURNING id, name"
    const result = await engine.query(text)
    expect([result.command, result.rowCount, textOf(result)]).toEqual(['INSERT', 1, ['3|plum']])
    expect(textOf(await engine.query('SELECT * FROM stock ORDER BY id'))).toEqual([
      '1|apple|10',
      '2|pear|20',
      '3|plum|6',
    ])
  })

  test('DO UPDATE sees the row that is there and the one that was given', async () => {
    const engine = await withStock()
    const upsert = (rows: string): string =>
      `INSERT INTO stock AS s VALUES ${rows} ON CONFLICT (id) DO UPDATE SET qty = s.qty + excluded.qty, name = excluded.name WHERE s.qty < $1 RETURNING *`
    expect(
      textOf(await engine.query(upsert("(3, 'plum', 5), (1, 'Apple', 1), (2, 'Pear', 1)"), [20])),
    ).toEqual(['3|plum|5', '1|Apple|11'])
    expect(textOf(await engine.query('SELECT id FROM stock WHERE name = $1', ['Apple']))).toEqual(['1'])
    expect(textOf(await engine.query('SELECT id FROM stock WHERE name = $1', ['apple']))).toEqual([])
    await engine.query(
      "INSERT INTO stock VALUES (1, 'Apple', 2) ON CONFLICT (id) DO UPDATE SET qty = DEFAULT",
    )
    expect(textOf(await engine.query('SELECT qty FROM stock WHERE id = 1'))).toEqual(['1'])
  })

  test('a constraint is meant by its columns in any order, or by its name', async () => {
    const { engine } = await testEngine()
    await engine.execute(
      'CREATE TABLE t (a integer, b integer, v integer, CONSTRAINT ab UNIQUE (a, b)); CREATE UNIQUE INDEX t_v ON t (v)',
    )
    for (const target of ['(b, a)', '(a, b)', 'ON CONSTRAINT ab'])
      await engine.query(
        `INSERT INTO t VALUES (1, 2, 3) ON CONFLICT ${target} DO UPDATE SET v = t.v + 1, b = excluded.b`,
      )
    expect(textOf(await engine.query('SELECT * FROM t'))).toEqual(['1|2|5'])
    // NULL is in nobody's way.
    for (let i = 0; i < 2; i++)
      await engine.query('INSERT INTO t VALUES (1, NULL, NULL) ON CONFLICT (a, b) DO UPDATE SET v = 0')
    expect(textOf(await engine.query('SELECT count(*) FROM t'))).toEqual(['3'])
    // What is changed frees its old key for a row of the same statement.
    await engine.query('INSERT INTO t VALUES (1, 2, 0), (7, 7, 5) ON CONFLICT (a, b) DO UPDATE SET v = 6')
    expect(textOf(await engine.query('SELECT * FROM t WHERE v IS NOT NULL ORDER BY v'))).toEqual([
      '7|7|5',
      '1|2|6',
    ])
  })

  test('what no arbiter allows is refused and leaves nothing behind', async () => {
    const engine = await withStock()
    const cases: readonly [string, string][] = [
      ["(5, 'apple', 1) ON CONFLICT (id) DO NOTHING", '23505'],
      ["(1, 'pear', 1) ON CONFLICT (id) DO UPDATE SET name = excluded.name", '23505'],
      ["(1, 'x', 1), (1, 'y', 1) ON CONFLICT (id) DO UPDATE SET qty = 0", '21000'],
      ["(6, 'x', 1), (6, 'y', 1) ON CONFLICT (id) DO UPDATE SET qty = 0", '21000'],
      ["(1, 'x', 200) ON CONFLICT DO NOTHING", '23514'],
      ["(1, 'x', 1) ON CONFLICT (id) DO UPDATE SET qty = 100 + excluded.qty", '23514'],
      ["(1, 'x', NULL) ON CONFLICT DO NOTHING", '23502'],
      ["(1, 'x', 1) ON CONFLICT (id) DO UPDATE SET qty = NULL", '23502'],
      ["(1, 'x', 1) ON CONFLICT (qty) DO NOTHING", '42P10'],
      ["(1, 'x', 1) ON CONFLICT (nothing) DO NOTHING", '42703'],
      ["(1, 'x', 1) ON CONFLICT ON CONSTRAINT stock_pke DO NOTHING", '42704'],
      ["(1, 'x', 1) ON CONFLICT DO UPDATE SET qty = 1", '42601'],
      ["(1, 'x', 1) ON CONFLICT (id) DO UPDATE SET qty = qty + 1", '42702'],
      ["(1, 'x', 1) ON CONFLICT (id) DO UPDATE SET qty = (SELECT 1 UNION SELECT 2)", '21000'],
    ]
    for (const [values, sqlstate] of cases)
      expect([values, (await failure(engine.query(`INSERT INTO stock VALUES ${values}`))).sqlstate]).toEqual([
        values,
        sqlstate,
      ])
    expect(textOf(await engine.query('SELECT * FROM stock ORDER BY id'))).toEqual(['1|apple|10', '2|pear|20'])
  })

  test('a query as the source, and how it is explained', async () => {
    const engine = await withStock()
    await engine.query(
      "INSERT INTO stock SELECT i, 'n' || i, i FROM generate_series(1, 5) AS g(i) ON CONFLICT (id) DO UPDATE SET qty = excluded.qty",
    )
    expect(textOf(await engine.query('SELECT sum(qty), count(*) FROM stock'))).toEqual(['15|5'])
    expect(
      textOf(await engine.query("EXPLAIN INSERT INTO stock VALUES (1, 'x') ON CONFLICT DO NOTHING"))[0],
    ).toBe('Insert into stock, on conflict nothing')
  })

  test('counts as often as it is said, whoever inserts first', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE hits (page text PRIMARY KEY, n integer)')
    const hit = "INSERT INTO hits VALUES ('a', 1) ON CONFLICT (page) DO UPDATE SET n = hits.n + 1"
    await Promise.all(Array.from({ length: 8 }, () => engine.query(hit)))
    expect(textOf(await engine.query('SELECT * FROM hits'))).toEqual(['a|8'])
  })

  test('does what a map does', async () => {
    const row = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 9 }))
    const statement = fc.record({
      rows: fc.uniqueArray(row, { minLength: 1, maxLength: 5, selector: ([id]) => id }),
      bound: fc.option(fc.integer({ min: 0, max: 20 })),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { maxLength: 6 }), async (statements) => {
        const { engine } = await testEngine()
        await engine.query('CREATE TABLE t (id integer PRIMARY KEY, v integer)')
        await engine.query('CREATE INDEX t_v ON t (v)')
        const naive = new Map<number, number>()
        for (const { rows, bound } of statements) {
          const action = bound === null ? 'NOTHING' : `UPDATE SET v = t.v + excluded.v WHERE t.v <= ${bound}`
          const given = rows.map((values) => `(${values.join(', ')})`).join(', ')
          await engine.query(`INSERT INTO t VALUES ${given} ON CONFLICT (id) DO ${action}`)
          for (const [id, v] of rows) {
            const old = naive.get(id)
            if (old === undefined) naive.set(id, v)
            else if (bound !== null && old <= bound) naive.set(id, old + v)
          }
        }
        const wanted = [...naive].sort(([a], [b]) => a - b)
        expect((await engine.query('SELECT id, v FROM t ORDER BY id')).rows).toEqual(wanted)
        const byIndex = await engine.query('SELECT id, v FROM t WHERE v >= 0 ORDER BY v, id')
        expect(byIndex.rows).toEqual(wanted.sort(([a, v], [b, w]) => v - w || a - b))
      }),
      { numRuns: 60, seed: 11 },
    )
  })
})
