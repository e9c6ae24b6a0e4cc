import type { Value } from '@cluster/core'
import { comparatorOf, MEASURED_TYPES } from '../types/compare.ts'
import { toSingle } from '../types/convert.ts'
import { addDecimal, divideDecimal, multiplyDecimal, sqrtInScale, subtractDecimal } from '../types/decimal.ts'
import { addInterval, divideInterval, intervalText, toInterval } from '../types/interval.ts'
import {
  BIGINT,
  BOOLEAN,
  BYTEA,
  DOUBLE,
  INTERVAL,
  NUMERIC,
  type SqlType,
  TEXT,
  TYPES,
  type TypeId,
} from '../types/type.ts'
import { addFloat, checkBigint } from './arithmetic.ts'
import { bitFunctions } from './bits.ts'
import type { AggregateFunction } from './function.ts'
import { statistics } from './statistics.ts'

type Definition<State> = Omit<AggregateFunction<State>, 'strict' | 'ordered'> &
  Partial<Pick<AggregateFunction<State>, 'strict' | 'ordered'>>

const define = <State>(definition: Definition<State>): AggregateFunction => ({
  strict: true,
  ordered: false,
  ...definition,
})

const counter = (args: readonly SqlType[], strict: boolean): AggregateFunction =>
  define<number>({
    name: 'count',
    args,
    returns: BIGINT,
    strict,
    init: () => 0,
    step: (count) => count + 1,
    merge: (a, b) => a + b,
    finish: (count) => BigInt(count),
    inverse: (count) => count - 1,
  })

/** Keeps one value and combines it with the next; NULL without rows. */
function folding<V extends Value>(
  name: string,
  id: TypeId,
  returns: SqlType,
  first: (value: V) => Value,
  combine: (state: never, value: never) => Value,
): AggregateFunction {
  return define<Value>({
    name,
    args: [TYPES[id]],
    returns,
    init: () => null,
    step: (state, value) =>
      state === null ? first(value as V) : combine(state as never, first(value as V) as never),
    merge: (a, b) => (a === null ? b : b === null ? a : combine(a as never, b as never)),
    finish: (state) => state,
  })
}

const same = (value: Value): Value => value

const sums: readonly AggregateFunction[] = [
  exact('sum', 'smallint', checkBigint, BIGINT),
  exact('sum', 'integer', checkBigint, BIGINT),
  // The sum may leave the range of bigint: it is numeric.
  exact('sum', 'bigint', (sum) => sum.toString()),
  folding('sum', 'numeric', NUMERIC, same, addDecimal),
  folding('sum', 'real', TYPES.real, same, (a: number, b: number) => toSingle(addFloat(a, b))),
  folding('sum', 'double', DOUBLE, same, addFloat),
  folding('sum', 'interval', INTERVAL, same, (a: string, b: string) =>
    intervalText(addInterval(toInterval(a), toInterval(b))),
  ),
]

/** Whole numbers: count and exact sum. */
function exact(
  name: string,
  id: TypeId,
  result: (sum: bigint, count: number) => Value,
  returns = NUMERIC,
): AggregateFunction {
  return define<readonly [count: number, sum: bigint]>({
    name,
    args: [TYPES[id]],
    returns,
    init: () => [0, 0n],
    step: ([count, sum], value) => [count + 1, sum + BigInt(value as number | bigint)],
    merge: (a, b) => [a[0] + b[0], a[1] + b[1]],
    inverse: ([count, sum], value) => [count - 1, sum - BigInt(value as number | bigint)],
    finish: ([count, sum]) => (count === 0 ? null : result(sum, count)),
  })
}

const average = (sum: bigint, count: number): string => divideDecimal(sum.toString(), String(count))

/** Count, sum, and sum of squares, exact. */
type Moments = readonly [count: number, sum: string, squares: string]

