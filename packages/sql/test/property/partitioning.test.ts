import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { testEngine, textOf } from '../engine/support.ts'
import { conditionOf, rows, schema, settings } from './queries.ts'

// Ternary logic partitioning: every row meets exactly one of p, NOT p and p IS NULL.
describe('a condition, its negation and its absence', () => {
  const cases = [
    ['one table', 'SELECT t.id, t.a, t.c FROM t', 't'],
    ['a join', 'SELECT t.id, u.b FROM t JOIN u ON t.a = u.a', 'both'],
    ['an outer join', 'SELECT t.id, u.b FROM t LEFT JOIN u ON t.a = u.a AND u.b > 1', 'both'],
    ['a full join', 'SELECT t.id, u.b FROM t FULL JOIN u ON t.b = u.b', 'both'],
  ] as const
  for (const [name, base, side] of cases)
    test(`part the rows of ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(rows, conditionOf(side), async (inserts, condition) => {
          const { engine } = await testEngine()
          for (const statement of [...schema, ...inserts]) await engine.query(statement)
          const all = textOf(await engine.query(base)).sort()
          const parts: string[] = []
          for (const where of [condition, `NOT (${condition})`, `(${condition}) IS NULL`])
            parts.push(...textOf(await engine.query(`${base} WHERE ${where}`)))
          expect([condition, parts.sort()]).toEqual([condition, all])
        }),
        settings(40),
      )
    })

  test('part the counts of groups', async () => {
    await fc.assert(
      fc.asyncProperty(rows, conditionOf('t'), async (inserts, condition) => {
        const { engine } = await testEngine()
        for (const statement of [...schema, ...inserts]) await engine.query(statement)
        const count = async (where: string): Promise<number> =>
          Number((await engine.query(`SELECT count(*) FROM t WHERE ${where}`)).rows[0]?.[0])
        const parts =
          (await count(condition)) +
          (await count(`NOT (${condition})`)) +
          (await count(`(${condition}) IS NULL`))
        expect(parts).toBe(await count('true'))
        const { rows: given } = await engine.query(
          `SELECT count(*) FILTER (WHERE ${condition}), count(*) FROM t`,
        )
        expect(Number(given[0]?.[0])).toBe(await count(condition))
      }),
      settings(40),
    )
  })
})
