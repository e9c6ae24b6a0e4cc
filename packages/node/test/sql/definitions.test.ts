import { describe, expect, test } from '@jest/globals'
import { failure, SqlCluster, type SqlNode } from './sql-cluster.ts'

async function threeNodes(...statements: readonly string[]): Promise<SqlCluster> {
  const cluster = await SqlCluster.form({ nodes: 3, redundancy: 2 })
  for (const statement of statements) await cluster.node(0).execute(statement)
  return cluster
}

/** What a statement came to: its command, or the SQLSTATE. */
async function outcome(node: SqlNode, text: string): Promise<string> {
  try {
    return (await node.database.query(text)).command
  } catch (error) {
    return `${(await failure(Promise.reject(error))).sqlstate}`
  }
}

describe('foreign keys over several nodes', () => {
  test('no child is left without its parent, whoever is faster', async () => {
    const cluster = await threeNodes(
      'CREATE TABLE p (id integer PRIMARY KEY)',
      'CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p)',
      'CREATE INDEX ON c (p)',
      'INSERT INTO p SELECT i FROM generate_series(1, 20) AS g(i)',
    )
    const outcomes = await cluster.settle(
      Promise.all(
        Array.from({ length: 20 }, (_, i) => [
          outcome(cluster.node(1), `INSERT INTO c VALUES (${i + 1}, ${i + 1})`),
          outcome(cluster.node(2), `DELETE FROM p WHERE id = ${i + 1}`),
        ]).flat(),
      ),
    )
    const [orphans] = await cluster
      .node(0)
      .rows('SELECT count(*) FROM c WHERE NOT EXISTS (SELECT FROM p WHERE p.id = c.p)')
    expect(orphans).toBe('0')
    for (let i = 0; i < 20; i++) {
      // Exactly one of the two can have happened.
      const pair = [outcomes[2 * i], outcomes[2 * i + 1]].sort()
      expect(['23503,DELETE', '23503,INSERT']).toContain(pair.join())
    }
  })

  test('a cascade and an insertion at the same time', async () => {
    const cluster = await threeNodes(
      'CREATE TABLE p (id integer PRIMARY KEY)',
      'CREATE TABLE c (id serial PRIMARY KEY, p integer REFERENCES p ON DELETE CASCADE)',
      'INSERT INTO p VALUES (1)',
      'INSERT INTO c (p) SELECT 1 FROM generate_series(1, 10)',
    )
    await cluster.settle(
      Promise.all([
        outcome(cluster.node(0), 'DELETE FROM p'),
        outcome(cluster.node(1), 'INSERT INTO c (p) VALUES (1)'),
        outcome(cluster.node(2), 'INSERT INTO c (p) VALUES (1)'),
      ]),
    )
    for (const node of cluster.nodes) expect(await node.rows('SELECT count(*) FROM c')).toEqual(['0'])
  })
})

describe('sequences over several nodes', () => {
  test('never give a value twice', async () => {
    const cluster = await threeNodes(
      'CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, node integer)',
    )
    await cluster.settle(
      Promise.all(
        cluster.nodes.flatMap((node, at) =>
          Array.from({ length: 30 }, () => outcome(node, `INSERT INTO t (node) VALUES (${at}), (${at})`)),
        ),
      ),
    )
    expect(await cluster.node(0).rows('SELECT count(*), count(DISTINCT id) FROM t')).toEqual(['180|180'])
  })

  test('setval counts at once on every node', async () => {
    const cluster = await threeNodes('CREATE SEQUENCE s')
    for (const node of cluster.nodes) await node.query("SELECT nextval('s')")
    await cluster.node(0).query("SELECT setval('s', 1000)")
    const values: number[] = []
    for (const node of cluster.nodes) values.push(Number((await node.rows("SELECT nextval('s')"))[0]))
    expect(Math.min(...values)).toBe(1001)
    expect(new Set(values).size).toBe(3)
  })

  test('a transaction that made a sequence and is rolled back leaves nothing of it', async () => {
    const cluster = await threeNodes()
    const session = cluster.node(0).database.session()
    for (const text of [
      'BEGIN',
      'CREATE TABLE t (id serial)',
      'INSERT INTO t DEFAULT VALUES',
      'ROLLBACK',
      'CREATE TABLE u (id serial)',
      'INSERT INTO u DEFAULT VALUES',
    ])
      await cluster.settle(session.query(text))
    expect(await cluster.node(1).rows('SELECT id FROM u')).toEqual(['1'])
  })
})

describe('definitions that change while rows are written', () => {
  test('columns, constraints and indexes come without a row being lost', async () => {
    const cluster = await threeNodes('CREATE TABLE t (id integer PRIMARY KEY, v integer)')
    const writer = async (node: SqlNode, from: number): Promise<void> => {
      for (let i = from; i < from + 40; i++)
        await node.database.query('INSERT INTO t (id, v) VALUES ($1, $1)', [i])
    }
    const definer = async (): Promise<void> => {
      const { database } = cluster.node(0)
      await database.query('ALTER TABLE t ADD COLUMN w integer NOT NULL DEFAULT 7')
      await database.query('CREATE INDEX t_v ON t (v)')
      await database.query('ALTER TABLE t ADD CONSTRAINT positive CHECK (w > 0)')
      await database.query('ALTER TABLE t RENAME COLUMN w TO width')
    }
    await cluster.settle(Promise.all([writer(cluster.node(1), 1), writer(cluster.node(2), 101), definer()]))
    for (const node of cluster.nodes) {
      expect(await node.rows('SELECT count(*), sum(width), count(DISTINCT v) FROM t')).toEqual(['80|560|80'])
      expect(await node.rows('SELECT width FROM t WHERE v = 120')).toEqual(['7'])
      expect(await node.rows('EXPLAIN SELECT id FROM t WHERE v = 120')).toEqual([
        'Project id',
        '  Scan t(id) by t_v v = 120',
      ])
    }
  })

  test('what TRUNCATE and DROP leave is swept away on every node', async () => {
    const cluster = await threeNodes(
      'CREATE TABLE t (id integer PRIMARY KEY, v integer UNIQUE)',
      'INSERT INTO t SELECT i, i FROM generate_series(1, 3000) AS g(i)',
    )
    await cluster.node(1).query('TRUNCATE t')
    expect(await cluster.node(2).rows('SELECT count(*) FROM t')).toEqual(['0'])
    await cluster.node(2).query('INSERT INTO t VALUES (1, 1)')
    await cluster.node(0).query('DROP TABLE t')
    const left = async (): Promise<string> =>
      (
        await cluster.node(1).rows('SELECT coalesce(sum(rows), 0) FROM cluster_replicas WHERE partition > 0')
      )[0] ?? ''
    // It happens behind the statements, step by step; every question takes virtual time.
    for (let i = 0; i < 100 && (await left()) !== '0'; i++) await cluster.node(2).query('SELECT 1')
    expect(await left()).toBe('0')
  })
})
