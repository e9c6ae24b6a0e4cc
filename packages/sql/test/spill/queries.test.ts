import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type SqlEngine, sqlEngine } from '../../src/index.ts'
import { failure, textOf } from '../engine/support.ts'
import { query, rows, schema, settings } from '../property/queries.ts'
import { MemoryFiles } from './memory-files.ts'

/** Two engines over one database: one has memory enough, the other writes to files what is more than a little. */
async function engines(statements: readonly string[], workBytes: number) {
  const database = await modelDatabases().open('test', { partitions: 3 })
  const files = new MemoryFiles()
  const ports = { database, clock: new StillClock(), random: new SimRandom(1) }
  const plenty = sqlEngine()(ports)
  const frugal = sqlEngine({ workBytes })({ ...ports, temporary: files })
  for (const statement of statements) await plenty.query(statement)
  return { plenty, frugal, files }
}

async function outcome(engine: SqlEngine, text: string): Promise<readonly string[]> {
  try {
    return textOf(await engine.query(text))
  } catch (error) {
    return [`error ${(await failure(Promise.reject(error))).sqlstate}`]
  }
}

/** Rows with few and with many different values, with NULLs, with texts long and short. */
const data = [
  ...schema,
  `INSERT INTO t SELECT g, nullif(g * 7 % 83, 5), g * 31 % 17, CASE WHEN g % 11 = 0 THEN NULL ELSE repeat('x', g % 5) || g % 29 END, g % 3 = 0
   FROM generate_series(1, 700) g`,
  `INSERT INTO u SELECT nullif(g * 5 % 90, 7), g, CASE WHEN g % 7 = 0 THEN NULL ELSE repeat('x', g % 3) || g % 23 END, g * 0.25 - 9
   FROM generate_series(0, 399) g`,
]

const keys = ['t.a', 't.b DESC', 't.c NULLS FIRST', 't.d DESC NULLS LAST', 't.id DESC', 'lower(t.c)']
const aggregates = [
  'count(*)',
  'sum(t.b)',
  'avg(t.b)',
  'min(t.c)',
  'max(t.id)',
  'count(DISTINCT t.b)',
  'sum(DISTINCT t.b)',
  'array_agg(t.id ORDER BY t.b, t.id)',
  "string_agg(t.c, ',' ORDER BY t.id)",
  'sum(t.b) FILTER (WHERE t.d)',
  'bool_or(t.d)',
  'stddev(t.b)',
  'percentile_cont(0.5) WITHIN GROUP (ORDER BY t.b)',
  'mode() WITHIN GROUP (ORDER BY t.b)',
  'sum(t.b::numeric(10, 2))',
  'sum(t.id::double precision)',
  'json_agg(t.a ORDER BY t.id)',
]
const groups = ['t.id', 't.a', 't.c', 't.a, t.c', 't.id, t.d', 't.a::bigint', 't.id::numeric / 4']
const joins = ['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN']
const conditions = [
  't.a = u.a',
  't.id = u.b',
  't.a = u.a AND t.c = u.c',
  't.a = u.a AND t.b > u.e',
  't.c = u.c AND t.id < 60',
]
const manySet = (word: string) =>
  `SELECT id % 610, c FROM t ${word} SELECT b * 2, CASE WHEN b % 3 = 0 THEN c ELSE repeat('x', (b * 2 % 5)::integer) || b * 2 % 29 END FROM u`
const set = (word: string) => `SELECT t.a, t.c FROM t ${word} SELECT u.a, u.c FROM u`

