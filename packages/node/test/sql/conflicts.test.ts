import { describe, expect, test } from '@jest/globals'
import { failure, SqlCluster, type SqlNode } from './sql-cluster.ts'

async function threeNodes(...statements: readonly string[]): Promise<SqlCluster> {
  const cluster = await SqlCluster.form({ nodes: 3, redundancy: 2 })
  for (const statement of statements) await cluster.node(0).execute(statement)
  return cluster
}

/** A statement on each of these nodes at the same time; what each gave. */
async function atOnce(
  cluster: SqlCluster,
  nodes: readonly SqlNode[],
  text: (node: SqlNode, at: number) => string,
): Promise<readonly string[]> {
  const given = nodes.map(async (node, at) => {
    try {
      return (await node.database.query(text(node, at))).command
    } catch (error) {
      return `${(await failure(Promise.reject(error))).sqlstate}`
    }
  })
  return cluster.settle(Promise.all(given))
}

describe('transactions of several nodes', () => {
  test('no update is lost', async () => {
    const cluster = await threeNodes('CREATE TABLE t (id integer PRIMARY KEY, v integer)')
    await cluster.node(0).query('INSERT INTO t VALUES (1, 0)')
    const each = async ({ database }: SqlNode): Promise<void> => {
      for (let i = 0; i < 10; i++) await database.query('UPDATE t SET v = v + 1 WHERE id = 1')
      for (let i = 0; i < 5; i++)
        await database.transaction(async (session) => {
          const [row] = await session.sql`SELECT v FROM t WHERE id = 1`
          await session.sql`UPDATE t SET v = ${Number(row?.['v']) + 1} WHERE id = 1`
        })
    }
    await cluster.settle(Promise.all(cluster.nodes.map(each)))
    for (const node of cluster.nodes) expect(await node.rows('SELECT v FROM t')).toEqual(['45'])
  })

  test('the later commit of two that changed one row is refused', async () => {
    const cluster = await threeNodes('CREATE TABLE t (id integer PRIMARY KEY, v integer)')
    await cluster.node(0).query('INSERT INTO t VALUES (1, 10)')
    const sessions = [cluster.node(1).database.session(), cluster.node(2).database.session()] as const
    for (const session of sessions) {
      await cluster.settle(session.query('BEGIN'))
      await cluster.settle(session.query('UPDATE t SET v = v * 2 WHERE id = 1'))
    }
    await cluster.settle(sessions[1].query('COMMIT'))
    expect(await failure(cluster.settle(sessions[0].query('COMMIT')))).toMatchObject({
      sqlstate: '40001',
      outcome: 'rejected',
    })
    for (const node of cluster.nodes) expect(await node.rows('SELECT v FROM t')).toEqual(['20'])
  })

  test('of two transactions that each rely on what the other changes, one is refused', async () => {
    const cluster = await threeNodes(
      'CREATE TABLE doctors (name text PRIMARY KEY, on_call boolean)',
      "INSERT INTO doctors VALUES ('ada', true), ('bob', true)",
    )
    const leave = async (node: SqlNode, name: string): Promise<string> => {
      const session = node.database.session()
      try {
        await session.query('BEGIN')
        const { rows } = await session.query('SELECT count(*) FROM doctors WHERE on_call')
        if (Number(rows[0]?.[0]) > 1)
          await session.query('UPDATE doctors SET on_call = false WHERE name = $1', [name])
        return (await session.query('COMMIT')).command
      } catch (error) {
        return `${(await failure(Promise.reject(error))).sqlstate}`
      } finally {
        session.close()
      }
    }
    const endings = await cluster.settle(
      Promise.all([leave(cluster.node(1), 'ada'), leave(cluster.node(2), 'bob')]),
    )
    expect([...endings].sort()).toEqual(['40001', 'COMMIT'])
    expect(await cluster.node(0).rows('SELECT count(*) FROM doctors WHERE on_call')).toEqual(['1'])
  })

  test('a condition over rows that are not there yet holds until the commit', async () => {
    const cluster = await threeNodes(
      'CREATE TABLE bookings (id integer PRIMARY KEY, room integer, day integer)',
    )
    await cluster.node(0).query('CREATE INDEX bookings_room ON bookings (room, day)')
    const endings = await atOnce(
      cluster,
      cluster.nodes,
      (_, at) =>
        `INSERT INTO bookings SELECT ${at}, 7, 1 WHERE NOT EXISTS (SELECT 1 FROM bookings WHERE room = 7 AND day = 1)`,
    )
    expect(endings).toEqual(['INSERT', 'INSERT', 'INSERT'])
    expect(await cluster.node(1).rows('SELECT count(*) FROM bookings')).toEqual(['1'])
  })

  test('one of those who claim a unique value at the same time gets it', async () => {
    const cluster = await threeNodes('CREATE TABLE users (id integer PRIMARY KEY, email text UNIQUE)')
    for (let round = 0; round < 5; round++) {
      const endings = await atOnce(
        cluster,
        cluster.nodes,
        (_, at) => `INSERT INTO users VALUES (${round * 10 + at}, 'user ${round}')`,
      )
      expect([...endings].sort()).toEqual(['23505', '23505', 'INSERT'])
      expect(await cluster.poorest.rows(`SELECT count(*) FROM users WHERE email = 'user ${round}'`)).toEqual([
        '1',
      ])
    }
    expect(await cluster.node(2).rows('SELECT count(*), count(DISTINCT email) FROM users')).toEqual(['5|5'])
  })

  test('an upsert counts every call of every node', async () => {
    const cluster = await threeNodes('CREATE TABLE hits (page text PRIMARY KEY, n integer)')
    for (let round = 0; round < 4; round++)
      await atOnce(
        cluster,
        cluster.nodes,
        () => "INSERT INTO hits VALUES ('home', 1) ON CONFLICT (page) DO UPDATE SET n = hits.n + excluded.n",
      )
    for (const node of cluster.nodes) expect(await node.rows('SELECT * FROM hits')).toEqual(['home|12'])
  })

  test('a table of one name that two nodes make at once is one table', async () => {
    const cluster = await threeNodes()
    const pair = [cluster.node(1), cluster.node(2)]
    const strict = await atOnce(
      cluster,
      pair,
      (node) => `CREATE TABLE t (${node.id} integer PRIMARY KEY, v integer UNIQUE)`,
    )
    expect([...strict].sort()).toEqual(['42P07', 'CREATE TABLE'])
    const winner = pair[strict.indexOf('CREATE TABLE')]?.id
    for (const node of cluster.nodes)
      expect(
        await node.rows(
          "SELECT column_name FROM information_schema.columns WHERE table_name = 't' ORDER BY ordinal_position",
        ),
      ).toEqual([winner, 'v'])

    const lenient = await atOnce(
      cluster,
      cluster.nodes,
      () => 'CREATE TABLE IF NOT EXISTS u (id integer PRIMARY KEY, v integer)',
    )
    expect(lenient).toEqual(['CREATE TABLE', 'CREATE TABLE', 'CREATE TABLE'])
    await atOnce(cluster, cluster.nodes, (_, at) => `INSERT INTO u VALUES (${at}, ${at})`)
    for (const node of cluster.nodes) expect(await node.rows('SELECT count(*) FROM u')).toEqual(['3'])
    expect(
      await cluster.node(0).rows("SELECT count(*) FROM cluster_tables WHERE table_name IN ('t', 'u')"),
    ).toEqual(['2'])
  })

  test('a row that is written while its table is dropped is refused or gone', async () => {
    const cluster = await threeNodes('CREATE TABLE t (id integer PRIMARY KEY)')
    const endings = await atOnce(cluster, cluster.nodes, (_, at) =>
      at === 0 ? 'DROP TABLE t' : `INSERT INTO t VALUES (${at})`,
    )
    expect(endings[0]).toBe('DROP TABLE')
    for (const ending of endings.slice(1)) expect(['INSERT', '42P01']).toContain(ending)
    await cluster.node(1).query('CREATE TABLE t (id integer PRIMARY KEY)')
    expect(await cluster.node(2).rows('SELECT count(*) FROM t')).toEqual(['0'])
  })
})
