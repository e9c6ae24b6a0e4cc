import { assert } from '@cluster/core'
import type { SqlEngine } from '@cluster/sql'
import { beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { failure, SqlCluster, type SqlNode, share, textOf } from './sql-cluster.ts'

/*
 * Queries over tables that are spread over three nodes, asked at the one that holds the fewest rows: what they give, what is
 * computed elsewhere, and what travels.
 */

const schema = [
  `CREATE TABLE t (id integer PRIMARY KEY, a integer, b numeric(10,2), c text, d timestamptz, e double precision,
    f bigint, g boolean)`,
  'CREATE TABLE u (id integer PRIMARY KEY, k integer, v bigint)',
  "CREATE TABLE small (k integer PRIMARY KEY, name text) WITH (redundancy = 'all')",
  `INSERT INTO t SELECT i, nullif(i % 10, 9), i * 1.25, 'text ' || i % 100, timestamptz '2024-01-01 00:00+00' + i * interval '1 minute',
    i / 8.0, i * 1000000007::bigint, i % 3 = 0 FROM generate_series(1, 3000) i`,
  'INSERT INTO u SELECT i, i % 7, i * 10 FROM generate_series(1, 500) i',
  "INSERT INTO small SELECT i, 'name ' || i FROM generate_series(0, 9) i",
  "ALTER TABLE u ADD COLUMN late text DEFAULT 'always'",
  'UPDATE u SET late = NULL WHERE id % 10 = 0',
]

async function fill(engine: Pick<SqlEngine, 'query'>): Promise<void> {
  for (const text of schema) await engine.query(text)
}

async function outcome(engine: Pick<SqlEngine, 'query'>, text: string): Promise<readonly string[]> {
  try {
    return textOf(await engine.query(text)).sort()
  } catch (error) {
    const { sqlstate, message } = await failure(Promise.reject(error))
    return [`error ${sqlstate} ${message}`]
  }
}

/** The queries, and the most bytes that they may have from other nodes; null: whatever it takes. */
const queries: readonly (readonly [text: string, bytesMax: number | null])[] = [
  ['SELECT sum(b), count(*) FROM t WHERE a < 5', 100],
  ['SELECT a, sum(b), avg(a), min(c), max(d), count(*) FILTER (WHERE b > 100) FROM t GROUP BY a', 900],
  ['SELECT avg(b), stddev(a), var_pop(b), avg(f), sum(f), bool_and(g), bool_or(g) FROM t', 400],
  ['SELECT sum(id), count(b), max(e), min(f) FROM t WHERE id < 0', 100],
  ['SELECT a, g, count(*) FROM t GROUP BY a, g HAVING count(*) > 90', 700],
  ['SELECT id, b FROM t ORDER BY b DESC, id LIMIT 3', 200],
  ['SELECT id FROM t ORDER BY id LIMIT 3 OFFSET 2', null],
  ['SELECT id, c FROM t WHERE id BETWEEN 10 AND 20', 300],
  ["SELECT id FROM t WHERE c LIKE 'text 1%' AND d < timestamptz '2024-01-01 03:00+00'", 500],
  ['SELECT t.id, s.name FROM t JOIN small s ON s.k = t.a WHERE t.b > 3700', 600],
  ['SELECT t.id, s.name FROM t LEFT JOIN small s ON s.k = t.a AND s.k > 3 WHERE t.id > 2990', 400],
  // The other columns of a key are any row's, by an aggregate that only the planner knows.
  ['SELECT u.id, u.k, count(*) FROM u GROUP BY u.id, u.k ORDER BY 1 LIMIT 5', null],
  ['SELECT u.k, count(*), sum(t.b) FROM t JOIN u ON u.id = t.a GROUP BY u.k', null],
  ['SELECT count(*), sum(t.f + u.v) FROM t JOIN u ON u.id = t.id', 100],
  ['SELECT DISTINCT a FROM t', 100],
  ['SELECT count(*) FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.a)', null],
  ['SELECT t.id FROM t LEFT JOIN u ON u.id = t.a WHERE t.a > 7 AND u.k IS NULL', null],
  ['SELECT sum(e) FROM t WHERE a = 1', 3_000],
  ['SELECT late, count(*) FROM u GROUP BY late', 100],
  ["SELECT id, late FROM u WHERE late IS NULL OR (id < 4 AND late = 'always')", 600],
  ["SELECT count(DISTINCT a), string_agg(c, ',' ORDER BY id) FROM t WHERE id < 50", null],
  [
    'SELECT a, (SELECT sum(u.v) FROM u WHERE u.k = small.k) FROM small, LATERAL (SELECT count(*) a FROM t WHERE t.a = small.k) x',
    null,
  ],
  ['SELECT sum(1 / (id - 7)) FROM t', null],
  ['SELECT id FROM t WHERE sqrt(a - 5) > 1', null],
  [
    'SELECT CASE WHEN a > 5 THEN 1 / (a - a) ELSE coalesce(a, -1) END FROM t WHERE id = ANY (ARRAY[1, 2, 3])',
    null,
  ],
  ['SELECT count(*) FROM t WHERE d IS NOT DISTINCT FROM now() OR random() > 2', null],
  ['SELECT c FROM t WHERE a = 3 UNION SELECT late FROM u ORDER BY 1', null],
]

describe('queries over spread tables', () => {
  let cluster: SqlCluster
  let model: SqlEngine
  let node: SqlNode

  beforeAll(async () => {
    cluster = await SqlCluster.form({ nodes: 3, redundancy: 1 })
    node = cluster.poorest
    model = await cluster.model()
    await cluster.settle(fill(node.database))
    await cluster.settle(fill(model))
  })

  /** What came from others for a query, as EXPLAIN ANALYZE says. */
  async function moved(text: string): Promise<{ readonly rows: number; readonly bytes: number }> {
    const found = await node.rows(`EXPLAIN ANALYZE ${text}`)
    const [, rows = '0', bytes = '0'] =
      /^(\d+) rows in (\d+) bytes from other nodes$/.exec(found.at(-1) ?? '') ?? []
    return { rows: Number(rows), bytes: Number(bytes) }
  }

  test('give what one process gives', async () => {
    expect(share(node)).toBeLessThan(4)
    for (const [text] of queries) {
      const wanted = await cluster.settle(outcome(model, text))
      expect([text, await cluster.settle(outcome(node.database, text))]).toEqual([text, wanted])
    }
  })

  test('make nodes send results, not rows', async () => {
    for (const [text, bytesMax] of queries) {
      if (bytesMax === null) continue
      const { bytes } = await moved(text)
      expect([text, bytes]).toEqual([text, Math.min(bytes, bytesMax)])
      expect(bytes).toBeGreaterThan(0)
    }
  })

  test('send small sides of joins along', async () => {
    const text = 'SELECT u.k, count(*), sum(t.b) FROM t JOIN u ON u.id = t.a GROUP BY u.k'
    const { rows } = await moved(text)
    // The rows of u that are elsewhere, and seven groups of each of two holders.
    expect(rows).toBeLessThan(500 + 14)
  })

  test('see rows that the transaction has written, and not those behind its version', async () => {
    const text = 'SELECT count(*), sum(f) FROM t WHERE id > 2999'
    const session = node.database.session()
    const query = async (sql: string): Promise<readonly string[]> =>
      textOf(await cluster.settle(session.query(sql)))
    await query('BEGIN')
    expect(await query(text)).toEqual(['1|3000000021000'])
    await node.query('INSERT INTO t (id, f) VALUES (5000, 1)')
    expect(await query(text)).toEqual(['1|3000000021000'])
    await query('INSERT INTO t (id, f) VALUES (5001, 2)')
    expect(await query(text)).toEqual(['2|3000000021002'])
    await query('ROLLBACK')
    session.close()
    expect(await node.rows(text)).toEqual(['2|3000000021001'])
    await node.query('DELETE FROM t WHERE id = 5000')
  })

  test('are certified: what a sum was made of must not have changed', async () => {
    const session = node.database.session()
    await cluster.settle(session.query('BEGIN'))
    await cluster.settle(session.query('SELECT sum(v) FROM u WHERE k = 3'))
    await node.query('UPDATE u SET v = v + 1 WHERE id = 3')
    await cluster.settle(session.query('INSERT INTO t (id) VALUES (6000)'))
    const { sqlstate } = await cluster.settle(failure(session.query('COMMIT')))
    expect(sqlstate).toBe('40001')
    session.close()
    await node.query('UPDATE u SET v = v - 1 WHERE id = 3')
  })

  test('end when nobody wants their rows any more', async () => {
    const controller = new AbortController()
    const running = node.database.query('SELECT count(*) FROM t x JOIN t y ON x.a = y.a', [], {
      signal: controller.signal,
    })
    controller.abort()
    expect((await cluster.settle(failure(running))).sqlstate).toBe('57014')
    let seen = 0
    const some = async (): Promise<void> => {
      for await (const { rows } of node.database.stream('SELECT * FROM t WHERE id > 0')) {
        seen += rows.length
        break
      }
    }
    await cluster.settle(some())
    expect(seen).toBeGreaterThan(0)
    expect(await node.rows('SELECT count(*) FROM t')).toEqual(['3000'])
  })

  test('are explained with what is computed where', async () => {
    const lines = await node.rows(
      'EXPLAIN SELECT small.name, count(*) FROM t JOIN small ON small.k = t.a WHERE t.b > 5 GROUP BY small.name',
    )
    const others = cluster.others(node).map(({ id }) => id)
    const gather = lines.find((line) => line.includes('Gather')) ?? ''
    for (const id of others) expect(gather).toContain(id)
    expect(lines.map((line) => line.replace(/ from .*/, ''))).toEqual([
      'Project name, count',
      '  Aggregate count(*) by name',
      '    Gather partial aggregates',
      ...lines.slice(3),
    ])
    expect(lines.slice(3).every((line) => line.startsWith('      '))).toBe(true)
  })

  const column = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'id')
  const number = fc.integer({ min: -2, max: 12 })
  const condition = fc.oneof(
    fc
      .tuple(fc.constantFrom('a', 'b', 'id', 'e', 'f'), fc.constantFrom('<', '>=', '=', '<>'), number)
      .map(([name, sign, value]) => `${name} ${sign} ${value}`),
    fc.tuple(column).map(([name]) => `${name} IS NULL`),
    fc.tuple(number, number).map(([from, to]) => `id BETWEEN ${from * 100} AND ${to * 200}`),
    fc.constantFrom('g', 'NOT g', "c LIKE '%7'", 'a IN (1, 2, 3)', 'length(c) > 6', 'a + 1 > b / 100'),
  )
  const call = fc.oneof(
    fc
      .tuple(fc.constantFrom('min', 'max', 'count'), fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'id'))
      .map(([name, arg]) => `${name}(${arg})`),
    fc
      .tuple(
        fc.constantFrom('sum', 'avg', 'variance', 'stddev_pop'),
        fc.constantFrom('a', 'b', 'f', 'id', 'a * 2'),
      )
      .map(([name, arg]) => `${name}(${arg})`),
    fc.constantFrom('count(*)', 'bool_and(g)', 'every(g)', 'count(DISTINCT a)', 'bit_or(a)'),
    condition.map((where) => `sum(id) FILTER (WHERE ${where})`),
  )
  const wheres = fc
    .array(condition, { maxLength: 3 })
    .map((all) => (all.length === 0 ? '' : ` WHERE ${all.join(' AND ')}`))
  const calls = fc.array(call, { minLength: 1, maxLength: 4 }).map((all) => all.join(', '))
  const random = fc.oneof(
    fc.tuple(calls, wheres).map(([list, where]) => `SELECT ${list} FROM t${where}`),
    fc
      .tuple(fc.constantFrom('a', 'g', 'a, g', 'id % 7', "coalesce(c, '')"), calls, wheres)
      .map(([by, list, where]) => `SELECT ${by}, ${list} FROM t${where} GROUP BY ${by}`),
    fc
      .tuple(fc.constantFrom('a', 'b DESC', 'c', 'd DESC'), wheres, fc.integer({ min: 0, max: 20 }))
      .map(([by, where, limit]) => `SELECT * FROM t${where} ORDER BY ${by}, id LIMIT ${limit} OFFSET 1`),
    fc.tuple(wheres).map(([where]) => `SELECT DISTINCT a, g FROM t${where}`),
    fc
      .tuple(
        fc.constantFrom('JOIN', 'LEFT JOIN'),
        fc.constantFrom('o.id = x.a', 'o.id = x.id', 'o.id = x.a AND o.k > 2'),
        wheres,
      )
      .map(
        ([join, on, where]) =>
          `SELECT x.id, o.k, o.late FROM (SELECT * FROM t${where}) x ${join} u o ON ${on}`,
      ),
    fc
      .tuple(fc.constantFrom('IN', 'NOT IN'), wheres)
      .map(
        ([word, where]) =>
          `SELECT count(*), sum(v) FROM u WHERE k ${word} (SELECT a FROM t${where || ' WHERE a IS NOT NULL'})`,
      ),
    wheres.map((where) => `SELECT name, count(*), min(b) FROM t JOIN small ON k = a${where} GROUP BY name`),
  )

  test('give what one process gives, whatever the query', async () => {
    await fc.assert(
      fc.asyncProperty(random, async (text) => {
        const wanted = await cluster.settle(outcome(model, text))
        expect([text, await cluster.settle(outcome(node.database, text))]).toEqual([text, wanted])
      }),
      { numRuns: 150 * Number(process.env['SQL_RUNS'] ?? 1), seed: Number(process.env['SQL_SEED'] ?? 11) },
    )
  })
})

describe('a holder that dies', () => {
  test('in the middle of a query is not missed when there is another one', async () => {
    const cluster = await SqlCluster.form({ nodes: 3, redundancy: 2, seed: 3 })
    const node = cluster.poorest
    await cluster.settle(fill(node.database))
    const texts = [
      'SELECT a, sum(b), count(*) FROM t GROUP BY a',
      'SELECT id, c FROM t WHERE b > 100',
      'SELECT count(*), sum(t.f + u.v) FROM t JOIN u ON u.id = t.id',
    ]
    const model = await cluster.model()
    await cluster.settle(fill(model))
    const wanted = await cluster.settle(Promise.all(texts.map((text) => outcome(model, text))))
    const [victim] = cluster.others(node)
    assert(victim !== undefined, 'there are others')
    let ended = 0
    const running = texts.map(async (text) => {
      const found = await outcome(node.database, text)
      ended++
      return found
    })
    let steps = 0
    // The questions are on their way, and some answers.
    await cluster.world.until(() => ++steps > 40, 1_000)
    expect(ended).toBeLessThan(texts.length)
    victim.sim.crash('kill')
    const found = await cluster.settle(Promise.all(running))
    expect(found).toEqual(wanted)
  })
})
