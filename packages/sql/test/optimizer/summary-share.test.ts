import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { TableSchema } from '../../src/catalog/schema.ts'
import { resolveOperator } from '../../src/functions/resolve.ts'
import { comparisonOf, equalShare } from '../../src/optimizer/summary-share.ts'
import { columnExpr, constant } from '../../src/plan/build.ts'
import { summaryOf } from '../../src/plan/column-summary.ts'
import type { CallExpr } from '../../src/plan/expression.ts'
import type { ScanPlan } from '../../src/plan/logical.ts'
import { columnStatistics, readTable } from '../../src/plan/table-statistics.ts'
import { INTEGER } from '../../src/types/type.ts'

/** Rows that were all read, so that an estimate can only be as wrong as what is kept of them. */
type Rows = readonly (number | null)[]

const column = { id: 1, name: 'x', type: INTEGER }

/** A table of one column that somebody has read. */
function scanOf(rows: Rows): ScanPlan {
  // Statistics know a table by its object alone.
  const table = { columns: [], indexes: [], primaryKey: null } as unknown as TableSchema
  const reading = readTable(table, [0])
  reading.take(rows.length, [rows])
  reading.done()
  return { kind: 'scan', table, alias: 't', columns: [{ column, position: 0 }] }
}

function comparison(sign: string, bound: number): CallExpr {
  const args = [columnExpr(column), constant(INTEGER, bound)]
  const fn = resolveOperator(sign, INTEGER, INTEGER)
  return { kind: 'call', type: fn.returns, fn, form: 'infix', args }
}

const tests: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
}

/** Many different values, a few, or one that comes most of the time. */
const rows: fc.Arbitrary<Rows> = fc
  .tuple(
    fc.integer({ min: 1, max: 2_000 }),
    fc.constantFrom(3, 50, 100_000),
    fc.nat(),
    fc.constantFrom(1, 2, 7),
  )
  .map(([length, spread, seed, common]) =>
    Array.from({ length }, (_, i) => {
      const drawn = (Math.imul(i + seed, 2_654_435_761) >>> 5) % spread
      if (i % 13 === 0) return null
      return i % common === 0 ? drawn : 17
    }),
  )

const share = (all: Rows, test_: (value: number) => boolean): number =>
  all.filter((value) => value !== null && test_(value)).length / all.length

describe('the share of rows that a comparison leaves', () => {
  test.each(Object.entries(tests))('is near what it is for %s', (sign, met) => {
    fc.assert(
      fc.property(rows, fc.integer({ min: -2, max: 60 }), fc.boolean(), (all, near, far) => {
        const bound = far ? near * 2_000 : near
        const known = comparisonOf(comparison(sign, bound), scanOf(all))
        if (all.every((value) => value === null)) return
        const truth = share(all, (value) => met(value, bound))
        expect(Math.abs((known?.share ?? Number.NaN) - truth)).toBeLessThan(0.04 + 1 / all.length)
      }),
    )
  })

  test('is null where nothing is known', () => {
    const unread = { ...scanOf([1]), columns: [{ column, position: 1 }] }
    expect(comparisonOf(comparison('<', 3), unread)).toBeNull()
    expect(comparisonOf(comparison('<>', 3), scanOf([1, 2, 3]))).toBeNull()
  })
})

describe('the share of pairs that an equality leaves', () => {
  test('is near what it is', () => {
    fc.assert(
      fc.property(rows, rows, (left, right) => {
        const [one, other] = [left, right].map((all) => {
          const known = columnStatistics(scanOf(all).table, 0)
          return known === null ? null : summaryOf(known, INTEGER)
        })
        if (!one || !other) throw new Error('nothing is known of a table that was read')
        const truth = left.reduce<number>(
          (sum, value) => sum + (value === null ? 0 : share(right, (two) => two === value)),
          0,
        )
        expect(Math.abs(equalShare(one, other, INTEGER) - truth / left.length)).toBeLessThan(0.05)
      }),
    )
  })
})
