import type { Value } from '@cluster/core'
import { BIGINT, DOUBLE } from '../types/type.ts'
import type { AggregateFunction } from './function.ts'

/** Count, sums, and sums of squared (and mixed) differences from the means, of pairs. */
interface Pairs {
  readonly n: number
  readonly x: number
  readonly xx: number
  readonly y: number
  readonly yy: number
  readonly xy: number
}

const none: Pairs = { n: 0, x: 0, xx: 0, y: 0, yy: 0, xy: 0 }

/** @see Youngs & Cramer 1971 */
function added(state: Pairs, y: number, x: number): Pairs {
  const n = state.n + 1
  const sumX = state.x + x
  const sumY = state.y + y
  if (state.n === 0) {
    const odd = Number.isFinite(x) && Number.isFinite(y) ? 0 : Number.NaN
    return {
      n,
      x: sumX,
      xx: Number.isFinite(x) ? 0 : Number.NaN,
      y: sumY,
      yy: Number.isFinite(y) ? 0 : Number.NaN,
      xy: odd,
    }
  }
  const dx = x * n - sumX
  const dy = y * n - sumY
  const scale = 1 / (n * state.n)
  return {
    n,
    x: sumX,
    xx: state.xx + dx * dx * scale,
    y: sumY,
    yy: state.yy + dy * dy * scale,
    xy: state.xy + dx * dy * scale,
  }
}

function merged(a: Pairs, b: Pairs): Pairs {
  if (a.n === 0) return b
  if (b.n === 0) return a
  const n = a.n + b.n
  const dx = a.x / a.n - b.x / b.n
  const dy = a.y / a.n - b.y / b.n
  const weight = (a.n * b.n) / n
  return {
    n,
    x: a.x + b.x,
    xx: a.xx + b.xx + weight * dx * dx,
    y: a.y + b.y,
    yy: a.yy + b.yy + weight * dy * dy,
    xy: a.xy + b.xy + weight * dx * dy,
  }
}

/** Each takes the dependent value first. NULL without pairs, but for the count. */
const results: Readonly<Record<string, (state: Pairs) => number | null>> = {
  covar_pop: ({ n, xy }) => (n < 1 ? null : xy / n),
  covar_samp: ({ n, xy }) => (n < 2 ? null : xy / (n - 1)),
  corr: ({ n, xx, yy, xy }) => (n < 1 || xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy)),
  regr_avgx: ({ n, x }) => (n < 1 ? null : x / n),
  regr_avgy: ({ n, y }) => (n < 1 ? null : y / n),
  regr_sxx: ({ n, xx }) => (n < 1 ? null : xx),
  regr_syy: ({ n, yy }) => (n < 1 ? null : yy),
  regr_sxy: ({ n, xy }) => (n < 1 ? null : xy),
  regr_slope: ({ n, xx, xy }) => (n < 1 || xx === 0 ? null : xy / xx),
  regr_intercept: ({ n, x, xx, y, xy }) => (n < 1 || xx === 0 ? null : (y - (x * xy) / xx) / n),
  regr_r2: ({ n, xx, yy, xy }) => (n < 1 || xx === 0 ? null : yy === 0 ? 1 : (xy * xy) / (xx * yy)),
}

const define = (
  name: string,
  returns: AggregateFunction['returns'],
  finish: (state: Pairs) => Value,
): AggregateFunction =>
  ({
    name,
    args: [DOUBLE, DOUBLE],
    returns,
    strict: true,
    ordered: false,
    init: () => none,
    step: (state: Pairs, y: Value, x: Value) => added(state, y as number, x as number),
    merge: merged,
    finish,
  }) satisfies AggregateFunction<Pairs> as unknown as AggregateFunction

/** Aggregates of two variables. */
export const statistics: readonly AggregateFunction[] = [
  define('regr_count', BIGINT, ({ n }) => BigInt(n)),
  ...Object.entries(results).map(([name, finish]) => define(name, DOUBLE, finish)),
]