/** Queries, and whether the order of their rows is told. */
const large: fc.Arbitrary<readonly [text: string, inOrder: boolean]> = fc.oneof(
  fc
    .tuple(
      fc.uniqueArray(fc.constantFrom(...keys), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', ' LIMIT 90', ' LIMIT 400 OFFSET 33'),
    )
    .map(([by, end]) => [`SELECT t.id, t.c FROM t ORDER BY ${by.join(', ')}, t.id${end}`, true] as const),
  fc
    .tuple(
      fc.constantFrom(...groups),
      fc.uniqueArray(fc.constantFrom(...aggregates), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', 'WHERE t.b > 2 '),
    )
    .map(
      ([by, calls, where]) =>
        [`SELECT ${by}, ${calls.join(', ')} FROM t ${where}GROUP BY ${by}`, false] as const,
    ),
  fc
    .constantFrom('ROLLUP (t.a, t.c)', 'CUBE (t.id, t.b)', 'GROUPING SETS ((t.id), (t.a, t.c), ())')
    .map(
      (sets) => [`SELECT count(*), sum(t.b), count(DISTINCT t.d) FROM t GROUP BY ${sets}`, false] as const,
    ),
  fc
    .tuple(fc.constantFrom(...joins), fc.constantFrom(...conditions))
    .map(
      ([word, on]) =>
        [
          `SELECT t.id, t.c, u.b, u.c FROM t ${word} u ON ${on.includes('AND t') && word === 'FULL JOIN' ? 't.a = u.a' : on}`,
          false,
        ] as const,
    ),
  fc
    .tuple(fc.constantFrom('', 'NOT '), fc.constantFrom(...conditions), fc.constantFrom('t', 'u'))
    .map(
      ([not, on, outer]) =>
        [
          `SELECT * FROM ${outer} WHERE ${not}EXISTS (SELECT 1 FROM ${outer === 't' ? 'u' : 't'} WHERE ${on})`,
          false,
        ] as const,
    ),
  fc
    .constantFrom('', 'NOT ')
    .map(
      (not) => [`SELECT id FROM t WHERE a ${not}IN (SELECT a FROM u WHERE a IS NOT NULL)`, false] as const,
    ),
  fc
    .constantFrom('UNION', 'UNION ALL', 'INTERSECT', 'INTERSECT ALL', 'EXCEPT', 'EXCEPT ALL')
    .chain((word) => fc.constantFrom(set(word), manySet(word)).map((text) => [text, false] as const)),
  fc
    .constantFrom(
      'SELECT DISTINCT t.a, t.c FROM t',
      'SELECT DISTINCT ON (t.a) t.a, t.id FROM t ORDER BY t.a, t.b DESC, t.id',
      'SELECT DISTINCT t.id, t.b FROM t ORDER BY t.id DESC',
      'SELECT DISTINCT t.a, t.b, t.c, u.e FROM t JOIN u ON t.b = u.a',
    )
    .map((text) => [text, text.includes('ORDER')] as const),
  fc
    .constantFrom(
      'row_number() OVER (PARTITION BY t.b ORDER BY t.id)',
      'sum(t.a) OVER (ORDER BY t.id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)',
      'rank() OVER (PARTITION BY t.d ORDER BY t.a)',
      'lag(t.c, 2) OVER (ORDER BY t.b, t.id)',
      'count(*) OVER ()',
    )
    .map((call) => [`SELECT t.id, t.c, ${call} FROM t`, false] as const),
  fc
    .constantFrom(
      'WITH w AS MATERIALIZED (SELECT id, a, c FROM t) SELECT x.id, y.c FROM w x JOIN w y ON x.id = y.a',
      'WITH w AS MATERIALIZED (SELECT id, a, c FROM t) SELECT count(*), (SELECT max(c) FROM w) FROM w WHERE a > (SELECT avg(a) FROM w)',
      'WITH RECURSIVE r(n, d) AS (SELECT id, 0 FROM t UNION ALL SELECT n + 1, d + 1 FROM r WHERE d < 3) SELECT n, count(*) FROM r GROUP BY n',
      'WITH RECURSIVE r(n) AS (SELECT id FROM t UNION SELECT n + 1 FROM r WHERE n < 900) SELECT count(*), sum(n) FROM r',
    )
    .map((text) => [text, false] as const),
)

describe('with little memory', () => {
  test('no query over small tables has another result', async () => {
    let written = 0
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.array(query, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 50, max: 600 }),
        async (inserts, queries, bytes) => {
          const { plenty, frugal, files } = await engines([...schema, ...inserts], bytes)
          for (const text of queries) {
            const [found, expected] = [await outcome(frugal, text), await outcome(plenty, text)]
            expect([text, [...found].sort()]).toEqual([text, [...expected].sort()])
            expect(files.open).toBe(0)
          }
          written += files.made
        },
      ),
      settings(60),
    )
    expect(written).toBeGreaterThan(100)
  })

  describe.each([3_000, 12_000])('of %i bytes', (bytes) => {
    let world: Awaited<ReturnType<typeof engines>>

    beforeAll(async () => {
      world = await engines(data, bytes)
    })

    test('no query has another result', async () => {
      const { plenty, frugal, files } = world
      let spilled = 0
      await fc.assert(
        fc.asyncProperty(large, async ([text, inOrder]) => {
          const before = files.made
          const [found, expected] = [await outcome(frugal, text), await outcome(plenty, text)]
          expect(expected[0]).not.toMatch(/^error/)
          if (inOrder) expect([text, found]).toEqual([text, expected])
          else expect([text, [...found].sort()]).toEqual([text, [...expected].sort()])
          expect(files.open).toBe(0)
          if (files.made > before) spilled++
        }),
        settings(60),
      )
      expect(spilled).toBeGreaterThan(25)
    })
  })
})
