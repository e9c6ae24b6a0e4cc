import { describe, expect, test } from '@jest/globals'
import type { Session } from '../../src/index.ts'
import { failure, testEngine } from './support.ts'

async function withTable(): Promise<{ session: Session; other: Session }> {
  const { engine } = await testEngine()
  await engine.query('CREATE TABLE t (id integer PRIMARY KEY, v integer)')
  return { session: engine.session(), other: engine.session() }
}

const ids = async (session: Session): Promise<unknown[]> =>
  (await session.query('SELECT id FROM t ORDER BY id')).rows.map(([id]) => id)

describe('transactions', () => {
  test('are seen by others once they are committed', async () => {
    const { session, other } = await withTable()
    await session.query('BEGIN')
    expect(session.transactionState).toBe('open')
    await session.query('INSERT INTO t VALUES (1, 1)')
    expect(await ids(session)).toEqual([1])
    expect(await ids(other)).toEqual([])
    const { receipt, command } = await session.query('COMMIT')
    expect(command).toBe('COMMIT')
    expect(receipt).toMatchObject({ copies: 1, underReplicated: true })
    expect(session.transactionState).toBe('idle')
    expect(await ids(other)).toEqual([1])
  })

  test('leave nothing behind when rolled back, tables included', async () => {
    const { session } = await withTable()
    await session.execute(
      'BEGIN; INSERT INTO t VALUES (1, 1); CREATE TABLE u (a integer); INSERT INTO u VALUES (1)',
    )
    expect((await session.query('SELECT a FROM u')).rows).toEqual([[1]])
    await session.query('ROLLBACK')
    expect(await ids(session)).toEqual([])
    expect(await failure(session.query('SELECT a FROM u'))).toMatchObject({ sqlstate: '42P01' })
    // Another table of that name and other columns is not mistaken for the one that never was.
    await session.query('CREATE TABLE u (b text)')
    await session.query("INSERT INTO u VALUES ('x')")
    expect((await session.query('SELECT * FROM u')).rows).toEqual([['x']])
  })

  test('fail with their first error and then only take ROLLBACK', async () => {
    const { session } = await withTable()
    await session.execute('BEGIN; INSERT INTO t VALUES (1, 1)')
    expect(await failure(session.query('SELECT 1 / 0'))).toMatchObject({ sqlstate: '22012' })
    expect(session.transactionState).toBe('failed')
    expect(await failure(session.query('SELECT 1'))).toMatchObject({ sqlstate: '25P02' })
    expect(await failure(session.query('SAVEPOINT a'))).toMatchObject({ sqlstate: '25P02' })
    expect((await session.query('COMMIT')).command).toBe('ROLLBACK')
    expect(session.transactionState).toBe('idle')
    expect(await ids(session)).toEqual([])
  })

  test('fail with a text that cannot be read, too', async () => {
    const { session } = await withTable()
    await session.query('BEGIN')
    expect(await failure(session.query('SELEC'))).toMatchObject({ sqlstate: '42601' })
    expect(session.transactionState).toBe('failed')
  })

  test('go back to savepoints', async () => {
    const { session } = await withTable()
    await session.execute('BEGIN; INSERT INTO t VALUES (1, 1); SAVEPOINT a; INSERT INTO t VALUES (2, 2)')
    await session.execute('SAVEPOINT b; INSERT INTO t VALUES (3, 3); ROLLBACK TO b')
    expect(await ids(session)).toEqual([1, 2])
    expect(await failure(session.query('INSERT INTO t VALUES (1, 1)'))).toMatchObject({ sqlstate: '23505' })
    await session.query('ROLLBACK TO SAVEPOINT a')
    expect(session.transactionState).toBe('open')
    expect(await failure(session.query('ROLLBACK TO b'))).toMatchObject({ sqlstate: '3B001' })
    await session.execute('ROLLBACK TO a; INSERT INTO t VALUES (4, 4); RELEASE a; COMMIT')
    expect(await ids(session)).toEqual([1, 4])
  })

  test('savepoints need one', async () => {
    const { session } = await withTable()
    expect(await failure(session.query('SAVEPOINT a'))).toMatchObject({ sqlstate: '25P01' })
  })

  test('a statement of many rows that fails in the middle writes none of them', async () => {
    const { session } = await withTable()
    await session.execute('BEGIN; INSERT INTO t VALUES (5, 5); SAVEPOINT a')
    await failure(session.query('INSERT INTO t VALUES (1, 1), (2, 2), (5, 5)'))
    await session.query('ROLLBACK TO a')
    expect(await ids(session)).toEqual([5])
    await session.query('COMMIT')
    await failure(session.query('INSERT INTO t VALUES (1, 1), (2, 2), (5, 5)'))
    expect(await ids(session)).toEqual([5])
  })

  test('read only ones refuse to write', async () => {
    const { session } = await withTable()
    await session.query('BEGIN READ ONLY')
    expect(await failure(session.query('INSERT INTO t VALUES (1, 1)'))).toMatchObject({
      sqlstate: '25006',
      message: 'cannot execute INSERT in a read-only transaction',
    })
  })

  test('several statements in one text are one transaction', async () => {
    const { session } = await withTable()
    await failure(session.execute('INSERT INTO t VALUES (1, 1); INSERT INTO t VALUES (1, 1)'))
    expect(await ids(session)).toEqual([])
    const results = await session.execute('INSERT INTO t VALUES (1, 1); SELECT v FROM t; UPDATE t SET v = 7')
    expect(results.map(({ command, rowCount }) => [command, rowCount])).toEqual([
      ['INSERT', 1],
      ['SELECT', 1],
      ['UPDATE', 1],
    ])
  })

  test('now() stands still within one', async () => {
    const { engine, clock } = await testEngine()
    const session = engine.session()
    await session.query('BEGIN')
    const [first] = (await session.query('SELECT now()')).rows
    clock.after(5_000, () => {})
    await clock.turn()
    expect((await session.query('SELECT now()')).rows).toEqual([first])
    await session.query('COMMIT')
    expect((await session.query('SELECT now()')).rows).not.toEqual([first])
  })

  test('a closed session rolls back and says so', async () => {
    const { session, other } = await withTable()
    await session.execute('BEGIN; INSERT INTO t VALUES (1, 1)')
    session.close()
    expect(await failure(session.query('SELECT 1'))).toMatchObject({ sqlstate: '08003' })
    expect(await ids(other)).toEqual([])
  })
})
