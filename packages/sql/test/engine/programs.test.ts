import type { Database, RowProgram } from '@cluster/core'
import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { type SqlEngine, sqlEngine } from '../../src/index.ts'
import { failure, textOf } from './support.ts'

/** A database that notes the programs which it is given. */
function watched(database: Database, programs: RowProgram[]): Database {
  return new Proxy(database, {
    get(target, name) {
      if (name === 'begin')
        return async (...options: Parameters<Database['begin']>) => {
          const transaction = await target.begin(...options)
          const execute = transaction.execute.bind(transaction)
          transaction.execute = (program, more) => {
            programs.push(program)
            return execute(program, more)
          }
          return transaction
        }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

interface Watched {
  readonly engine: SqlEngine
  /** How many programs the statement became. */
  programsOf(text: string, parameters?: readonly (string | number | bigint)[]): Promise<number>
}

async function testEngine(retriesMax = 0): Promise<Watched> {
  const programs: RowProgram[] = []
  const database = watched(await modelDatabases().open('test', { partitions: 4 }), programs)
  const engine = sqlEngine({ retriesMax })({ database, clock: new StillClock(), random: new SimRandom(1) })
  return {
    engine,
    async programsOf(text, parameters = []) {
      programs.length = 0
      await engine.query(text, parameters)
      return programs.length
    },
  }
}

const rows = async (engine: SqlEngine, text: string): Promise<string[]> => textOf(await engine.query(text))

describe('statements that replicas run for themselves', () => {
  test('are those that name whole keys and compute what is exact', async () => {
    const { engine, programsOf } = await testEngine()
    await engine.query(
      'CREATE TABLE t (id integer PRIMARY KEY, n integer, big bigint, money numeric(10, 2), s text, d double precision)',
    )
    for (const [text, programs] of [
      ["INSERT INTO t VALUES (1, 1, 1, 1.5, 'a', 1)", 1],
      ["INSERT INTO t VALUES (1 + 1, 2, 2, 2.345, upper('b'), random())", 1],
      ["INSERT INTO t VALUES (1, 7, 7, 7, 'x', 7) ON CONFLICT DO NOTHING", 1],
      ['INSERT INTO t (id, n) VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n', 1],
      ['UPDATE t SET n = n + 1 WHERE id = 1', 1],
      ['UPDATE t SET big = big * 2 - 1, s = s || upper($$x$$) WHERE id = 2 AND n > 0', 1],
      ['UPDATE t SET money = money + 0.005 WHERE id = 1 AND s IS NOT NULL RETURNING money', 1],
      ['UPDATE t SET n = coalesce(n, 0) + 1 WHERE id = 1 AND n IN (1, 2, 7, 8)', 1],
      ["UPDATE t SET s = to_char(now(), 'YYYY'), d = sqrt(2) WHERE id = 1", 1],
      // Not these: what they need or compute is not the same everywhere, or not in one partition.
      ['UPDATE t SET d = d * 2 WHERE id = 1', 0],
      ['UPDATE t SET n = n / 2 WHERE id = 1', 0],
      ['UPDATE t SET n = n + 1', 0],
      ['UPDATE t SET n = n + 1 WHERE id > 1', 0],
      ['UPDATE t SET id = 9 WHERE id = 1', 0],
      ['UPDATE t SET n = (SELECT max(n) FROM t) WHERE id = 1', 0],
      ["UPDATE t SET n = 3 WHERE id = 1 AND s < 'b'", 0],
      ['UPDATE t SET n = CASE WHEN n > 1 THEN 0 ELSE n END WHERE id = 1', 0],
      ['INSERT INTO t SELECT 20 + g FROM generate_series(1, 3) g', 0],
      ['INSERT INTO t (id) VALUES (31), (32), (33), (34), (35), (36), (37)', 0],
      ['DELETE FROM t WHERE id = 1 AND n = 3', 1],
      ['DELETE FROM t WHERE id = 2 RETURNING s', 1],
      ['DELETE FROM t', 0],
    ] as const)
      expect([text, await programsOf(text)]).toEqual([text, programs])
  })

  test('leave indexes alone', async () => {
    const { engine, programsOf } = await testEngine()
    await engine.execute(
      'CREATE TABLE t (id integer PRIMARY KEY, a integer UNIQUE, b integer, c integer); CREATE INDEX ON t (b)',
    )
    expect(await programsOf('INSERT INTO t VALUES (1, 1, 1, 1)')).toBe(0)
    expect(await programsOf('UPDATE t SET c = c + 1 WHERE id = 1')).toBe(1)
    expect(await programsOf('UPDATE t SET b = b + 1 WHERE id = 1')).toBe(0)
    expect(await programsOf('UPDATE t SET c = 1 WHERE a = 1')).toBe(0)
    expect(await programsOf('DELETE FROM t WHERE id = 1')).toBe(0)
    await engine.query('CREATE TABLE plain (a integer)')
    expect(await programsOf('INSERT INTO plain VALUES (1)')).toBe(0)
  })

  test('run by themselves only: in a transaction they read', async () => {
    const { engine } = await testEngine()
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY, n integer)')
    const session = engine.session()
    await session.query('BEGIN')
    await session.query('INSERT INTO t VALUES (1, 1)')
    await session.query('UPDATE t SET n = n + 1 WHERE id = 1')
    expect(await rows(engine, 'SELECT * FROM t')).toEqual([])
    await session.query('COMMIT')
    expect(await rows(engine, 'SELECT * FROM t')).toEqual(['1|2'])
  })

  test('never lose a race', async () => {
    const { engine } = await testEngine(0)
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY, n integer)')
    await engine.query('INSERT INTO t VALUES (1, 0)')
    const results = await Promise.all(
      Array.from({ length: 64 }, () => engine.query('UPDATE t SET n = n + 1 WHERE id = 1 RETURNING n')),
    )
    expect(results.map(({ rows: [row] }) => Number(row?.[0])).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 64 }, (_, i) => i + 1),
    )
    expect(results.every(({ receipt }) => (receipt?.version ?? 0) > 0)).toBe(true)
    const upsert = 'INSERT INTO t VALUES (2, 1) ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n'
    await Promise.all(Array.from({ length: 20 }, () => engine.query(upsert)))
    expect(await rows(engine, 'SELECT n FROM t ORDER BY id')).toEqual(['64', '20'])
  })

  test('fail as they would otherwise', async () => {
    const { engine } = await testEngine()
    await engine.query(
      'CREATE TABLE t (id integer PRIMARY KEY, n integer NOT NULL CHECK (n >= 0), m numeric(4, 2), small smallint)',
    )
    await engine.query('INSERT INTO t VALUES (1, 2147483647, 99.99, 32767)')
    for (const [text, expected] of [
      [
        'INSERT INTO t VALUES (1, 1)',
        { sqlstate: '23505', constraint: 't_pkey', detail: 'Key (id)=(1) already exists.' },
      ],
      ['INSERT INTO t VALUES (2, -1)', { sqlstate: '23514', constraint: 't_n_check' }],
      ['INSERT INTO t VALUES (2, NULL)', { sqlstate: '23502' }],
      ['UPDATE t SET n = n + 1 WHERE id = 1', { sqlstate: '22003', message: 'integer out of range' }],
      [
        'UPDATE t SET n = n - n - 1 WHERE id = 1',
        { sqlstate: '23514', detail: 'Failing row contains (1, -1, 99.99, 32767).' },
      ],
      [
        'UPDATE t SET n = NULL WHERE id = 1',
        { sqlstate: '23502', detail: 'Failing row contains (1, null, 99.99, 32767).' },
      ],
      [
        'UPDATE t SET m = m + 0.01 WHERE id = 1',
        {
          sqlstate: '22003',
          message: 'numeric field overflow',
          detail: 'A field with precision 4, scale 2 must round to an absolute value less than 10^2.',
        },
      ],
      [
        'UPDATE t SET small = small + 1 WHERE id = 1',
        { sqlstate: '22003', message: 'smallint out of range' },
      ],
      ['UPDATE t SET n = 1 / 0 WHERE id = 1', { sqlstate: '22012' }],
      [
        'INSERT INTO t VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = -excluded.n',
        { sqlstate: '23514', constraint: 't_n_check' },
      ],
    ] as const)
      expect([text, await failure(engine.query(text))]).toMatchObject([text, expected])
    expect(await rows(engine, 'SELECT * FROM t')).toEqual(['1|2147483647|99.99|32767'])
    // What is not needed is not computed.
    expect(await engine.query('UPDATE t SET n = 1 / 0 WHERE id = 7')).toMatchObject({ rowCount: 0 })
  })

  test('see a table that has changed: the plan is made anew', async () => {
    const { engine } = await testEngine(5)
    const insert = (id: number) => engine.query('INSERT INTO t VALUES ($1, 5)', [id])
    await engine.query('CREATE TABLE t (id integer PRIMARY KEY, n integer)')
    await insert(1)
    await engine.execute('DROP TABLE t; CREATE TABLE t (id integer PRIMARY KEY, n text UNIQUE)')
    await insert(1)
    expect(await failure(insert(2))).toMatchObject({ sqlstate: '23505', constraint: 't_n_key' })
    expect(await rows(engine, "SELECT id FROM t WHERE n = '5'")).toEqual(['1'])
  })
})
