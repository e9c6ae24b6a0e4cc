import { describe, expect, test } from '@jest/globals'
import { failure, SqlCluster, type SqlNode, share } from './sql-cluster.ts'

/** Codes that a statement may fail with when nodes go away; each says that nothing, or nobody knows what, happened. */
const allowed = ['40001', '08007', '57P03', '57014']

/** Goes on until it is stopped; every statement inserts ten rows of one number. */
class Writer {
  readonly acknowledged: number[] = []
  readonly unknown: number[] = []
  readonly refused: number[] = []
  #stopped = false
  readonly #cluster: SqlCluster
  readonly #node: SqlNode
  readonly #first: number

  constructor(cluster: SqlCluster, node: SqlNode, first: number) {
    this.#cluster = cluster
    this.#node = node
    this.#first = first
  }

  stop(): void {
    this.#stopped = true
  }

  async run(): Promise<void> {
    for (let n = this.#first; !this.#stopped; n++) {
      await this.#cluster.world.sleep(10)
      if (!this.#node.sim.running) return
      try {
        // Unknown until the answer is here.
        this.unknown.push(n)
        await this.#node.database.query('INSERT INTO t SELECT $1, i, i FROM generate_series(1, 10) AS g(i)', [
          n,
        ])
        this.unknown.pop()
        this.acknowledged.push(n)
      } catch (error) {
        const { sqlstate, outcome } = await failure(Promise.reject(error))
        if (sqlstate === null || !allowed.includes(sqlstate)) throw error
        if (outcome === 'rejected') {
          this.unknown.pop()
          this.refused.push(n)
        }
      }
    }
  }
}

