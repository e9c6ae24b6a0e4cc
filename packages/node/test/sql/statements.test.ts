import { describe, expect, test } from '@jest/globals'
import { failure, SqlCluster, share } from './sql-cluster.ts'

/** Three nodes with one copy of each row, five with two: then everybody holds less than half. */
const shapes = [
  { nodes: 3, redundancy: 1 },
  { nodes: 5, redundancy: 2 },
] as const

for (const shape of shapes)
  describe(`SQL on ${shape.nodes} nodes with redundancy ${shape.redundancy}`, () => {
    test('what one node defines is there on all', async () => {
      const cluster = await SqlCluster.form(shape)
      const [first, second, third] = [cluster.node(0), cluster.node(1), cluster.node(2)]
      await first.query(
        'CREATE TABLE items (id integer PRIMARY KEY, name text UNIQUE, qty integer DEFAULT 1)',
      )
      for (const node of cluster.nodes)
        expect(await node.rows('SELECT table_name FROM information_schema.tables')).toContain('items')
      await second.query("INSERT INTO items (id, name) VALUES (1, 'apple'), (2, 'pear')")
      await third.query('CREATE VIEW names AS SELECT name FROM items')
      for (const node of cluster.nodes)
        expect(await node.rows('SELECT name FROM names ORDER BY name')).toEqual(['apple', 'pear'])
      // Plans that were kept are not used once the table is another one.
      await second.execute('DROP VIEW names; DROP TABLE items')
      await second.execute("CREATE TABLE items (name text, id integer); INSERT INTO items VALUES ('plum', 9)")
      for (const node of cluster.nodes) {
        expect(await node.rows('SELECT * FROM items')).toEqual(['plum|9'])
        expect(await failure(node.rows('SELECT name FROM names ORDER BY name'))).toMatchObject({
          sqlstate: '42P01',
        })
      }
    })

    test('a node that holds less than half answers for all', async () => {
      const cluster = await SqlCluster.form(shape)
      const node = cluster.poorest
      expect(share(node)).toBeLessThan(4)
      await cluster.others(node)[0]?.execute(`
        CREATE TABLE cities (name text PRIMARY KEY, country text);
        CREATE TABLE flights (id integer PRIMARY KEY, origin text, goal text, delay integer);
        CREATE INDEX flights_origin ON flights (origin);
        INSERT INTO cities SELECT 'c' || i, CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END FROM generate_series(0, 9) AS g(i);
        INSERT INTO flights SELECT i, 'c' || i % 10, 'c' || i % 7, i % 13 - 3 FROM generate_series(1, 2500) AS g(i)
      `)
      expect(await node.rows('SELECT count(*), sum(id), min(delay), max(delay) FROM flights')).toEqual([
        '2500|3126250|-3|9',
      ])
      const byCountry = await node.rows(`
        SELECT c.country, count(*), sum(f.delay), count(DISTINCT f.goal)
        FROM flights f JOIN cities c ON c.name = f.origin GROUP BY c.country ORDER BY c.country`)
      expect(byCountry).toEqual(['even|1250|3744|7', 'odd|1250|3742|7'])
      const third = await node.rows("SELECT count(*) FROM flights WHERE origin = 'c3' AND id <= 1000")
      expect(third).toEqual(['100'])
      expect(
        await node.rows(`
          SELECT name FROM cities c WHERE NOT EXISTS (SELECT 1 FROM flights f WHERE f.goal = c.name) ORDER BY 1`),
      ).toEqual(['c7', 'c8', 'c9'])
    })

    test('rows of several nodes come in order, and no more than asked for', async () => {
      const cluster = await SqlCluster.form(shape)
      const node = cluster.poorest
      await node.execute(`
        CREATE TABLE t (id integer PRIMARY KEY, v integer);
        INSERT INTO t SELECT i, i * 7 % 1000 FROM generate_series(1, 3000) AS g(i)
      `)
      const ids = Array.from({ length: 3000 }, (_, i) => String(i + 1))
      expect(await node.rows('SELECT id FROM t ORDER BY id')).toEqual(ids)
      expect(await node.rows('SELECT id FROM t ORDER BY id DESC')).toEqual([...ids].reverse())
      expect(await node.rows('SELECT id FROM t ORDER BY id LIMIT 3 OFFSET 1500')).toEqual(
        ids.slice(1500, 1503),
      )
      expect(await node.rows('SELECT id FROM t WHERE id > 2990 ORDER BY id DESC LIMIT 2')).toEqual([
        '3000',
        '2999',
      ])
      expect(await node.rows('SELECT v, id FROM t ORDER BY v DESC, id LIMIT 2')).toEqual([
        '999|857',
        '999|1857',
      ])
      expect(await node.rows('SELECT id FROM t LIMIT 5')).toHaveLength(5)
      const rows: unknown[] = []
      const read = async (): Promise<void> => {
        for await (const batch of node.database.stream('SELECT id FROM t ORDER BY id'))
          rows.push(...batch.rows)
      }
      await cluster.settle(read())
      expect(rows).toHaveLength(3000)
    })
  })
