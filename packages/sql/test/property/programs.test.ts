import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type SqlEngine, sqlEngine } from '../../src/index.ts'
import { failure, textOf } from '../engine/support.ts'

const TABLE =
  'CREATE TABLE t (id integer PRIMARY KEY, a integer NOT NULL CHECK (a < 1000000), b bigint, c numeric(6, 2), ' +
  'd numeric, s text, f boolean)'

async function fresh(optimize: boolean): Promise<SqlEngine> {
  const database = await modelDatabases().open('test', { partitions: 2 })
  const engine = sqlEngine({ optimize })({ database, clock: new StillClock(), random: new SimRandom(1) })
  await engine.query(TABLE)
  return engine
}

const id = fc.integer({ min: 1, max: 4 })
const whole = fc.constantFrom(
  '0',
  '1',
  '-1',
  '7',
  '2147483647',
  '999999',
  'NULL',
  'a',
  '-a',
  '(a + 1)',
  '(a * a)',
  '(a - 5)',
)
const long = fc.constantFrom(
  '0',
  '-3',
  '9223372036854775807',
  'NULL',
  'b',
  '(b * 3)',
  '(b + 1)',
  '-b',
  '(0 - b)',
)
const decimal = fc.constantFrom(
  '0',
  '1.005',
  '-0.005',
  '9999.99',
  "'NaN'::numeric",
  'NULL',
  'c',
  'd',
  '(c + d)',
  '(c * d)',
  '(d - 0.10)',
  '-d',
)
const text = fc.constantFrom("'x'", "''", 'NULL', 's', "(s || 'y')", "upper('z')", "coalesce(s, 'none')")
const truth = fc.constantFrom(
  'true',
  'false',
  'NULL',
  'f',
  'NOT f',
  '(a > 3)',
  '(d >= c)',
  "(s = 'x')",
  '(b IS NULL)',
)

const assignment = fc.oneof(
  whole.map((value) => `a = ${value}`),
  long.map((value) => `b = ${value}`),
  decimal.map((value) => `c = ${value}`),
  decimal.map((value) => `d = ${value}`),
  text.map((value) => `s = ${value}`),
  truth.map((value) => `f = ${value}`),
)
const assignments = fc
  .uniqueArray(assignment, { minLength: 1, maxLength: 3, selector: (one) => one.slice(0, 1) })
  .map((list) => list.join(', '))

const condition = fc.oneof(
  fc.constantFrom(
    'a = 1',
    'a <> 7',
    'b < 5',
    'c >= 1',
    'd = 1.50',
    's <> $$x$$',
    'f',
    'NOT f',
    's IS NULL',
    'f IS NOT NULL',
  ),
  fc.constantFrom(
    'a IN (1, 7, 8)',
    'a NOT IN (1, 2)',
    's IN ($$x$$, $$xy$$)',
    'coalesce(a, 0) > 2',
    '(f OR a > 3)',
  ),
)
const conditions = fc
  .array(condition, { maxLength: 2 })
  .map((list) => list.map((one) => ` AND ${one}`).join(''))

const row = fc
  .tuple(
    id,
    fc.constantFrom('1', '7', '-4', '2147483647', '1000000', 'NULL'),
    fc.constantFrom('1', '9223372036854775807', 'NULL'),
    fc.constantFrom('1.5', '9999.99', '0.004', '99999', 'NULL'),
    fc.constantFrom('1.50', '-2', "'NaN'", 'NULL'),
    fc.constantFrom("'x'", "''", 'NULL'),
    fc.constantFrom('true', 'false', 'NULL'),
  )
  .map((values) => `(${values.join(', ')})`)

const returning = fc.constantFrom('', ' RETURNING *', ' RETURNING id, a + 1, s')
const where = fc.oneof(
  id.map((one) => `id = ${one}`),
  fc.uniqueArray(id, { minLength: 1, maxLength: 3 }).map((list) => `id IN (${list.join(', ')})`),
)

const statement = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.array(row, { minLength: 1, maxLength: 2 }), returning)
      .map(([list, tail]) => `INSERT INTO t VALUES ${list.join(', ')}${tail}`),
  },
  fc
    .tuple(fc.array(row, { minLength: 1, maxLength: 2 }), returning)
    .map(([list, tail]) => `INSERT INTO t VALUES ${list.join(', ')} ON CONFLICT DO NOTHING${tail}`),
  fc
    .tuple(
      row,
      fc.constantFrom(
        'a = t.a + excluded.a',
        'b = excluded.b, s = t.s || excluded.s',
        'c = t.c + excluded.d',
      ),
      returning,
    )
    .map(([one, set, tail]) => `INSERT INTO t VALUES ${one} ON CONFLICT (id) DO UPDATE SET ${set}${tail}`),
  {
    weight: 4,
    arbitrary: fc
      .tuple(assignments, where, conditions, returning)
      .map(([set, which, more, tail]) => `UPDATE t SET ${set} WHERE ${which}${more}${tail}`),
  },
  fc
    .tuple(where, conditions, returning)
    .map(([which, more, tail]) => `DELETE FROM t WHERE ${which}${more}${tail}`),
)

/** What a statement says: rows and how many, or its error. */
async function said(engine: SqlEngine, sql: string): Promise<unknown> {
  try {
    const result = await engine.query(sql)
    return [result.command, result.rowCount, textOf(result).sort()]
  } catch (error) {
    return failure(Promise.reject(error))
  }
}

const namesSeveral = (sql: string): boolean => / IN \([^)]*,|\), \(/.test(sql)

describe('programs', () => {
  test('do what the same statements do that read first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { minLength: 4, maxLength: 14 }), async (list) => {
        const [direct, reading] = [await fresh(true), await fresh(false)]
        for (const sql of list) {
          const [one, other] = [await said(direct, sql), await said(reading, sql)]
          // Of several rows that fail, each for its own reason, either may be told.
          if (namesSeveral(sql) && !Array.isArray(one))
            expect([sql, Array.isArray(other)]).toEqual([sql, false])
          else expect([sql, one]).toEqual([sql, other])
          const all = 'SELECT * FROM t ORDER BY id'
          expect([sql, textOf(await direct.query(all))]).toEqual([sql, textOf(await reading.query(all))])
        }
      }),
      { numRuns: 100 },
    )
  })
})
