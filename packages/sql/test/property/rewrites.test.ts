import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type SqlEngine, sqlEngine } from '../../src/index.ts'
import { failure, textOf } from '../engine/support.ts'
import { rows, schema, settings } from './queries.ts'

async function outcome(engine: SqlEngine, text: string, ordered: boolean): Promise<readonly string[]> {
  try {
    const lines = textOf(await engine.query(text))
    return ordered ? lines : lines.sort()
  } catch (error) {
    return [`error ${(await failure(Promise.reject(error))).sqlstate}`]
  }
}

const sign = fc.constantFrom('=', '<>', '<', '>=')
const call = fc.constantFrom('count(*)', 'count(u.a)', 'sum(u.a)', 'min(u.b)', 'max(u.e)', 'avg(u.a)')
const tie = fc.constantFrom(
  'u.a = t.a',
  'u.a = t.a AND u.b = t.b',
  'u.b = t.b AND u.c = t.c',
  'u.a = t.b + 1',
)
const more = fc.constantFrom('', ' AND u.b > 2', " AND u.c = 'x'", ' AND u.e IS NULL')
const value = fc.constantFrom('t.a', 't.b', 't.id')

/** An aggregate over the rows that are equal to the outer one. */
const scalar = fc
  .tuple(value, sign, call, tie, more, fc.constantFrom('', ' + 1', ' * 2'), fc.boolean())
  .map(
    ([left, op, aggregate, on, and, rest, twice]) =>
      `SELECT t.id FROM t WHERE ${left} ${op} (SELECT ${aggregate}${rest} FROM u WHERE ${on}${and})${
        twice ? ` AND t.a < (SELECT sum(u.b) FROM u WHERE u.c = t.c)` : ''
      }`,
  )

const atom = fc.constantFrom(
  't.a = u.a',
  't.b = 1',
  "u.c = 'x'",
  't.d',
  'u.b > 3',
  "t.c IN ('x', 'y')",
  't.b = u.b',
)
const branch = fc.array(atom, { minLength: 1, maxLength: 4 }).map((atoms) => `(${atoms.join(' AND ')})`)
const disjunction = fc
  .array(branch, { minLength: 2, maxLength: 3 })
  .map((branches) => `SELECT t.id, u.b FROM t, u WHERE ${branches.join(' OR ')}`)

const semi = fc
  .tuple(
    fc.constantFrom('', 'NOT '),
    fc.constantFrom('v.a = t.a', 'v.a = w.a', 'v.a = t.a AND v.b <> w.b'),
    branch,
  )
  .map(
    ([not, on, where]) =>
      `SELECT t.id, w.b FROM t JOIN u w ON w.a = t.a JOIN t s ON s.id = t.id WHERE ${not}EXISTS (SELECT 1 FROM u v WHERE ${on}) AND (${where.replaceAll('u.', 'w.')})`,
  )

const keys = fc.uniqueArray(fc.constantFrom('t.a', 't.b', 't.c', 't.d', 't.a + t.b', 't.c::char(3)'), {
  minLength: 1,
  maxLength: 3,
})
const grouped = keys.map(
  (list) =>
    `SELECT ${list.join(', ')}, count(*), sum(t.a), avg(t.b), min(t.c) FROM t GROUP BY ${list.join(', ')}`,
)

const joined = fc
  .tuple(
    fc.constantFrom('JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN'),
    fc.constantFrom('t.a = u.a', 't.a = u.e', 't.c = u.c', 't.b = u.b', 't.id = u.b AND t.c = u.c'),
  )
  .map(([kind, on]) => `SELECT t.id, t.c, u.a, u.b, u.e FROM t ${kind} u ON ${on}`)

const top = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'),
    fc.nat(5),
    fc.nat(2),
  )
  .map(
    ([list, how, limit, offset]) =>
      `SELECT id FROM t ORDER BY ${list.map((key) => `${key}${how}`).join(', ')}, id LIMIT ${limit} OFFSET ${offset}`,
  )

describe('rules and operators', () => {
  test.each([
    ['aggregates over equal rows', scalar, false],
    ['ORs over several tables', disjunction, false],
    ['EXISTS over joins', semi, false],
    ['groups by several columns', grouped, false],
    ['joins of every kind', joined, false],
    ['the first rows of an order', top, true],
  ] as const)('%s: the same rows, planned without and with statistics', async (_, query, ordered) => {
    await fc.assert(
      fc.asyncProperty(rows, fc.array(query, { minLength: 1, maxLength: 5 }), async (inserts, queries) => {
        const database = await modelDatabases().open('test', { partitions: 3 })
        const ports = { database, clock: new StillClock(), random: new SimRandom(1) }
        const clever = sqlEngine()(ports)
        const plain = sqlEngine({ optimize: false })(ports)
        for (const statement of [...schema, ...inserts]) await clever.query(statement)
        for (const text of queries) {
          const expected = [text, await outcome(plain, text, ordered)]
          // By now every table was read, so the second plan knows what is in it.
          for (let turn = 0; turn < 2; turn++)
            expect([text, await outcome(clever, text, ordered)]).toEqual(expected)
        }
      }),
      settings(25),
    )
  })

  test('many rows are sorted, grouped and joined as few are', async () => {
    const database = await modelDatabases().open('test', { partitions: 3 })
    const engine = sqlEngine()({ database, clock: new StillClock(), random: new SimRandom(1) })
    await engine.query('CREATE TABLE m (id integer PRIMARY KEY, k bigint, s text, n integer)')
    const count = 6_000
    for (let from = 0; from < count; from += 2_000)
      await engine.query(
        `INSERT INTO m SELECT g, g * 7919 % 3001, 'k' || g % 2500, g * 31 % 5003 - 2000 FROM generate_series(${from}, ${from + 1_999}) g`,
      )
    const all = (await engine.query('SELECT id, k, s, n FROM m')).rows as readonly (readonly [
      number,
      bigint,
      string,
      number,
    ])[]
    const sorted = [...all].sort((a, b) => b[3] - a[3] || a[0] - b[0]).map(([id]) => id)
    const best = await engine.query('SELECT id FROM m ORDER BY n DESC, id LIMIT 700 OFFSET 50')
    expect(best.rows.flat()).toEqual(sorted.slice(50, 750))
    const sums = new Map<string, number>()
    for (const [, k, s, n] of all) sums.set(`${k} ${s}`, (sums.get(`${k} ${s}`) ?? 0) + n)
    const groups = await engine.query('SELECT k, s, sum(n) FROM m GROUP BY k, s')
    expect(new Map(groups.rows.map(([k, s, sum]) => [`${k} ${s}`, Number(sum)]))).toEqual(sums)
    const byN = await engine.query('SELECT n, count(*) FROM m GROUP BY n')
    expect(byN.rows.reduce((sum, [, times]) => sum + Number(times), 0)).toBe(count)
    const pairs = await engine.query('SELECT count(*) FROM m a JOIN m b ON a.n = b.id')
    expect(Number(pairs.rows[0]?.[0])).toBe(all.filter(([, , , n]) => n >= 0 && n < count).length)
  })
})
