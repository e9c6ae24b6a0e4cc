import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { testEngine } from '../engine/support.ts'

const ROWS = 3_000

/** What JavaScript says of two whole numbers; NULL is true of nothing. */
const signs: ReadonlyMap<string, (a: number, b: number) => boolean> = new Map([
  ['=', (a, b) => a === b],
  ['<>', (a, b) => a !== b],
  ['<', (a, b) => a < b],
  ['<=', (a, b) => a <= b],
  ['>', (a, b) => a > b],
  ['>=', (a, b) => a >= b],
])
const sign = fc.constantFrom(...signs.keys())

test('rows chosen by comparisons of whole numbers are those that each row would say, with NULLs, in batches that stay whole and that do not', async () => {
  const { engine } = await testEngine()
  await engine.query('CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer)')
  const rows = Array.from({ length: ROWS }, (_, i): [number, number | null, number | null] => [
    i,
    i % 17 === 0 ? null : (i * 7_919) % 100,
    i % 23 === 0 ? null : (i * 31) % 50,
  ])
  const shown = rows.map((row) => `(${row.map((value) => value ?? 'NULL').join()})`)
  for (let at = 0; at < ROWS; at += 500)
    await engine.query(`INSERT INTO t VALUES ${shown.slice(at, at + 500).join()}`)
  const limits = fc.oneof(fc.integer({ min: -1, max: 101 }), fc.constantFrom(null, 5_000))
  await fc.assert(
    fc.asyncProperty(sign, limits, sign, limits, fc.boolean(), async (first, x, second, y, odd) => {
      const holds = (name: string, a: number | null, b: number | null): boolean =>
        a !== null && b !== null && signs.get(name)?.(a, b) === true
      const chosen = rows.filter(
        ([id, a, b]) => holds(first, a, x) && holds(second, b, y) && (!odd || (id + (a ?? 0)) % 2 === 1),
      )
      const where = `WHERE a ${first} $1 AND b ${second} $2 ${odd ? 'AND (id + a) % 2 = 1' : ''}`
      const listed = await engine.query(`SELECT id, a, b FROM t ${where} ORDER BY id`, [x, y])
      expect(listed.rows).toEqual(chosen)
      const summed = await engine.query(`SELECT count(*), sum(b), count(a) FROM t ${where}`, [x, y])
      const sum = chosen.reduce((before, [, , b]) => before + BigInt(b ?? 0), 0n)
      const count = BigInt(chosen.length)
      expect(summed.rows).toEqual([[count, chosen.length === 0 ? null : sum, count]])
    }),
    { numRuns: 60 },
  )
})
