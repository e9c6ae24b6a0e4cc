import type { SqlEngine } from '@cluster/sql'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { failure, SqlCluster, type SqlNode, share, textOf } from './sql-cluster.ts'

/*
 * Random statements on a cluster and on a database that is one process without a network: both say the same.
 * The optimizer has its own tests; here the rows come from many nodes, and what is varied is how they are read
 * and written.
 */

const schema = [
  'CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer, c text)',
  'CREATE TABLE u (id integer, k integer, v bigint, PRIMARY KEY (id, k), UNIQUE (v))',
  "CREATE TABLE small (k integer PRIMARY KEY, name text) WITH (redundancy = 'all')",
  'CREATE INDEX t_a ON t (a, b)',
  'CREATE INDEX t_c ON t (c)',
]

const small = fc.integer({ min: 0, max: 12 })
const value = fc.option(small, { freq: 5 }).map((some) => (some === null ? 'NULL' : String(some)))
const text = fc.constantFrom("'x'", "'xy'", "'\u{1F600}'", "'\uFF5E'", "''", 'NULL')
const sign = fc.constantFrom('=', '<', '<=', '>', '>=', '<>')
const down = fc.constantFrom('', ' DESC')
const limit = fc.oneof(
  fc.constant(''),
  fc.tuple(small, small).map(([count, offset]) => ` LIMIT ${count} OFFSET ${offset}`),
)

const onT = fc.oneof(
  fc.tuple(sign, small).map(([is, id]) => `t.id ${is} ${id}`),
  fc.tuple(small, small).map(([from, to]) => `t.id BETWEEN ${from} AND ${to}`),
  fc.array(small, { minLength: 1, maxLength: 4 }).map((ids) => `t.id IN (${ids.join(', ')})`),
  fc.tuple(small, sign, small).map(([a, is, b]) => `t.a = ${a} AND t.b ${is} ${b}`),
  fc.tuple(sign, text).map(([is, c]) => `t.c ${is} ${c}`),
  small.map((k) => `EXISTS (SELECT 1 FROM u WHERE u.id = t.id AND u.k >= ${k})`),
  small.map((v) => `t.a IN (SELECT u.k FROM u WHERE u.v > ${v})`),
)
const onU = fc.oneof(
  fc.tuple(small, sign, small).map(([id, is, k]) => `u.id = ${id} AND u.k ${is} ${k}`),
  fc.tuple(sign, small).map(([is, v]) => `u.v ${is} ${v}`),
)

