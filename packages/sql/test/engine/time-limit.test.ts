import { describe, expect, test } from '@jest/globals'
import { failure, testEngine } from './support.ts'

const ENDLESS = 'SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b'

describe('statement_timeout', () => {
  test('ends a statement, not the session; streams and transactions too', async () => {
    const { engine } = await testEngine()
    const session = engine.session()
    await session.query("SET statement_timeout = '20ms'")
    const late = { sqlstate: '57014', message: 'canceling statement due to statement timeout' }
    expect(await failure(session.query(ENDLESS))).toMatchObject(late)
    expect(
      await failure(
        (async () => {
          for await (const batch of session.stream('SELECT a FROM generate_series(1, 100000000) a'))
            void batch
        })(),
      ),
    ).toMatchObject(late)
    await session.query('BEGIN')
    expect(await failure(session.query(ENDLESS))).toMatchObject(late)
    expect(session.transactionState).toBe('failed')
    await session.query('ROLLBACK')
    await session.query('RESET statement_timeout')
    expect((await session.query('SELECT 1')).rows).toEqual([[1]])
  })
})

describe('BEGIN in a transaction', () => {
  test('makes it read only when it says so', async () => {
    const { engine } = await testEngine()
    const session = engine.session()
    await session.query('CREATE TABLE t (id int PRIMARY KEY)')
    await session.query('BEGIN')
    await session.query('BEGIN READ ONLY')
    expect(await failure(session.query('INSERT INTO t VALUES (1)'))).toMatchObject({ sqlstate: '25006' })
    await session.query('ROLLBACK')
  })
})