/** Variance and deviation of exact numbers. @returns null for too few rows */
function spread(sample: boolean, root: boolean) {
  return ([count, sum, squares]: Moments): Value => {
    if (count === 0 || (sample && count === 1)) return null
    const n = String(count)
    const deviation = subtractDecimal(multiplyDecimal(n, squares), multiplyDecimal(sum, sum))
    if (deviation.startsWith('-') || !/[1-9]/.test(deviation)) return deviation === 'NaN' ? deviation : '0'
    const variance = divideDecimal(deviation, multiplyDecimal(n, sample ? String(count - 1) : n))
    return root ? sqrtInScale(variance) : variance
  }
}

function exactSpread(name: string, id: TypeId, sample: boolean, root: boolean): AggregateFunction {
  return define<Moments>({
    name,
    args: [TYPES[id]],
    returns: NUMERIC,
    init: () => [0, '0', '0'],
    step: ([count, sum, squares], value) => {
      const text = String(value)
      return [count + 1, addDecimal(sum, text), addDecimal(squares, multiplyDecimal(text, text))]
    },
    merge: (a, b) => [a[0] + b[0], addDecimal(a[1], b[1]), addDecimal(a[2], b[2])],
    finish: spread(sample, root),
  })
}

/** Count, sum, and sum of squared differences from the mean. @see Youngs & Cramer 1971 */
type FloatMoments = readonly [count: number, sum: number, squares: number]

function addMoment([count, sum, squares]: FloatMoments, value: number): FloatMoments {
  const n = count + 1
  const total = sum + value
  if (count === 0) return [n, total, Number.isFinite(value) ? 0 : Number.NaN]
  const difference = value * n - total
  return [n, total, squares + (difference * difference) / (n * count)]
}

function mergeMoments(a: FloatMoments, b: FloatMoments): FloatMoments {
  if (a[0] === 0) return b
  if (b[0] === 0) return a
  const n = a[0] + b[0]
  const difference = a[1] / a[0] - b[1] / b[0]
  return [n, a[1] + b[1], a[2] + b[2] + (a[0] * b[0] * difference * difference) / n]
}

function floatSpread(name: string, id: TypeId, sample: boolean, root: boolean): AggregateFunction {
  return define<FloatMoments>({
    name,
    args: [TYPES[id]],
    returns: DOUBLE,
    init: () => [0, 0, 0],
    step: (state, value) => addMoment(state, value as number),
    merge: mergeMoments,
    finish: ([count, , squares]) => {
      if (count === 0 || (sample && count === 1)) return null
      const variance = squares / (sample ? count - 1 : count)
      return root ? Math.sqrt(variance) : variance
    },
  })
}

const spreads: readonly AggregateFunction[] = (
  [
    ['variance', true, false],
    ['var_samp', true, false],
    ['var_pop', false, false],
    ['stddev', true, true],
    ['stddev_samp', true, true],
    ['stddev_pop', false, true],
  ] as const
).flatMap(([name, sample, root]) => [
  ...(['smallint', 'integer', 'bigint', 'numeric'] as const).map((id) => exactSpread(name, id, sample, root)),
  ...(['real', 'double'] as const).map((id) => floatSpread(name, id, sample, root)),
])

const averages: readonly AggregateFunction[] = [
  exact('avg', 'smallint', average),
  exact('avg', 'integer', average),
  exact('avg', 'bigint', average),
  define<readonly [count: number, sum: string]>({
    name: 'avg',
    args: [NUMERIC],
    returns: NUMERIC,
    init: () => [0, '0'],
    step: ([count, sum], value) => [
      count + 1,
      count === 0 ? (value as string) : addDecimal(sum, value as string),
    ],
    merge: (a, b) => (a[0] === 0 ? b : b[0] === 0 ? a : [a[0] + b[0], addDecimal(a[1], b[1])]),
    finish: ([count, sum]) => (count === 0 ? null : divideDecimal(sum, String(count))),
  }),
  ...(['real', 'double'] as const).map((id) =>
    define<readonly [count: number, sum: number]>({
      name: 'avg',
      args: [TYPES[id]],
      returns: DOUBLE,
      init: () => [0, 0],
      step: ([count, sum], value) => [count + 1, addFloat(sum, value as number)],
      merge: (a, b) => [a[0] + b[0], addFloat(a[1], b[1])],
      finish: ([count, sum]) => (count === 0 ? null : sum / count),
    }),
  ),
  define<readonly [count: number, sum: string]>({
    name: 'avg',
    args: [INTERVAL],
    returns: INTERVAL,
    init: () => [0, '00:00:00'],
    step: ([count, sum], value) => [
      count + 1,
      intervalText(addInterval(toInterval(sum), toInterval(value as string))),
    ],
    merge: (a, b) => [a[0] + b[0], intervalText(addInterval(toInterval(a[1]), toInterval(b[1])))],
    finish: ([count, sum]) => (count === 0 ? null : intervalText(divideInterval(toInterval(sum), count))),
  }),
]

