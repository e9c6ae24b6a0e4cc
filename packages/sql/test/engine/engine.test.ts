import { EVERYWHERE, nodeId, relationId } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { typeName } from '../../src/index.ts'
import { failure, testEngine, textOf } from './support.ts'

describe('the engine', () => {
  test('values in a template become parameters', async () => {
    const { engine } = await testEngine()
    await engine.sql`CREATE TABLE t (id integer PRIMARY KEY, name text)`
    const name = `Robert'); DROP TABLE t; --`
    await engine.sql`INSERT INTO t VALUES (${1}, ${name})`
    expect(await engine.sql`SELECT id, name FROM t WHERE name = ${name}`).toEqual([{ id: 1, name }])
  })

  test('no text of a user becomes code', async () => {
    const { engine } = await testEngine()
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        fc.pre(!text.includes('\0') && text.isWellFormed())
        const literal = `'${text.replaceAll("'", "''")}'`
        const query = `SELECT ${literal} || $1, CASE WHEN $1 = ${literal} THEN ${literal} ELSE 'no' END AS "${text.replaceAll('"', '""') || 'x'}"`
        expect((await engine.query(query, [text])).rows).toEqual([[text + text, text]])
      }),
      { numRuns: 60, seed: 7 },
    )
  })

  test('parameters take the types of where they stand', async () => {
    const { engine } = await testEngine()
    await engine.query(
      'CREATE TABLE t (i integer, b bigint, n numeric(6,2), d double precision, s text, o boolean, w timestamp, y bytea)',
    )
    const statement = await engine.session().prepare('INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8)')
    expect(statement.parameterTypes.map(typeName)).toEqual([
      'integer',
      'bigint',
      'numeric',
      'double precision',
      'text',
      'boolean',
      'timestamp without time zone',
      'bytea',
    ])
    const when = new Date('2024-05-06T07:08:09.123Z')
    await statement.query([1, 2, 3.456, 4, 5, true, when, new Uint8Array([1, 255])])
    await statement.query(['1', '2', '3.456', '4', '5', 'true', '2024-05-06 07:08:09.123', '\\x01ff'])
    await statement.query([null, undefined, 7n, 8n, null, null, null, null])
    const result = await engine.query('SELECT * FROM t ORDER BY i NULLS LAST')
    const full = '1|2|3.46|4|5|t|2024-05-06 07:08:09.123|\\x01ff'
    expect(textOf(result)).toEqual([full, full, 'NULL|NULL|7.00|8|NULL|NULL|NULL|NULL'])
  })

  test('describes what a query gives', async () => {
    const { engine } = await testEngine()
    const statement = await engine.session().prepare('SELECT 1 AS one, $1::text || $2 AS two')
    expect(statement.columns.map(({ name, type }) => [name, typeName(type)])).toEqual([
      ['one', 'integer'],
      ['two', 'text'],
    ])
    expect((await statement.query(['a', 'b'])).rows).toEqual([[1, 'ab']])
  })

  test('streams in batches and gives the event loop its turns', async () => {
    const { engine, clock } = await testEngine()
    let rows = 0
    let batches = 0
    for await (const batch of engine.stream(
      'SELECT i FROM generate_series(1, 50000) AS g(i) WHERE i % 2 = 0',
    )) {
      batches++
      rows += batch.rows.length
      expect(batch.columns.map(({ name }) => name)).toEqual(['i'])
    }
    expect(rows).toBe(25_000)
    expect(batches).toBeGreaterThan(20)
    expect(clock.turns).toBeGreaterThan(4)
  })

  test('a stream that nobody reads to the end lets the session go', async () => {
    const { engine } = await testEngine()
    const session = engine.session()
    for await (const { rows } of session.stream('SELECT i FROM generate_series(1, 1000000) AS g(i)')) {
      expect(rows.length).toBeGreaterThan(0)
      break
    }
    expect((await session.query('SELECT 1')).rows).toEqual([[1]])
  })

  test('a statement can be cancelled', async () => {
    const { engine, clock } = await testEngine()
    const abort = new AbortController()
    clock.turn = async () => abort.abort()
    const query = engine.query('SELECT count(*) FROM generate_series(1, 100000000)', [], {
      signal: abort.signal,
    })
    expect(await failure(query)).toMatchObject({ sqlstate: '57014' })
  })

  test('tables without a primary key keep equal rows apart', async () => {
    const { engine } = await testEngine()
    await engine.execute('CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (1), (2)')
    expect((await engine.query('UPDATE t SET a = a + 1 WHERE a = 1')).rowCount).toBe(2)
    expect((await engine.query('SELECT a FROM t ORDER BY a')).rows).toEqual([[2], [2], [2]])
    expect((await engine.query('DELETE FROM t')).rowCount).toBe(3)
  })

  test('unique columns take any number of NULLs', async () => {
    const { engine } = await testEngine()
    await engine.execute('CREATE TABLE t (a integer, b integer, UNIQUE (a, b))')
    await engine.query('INSERT INTO t VALUES (1, NULL), (1, NULL), (NULL, NULL), (1, 1)')
    expect(await failure(engine.query('INSERT INTO t VALUES (1, 1)'))).toMatchObject({ sqlstate: '23505' })
    expect((await engine.query('SELECT count(*) FROM t WHERE a = 1')).rows).toEqual([[3n]])
  })

  test('keys that are deferrable may be swapped within one statement', async () => {
    const { engine } = await testEngine()
    await engine.execute(
      "CREATE TABLE t (id integer PRIMARY KEY DEFERRABLE, u text UNIQUE DEFERRABLE); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    )
    await engine.query('UPDATE t SET id = id + 1')
    await engine.query("UPDATE t SET u = CASE u WHEN 'a' THEN 'b' WHEN 'b' THEN 'a' ELSE u END")
    expect((await engine.query('SELECT id, u FROM t ORDER BY id')).rows).toEqual([
      [2, 'b'],
      [3, 'a'],
      [4, 'c'],
    ])
    for (const [u, id] of [
      ['a', 3],
      ['b', 2],
      ['c', 4],
    ] as const)
      expect((await engine.query('SELECT id FROM t WHERE u = $1', [u])).rows).toEqual([[id]])
  })

  test('indexes follow updates and deletes', async () => {
    const { engine, database } = await testEngine()
    await engine.execute(
      'CREATE TABLE t (id integer PRIMARY KEY, v integer); CREATE INDEX t_v ON t (v); INSERT INTO t SELECT i, i % 3 FROM generate_series(1, 30) AS g(i)',
    )
    await engine.query('UPDATE t SET v = 9 WHERE id <= 3')
    await engine.query('UPDATE t SET id = id + 100 WHERE v = 9')
    await engine.query('DELETE FROM t WHERE v = 1')
    expect((await engine.query('SELECT id FROM t WHERE v = 9 ORDER BY id')).rows).toEqual([
      [101],
      [102],
      [103],
    ])
    expect((await engine.query('SELECT count(*) FROM t WHERE v IN (0, 1, 2)')).rows).toEqual([[18n]])
    await engine.query('DROP TABLE t')
    await engine.sweep()
    for (const { partition, rows } of database.status().replicas)
      if (partition !== EVERYWHERE) expect(rows).toBe(0)
  })

  test('a unique index over rows that break it is refused', async () => {
    const { engine } = await testEngine()
    await engine.execute(
      'CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t VALUES (1, 5), (2, 5)',
    )
    expect(await failure(engine.query('CREATE UNIQUE INDEX t_v ON t (v)'))).toMatchObject({
      sqlstate: '23505',
      message: 'could not create unique index "t_v"',
      detail: 'Key (v)=(5) is duplicated.',
    })
    await engine.query('CREATE INDEX t_v ON t (v)')
  })

  test('defaults are computed for each row', async () => {
    const { engine } = await testEngine()
    await engine.query(
      "CREATE TABLE t (id integer PRIMARY KEY, a integer DEFAULT 1 + 1, b text DEFAULT 'x' || 'y', c timestamp DEFAULT now())",
    )
    await engine.query('INSERT INTO t (id, a) VALUES (1, DEFAULT), (2, 7)')
    await engine.query('INSERT INTO t (id) SELECT 3')
    await engine.query('UPDATE t SET a = DEFAULT, b = NULL WHERE id = 2')
    const result = await engine.query('SELECT * FROM t ORDER BY id')
    const when = '2024-01-02 03:04:05'
    expect(textOf(result)).toEqual([`1|2|xy|${when}`, `2|2|NULL|${when}`, `3|2|xy|${when}`])
  })

  test("redundancy = 'all' puts a table on every node", async () => {
    const { engine, database } = await testEngine({ nodes: ['a', 'b', 'c'].map(nodeId), redundancy: 1 })
    await engine.execute(
      "CREATE TABLE t (id integer PRIMARY KEY, u integer UNIQUE) WITH (redundancy = 'all'); INSERT INTO t VALUES (1, 10), (2, 20)",
    )
    expect((await engine.query("SELECT cluster_partition_of('t', 1)")).rows).toEqual([[EVERYWHERE]])
    expect((await engine.query('SELECT id FROM t WHERE u = 20')).rows).toEqual([[2]])
    expect((await engine.query('SELECT count(*) FROM t')).rows).toEqual([[2n]])
    const [relation] = (await engine.query('SELECT relation FROM cluster_tables')).rows[0] ?? []
    const rows = [...database.localScan(relationId(Number(relation)), EVERYWHERE)].flatMap(({ keys }) => keys)
    expect(rows).toHaveLength(2)
    expect((await engine.query('TRUNCATE t')).command).toBe('TRUNCATE TABLE')
    expect((await engine.query('SELECT count(*) FROM t')).rows).toEqual([[0n]])
  })

  test('tables of the composer can be read and joined, but not written', async () => {
    const { engine } = await testEngine({
      virtualTables: [
        {
          name: 'cluster_members',
          columns: [
            { name: 'node', type: { id: 'text', length: null, precision: null, scale: null } },
            { name: 'state', type: { id: 'text', length: null, precision: null, scale: null } },
          ],
          rows: async () => [
            ['model-1', 'alive'],
            ['b', 'dead'],
          ],
        },
      ],
    })
    const query =
      'SELECT m.node, count(r.partition) FROM cluster_members m LEFT JOIN cluster_replicas r ON r.node = m.node GROUP BY m.node ORDER BY 1'
    expect((await engine.query(query)).rows).toEqual([
      ['b', 0n],
      ['model-1', 5n],
    ])
    expect(await failure(engine.query("DELETE FROM cluster_members WHERE node = 'b'"))).toMatchObject({
      sqlstate: '42809',
    })
  })

  test('a plan that was kept is made anew when its tables change', async () => {
    const { engine } = await testEngine()
    const query = 'SELECT * FROM t'
    await engine.execute('CREATE TABLE t (a integer); INSERT INTO t VALUES (1)')
    expect((await engine.query(query)).rows).toEqual([[1]])
    await engine.execute("DROP TABLE t; CREATE TABLE t (b text, c text); INSERT INTO t VALUES ('x', 'y')")
    expect((await engine.query(query)).rows).toEqual([['x', 'y']])
    await engine.query('DROP TABLE t')
    expect(await failure(engine.query(query))).toMatchObject({ sqlstate: '42P01' })
  })

  test('views follow their tables and hold them', async () => {
    const { engine } = await testEngine()
    await engine.execute(
      'CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (2); CREATE VIEW v AS SELECT a * 10 AS x FROM t; CREATE VIEW w AS SELECT x + 1 AS y FROM v',
    )
    expect((await engine.query('SELECT y FROM w ORDER BY y')).rows).toEqual([[11], [21]])
    expect(await failure(engine.query('DROP TABLE t'))).toMatchObject({
      sqlstate: '2BP01',
      detail: 'view v depends on table t\nview w depends on view v',
    })
    await engine.query('CREATE OR REPLACE VIEW v AS SELECT a AS x FROM t')
    expect((await engine.query('SELECT y FROM w ORDER BY y')).rows).toEqual([[2], [3]])
    await engine.query('DROP TABLE t CASCADE')
    expect((await engine.query('SELECT count(*) FROM pg_tables')).rows).toEqual([[0n]])
  })

  test('settings are the session’s own', async () => {
    const { engine } = await testEngine()
    const session = engine.session()
    await session.query("SET application_name = 'till'")
    expect((await session.query('SHOW application_name')).rows).toEqual([['till']])
    expect((await engine.query('SHOW application_name')).rows).toEqual([['']])
    expect((await engine.query('SHOW transaction_isolation')).rows).toEqual([['serializable']])
  })

  test('EXPLAIN ANALYZE runs the statement', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (a integer)')
    const { rows } = await engine.query('EXPLAIN ANALYZE INSERT INTO t VALUES (1), (2)')
    expect(rows.at(-1)?.[0]).toMatch(/^2 rows in/)
    expect((await engine.query('SELECT count(*) FROM t')).rows).toEqual([[2n]])
  })

  test('text is ordered by code points everywhere, above U+FFFF too', async () => {
    const { engine } = await testEngine()
    await engine.execute('CREATE TABLE t (a text PRIMARY KEY, b text); CREATE INDEX t_b ON t (b)')
    const [tilde, smile] = ['\uff5e', '\u{1f600}']
    for (const text of [smile, 'a', tilde]) await engine.query('INSERT INTO t VALUES ($1, $1)', [text])
    const inOrder = [['a'], [tilde], [smile]]
    for (const query of [
      'SELECT a FROM t ORDER BY a',
      'SELECT b FROM t ORDER BY b',
      "SELECT a || '' FROM t ORDER BY a || ''",
    ])
      expect((await engine.query(query)).rows).toEqual(inOrder)
    for (const condition of [
      'a > $1',
      'b > $1',
      "a || '' > $1",
      '$1 < ANY (SELECT i.a FROM t i WHERE i.a = t.a)',
    ])
      expect((await engine.query(`SELECT a FROM t WHERE ${condition}`, [tilde])).rows).toEqual([[smile]])
    const { rows } = await engine.query('SELECT min(a), max(a), greatest($1, $2), least($1, $2) FROM t', [
      smile,
      tilde,
    ])
    expect(rows).toEqual([['a', smile, smile, tilde]])
  })
})
