import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { sqlEngine } from '../../src/index.ts'
import { textOf } from '../engine/support.ts'
import { settings } from './queries.ts'

const ROWS = 3_000

/** Ties and NULLs everywhere, rows that are gone, values of rows that were changed. */
const tables = [
  'CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer, c integer NOT NULL, d text)',
  `INSERT INTO t SELECT g, CASE WHEN g % 7 > 0 THEN g * 31 % 97 END, CASE WHEN g % 5 > 0 THEN g * 17 % 211 END,
    g * 13 % 401, 'name ' || g FROM generate_series(1, ${ROWS}) AS g`,
  'CREATE INDEX t_a ON t (a)',
  'CREATE INDEX t_bc ON t (b, c)',
  'CREATE INDEX t_c ON t (c DESC) WHERE b IS NOT NULL',
  'CREATE UNIQUE INDEX t_d ON t (d)',
  'DELETE FROM t WHERE id % 11 = 0',
  'UPDATE t SET a = a + 1, c = c + 1 WHERE id % 13 = 0',
  'ANALYZE t',
]

const change = fc.oneof(
  fc.nat(ROWS).map((id) => `DELETE FROM t WHERE id = ${id}`),
  fc.nat(ROWS).map((id) => `UPDATE t SET a = -1, b = NULL WHERE id = ${id}`),
  fc.integer({ min: ROWS + 1, max: ROWS + 50 }).map(
    (id) => `INSERT INTO t VALUES (${id}, 5, ${id % 9}, 7, NULL)
    ON CONFLICT (id) DO UPDATE SET a = NULL`,
  ),
)

const down = fc.constantFrom('', ' DESC')
const nulls = fc.constantFrom('', ' NULLS FIRST', ' NULLS LAST')
const order = fc.oneof(
  fc
    .tuple(fc.constantFrom('a', 'b', 'c', 'd'), down, nulls)
    .map(([column, way, where]) => `${column}${way}${where}`),
  fc.tuple(fc.constantFrom('a', 'c', 'd'), down).map(([column, way]) => `${column}${way}, id${way}`),
  fc.tuple(down, nulls).map(([way, where]) => `b${way}${where}, c${way}`),
  down.map((way) => `b${way}, c${way}, id${way}`),
)
const condition = fc.constantFrom(
  '',
  'WHERE a > 40',
  'WHERE a <= 3',
  'WHERE b = 17',
  'WHERE b = 17 AND c > 100',
  'WHERE b IS NOT NULL',
  'WHERE c % 2 = 0',
  'WHERE d > $1',
  'WHERE a > $2 AND c < 300',
)
const limit = fc.constantFrom(
  'LIMIT 1',
  'LIMIT 7',
  'LIMIT $3',
  'LIMIT 3 OFFSET 4',
  'LIMIT 20',
  'FETCH FIRST 2 ROWS WITH TIES',
)

const query = fc.tuple(condition, order, limit).map(([where, by, most]) => {
  // What is sorted by comes first, so that it can be told whether rows with ties are in order.
  const all = `SELECT ${by.replace(/ (DESC|NULLS \w+)/g, '')}, id, d FROM t ${where} ORDER BY ${by}`
  return { all, text: `${all} ${most}`, keys: by.split(',').length }
})

const PARAMETERS = ['name 2', 10, 5]

/** As many parameters as a text names. */
const given = (text: string): readonly (string | number)[] =>
  PARAMETERS.slice(0, Math.max(0, ...(text.match(/\$\d/g) ?? []).map((name) => Number(name[1]))))

describe('first rows in the order of an index', () => {
  test('are those of a sort, also within a transaction that has written', async () => {
    const database = await modelDatabases().open('test', { partitions: 3 })
    const ports = { database, clock: new StillClock(), random: new SimRandom(1) }
    const [plain, clever] = [sqlEngine({ optimize: false })(ports), sqlEngine()(ports)]
    for (const statement of tables) await clever.query(statement)
    let ordered = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 12 }),
        fc.array(query, { minLength: 1, maxLength: 5 }),
        async (changes, queries) => {
          const sessions = [clever.session(), plain.session()] as const
          for (const session of sessions)
            for (const statement of ['BEGIN', ...changes]) await session.query(statement)
          const [one, other] = sessions
          for (const { all, text, keys } of queries) {
            const plan = textOf(await one.query(`EXPLAIN ${text}`, given(text))).join('\n')
            if (/by t_\w+.*in key order/.test(plan)) ordered++
            const found = textOf(await one.query(text, given(text)))
            const sorted = textOf(await other.query(text, given(text)))
            const known = new Set(textOf(await other.query(all, given(all))))
            const keysOf = (rows: readonly string[]): string[] =>
              rows.map((row) => row.split('|').slice(0, keys).join('|'))
            expect([text, keysOf(found)]).toEqual([text, keysOf(sorted)])
            expect([text, found.filter((row) => !known.has(row))]).toEqual([text, []])
            expect(new Set(found).size).toBe(found.length)
          }
          for (const session of sessions) {
            await session.query('ROLLBACK')
            session.close()
          }
        },
      ),
      settings(60),
    )
    expect(ordered).toBeGreaterThan(30)
  })
})
