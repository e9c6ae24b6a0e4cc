import type { Version } from '@cluster/core'
import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { type SqlEngine, sqlEngine } from '../../src/index.ts'
import { failure } from './support.ts'

/** An engine on a node that is always some versions behind. */
async function laggingEngine(lag: number): Promise<SqlEngine> {
  const database = await modelDatabases({ lag: () => lag }).open('test', { partitions: 4 })
  return sqlEngine()({ database, clock: new StillClock(), random: new SimRandom(1) })
}

describe('calls with options', () => {
  test('read old versions by name, and do not write upon them', async () => {
    const engine = await laggingEngine(2)
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY, n integer)')
    await engine.query('INSERT INTO t VALUES (1, 1)')
    const versions: (Version | undefined)[] = []
    for (const n of [2, 3, 4]) {
      const { receipt } = await engine.query('UPDATE t SET n = $1 WHERE id = 1', [n])
      versions.push(receipt?.version)
    }
    const read = 'SELECT n FROM t WHERE id = 1'
    const stale = await engine.query(read, [], { staleness: 'local' })
    expect([stale.rows, stale.version]).toEqual([[[2]], versions[0]])
    for (const [i, atVersion] of versions.entries())
      expect((await engine.query(read, [], { atVersion: atVersion as Version })).rows).toEqual([[i + 2]])
    expect((await engine.query(read)).rows).toEqual([[4]])
    const late = engine.query('UPDATE t SET n = 0', [], { staleness: 'local' })
    expect(await failure(late)).toMatchObject({ sqlstate: '25006' })
  })

  test('take effect once under a key, as programs and as transactions', async () => {
    const engine = await laggingEngine(0)
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY, n integer, d double precision, m numeric)')
    await engine.query('INSERT INTO t VALUES (1, 1, 1, 1)')
    for (const text of [
      'UPDATE t SET n = n + 1 WHERE id = 1 RETURNING n',
      'UPDATE t SET d = d + 1 WHERE id = 1',
      // A number with more digits than programs take: it runs apart, once, too.
      `UPDATE t SET m = m + 1e${'1'.repeat(4)} WHERE id = 1`,
    ]) {
      const first = await engine.query(text, [], { idempotencyKey: text })
      const again = await engine.query(text, [], { idempotencyKey: text })
      expect(again.receipt?.version).toBe(first.receipt?.version)
    }
    expect((await engine.query('SELECT n, d, length(m::text) FROM t')).rows).toEqual([[2, 2, 1_112]])
  })
})

describe.each([1, 2, 5])('on a node %i versions behind', (lag) => {
  test('tables are there for the next statement, and gone for the next', async () => {
    const engine = await laggingEngine(lag)
    for (let round = 0; round < 3; round++) {
      await engine.query('CREATE TABLE t (id integer PRIMARY KEY, v text)')
      await engine.query("INSERT INTO t VALUES (1, 'a')")
      await engine.query('DROP TABLE t')
      expect(await failure(engine.query("INSERT INTO t VALUES (1, 'a')"))).toMatchObject({
        sqlstate: '42P01',
      })
    }
  })

  test('a key that is free again is not reported as taken, and the other way round', async () => {
    const engine = await laggingEngine(lag)
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY, v text UNIQUE)')
    for (let round = 0; round < 4; round++) {
      await engine.query("INSERT INTO t VALUES (1, 'a')")
      expect(await failure(engine.query("INSERT INTO t VALUES (1, 'b')"))).toMatchObject({
        sqlstate: '23505',
        constraint: 't_pkey',
      })
      expect(await failure(engine.query("INSERT INTO t VALUES (2, 'a')"))).toMatchObject({
        sqlstate: '23505',
        constraint: 't_v_key',
      })
      await engine.query('DELETE FROM t WHERE id = 1')
    }
  })

  test('row counts and returned rows are those of the newest rows', async () => {
    const engine = await laggingEngine(lag)
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY, n integer)')
    for (let round = 0; round < 4; round++) {
      await engine.query('INSERT INTO t VALUES (1, 0)')
      expect(await engine.query('UPDATE t SET n = n + 1')).toMatchObject({ rowCount: 1 })
      expect((await engine.query('UPDATE t SET n = n + 1 WHERE n < 10 RETURNING n')).rows).toEqual([[2]])
      expect(await engine.query('INSERT INTO t VALUES (1, 9) ON CONFLICT DO NOTHING')).toMatchObject({
        rowCount: 0,
      })
      expect(await engine.query('DELETE FROM t')).toMatchObject({ rowCount: 1 })
      expect(await engine.query('DELETE FROM t')).toMatchObject({ rowCount: 0 })
      expect(await engine.query('UPDATE t SET n = 1')).toMatchObject({ rowCount: 0 })
    }
  })

  test('an error that the newest rows do not give is not given', async () => {
    const engine = await laggingEngine(lag)
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY, n integer CHECK (n >= 0))')
    await engine.query('INSERT INTO t VALUES (1, 0)')
    for (let round = 0; round < 4; round++) {
      expect(await failure(engine.query('UPDATE t SET n = n - 1'))).toMatchObject({ sqlstate: '23514' })
      expect(await failure(engine.query('UPDATE t SET n = 1 / n'))).toMatchObject({ sqlstate: '22012' })
      await engine.query('UPDATE t SET n = 1')
      await engine.query('UPDATE t SET n = n - 1')
    }
  })

  test('what a transaction says is true when it says it, however it ends', async () => {
    const engine = await laggingEngine(lag)
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY, n integer)')
    await engine.query('INSERT INTO t VALUES (1, 0)')
    const read = 'SELECT n FROM t WHERE id = 1'
    for (let n = 1; n < 5; n++) {
      await engine.query('UPDATE t SET n = n + 1')
      expect(await engine.transaction(async (session) => (await session.query(read)).rows)).toEqual([[n]])
      const rolledBack = await engine.transaction(async (session) => {
        const { rows } = await session.query(read)
        await session.query('ROLLBACK')
        return rows
      })
      expect(rolledBack).toEqual([[n]])
      const thrown = engine.transaction(async (session) => {
        throw new Error(`n is ${String((await session.query(read)).rows[0])}`)
      })
      await expect(thrown).rejects.toThrow(`n is ${n}`)
      const swallowed = await engine.transaction(async (session) => {
        const { rows } = await session.query(read)
        await session.query('SELECT 1 / 0').catch(() => {})
        return rows
      })
      expect(swallowed).toEqual([[n]])
    }
  })
})