const extremes: readonly AggregateFunction[] = (['oid', ...MEASURED_TYPES] as const).flatMap((id) => {
  const type = TYPES[id]
  const compare = comparatorOf(type)
  return [
    folding('min', id, type, same, (a: Value, b: Value) => (compare(b, a) < 0 ? b : a)),
    folding('max', id, type, same, (a: Value, b: Value) => (compare(b, a) > 0 ? b : a)),
  ]
})

const bitAggregates: readonly AggregateFunction[] = (
  [
    ['bit_and', '&'],
    ['bit_or', '|'],
    ['bit_xor', '#'],
  ] as const
).flatMap(([name, sign]) =>
  bitFunctions
    .filter((one) => one.name === sign)
    .map(({ impl }) => folding(name, 'bit', TYPES.bit, same, (a: string, b: string) => impl(a, b) as string)),
)

const logic: readonly AggregateFunction[] = [
  ...['bool_and', 'every'].map((name) =>
    folding(name, 'boolean', BOOLEAN, same, (a: boolean, b: boolean) => a && b),
  ),
  folding('bool_or', 'boolean', BOOLEAN, same, (a: boolean, b: boolean) => a || b),
  ...(['smallint', 'integer', 'bigint'] as const).flatMap((id) => [
    folding('bit_and', id, TYPES[id], same, (a: number, b: number) => a & b),
    folding('bit_or', id, TYPES[id], same, (a: number, b: number) => a | b),
    folding('bit_xor', id, TYPES[id], same, (a: number, b: number) => a ^ b),
  ]),
  ...bitAggregates,
]

/** The delimiter of each item stands before it, except before the first: the state keeps it apart. */
type Joined = readonly [delimiter: string, text: string] | null

const joining: AggregateFunction = define<Joined>({
  name: 'string_agg',
  args: [TEXT, TEXT],
  returns: TEXT,
  strict: false,
  ordered: true,
  init: () => null,
  step: (state, value, delimiter) => {
    if (value === null) return state
    const sign = delimiter === null ? '' : String(delimiter)
    return state === null ? [sign, String(value)] : [state[0], state[1] + sign + String(value)]
  },
  merge: (a, b) => (a === null ? b : b === null ? a : [a[0], a[1] + b[0] + b[1]]),
  finish: (state) => (state === null ? null : state[1]),
})

const joiningBytes: AggregateFunction = define<readonly [delimiter: Uint8Array, bytes: Uint8Array] | null>({
  name: 'string_agg',
  args: [BYTEA, BYTEA],
  returns: BYTEA,
  strict: false,
  ordered: true,
  init: () => null,
  step: (state, value, delimiter) => {
    if (value === null) return state
    const sign = (delimiter ?? new Uint8Array()) as Uint8Array
    const bytes = value as Uint8Array
    return state === null ? [sign, bytes] : [state[0], Uint8Array.from([...state[1], ...sign, ...bytes])]
  },
  merge: (a, b) => (a === null ? b : b === null ? a : [a[0], Uint8Array.from([...a[1], ...b[0], ...b[1]])]),
  finish: (state) => (state === null ? null : state[1]),
})

export const aggregates: readonly AggregateFunction[] = [
  counter([], true),
  ...sums,
  ...averages,
  ...extremes,
  ...spreads,
  ...statistics,
  ...logic,
  joining,
  joiningBytes,
]

/** `count` of one argument takes any type. */
export const countOf = (type: SqlType): AggregateFunction => counter([type], true)