describe('SQL while nodes go away', () => {
  for (const seed of [1, 2, 3, 4])
    test(`statements happen as a whole or fail with a clear error (seed ${seed})`, async () => {
      const cluster = await SqlCluster.form({ nodes: 4, redundancy: 2, seed })
      const { world } = cluster
      await cluster
        .node(0)
        .query('CREATE TABLE t (n integer, i integer, v integer, PRIMARY KEY (n, i), UNIQUE (n, v))')
      const writers = cluster.nodes.map((node, at) => new Writer(cluster, node, 10_000 * (at + 1)))
      for (const writer of writers) writer.run().catch((error: unknown) => world.fail(error))
      await world.run(world.random.between(200, 230))
      const victim = cluster.node(seed % 4)
      // Its own statement dies with it: whether it happened nobody says, but it is all there or not at all.
      victim.sim.crash(seed % 2 === 0 ? 'kill' : 'power')
      await world.run(1_000)
      for (const writer of writers) writer.stop()
      await world.run(12_000)
      await cluster.repaired()
      expect(writers.flatMap(({ acknowledged }) => acknowledged).length).toBeGreaterThan(50)
      for (const node of cluster.running) {
        const found = await node.query('SELECT n, count(*), count(DISTINCT v), sum(i) FROM t GROUP BY n')
        const numbers = new Set(found.rows.map(([n]) => n))
        for (const [n, ...rest] of found.rows) expect([n, ...rest]).toEqual([n, 10n, 10n, 55n])
        for (const { acknowledged, unknown, refused } of writers) {
          expect(acknowledged.filter((n) => !numbers.has(n))).toEqual([])
          expect(refused.filter((n) => numbers.has(n))).toEqual([])
          for (const n of [...acknowledged, ...unknown]) numbers.delete(n)
        }
        expect([...numbers]).toEqual([])
        // Index and table say the same.
        const n = writers.find((writer) => writer.acknowledged.length > 0)?.acknowledged[0]
        expect((await node.query('SELECT i FROM t WHERE n = $1 AND v = 7', [n ?? 0])).rows).toEqual([[7]])
      }
    })

  for (const kind of ['kill', 'power'] as const)
    test(`rows whose only holder is away are named, never left out (${kind})`, async () => {
      const cluster = await SqlCluster.form({ nodes: 3, redundancy: 1, databases: { unavailableMs: 3_000 } })
      const [first, second, gone] = [cluster.node(0), cluster.node(1), cluster.node(2)]
      await first.execute(`
        CREATE TABLE t (id integer PRIMARY KEY, v integer UNIQUE);
        INSERT INTO t SELECT i, i FROM generate_series(1, 200) AS g(i)
      `)
      expect(share(gone)).toBeGreaterThan(0)
      const { rows } = await first.query(
        "SELECT id FROM t, cluster_replicas r WHERE r.partition = cluster_partition_of('t', id) AND r.node = $1",
        [gone.id],
      )
      const away = new Set(rows.map(([id]) => Number(id)))
      expect(away.size).toBeGreaterThan(20)
      gone.sim.crash(kind)
      for (const node of [first, second])
        for (const text of [
          'SELECT * FROM t',
          'SELECT count(*) FROM t',
          'SELECT id FROM t ORDER BY id DESC LIMIT 150',
          'SELECT id FROM t WHERE v BETWEEN 1 AND 150',
          'UPDATE t SET v = v + 1000',
          'DELETE FROM t',
          'INSERT INTO t SELECT id + 1000, v + 1000 FROM t',
        ]) {
          const failed = await failure(node.query(text))
          expect([text, failed]).toEqual([
            text,
            expect.objectContaining({ sqlstate: '57P03', outcome: 'rejected' }),
          ])
          expect(failed.message).toContain(gone.id)
        }
      const reads = Array.from({ length: 200 }, async (_, i) => {
        try {
          const { rows: found } = await first.database.query('SELECT id FROM t WHERE id = $1', [i + 1])
          return [i + 1, found[0]?.[0]]
        } catch (error) {
          return [i + 1, (await failure(Promise.reject(error))).sqlstate]
        }
      })
      for (const [id, answer] of await cluster.settle(Promise.all(reads)))
        expect([id, answer]).toEqual([id, away.has(Number(id)) ? '57P03' : id])
      await cluster.settle(gone.sim.start())
      await cluster.open(gone.sim)
      await cluster.repaired()
      for (const node of cluster.nodes)
        expect(await node.rows('SELECT count(*), sum(id), sum(v) FROM t')).toEqual(['200|20100|20100'])
    })

  test('a node without a quorum says so, and never that it has committed', async () => {
    const cluster = await SqlCluster.form({ nodes: 3, redundancy: 2 })
    const node = cluster.node(0)
    await node.execute('CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)')
    const session = node.database.session()
    await cluster.settle(session.query('BEGIN'))
    await cluster.settle(session.query('INSERT INTO t VALUES (2)'))
    cluster.world.network.isolate(node.id)
    const commit = failure(session.query('COMMIT'))
    // What is sent in the first moment ends as unknown; then the node knows that nobody answers.
    await cluster.world.run(2_000)
    const refused = ['SELECT * FROM t', 'INSERT INTO t VALUES (3)', 'CREATE TABLE u (id integer)'].map(
      (text) => failure(node.database.query(text)),
    )
    for (const { sqlstate, outcome, message } of await cluster.settle(Promise.all(refused))) {
      expect([sqlstate, outcome]).toEqual(['57P03', 'rejected'])
      for (const other of cluster.others(node)) expect(message).toContain(other.id)
    }
    // Whether this one, which was on its way, took effect nobody here can know.
    expect(await cluster.settle(commit)).toMatchObject({ sqlstate: '08007', outcome: 'unknown' })
    // The others go on; once the network is back the node says what they say.
    await cluster.node(1).query('INSERT INTO t VALUES (4)')
    cluster.world.network.mend()
    await cluster.world.run(5_000)
    const rows = await cluster.node(1).rows('SELECT id FROM t WHERE id <> 2 ORDER BY id')
    expect(rows).toEqual(['1', '4'])
    expect(await node.rows('SELECT id FROM t WHERE id <> 2 ORDER BY id')).toEqual(rows)
    expect(await node.rows('SELECT count(*) FROM t')).toEqual(
      await cluster.node(2).rows('SELECT count(*) FROM t'),
    )
  })

  test('a stream goes on at another holder, or fails, when the one it reads from dies', async () => {
    const all = Array.from({ length: 12_000 }, (_, i) => i + 1)
    let failures = 0
    for (const [redundancy, afterMs] of [
      [1, 0.2],
      [1, 0.8],
      [2, 0.8],
    ] as const) {
      const nodes = redundancy === 1 ? 3 : 5
      const cluster = await SqlCluster.form({ nodes, redundancy, databases: { unavailableMs: 3_000 } })
      const reader = cluster.poorest
      await reader.execute(`
        CREATE TABLE t (id integer PRIMARY KEY, v text);
        INSERT INTO t SELECT i, repeat('x', 200) || i FROM generate_series(1, 12000) AS g(i)
      `)
      const [victim] = cluster.others(reader)
      const ids: unknown[] = []
      const read = async (): Promise<unknown> => {
        for await (const { rows } of reader.database.stream('SELECT id, v FROM t ORDER BY id')) {
          for (const [id] of rows) ids.push(id)
        }
        return null
      }
      cluster.world.schedule(afterMs, () => victim?.sim.crash('kill'))
      const error = await cluster.settle(read().catch((thrown: unknown) => thrown))
      // Either every row comes, or an error that names the node; never fewer rows without one.
      if (error === null) expect(ids).toEqual(all)
      else {
        failures++
        expect(redundancy).toBe(1)
        expect(await failure(Promise.reject(error))).toMatchObject({ sqlstate: '57P03' })
        expect(String(error)).toContain(victim?.id)
      }
    }
    expect(failures).toBeGreaterThan(0)
  })
})
