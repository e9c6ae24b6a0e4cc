import type { Database, Transaction } from '@cluster/core'
import { SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { sqlEngine } from '../../src/index.ts'
import { failure, testEngine } from './support.ts'

/** More than a statement looks at by itself. */
const ROWS = 2_500

async function withRows(): Promise<Awaited<ReturnType<typeof testEngine>>> {
  const made = await testEngine()
  await made.engine.execute(
    `CREATE TABLE t (id integer PRIMARY KEY, v integer);
     INSERT INTO t SELECT i, i % 1250 FROM generate_series(1, ${ROWS}) AS g(i)`,
  )
  return made
}

/** A database that does something before each transaction that begins. */
function watched(database: Database, before: () => Promise<void>): Database {
  return new Proxy(database, {
    get(target, name) {
      if (name !== 'begin') return Reflect.get(target, name) as unknown
      return async (...args: Parameters<Database['begin']>): Promise<Transaction> => {
        await before()
        return target.begin(...args)
      }
    },
  })
}

describe('a large table', () => {
  test('gets its index in steps, while rows are written', async () => {
    const { engine, database } = await withRows()
    let steps = 0
    const clock = new StillClock()
    const random = new SimRandom(2)
    // Between any two steps others insert, change and delete rows, behind and before the place that was reached.
    const other = sqlEngine()({
      clock,
      random,
      database: watched(database, async () => {
        steps++
        await engine.query(`INSERT INTO t VALUES (${10_000 + steps}, ${20_000 + steps})`)
        await engine.query(`UPDATE t SET v = v + 50000 WHERE id IN (${steps}, ${ROWS - steps})`)
        await engine.query(`DELETE FROM t WHERE id IN (${100 + steps}, ${ROWS - 100 - steps})`)
      }),
    })
    await other.query('CREATE INDEX t_v ON t (v)')
    // The sweep behind the statement begins transactions too.
    await other.sweep()
    expect(steps).toBeGreaterThan(4)
    expect((await engine.query('EXPLAIN SELECT id FROM t WHERE v = 7')).rows.flat().join()).toContain('t_v')
    const all = await engine.query('SELECT id, v FROM t ORDER BY id')
    for (const [id, v] of all.rows) {
      const found = await engine.query('SELECT id FROM t WHERE v = $1', [v as number])
      expect(found.rows.flat()).toContain(id)
    }
    const entries = await engine.query('SELECT count(*) FROM t WHERE v >= 0 AND v < 1000000')
    expect(entries.rows).toEqual([[BigInt(all.rows.length)]])
  })

  test('is without the unique index that its rows break', async () => {
    const { engine } = await withRows()
    expect(await failure(engine.query('CREATE UNIQUE INDEX t_v ON t (v)'))).toMatchObject({
      sqlstate: '23505',
      message: 'could not create unique index "t_v"',
    })
    expect((await engine.query("SELECT count(*) FROM pg_indexes WHERE indexname = 't_v'")).rows).toEqual([
      [0n],
    ])
    await engine.query('CREATE UNIQUE INDEX t_v ON t (id, v)')
    await engine.query('INSERT INTO t VALUES (9999, 1)')
  })

  test('keeps its unique entries when one of two equal rows goes while they are made', async () => {
    const { engine, database } = await testEngine()
    await engine.execute(
      `CREATE TABLE t (id integer PRIMARY KEY, v integer);
       INSERT INTO t SELECT i, i FROM generate_series(1, ${ROWS}) AS g(i);
       UPDATE t SET v = 1 WHERE id IN (1, 2)`,
    )
    let deleted = false
    const other = sqlEngine()({
      clock: new StillClock(),
      random: new SimRandom(3),
      database: watched(database, async () => {
        const begun = await engine.query("SELECT count(*) FROM pg_class WHERE relname = 't_v'")
        if (deleted || begun.rows[0]?.[0] === 0n) return
        deleted = true
        await engine.query('DELETE FROM t WHERE id = 2')
      }),
    })
    await other.query('CREATE UNIQUE INDEX t_v ON t (v)')
    expect((await engine.query('SELECT id FROM t WHERE v = 1')).rows).toEqual([[1]])
    expect((await failure(engine.query('INSERT INTO t VALUES (9999, 1)'))).sqlstate).toBe('23505')
  })

  test('has its constraints looked at in steps', async () => {
    const { engine } = await withRows()
    await engine.query('CREATE TABLE p (id integer PRIMARY KEY)')
    await engine.query('INSERT INTO p SELECT i FROM generate_series(0, 1248) AS g(i)')
    expect(await failure(engine.query('ALTER TABLE t ADD CHECK (v < 1249)'))).toMatchObject({
      sqlstate: '23514',
      message: 'check constraint "t_v_check" of relation "t" is violated by some row',
    })
    expect(await failure(engine.query('ALTER TABLE t ADD FOREIGN KEY (v) REFERENCES p'))).toMatchObject({
      sqlstate: '23503',
      detail: 'Key (v)=(1249) is not present in table "p".',
    })
    expect((await engine.query('SELECT conname FROM pg_constraint WHERE contype <> $1', ['p'])).rows).toEqual(
      [],
    )
    await engine.query('INSERT INTO p VALUES (1249)')
    await engine.query('ALTER TABLE t ADD FOREIGN KEY (v) REFERENCES p, ADD CHECK (v < 1250)')
    expect(
      (
        await engine.query('SELECT conname, convalidated FROM pg_constraint WHERE contype <> $1 ORDER BY 1', [
          'p',
        ])
      ).rows,
    ).toEqual([
      ['t_v_check', true],
      ['t_v_fkey', true],
    ])
  })

  test('is changed at once inside a transaction', async () => {
    const { engine } = await withRows()
    const session = engine.session()
    await session.query('BEGIN')
    await session.query('CREATE INDEX t_v ON t (v)')
    expect((await session.query('SELECT indisvalid FROM pg_index WHERE NOT indisprimary')).rows).toEqual([
      [true],
    ])
    await session.query('ROLLBACK')
    expect((await engine.query('SELECT count(*) FROM pg_index')).rows).toEqual([[1n]])
  })
})
