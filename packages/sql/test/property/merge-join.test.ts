import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type SqlEngine, sqlEngine } from '../../src/index.ts'
import { textOf } from '../engine/support.ts'
import { settings } from './queries.ts'

const key = fc.integer({ min: -3, max: 12 })
/** Rows of tables with one and with two columns in their keys, groups of one key among them. */
const inserts = fc
  .record({
    a: fc.uniqueArray(key, { maxLength: 12 }),
    b: fc.uniqueArray(key, { maxLength: 12 }),
    c: fc.uniqueArray(fc.tuple(key, fc.integer({ min: 0, max: 4 })), { maxLength: 30, selector: String }),
  })
  .map(({ a, b, c }) => [
    ...a.map((id) => `INSERT INTO a VALUES (${id}, ${id % 3})`),
    ...b.map((id) => `INSERT INTO b VALUES (${id}, ${id % 4})`),
    ...c.map(([x, y]) => `INSERT INTO c VALUES (${x}, ${y}, ${(x + y) % 3})`),
  ])

const tables = [
  'CREATE TABLE a (x integer PRIMARY KEY, v integer)',
  'CREATE TABLE b (x integer PRIMARY KEY, v integer)',
  'CREATE TABLE c (x integer, y integer, v integer, PRIMARY KEY (x, y))',
]
const side = fc.constantFrom('a', 'b', 'c', '(SELECT * FROM a WHERE v > 0)', '(SELECT * FROM c WHERE x < 9)')
const rest = fc.constantFrom('', ' AND l.v = r.v', ' AND l.v < r.v', ' AND r.v > 0')
const direction = fc.constantFrom('', ' DESC')
/** More than there are, and few enough for a merge join. */
const ALL = ' LIMIT 300'
const limit = fc.constantFrom('', ' LIMIT 3', ALL)
const query = fc.oneof(
  fc
    .tuple(side, fc.constantFrom('JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN'), side, rest, direction)
    .map(
      ([left, join, right, more, down]) =>
        `SELECT l.x, l.v, r.x, r.v FROM ${left} l ${join} ${right} r ON l.x = r.x${more} ORDER BY l.x${down}${ALL}`,
    ),
  fc
    .tuple(side, side, rest, direction, limit)
    .map(
      ([left, right, more, down, most]) =>
        `SELECT l.x FROM ${left} l JOIN ${right} r ON r.x = l.x${more} ORDER BY r.x${down}${most}`,
    ),
  fc
    .tuple(side, fc.constantFrom('EXISTS', 'NOT EXISTS'), side, rest, direction, limit)
    .map(
      ([left, exists, right, more, down, most]) =>
        `SELECT l.x FROM ${left} l WHERE ${exists} (SELECT 1 FROM ${right} r WHERE l.x = r.x${more}) ORDER BY l.x${down}${most}`,
    ),
  fc
    .tuple(direction, rest)
    .map(
      ([down, more]) =>
        `SELECT l.x, l.y FROM c l JOIN c r ON l.x = r.x AND r.y = l.y${more} ORDER BY l.x${down}, l.y${down}${ALL}`,
    ),
)

/** Rows that are equal in what they are sorted by may come in any order. */
async function outcome(engine: SqlEngine, text: string): Promise<readonly [string[], string[]]> {
  const rows = textOf(await engine.query(text))
  return [rows.map((row) => row.split('|')[0] ?? ''), [...rows].sort()]
}

describe('merge joins', () => {
  test('give the rows of other joins, in order', async () => {
    let merged = 0
    await fc.assert(
      fc.asyncProperty(inserts, fc.array(query, { minLength: 1, maxLength: 8 }), async (rows, texts) => {
        const database = await modelDatabases().open('test', { partitions: 3 })
        const ports = { database, clock: new StillClock(), random: new SimRandom(1) }
        const plain = sqlEngine({ optimize: false })(ports)
        for (const statement of [...tables, ...rows]) await plain.query(statement)
        for (const text of texts) {
          // Whoever has not read the tables takes them to be large.
          const clever = sqlEngine()(ports)
          const plan = textOf(await clever.query(`EXPLAIN ${text}`)).join('\n')
          if (plan.includes('Merge join')) merged++
          expect([text, await outcome(clever, text)]).toEqual([text, await outcome(plain, text)])
        }
      }),
      settings(60),
    )
    expect(merged).toBeGreaterThan(25)
  })
})
