import { describe, expect, test } from '@jest/globals'
import { failure, testEngine } from './support.ts'

describe('sessions side by side', () => {
  test('no update is lost: the later commit is refused', async () => {
    const { engine } = await testEngine()
    await engine.execute('CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t VALUES (1, 10)')
    const [one, other] = [engine.session(), engine.session()]
    for (const session of [one, other]) {
      await session.query('BEGIN')
      await session.query('UPDATE t SET v = v * 2 WHERE id = 1')
    }
    await one.query('COMMIT')
    expect(await failure(other.query('COMMIT'))).toMatchObject({ sqlstate: '40001' })
    expect(other.transactionState).toBe('idle')
    expect((await engine.query('SELECT v FROM t')).rows).toEqual([[20]])
  })

  test('autocommit updates of one row all count', async () => {
    const { engine } = await testEngine({ retriesMax: 100 })
    await engine.execute('CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t VALUES (1, 0)')
    await Promise.all(Array.from({ length: 20 }, () => engine.query('UPDATE t SET v = v + 1 WHERE id = 1')))
    expect((await engine.query('SELECT v FROM t')).rows).toEqual([[20]])
  })

  test('write skew does not happen', async () => {
    const { engine } = await testEngine()
    await engine.execute(
      'CREATE TABLE duty (who text PRIMARY KEY, on_call boolean); ' +
        "INSERT INTO duty VALUES ('ann', true), ('bob', true)",
    )
    const leave = async (who: string) => {
      const session = engine.session()
      await session.query('BEGIN')
      const { rows } = await session.query('SELECT count(*) FROM duty WHERE on_call')
      if (Number(rows[0]?.[0]) > 1)
        await session.query('UPDATE duty SET on_call = false WHERE who = $1', [who])
      return session
    }
    const [ann, bob] = [await leave('ann'), await leave('bob')]
    await ann.query('COMMIT')
    expect(await failure(bob.query('COMMIT'))).toMatchObject({ sqlstate: '40001' })
    expect((await engine.query('SELECT count(*) FROM duty WHERE on_call')).rows).toEqual([[1n]])
  })

  test('a row that was not there when it was looked for certifies, too', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY, v integer)')
    const one = engine.session()
    await one.query('BEGIN')
    await one.query('SELECT * FROM t WHERE v > 5')
    await one.query('INSERT INTO t VALUES (1, 1)')
    await engine.query('INSERT INTO t VALUES (2, 9)')
    expect(await failure(one.query('COMMIT'))).toMatchObject({ sqlstate: '40001' })
  })

  for (const [name, column] of [
    ['primary key', 'id'],
    ['unique column', 'email'],
  ])
    test(`of many inserts with one ${name} one wins, the others get 23505`, async () => {
      const { engine } = await testEngine({ retriesMax: 100 })
      await engine.query('CREATE TABLE t (id integer PRIMARY KEY, email text UNIQUE)')
      const inserts = Array.from({ length: 8 }, (_, i) =>
        engine.query('INSERT INTO t VALUES ($1, $2)', column === 'id' ? [1, `m${i}`] : [i, 'm']),
      )
      const outcomes = await Promise.allSettled(inserts)
      const refused = outcomes.filter(({ status }) => status === 'rejected')
      expect(refused).toHaveLength(7)
      for (const outcome of refused)
        expect(
          await failure(outcome.status === 'rejected' ? Promise.reject(outcome.reason) : Promise.resolve()),
        ).toMatchObject({ sqlstate: '23505' })
      expect((await engine.query('SELECT count(*) FROM t')).rows).toEqual([[1n]])
    })

  test('CREATE TABLE IF NOT EXISTS in many places makes one table', async () => {
    const { engine, database } = await testEngine({ retriesMax: 100 })
    const create = 'CREATE TABLE IF NOT EXISTS t (id integer PRIMARY KEY)'
    await Promise.all(Array.from({ length: 6 }, () => engine.query(create)))
    await engine.query('INSERT INTO t VALUES (1)')
    expect((await engine.query('SELECT * FROM t')).rows).toEqual([[1]])
    const { rows } = await engine.query(
      "SELECT count(*) FROM information_schema.tables WHERE table_name = 't'",
    )
    expect(rows).toEqual([[1n]])
    expect(database.status().version).toBe(2)
  })

  test('a write to a table that is dropped meanwhile is refused', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY)')
    const session = engine.session()
    await session.execute('BEGIN; INSERT INTO t VALUES (1)')
    await engine.query('DROP TABLE t')
    expect(await failure(session.query('COMMIT'))).toMatchObject({ sqlstate: '40001' })
  })

  test('an index that is made meanwhile gets every row', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY, v integer)')
    const session = engine.session()
    await session.execute('BEGIN; INSERT INTO t VALUES (1, 7)')
    await engine.query('CREATE INDEX t_v ON t (v)')
    expect(await failure(session.query('COMMIT'))).toMatchObject({ sqlstate: '40001' })
    await session.query('INSERT INTO t VALUES (1, 7)')
    expect((await engine.query('SELECT id FROM t WHERE v = 7')).rows).toEqual([[1]])
  })

  test('engine.transaction runs again until it wins, and rolls back on errors', async () => {
    const { engine } = await testEngine({ retriesMax: 100 })
    await engine.execute('CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t VALUES (1, 0)')
    let runs = 0
    const bump = () =>
      engine.transaction(async (session) => {
        runs++
        const [row] = await session.sql`SELECT v FROM t WHERE id = ${1}`
        await session.sql`UPDATE t SET v = ${Number(row?.['v']) + 1} WHERE id = ${1}`
        return row?.['v']
      })
    await Promise.all(Array.from({ length: 10 }, bump))
    expect((await engine.query('SELECT v FROM t')).rows).toEqual([[10]])
    expect(runs).toBeGreaterThan(10)
    const broken = engine.transaction(async (session) => {
      await session.sql`UPDATE t SET v = 0`
      throw new RangeError('no')
    })
    await expect(broken).rejects.toThrow('no')
    expect((await engine.query('SELECT v FROM t')).rows).toEqual([[10]])
  })
})