const writes = fc.oneof(
  fc
    .tuple(fc.array(fc.tuple(small, value, value, text), { minLength: 1, maxLength: 6 }))
    .map(([rows]) => `INSERT INTO t VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')}`),
  fc
    .uniqueArray(fc.tuple(small, small, value), {
      minLength: 1,
      maxLength: 6,
      selector: (row) => `${row[0]},${row[1]}`,
    })
    .map((rows) => `INSERT INTO u VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')}`),
  fc
    .tuple(small, small)
    .map(([k, shift]) => `INSERT INTO t SELECT id + ${shift}, k, v, 'x' FROM u WHERE k <= ${k}`),
  fc
    .tuple(
      fc.array(fc.tuple(small, value), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('NOTHING', 'UPDATE'),
    )
    .map(([rows, action]) => {
      const set = action === 'NOTHING' ? '' : ' SET b = excluded.b, a = coalesce(t.a, 0) + 1'
      const given = rows.map((row) => `(${row.join(', ')})`).join(', ')
      return `INSERT INTO t (id, b) VALUES ${given} ON CONFLICT (id) DO ${action}${set}`
    }),
  fc.tuple(value, onT).map(([b, where]) => `UPDATE t SET b = ${b}, a = t.a + 1 WHERE ${where}`),
  fc.tuple(small, onT).map(([shift, where]) => `UPDATE t SET id = t.id + ${shift} WHERE ${where}`),
  fc.tuple(small, onU).map(([shift, where]) => `UPDATE u SET v = v + ${shift} WHERE ${where} RETURNING *`),
  onT.map((where) => `UPDATE t SET b = u.k FROM u WHERE u.id = t.id AND u.k = 1 AND ${where}`),
  onT.map((where) => `DELETE FROM t WHERE ${where}`),
  onU.map((where) => `DELETE FROM u WHERE ${where} RETURNING v`),
  small.map((k) => `INSERT INTO small VALUES (${k}, 'name ${k}')`),
)

/** Text, and whether the rows come in one order only. */
type Query = readonly [text: string, ordered: boolean]

const queries: fc.Arbitrary<Query> = fc.oneof(
  fc
    .tuple(onT, down, limit)
    .map(([where, by, some]): Query => [`SELECT * FROM t WHERE ${where} ORDER BY id${by}${some}`, true]),
  fc
    .tuple(down, down, limit)
    .map(([a, b, some]): Query => [`SELECT id, k, v FROM u ORDER BY id${a}, k${b}${some}`, true]),
  fc.tuple(down, limit).map(([by, some]): Query => [`SELECT c, id FROM t ORDER BY c${by}, id${some}`, true]),
  fc
    .tuple(onT, onU)
    .map(
      ([one, other]): Query => [
        `SELECT t.id, t.c, u.v FROM t JOIN u ON u.id = t.id WHERE ${one} AND ${other}`,
        false,
      ],
    ),
  onT.map(
    (where): Query => [
      `SELECT t.id, s.name, u.v FROM t LEFT JOIN small s ON s.k = t.a LEFT JOIN u ON u.id = t.b AND u.k = t.a WHERE ${where}`,
      false,
    ],
  ),
  onU.map((where): Query => [`SELECT t.*, u.k FROM u JOIN t ON t.id = u.k WHERE ${where}`, false]),
  onT.map(
    (where): Query => [`SELECT a, count(*), sum(b), min(c), max(c) FROM t WHERE ${where} GROUP BY a`, false],
  ),
  fc.constant<Query>([
    'SELECT u.id, count(*), sum(v), avg(t.b) FROM u FULL JOIN t ON t.id = u.id GROUP BY u.id',
    false,
  ]),
  onU.map((where): Query => [`SELECT id FROM t EXCEPT ALL SELECT k FROM u WHERE ${where}`, false]),
  fc
    .tuple(onT, small)
    .map(
      ([where, most]): Query => [
        `SELECT count(*) FROM (SELECT 1 FROM t WHERE ${where} LIMIT ${most}) v`,
        false,
      ],
    ),
)

const script = fc.array(
  fc.oneof(
    writes.map((write): Query => [write, false]),
    queries,
  ),
  { minLength: 4, maxLength: 14 },
)

async function outcome(engine: Pick<SqlEngine, 'query'>, [text, ordered]: Query): Promise<readonly string[]> {
  try {
    const { command, rowCount, ...result } = await engine.query(text)
    const rows = textOf(result)
    return [`${command} ${rowCount}`, ...(ordered ? rows : rows.sort())]
  } catch (error) {
    return [`error ${(await failure(Promise.reject(error))).sqlstate}`]
  }
}

async function reset(engine: Pick<SqlEngine, 'execute'>, first: boolean): Promise<void> {
  if (!first) await engine.execute('DROP TABLE t; DROP TABLE u; DROP TABLE small')
  await engine.execute(schema.join(';'))
}

async function sayTheSame(cluster: SqlCluster, numRuns: number): Promise<void> {
  const node: SqlNode = cluster.poorest
  expect(share(node)).toBeLessThan(4)
  const model = await cluster.model()
  let first = true
  await fc.assert(
    fc.asyncProperty(script, async (statements) => {
      for (const engine of [node.database, model]) await cluster.settle(reset(engine, first))
      first = false
      for (const statement of statements) {
        const wanted = await cluster.settle(outcome(model, statement))
        const found = await cluster.settle(outcome(node.database, statement))
        expect([statement, found]).toEqual([statement, wanted])
      }
    }),
    { numRuns: numRuns * Number(process.env['SQL_RUNS'] ?? 1), seed: Number(process.env['SQL_SEED'] ?? 7) },
  )
}

describe('a cluster says what one process says', () => {
  test('with one copy of each row on three nodes', async () => {
    await sayTheSame(await SqlCluster.form({ nodes: 3, redundancy: 1 }), 60)
  })

  test('with two copies of each row on five nodes', async () => {
    await sayTheSame(await SqlCluster.form({ nodes: 5, redundancy: 2 }), 40)
  })
})
