import { describe, expect, test } from '@jest/globals'
import { failure, testEngine, textOf } from './support.ts'

describe('cursors', () => {
  test('one that only goes forward keeps nothing, however far it goes', async () => {
    const { engine } = await testEngine({ memoryBytesMax: 1024 * 1024 })
    const session = engine.session()
    await session.query('BEGIN')
    await session.query('DECLARE c CURSOR FOR SELECT generate_series(1, 1000000000)')
    expect((await session.query('MOVE 200000 FROM c')).rowCount).toBe(200_000)
    expect(textOf(await session.query('FETCH 2 FROM c'))).toEqual(['200001', '200002'])
    expect(await failure(session.query('FETCH PRIOR FROM c'))).toMatchObject({ sqlstate: '55000' })
    expect(session.transactionState).toBe('failed')
    await session.query('ROLLBACK')
  })

  test('one that scrolls keeps what was read, within a bound', async () => {
    const { engine } = await testEngine({ memoryBytesMax: 1024 * 1024 })
    const session = engine.session()
    await session.query('BEGIN')
    await session.query('DECLARE c SCROLL CURSOR FOR SELECT generate_series(1, 1000000000)')
    await session.query('MOVE 1000 FROM c')
    expect(textOf(await session.query('FETCH BACKWARD 2 FROM c'))).toEqual(['999', '998'])
    expect(await failure(session.query('MOVE ALL FROM c'))).toMatchObject({ sqlstate: '53200' })
    await session.query('ROLLBACK')
  })

  test('parameters are those of DECLARE, and FETCH is described by its cursor', async () => {
    const { engine } = await testEngine()
    const session = engine.session()
    await session.query('BEGIN')
    const declare = 'DECLARE c CURSOR FOR SELECT n, n::text AS t FROM generate_series(1, $1) AS n'
    expect((await session.prepare(declare)).parameterTypes.map(({ id }) => id)).toEqual(['integer'])
    await session.query(declare, [3])
    const described = await session.prepare('FETCH ALL FROM c')
    expect(described.columns.map(({ name, type }) => [name, type.id])).toEqual([
      ['n', 'integer'],
      ['t', 'text'],
    ])
    expect((await described.query()).rows).toEqual([
      [1, '1'],
      [2, '2'],
      [3, '3'],
    ])
    await session.query('COMMIT')
    expect(await failure(session.query('FETCH c'))).toMatchObject({ sqlstate: '34000' })
  })

  test('one WITH HOLD that cannot be kept fails the COMMIT, and nothing is committed', async () => {
    const { engine } = await testEngine({ memoryBytesMax: 1024 * 1024 })
    const session = engine.session()
    await session.query('CREATE TABLE t (a integer)')
    await session.query('BEGIN')
    await session.query('INSERT INTO t VALUES (1)')
    await session.query('DECLARE c CURSOR WITH HOLD FOR SELECT generate_series(1, 1000000000)')
    expect(await failure(session.query('COMMIT'))).toMatchObject({ sqlstate: '53200' })
    expect(session.transactionState).toBe('idle')
    expect(textOf(await session.query('SELECT count(*) FROM t'))).toEqual(['0'])
    expect(textOf(await session.query('SELECT count(*) FROM pg_cursors'))).toEqual(['0'])
  })
})
