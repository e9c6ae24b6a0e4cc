import type { Value } from '@cluster/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { aggregates } from '../../src/functions/aggregates.ts'
import type { AggregateFunction } from '../../src/functions/function.ts'
import { resolveAggregate } from '../../src/functions/resolve.ts'
import { formatValue } from '../../src/types/format.ts'
import {
  BIGINT,
  DOUBLE,
  INTEGER,
  NUMERIC,
  type SqlType,
  TEXT,
  TYPES,
  typeName,
} from '../../src/types/type.ts'
import { values } from '../types/values.ts'

function run(fn: AggregateFunction, rows: readonly (readonly Value[])[]): unknown {
  let state = fn.init()
  for (const row of rows) {
    if (fn.strict && row.includes(null)) continue
    state = fn.step(state, ...row)
  }
  return state
}

const shown = (fn: AggregateFunction, state: unknown): string => {
  const value = fn.finish(state)
  return value === null ? 'NULL' : formatValue(fn.returns, value)
}

const one = (name: string, type: SqlType, items: readonly Value[]): string => {
  const fn = resolveAggregate(name, [type])
  return `${shown(
    fn,
    run(
      fn,
      items.map((item) => [item]),
    ),
  )} ${typeName(fn.returns)}`
}

describe('aggregates', () => {
  test.each([
    ['sum', INTEGER, [1, 2, null, 3], '6 bigint'],
    ['sum', INTEGER, [], 'NULL bigint'],
    ['sum', BIGINT, [2n ** 62n, 2n ** 62n, 2n ** 62n], '13835058055282163712 numeric'],
    ['sum', NUMERIC, ['1.10', '2.205'], '3.305 numeric'],
    ['sum', DOUBLE, [0.1, 0.2], '0.30000000000000004 double precision'],
    ['avg', INTEGER, [1, 2], '1.5000000000000000 numeric'],
    ['avg', INTEGER, [1, 1, 2], '1.3333333333333333 numeric'],
    ['avg', BIGINT, [7n], '7.0000000000000000 numeric'],
    ['avg', NUMERIC, ['1.5', '2.25'], '1.8750000000000000 numeric'],
    ['avg', DOUBLE, [1, 2], '1.5 double precision'],
    ['min', TEXT, ['b', null, 'a'], 'a text'],
    ['max', TEXT, ['Z', 'a'], 'a text'],
    ['max', NUMERIC, ['1.0', 'NaN', '2'], 'NaN numeric'],
    ['count', TEXT, ['a', null], '1 bigint'],
    ['bool_and', TYPES.boolean, [true, null, false], 'f boolean'],
    ['bool_or', TYPES.boolean, [null], 'NULL boolean'],
    ['stddev', INTEGER, [2, 4, 4, 4, 5, 5, 7, 9], '2.1380899352993951 numeric'],
    ['var_pop', INTEGER, [2, 4, 4, 4, 5, 5, 7, 9], '4.0000000000000000 numeric'],
    ['variance', INTEGER, [1], 'NULL numeric'],
    ['avg', TYPES.interval, ['1 day', '02:00:00'], '13:00:00 interval'],
  ] as const)('%s of %j: %j', (name, type, items, expected) => {
    expect(one(name, type, items)).toBe(expected)
  })

  test('string_agg joins in order and skips NULL', () => {
    const fn = resolveAggregate('string_agg', [TEXT, TEXT])
    expect(
      shown(
        fn,
        run(fn, [
          ['a', ','],
          [null, ','],
          ['b', ';'],
          ['c', null],
        ]),
      ),
    ).toBe('a;bc')
  })

  test('sums that leave bigint are refused where the result is one', () => {
    const fn = resolveAggregate('sum', [INTEGER])
    expect(fn.finish(fn.merge([1, 1n], [1, 2n]))).toBe(3n)
    expect(() => fn.finish(fn.merge([1, 2n ** 63n - 1n], [1, 1n]))).toThrow('bigint out of range')
  })
})

// Floating point sums depend on the order, all others must not care how rows were split.
const exact = aggregates.filter(({ args }) => args.every(({ id }) => id !== 'real' && id !== 'double'))

test.each(exact.map((fn) => [fn.name, fn.args.map(typeName).join(', '), fn] as const))(
  '%s(%s): partial states merge to the whole',
  (_name, _types, fn) => {
    const row = fc.tuple(
      ...fn.args.map(({ id }) => fc.option(values[id] ?? fc.constant(null))),
    ) as fc.Arbitrary<Value[]>
    fc.assert(
      fc.property(fc.array(row, { maxLength: 6 }), fc.array(row, { maxLength: 6 }), (a, b) => {
        if (fn.args.some(({ id }) => id === 'interval') && fn.name === 'avg') return
        const whole = shown(fn, run(fn, [...a, ...b]))
        expect(shown(fn, fn.merge(run(fn, a), run(fn, b)))).toBe(whole)
      }),
      { numRuns: 40 },
    )
  },
)
