import type { HeldLock } from '@cluster/core'
import type { Session } from '@cluster/sql'
import { describe, expect, test } from '@jest/globals'
import { failure, SqlCluster, type SqlNode, textOf } from './sql-cluster.ts'

const LEASE_MS = 1_000

async function shop(): Promise<SqlCluster> {
  const cluster = await SqlCluster.form({ nodes: 3, redundancy: 2, locks: { leaseMs: LEASE_MS, busyMs: 0 } })
  await cluster.node(0).execute('CREATE TABLE t (id integer PRIMARY KEY, v integer)')
  await cluster.node(0).query('INSERT INTO t VALUES (1, 0)')
  return cluster
}

/** A session of a node, whose statements are waited for in virtual time. */
class Client {
  readonly session: Session
  readonly #cluster: SqlCluster

  constructor(cluster: SqlCluster, node: SqlNode) {
    this.#cluster = cluster
    this.session = node.database.session()
  }

  async say(text: string, parameters: readonly (string | number)[] = []): Promise<string> {
    return textOf(await this.#cluster.settle(this.session.query(text, parameters))).join(' ')
  }

  /** Over the way that clients of PostgreSQL's protocol take. */
  async read(text: string): Promise<string> {
    const all: string[] = []
    const reading = async (): Promise<void> => {
      for await (const batch of this.session.stream(text)) all.push(...textOf(batch))
    }
    await this.#cluster.settle(reading())
    return all.join(' ')
  }

  fails(text: string) {
    return failure(this.#cluster.settle(this.session.query(text)))
  }
}

describe('sessions that wait for each other', () => {
  test('the one that closes the cycle is told so, and the others go on', async () => {
    const cluster = await shop()
    const [a, b] = [new Client(cluster, cluster.node(0)), new Client(cluster, cluster.node(1))]
    await a.say('BEGIN')
    await b.say('BEGIN')
    await a.say('SELECT pg_advisory_xact_lock(1)')
    await b.say('SELECT pg_advisory_xact_lock(2)')
    const waiting = a.session.query('SELECT pg_advisory_xact_lock(2)')
    const { locks } = cluster.node(1)
    const line = async () => (await cluster.settle(locks.describe())).some(({ queue }) => queue.length > 0)
    while (!(await line()));
    const error = await b.fails('SELECT pg_advisory_xact_lock(1)')
    expect(error).toMatchObject({ sqlstate: '40P01' })
    await b.say('ROLLBACK')
    await cluster.settle(waiting)
    await a.say('COMMIT')
    // One session has its lock as often as it likes, also beside another one of the same node.
    const c = new Client(cluster, cluster.node(0))
    await a.say('SELECT pg_advisory_lock(3), pg_advisory_lock(3)')
    expect(await c.say('SELECT pg_try_advisory_lock(3)')).toBe('f')
  })
})

describe('what is written under a lock', () => {
  test('commits while it is held, from any node, and is refused afterwards', async () => {
    const cluster = await shop()
    const [a, b] = [cluster.node(0), cluster.node(1)]
    const held = await cluster.settle(a.locks.acquire('till'))
    const add = (node: SqlNode) =>
      cluster.settle(
        node.database.transaction({ fence: held }, (tx) => tx.query('UPDATE t SET v = v + 1 WHERE id = 1')),
      )
    expect((await add(a)).rowCount).toBe(1)
    expect((await add(b)).rowCount).toBe(1)
    await cluster.settle(held.release())
    expect(await failure(add(a))).toMatchObject({ sqlstate: '55L01', outcome: 'rejected' })
    expect(await failure(add(b))).toMatchObject({ sqlstate: '55L01' })
    expect(await b.rows('SELECT v FROM t')).toEqual(['2'])
  })

  test('a fenced handle covers statements, sessions and definitions', async () => {
    const cluster = await shop()
    const [a] = cluster.nodes as readonly [SqlNode]
    const held = await cluster.settle(a.locks.acquire('till'))
    const fenced = a.database.fenced(held)
    await cluster.settle(fenced.query('UPDATE t SET v = v + 1 WHERE id = 1'))
    await cluster.settle(fenced.query('INSERT INTO t SELECT v + 10, v FROM t'))
    await cluster.settle(fenced.execute('CREATE INDEX t_v ON t (v); INSERT INTO t VALUES (3, 3)'))
    const session = fenced.session()
    await cluster.settle(session.query('BEGIN'))
    await cluster.settle(session.query('DELETE FROM t WHERE id = 3'))
    await cluster.settle(a.locks.break('till', 'a test'))
    expect(await failure(cluster.settle(session.query('COMMIT')))).toMatchObject({ sqlstate: '55L01' })
    for (const text of [
      'UPDATE t SET v = v + 1 WHERE id = 1',
      'INSERT INTO t SELECT id + 20, v FROM t',
      'CREATE TABLE u (id integer PRIMARY KEY)',
      'CREATE INDEX t_id ON t (id, v)',
    ])
      expect(await failure(cluster.settle(fenced.query(text)))).toMatchObject({ sqlstate: '55L01' })
    // Reading changes nothing, so there is nothing to refuse.
    expect(textOf(await cluster.settle(fenced.query('SELECT * FROM t ORDER BY id')))).toEqual([
      '1|1',
      '3|3',
      '11|1',
    ])
  })

  test('a holder that stood still is refused, although it never noticed', async () => {
    const cluster = await shop()
    const [a, b] = [cluster.node(1), cluster.node(2)]
    const held = await cluster.settle(a.locks.acquire('till'))
    const session = a.database.session()
    await cluster.settle(session.query('BEGIN'))
    await cluster.settle(session.query('INSERT INTO t VALUES (7, 7)'))
    const stale = a.database.transaction({ fence: held }, async (tx) => {
      await tx.query('UPDATE t SET v = 100 WHERE id = 1')
      // In the middle of its work the process does not run for longer than its lease.
      a.sim.stall(3 * LEASE_MS)
      await tx.query('SELECT 1')
    })
    const other = b.locks.acquire('till').then(async (next) => {
      await b.database.transaction({ fence: next }, (tx) => tx.query('UPDATE t SET v = v + 1 WHERE id = 1'))
      return next
    })
    stale.catch(() => {
      // Looked at below.
    })
    const next: HeldLock = await cluster.settle(other)
    expect(next.token).toBeGreaterThan(held.token)
    const refused = await failure(cluster.settle(stale))
    // Either the log has refused the token, or it lost its race first and was refused when it ran again.
    expect(refused.sqlstate).toBe('55L01')
    expect(await b.rows('SELECT v FROM t')).toEqual(['1'])
  })
})

describe('locks in SQL', () => {
  test('are those of the cluster', async () => {
    const cluster = await shop()
    const [one, two] = [new Client(cluster, cluster.node(0)), new Client(cluster, cluster.node(1))]
    const token = Number(await one.say("SELECT cluster_lock('till')"))
    expect(token).toBeGreaterThan(0)
    expect(await two.say("SELECT cluster_try_lock('till')")).toBe('NULL')
    expect(await cluster.settle(cluster.node(2).locks.tryAcquire('till'))).toBeNull()
    // It may be taken again, and is given back as often.
    expect(await one.read("SELECT cluster_lock('till')")).toBe(String(token))
    expect(await one.say("SELECT cluster_unlock('till'), cluster_try_lock('other') > 0")).toBe('t|t')
    expect(await two.say("SELECT cluster_try_lock('till')")).toBe('NULL')
    const waiting = two.session.query('SELECT cluster_lock($1)', ['till'])
    await cluster.world.run(200)
    expect(
      await one.say(
        `SELECT name, mode, granted, place, token > 0, broken FROM cluster_locks ORDER BY name, place`,
      ),
    ).toBe('other|exclusive|t|0|t|NULL till|exclusive|t|0|t|NULL till|exclusive|f|1|NULL|NULL')
    expect(await one.say("SELECT cluster_unlock('till')")).toBe('t')
    expect(Number(textOf(await cluster.settle(waiting)))).toBeGreaterThan(token)
    expect(await one.say("SELECT cluster_unlock('till')")).toBe('f')
    // What is left goes with the session.
    two.session.close()
    expect(Number(await one.say("SELECT cluster_lock('till')"))).toBeGreaterThan(token)
    expect(await one.say("SELECT cluster_break_lock('till', 'enough')")).toBe('1')
  })

  test("the setting cluster.fence makes commits depend on the session's locks", async () => {
    const cluster = await shop()
    const client = new Client(cluster, cluster.node(0))
    await client.say("SET cluster.fence = 'till'")
    expect(await client.fails('INSERT INTO t VALUES (2, 2)')).toMatchObject({ sqlstate: '55L01' })
    await client.say("SELECT cluster_lock('till')")
    await client.say('INSERT INTO t VALUES (2, 2)')
    await cluster.settle(cluster.node(1).locks.break('till', 'a test'))
    expect(await client.fails('INSERT INTO t VALUES (3, 3)')).toMatchObject({ sqlstate: '55L01' })
    await client.say('BEGIN')
    await client.say('INSERT INTO t SELECT 4, 4')
    expect(await client.fails('COMMIT')).toMatchObject({ sqlstate: '55L01' })
    await client.say('RESET cluster.fence')
    await client.say('INSERT INTO t VALUES (5, 5)')
    expect(await client.say('SELECT id FROM t ORDER BY id')).toBe('1 2 5')
  })

  test('a statement waits no longer than it may, and can be cancelled', async () => {
    const cluster = await shop()
    const [one, two] = [new Client(cluster, cluster.node(0)), new Client(cluster, cluster.node(1))]
    await one.say('SELECT pg_advisory_lock(1)')
    await two.say("SET lock_timeout = '250ms'")
    expect(await two.fails('SELECT pg_advisory_lock(1)')).toMatchObject({ sqlstate: '55P03' })
    await two.say('SET lock_timeout = 0')
    const controller = new AbortController()
    const waiting = two.session.query('SELECT pg_advisory_lock(1)', [], { signal: controller.signal })
    const failed = failure(waiting)
    await cluster.world.run(100)
    controller.abort()
    expect(await cluster.settle(failed)).toMatchObject({ sqlstate: '57014' })
    expect(await one.say('SELECT pg_advisory_unlock(1)')).toBe('t')
    expect(await two.say('SELECT pg_try_advisory_lock(1)')).toBe('t')
  })
})

describe("PostgreSQL's advisory locks", () => {
  test('by one key and by two, exclusive and shared', async () => {
    const cluster = await shop()
    const [one, two] = [new Client(cluster, cluster.node(0)), new Client(cluster, cluster.node(1))]
    expect(await one.say('SELECT pg_advisory_lock(1), pg_advisory_lock_shared(1, -2)')).toBe('|')
    expect(await two.say('SELECT pg_try_advisory_lock(1), pg_try_advisory_lock(2)')).toBe('f|t')
    expect(await two.say('SELECT pg_try_advisory_lock(1, -2), pg_try_advisory_lock_shared(1, -2)')).toBe(
      'f|t',
    )
    expect(await two.say('SELECT pg_advisory_unlock(1), pg_advisory_unlock_shared(1, -2)')).toBe('f|t')
    expect(
      await one.say(
        "SELECT classid, objid, objsubid, mode FROM pg_locks WHERE locktype = 'advisory' ORDER BY objsubid, objid",
      ),
    ).toBe('0|1|1|ExclusiveLock 0|2|1|ExclusiveLock 1|4294967294|2|ShareLock')
    await one.say('SELECT pg_advisory_unlock_all()')
    expect(await two.say('SELECT pg_try_advisory_lock(1), pg_try_advisory_lock(1, -2)')).toBe('t|t')
    // The session that holds it shared cannot make it exclusive.
    expect(await one.say('SELECT pg_try_advisory_lock_shared(9), pg_try_advisory_lock(9)')).toBe('t|f')
    expect(await one.fails('SELECT pg_advisory_lock(9)')).toMatchObject({ sqlstate: '0A000' })
  })

  test('those of a transaction end with it, and its commit depends on them', async () => {
    const cluster = await shop()
    const [one, two] = [new Client(cluster, cluster.node(0)), new Client(cluster, cluster.node(1))]
    expect(await one.say('SELECT pg_try_advisory_xact_lock(5)')).toBe('t')
    // That one was over with its statement.
    expect(await two.say('SELECT pg_try_advisory_lock(5)')).toBe('t')
    await two.say('SELECT pg_advisory_unlock(5)')
    for (const end of ['COMMIT', 'ROLLBACK']) {
      await one.say('BEGIN')
      await one.read('SELECT pg_advisory_xact_lock(5)')
      expect(await two.say('SELECT pg_try_advisory_lock(5)')).toBe('f')
      await one.say(end)
      expect(await two.say('SELECT pg_try_advisory_lock(5), pg_advisory_unlock(5)')).toBe('t|t')
    }
    await one.say('BEGIN')
    await one.say('SELECT pg_advisory_xact_lock(5)')
    await one.say('UPDATE t SET v = 99 WHERE id = 1')
    await cluster.settle(cluster.node(2).locks.break('advisory:shop:5', 'a test'))
    expect(await one.fails('COMMIT')).toMatchObject({ sqlstate: '55L01' })
    expect(await two.say('SELECT v FROM t')).toBe('0')
  })

  test('who waited for one sees what was done under it, and loses no race', async () => {
    const cluster = await shop()
    const clients = cluster.nodes.map((node) => new Client(cluster, node))
    const work = async (client: Client): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        await client.session.query('BEGIN')
        await client.session.query('SELECT pg_advisory_xact_lock(1)')
        const { rows } = await client.session.query('SELECT v FROM t WHERE id = 1')
        await client.session.query('UPDATE t SET v = $1 WHERE id = 1', [Number(rows[0]?.[0]) + 1])
        await client.session.query('COMMIT')
      }
    }
    await cluster.settle(Promise.all(clients.map(work)))
    expect(await cluster.node(0).rows('SELECT v FROM t')).toEqual(['15'])
  })

  test('a key of each row; a lock in a view is refused', async () => {
    const cluster = await shop()
    const [one, two] = [new Client(cluster, cluster.node(0)), new Client(cluster, cluster.node(1))]
    await one.say('INSERT INTO t VALUES (2, 0), (3, 0)')
    await two.say('SELECT pg_advisory_lock(2)')
    const free = 'SELECT id FROM t WHERE pg_try_advisory_lock(id) ORDER BY id LIMIT 2'
    expect(await one.say(`SELECT string_agg(id::text, ',') FROM (${free}) AS f`)).toBe('1,3')
    await one.say('CREATE VIEW locked AS SELECT pg_try_advisory_lock(4) AS got')
    expect(await one.fails('SELECT * FROM locked')).toMatchObject({ sqlstate: '0A000' })
  })
})
