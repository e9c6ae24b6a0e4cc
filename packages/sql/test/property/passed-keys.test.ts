import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type SqlEngine, sqlEngine } from '../../src/index.ts'
import { textOf } from '../engine/support.ts'
import { settings } from './queries.ts'

/** A table that is large enough for keys to be passed to its scan, and two small ones, with NULLs among the keys. */
const tables = [
  'CREATE TABLE big (id integer PRIMARY KEY, k integer, other integer, word text, at date)',
  `INSERT INTO big SELECT g, CASE WHEN g % 11 = 0 THEN NULL ELSE g % 400 END, g % 300, 'w' || g % 350, date '2024-01-01' + g % 320
    FROM generate_series(1, 1500) AS g`,
  'CREATE TABLE small (k integer, word text, at date, weight integer)',
  `INSERT INTO small SELECT CASE WHEN g = 4 THEN NULL ELSE g * 3 END, 'w' || g, date '2024-01-01' + g * 2, g FROM generate_series(1, 9) AS g`,
  'CREATE TABLE tiny (k integer, weight integer)',
  'INSERT INTO tiny VALUES (3, 1), (3, 2), (12, 3), (NULL, 4), (-5, 5)',
]

/** Inputs that a key goes through on its way to the scan. */
const large = fc.constantFrom(
  'big',
  '(SELECT * FROM big WHERE other > 40)',
  '(SELECT max(id) AS id, k, min(other) AS other, max(word) AS word, min(at) AS at FROM big GROUP BY k)',
  '(SELECT k, word, at, count(*) AS id, sum(other) AS other FROM big GROUP BY k, word, at)',
  '(SELECT DISTINCT k, other, word, at, id FROM big)',
  '(SELECT x.id, x.k, x.other, x.word, x.at FROM big x LEFT JOIN tiny y ON y.k = x.k)',
  '(SELECT x.id, x.k, x.other, x.word, x.at FROM big x JOIN tiny y ON y.weight = x.other % 5)',
  '(SELECT x.* FROM big x WHERE NOT EXISTS (SELECT 1 FROM tiny y WHERE y.k = x.k))',
  '(SELECT * FROM big ORDER BY id LIMIT 700)',
  '(SELECT id, k + 0 AS k, other, word, at FROM big)',
  '(SELECT * FROM big UNION ALL SELECT * FROM big WHERE id < 5)',
  '(SELECT id, k, count(*) OVER (PARTITION BY k) AS other, word, at FROM big)',
)
const on = fc.constantFrom(
  'b.k = s.k',
  'b.word = s.word',
  'b.at = s.at',
  'b.k = s.k AND b.word <> s.word',
  'b.k = s.k AND b.other = s.weight',
  's.k = b.k AND s.weight < b.other',
)
const where = fc.constantFrom('TRUE', 's.weight > 3', 's.weight = 5', 'b.id > 100', 'b.other % 2 = 0')
const query = fc.oneof(
  fc
    .tuple(large, fc.constantFrom('JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN'), on, where)
    .map(
      ([from, join, condition, rest]) =>
        `SELECT b.id, b.k, b.other, b.word, s.weight FROM ${from} b ${join} small s ON ${condition} WHERE ${rest}`,
    ),
  fc
    .tuple(large, fc.constantFrom('EXISTS', 'NOT EXISTS'), on)
    .map(
      ([from, test_, condition]) =>
        `SELECT b.id, b.k FROM ${from} b WHERE ${test_} (SELECT 1 FROM small s WHERE ${condition})`,
    ),
  fc
    .tuple(large, fc.constantFrom('EXISTS', 'NOT EXISTS'), on)
    .map(
      ([from, test_, condition]) =>
        `SELECT s.weight FROM small s WHERE ${test_} (SELECT 1 FROM ${from} b WHERE ${condition})`,
    ),
  fc.tuple(large, on, fc.boolean()).map(
    ([from, condition, more]) =>
      `SELECT s.weight, (SELECT count(*) FROM tiny t JOIN big z ON z.k = t.k WHERE t.weight <> s.weight)
          FROM ${from} b JOIN small s ON ${condition}${more ? ' JOIN tiny t ON t.k = b.k' : ''}`,
  ),
)

const outcome = async (engine: SqlEngine, text: string): Promise<readonly string[]> =>
  textOf(await engine.query(text)).sort()

describe('keys that joins pass to scans', () => {
  test('change no result', async () => {
    const database = await modelDatabases().open('test', { partitions: 3 })
    const ports = { database, clock: new StillClock(), random: new SimRandom(1) }
    const clever = sqlEngine()(ports)
    const plain = sqlEngine({ optimize: false })(ports)
    for (const statement of tables) await clever.query(statement)
    // Whoever reads a whole table tells how many rows and which values it has.
    for (const table of ['big', 'small', 'tiny']) await clever.query(`SELECT * FROM ${table}`)
    let passed = 0
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        expect([text, await outcome(clever, text)]).toEqual([text, await outcome(plain, text)])
        const plan = textOf(await clever.query(`EXPLAIN ${text}`)).join('\n')
        if (plan.includes(' joined by ')) passed++
      }),
      settings(80),
    )
    expect(passed).toBeGreaterThan(10)
  })
})
