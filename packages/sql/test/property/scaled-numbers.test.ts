import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { sqlEngine } from '../../src/index.ts'
import { compareDecimal } from '../../src/types/decimal.ts'
import { scaledNumber, scaledText } from '../../src/types/scaled.ts'
import { failure, textOf } from '../engine/support.ts'
import { settings } from './queries.ts'

/** Texts of numerics with so many digits in all and behind the point. */
const decimal = (precision: number, scale: number): fc.Arbitrary<string> => {
  const most = 10n ** BigInt(precision) - 1n
  const units = fc.oneof(
    fc.bigInt({ min: -999n, max: 999n }),
    fc.bigInt({ min: -most, max: most }),
    fc.constantFrom(most, -most, 0n),
  )
  return units.map((value) => {
    const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
    const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
    return value < 0n ? `-${text}` : text
  })
}

const value = (precision: number, scale: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 12, arbitrary: decimal(precision, scale).map((text) => `'${text}'`) },
    { weight: 1, arbitrary: fc.constantFrom('NULL', "'NaN'") },
  )

const rows = fc.array(fc.tuple(value(15, 2), value(15, 2), value(6, 3), fc.integer({ min: -99, max: 99 })), {
  minLength: 1,
  maxLength: 8,
})

const expressions = [
  'a * (1 - c)',
  'a * (1 - c) * (1 + c)',
  'a + b - c',
  'a * b',
  'a * b * c',
  'c * i',
  'CASE WHEN c > 0 THEN a * c ELSE 0 END',
  'CASE WHEN a < b THEN a WHEN c > 1 THEN c END',
  'a',
]
const conditions = ['a < b', 'c >= 0.5', 'a = b', 'a * c <> b', 'i + 1 > c', 'a - b <= c * 100']

describe('numerics of declared scales', () => {
  test('compute, compare and add up to what the functions themselves give', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.constantFrom(...expressions),
        fc.constantFrom(...conditions),
        async (values, expression, condition) => {
          const database = await modelDatabases().open('test', { partitions: 2 })
          const engine = sqlEngine()({ database, clock: new StillClock(), random: new SimRandom(1) })
          await engine.query(
            'CREATE TABLE t (id integer PRIMARY KEY, a numeric(15,2), b numeric(15,2), c numeric(6,3), i integer)',
          )
          await engine.query(
            `INSERT INTO t VALUES ${values.map((row, id) => `(${[id, ...row].join(', ')})`).join(', ')}`,
          )
          // A column that was a text on its way has no declared scale any more.
          const slow = (text: string): string =>
            text.replace(/\b[abc]\b/g, (name) => `(${name}::text::numeric)`)
          const query = (map: (text: string) => string): string =>
            `SELECT id % 2, sum(${map(expression)}), avg(${map(expression)}), count(*) FROM t WHERE ${map(condition)} GROUP BY 1 ORDER BY 1`
          const each = (map: (text: string) => string): string =>
            `SELECT id, ${map(expression)}, ${map(condition)} FROM t ORDER BY id`
          for (const text of [query, each]) {
            const [fast, exact] = await Promise.all(
              [text((one) => one), text(slow)].map(async (sql) => {
                try {
                  return textOf(await engine.query(sql))
                } catch (error) {
                  return [`error ${(await failure(Promise.reject(error))).sqlstate}`]
                }
              }),
            )
            expect(fast).toEqual(exact)
          }
        },
      ),
      settings(60),
    )
  })

  test('are read and written exactly, or not at all', () => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(17), (scale, more) => {
        const precision = Math.max(1, scale + more)
        fc.assert(
          fc.property(decimal(precision, scale), (text) => {
            const units = scaledNumber(text, scale)
            if (Number.isNaN(units)) return
            expect(Number.isSafeInteger(units)).toBe(true)
            expect(scaledText(units, scale)).toBe(/[1-9]/.test(text) ? text : text.replace('-', ''))
          }),
          { numRuns: 10 },
        )
      }),
    )
    for (const odd of ['NaN', 'Infinity', '-', '', '1.2', '1.234', '12', '.12', '-.12', '99999999999999.99'])
      expect(scaledNumber(odd, 2)).toBeNaN()
    expect(scaledNumber(null, 2)).toBeNaN()
    expect(scaledNumber('12.50', 2, 1_000)).toBeNaN()
  })

  test('are ordered as their digits say', () => {
    const any = fc.oneof(
      decimal(30, 12),
      decimal(5, 2),
      decimal(17, 0),
      fc.constantFrom('0', '0.00', '1e0'.slice(0, 1)),
    )
    const units = (text: string): bigint => {
      const [whole = '', fraction = ''] = text.replace('-', '').split('.')
      const size = BigInt(whole + fraction.padEnd(12, '0'))
      return text.startsWith('-') ? -size : size
    }
    fc.assert(
      fc.property(any, any, (a, b) => {
        const [x, y] = [units(a), units(b)]
        expect(Math.sign(compareDecimal(a, b))).toBe(x < y ? -1 : x > y ? 1 : 0)
      }),
    )
  })
})
