import { describe, expect, test } from '@jest/globals'
import { type Session, sqlstateOf } from '../../src/index.ts'
import { failure, testEngine, textOf } from './support.ts'

const COLUMNS =
  'id integer PRIMARY KEY, n integer, big bigint, small smallint, money numeric(6, 2), free numeric, d double precision, s text, kept integer DEFAULT 0 CHECK (kept >= 0)'
const ROW = "1, 10, 10, 10, 10.00, 10.5, 10, 'ten'"

/** Two sessions in blocks over a table of one row. */
async function setting() {
  const { engine } = await testEngine({ retriesMax: 0 })
  await engine.query(`CREATE TABLE t (${COLUMNS})`)
  await engine.query(`INSERT INTO t VALUES (${ROW})`)
  const sessions = [engine.session(), engine.session()] as const
  const rows = async (text: string): Promise<string[]> => textOf(await engine.query(text))
  return { engine, sessions, rows }
}

/** The same statement in two transactions that overlap: what the second commit gives. */
async function race(sessions: readonly [Session, Session], statement: string): Promise<string> {
  for (const session of sessions) {
    await session.query('BEGIN')
    expect((await session.query(statement)).command).toBe('UPDATE')
  }
  await sessions[0].query('COMMIT')
  return codeOf(async () => {
    await sessions[1].query('COMMIT')
    return 'both'
  })
}

/** What it gives, or the SQLSTATE of what it fails with. */
async function codeOf(run: () => Promise<string>): Promise<string> {
  try {
    return await run()
  } catch (error) {
    return sqlstateOf(error) ?? String(error)
  }
}

describe('transactions that only add to a row', () => {
  test('do not lose against each other', async () => {
    const { sessions, rows } = await setting()
    for (const change of [
      'n = n + 1',
      'n = 1 + n',
      'n = n - 3, big = big + 2',
      'money = money - 1.25',
      'money = money + 2',
      'free = free + 0.125',
      'd = d, n = n + 1',
    ])
      expect([change, await race(sessions, `UPDATE t SET ${change} WHERE id = 1`)]).toEqual([change, 'both'])
    expect(await rows('SELECT n, big, money, free, d FROM t')).toEqual(['10|14|11.50|10.750|10'])
  })

  test('are only those that do nothing else', async () => {
    const { engine, sessions, rows } = await setting()
    for (const change of [
      'n = n * 1 WHERE id = 1',
      'n = 1 - n WHERE id = 1',
      'n = big::integer + 1 WHERE id = 1',
      'n = n + big::integer WHERE id = 1',
      'd = d + 1 WHERE id = 1',
      "s = s || 'x' WHERE id = 1",
      'n = n + 1 WHERE id = 1 AND n > 0',
      'n = n + 1',
      'kept = kept + 1 WHERE id = 1',
      'n = n + 1 WHERE id = 1 RETURNING n',
    ])
      expect([change, await race(sessions, `UPDATE t SET ${change}`)]).toEqual([change, '40001'])
    expect(await rows('SELECT kept FROM t')).toEqual(['1'])
    await engine.query('CREATE INDEX ON t (n)')
    expect(await race(sessions, 'UPDATE t SET n = n + 1 WHERE id = 1')).toBe('40001')
    expect(await race(sessions, 'UPDATE t SET big = big + 1 WHERE id = 1')).toBe('both')
  })

  test('see their sums, and lose when they have looked and it was changed', async () => {
    const { sessions, rows } = await setting()
    const [first, second] = sessions
    for (const session of sessions) {
      await session.query('BEGIN')
      await session.query('UPDATE t SET n = n + 5 WHERE id = 1')
      await session.query('UPDATE t SET n = n - 1 WHERE id = 1')
    }
    expect(textOf(await first.query('SELECT n FROM t WHERE id = 1'))).toEqual(['14'])
    await second.query('COMMIT')
    expect((await failure(first.query('COMMIT')))?.sqlstate).toBe('40001')
    expect(await rows('SELECT n FROM t')).toEqual(['14'])
    await first.query('BEGIN')
    await first.query('UPDATE t SET n = n + 1 WHERE id = 1')
    expect(textOf(await first.query('UPDATE t SET n = n * 2 WHERE n = 15 RETURNING n'))).toEqual(['30'])
    await first.query('COMMIT')
    expect(await rows('SELECT n FROM t')).toEqual(['30'])
  })

  test('go back to savepoints', async () => {
    const { sessions, rows } = await setting()
    const [session] = sessions
    for (const text of [
      'BEGIN',
      'UPDATE t SET n = n + 1 WHERE id = 1',
      'SAVEPOINT a',
      'UPDATE t SET n = n + 100, big = big + 100 WHERE id = 1',
      'ROLLBACK TO a',
      'UPDATE t SET big = big + 1 WHERE id = 1',
      'COMMIT',
    ])
      await session.query(text)
    expect(await rows('SELECT n, big FROM t')).toEqual(['11|11'])
  })

  test('keep the bounds, NULL, and rows that are not there as any statement does', async () => {
    const { engine, sessions, rows } = await setting()
    const [session] = sessions
    const inBlock = async (text: string): Promise<string> => {
      await session.query('BEGIN')
      const came = await codeOf(async () => String((await session.query(text)).rowCount))
      await session.query('COMMIT')
      return came
    }
    expect(await inBlock('UPDATE t SET n = n + 2147483647 WHERE id = 1')).toBe('22003')
    expect(await inBlock('UPDATE t SET big = big + 9223372036854775807 WHERE id = 1')).toBe('22003')
    expect(await inBlock('UPDATE t SET money = money + 9999 WHERE id = 1')).toBe('22003')
    expect(await inBlock('UPDATE t SET small = small + 32760::smallint WHERE id = 1')).toBe('22003')
    expect(await inBlock('UPDATE t SET n = n + 1 WHERE id = 2')).toBe('0')
    expect(await inBlock('UPDATE t SET n = n + 1 WHERE id = NULL')).toBe('0')
    expect(await inBlock('UPDATE t SET n = n + NULL WHERE id = 1')).toBe('1')
    expect(await inBlock('UPDATE t SET n = n + 1, big = big + 1 WHERE id = 1')).toBe('1')
    expect(await inBlock('UPDATE t SET money = money + 0.005 WHERE id = 1')).toBe('1')
    expect(await rows('SELECT n, big, money FROM t')).toEqual(['NULL|11|10.01'])
    await engine.query("UPDATE t SET free = 'NaN'")
    expect(await inBlock('UPDATE t SET free = free + 1 WHERE id = 1')).toBe('1')
    expect(await rows('SELECT free FROM t')).toEqual(['NaN'])
  })

  test('are told of by EXPLAIN ANALYZE as by the plan', async () => {
    const { engine, rows } = await setting()
    const told = await rows('EXPLAIN ANALYZE UPDATE t SET n = n + 1 WHERE id = 1')
    expect(told.join('\n')).toMatch(/Look up t.*\(1 rows/)
    expect(textOf(await engine.query('SELECT n FROM t'))).toEqual(['11'])
  })
})
