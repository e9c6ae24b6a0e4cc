import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { fromArray, toArray } from '../types/array-text.ts'
import { compareValues } from '../types/compare.ts'
import { addInterval, intervalText, multiplyInterval, negateInterval, toInterval } from '../types/interval.ts'
import { arrayOf, BIGINT, DOUBLE, type SqlType } from '../types/type.ts'
import type { AggregateFunction } from './function.ts'

/** How the rows of a group are ordered. */
export interface Order {
  readonly type: SqlType
  readonly descending: boolean
  readonly nulls: 'first' | 'last'
}

/** Aggregates over the sorted rows of a group. `hypothetical`: as if a row of the arguments were among them. */
const kinds = {
  percentile_cont: 'percentile',
  percentile_disc: 'percentile',
  mode: 'mode',
  rank: 'hypothetical',
  dense_rank: 'hypothetical',
  percent_rank: 'hypothetical',
  cume_dist: 'hypothetical',
} as const

export type OrderedSetName = keyof typeof kinds

export const isOrderedSet = (name: string): name is OrderedSetName => Object.hasOwn(kinds, name)

export const orderedSetKind = (name: OrderedSetName): 'percentile' | 'mode' | 'hypothetical' => kinds[name]

/** What an aggregate without WITHIN GROUP is called anyway. */
export const needsOrder = (name: string): boolean => isOrderedSet(name) && kinds[name] !== 'hypothetical'

const sorted = (
  name: string,
  args: readonly SqlType[],
  returns: SqlType,
  parts: Pick<AggregateFunction<Value[][]>, 'finish'>,
): AggregateFunction =>
  ({
    name,
    args,
    returns,
    strict: false,
    ordered: true,
    init: () => [],
    step: (rows, ...values) => {
      rows.push([...values])
      return rows
    },
    merge: (a, b) => [...a, ...b],
    ...parts,
  }) satisfies AggregateFunction<Value[][]> as unknown as AggregateFunction

/**
 * Takes a row's value and the fraction. NULLs do not count.
 * @param many true: the fraction is an array of them, and so is the result
 */
export function percentile(
  name: 'percentile_cont' | 'percentile_disc',
  type: SqlType,
  many: boolean,
): AggregateFunction {
  const args = [type, many ? arrayOf(DOUBLE) : DOUBLE]
  return sorted(name, args, many ? arrayOf(type) : type, {
    finish(rows) {
      const fraction = rows[0]?.[1] ?? null
      const values = rows.flatMap(([value]) => (value === null || value === undefined ? [] : [value]))
      if (fraction === null || values.length === 0) return null
      if (!many) return valueAt(name, type, values, Number(fraction))
      const { items, ...shape } = toArray(DOUBLE, fraction as string)
      const found = items.map((part) => (part === null ? null : valueAt(name, type, values, Number(part))))
      return fromArray(type, { ...shape, items: found })
    },
  })
}

/** @throws 22003 */
function valueAt(name: string, type: SqlType, values: readonly Value[], part: number): Value {
  if (!(part >= 0 && part <= 1))
    throw sqlError(SQLSTATE.numericValueOutOfRange, `percentile value ${part} is not between 0 and 1`)
  if (name === 'percentile_disc') return values[Math.max(0, Math.ceil(part * values.length) - 1)] as Value
  const at = part * (values.length - 1)
  const [below, above] = [values[Math.floor(at)] as Value, values[Math.ceil(at)] as Value]
  const share = at - Math.floor(at)
  if (share === 0) return below
  if (type.id === 'interval') {
    const [low, high] = [toInterval(below as string), toInterval(above as string)]
    return intervalText(addInterval(low, multiplyInterval(addInterval(high, negateInterval(low)), share)))
  }
  const [low, high] = [Number(below), Number(above)]
  return low + share * (high - low)
}

/** The value that most rows have; of several the first in order. */
export function mode(type: SqlType): AggregateFunction {
  return sorted('mode', [type], type, {
    finish(rows) {
      let best: Value = null
      let most = 0
      let run = 0
      let last: Value = null
      for (const [value] of rows) {
        if (value === null || value === undefined) continue
        run = last !== null && compareValues(type, last, value) === 0 ? run + 1 : 1
        last = value
        if (run > most) {
          most = run
          best = value
        }
      }
      return best
    },
  })
}

/** Takes the values that a row is sorted by, then those of the hypothetical row. */
export function hypothetical(
  name: 'rank' | 'dense_rank' | 'percent_rank' | 'cume_dist',
  orders: readonly Order[],
): AggregateFunction {
  const types = orders.map(({ type }) => type)
  const share = name === 'percent_rank' || name === 'cume_dist'
  return sorted(name, [...types, ...types], share ? DOUBLE : BIGINT, {
    finish(rows) {
      const width = orders.length
      const compare = (a: readonly Value[], b: readonly Value[]): number => compareRows(orders, a, b)
      let before = 0
      let same = 0
      let different = 0
      let last: readonly Value[] | null = null
      for (const row of rows) {
        const own = row.slice(0, width)
        const order = compare(own, row.slice(width))
        if (order > 0) break
        if (order === 0) same++
        else {
          before++
          if (last === null || compare(last, own) !== 0) different++
          last = own
        }
      }
      if (name === 'rank') return BigInt(before + 1)
      if (name === 'dense_rank') return BigInt(different + 1)
      if (name === 'percent_rank') return rows.length === 0 ? 0 : before / rows.length
      return (before + same + 1) / (rows.length + 1)
    },
  })
}

function compareRows(orders: readonly Order[], a: readonly Value[], b: readonly Value[]): number {
  for (const [i, { type, descending, nulls }] of orders.entries()) {
    const left = a[i] as Value
    const right = b[i] as Value
    if (left === null || right === null) {
      if (left === right) continue
      return (left === null) === (nulls === 'first') ? -1 : 1
    }
    const order = compareValues(type, left, right)
    if (order !== 0) return descending ? -order : order
  }
  return 0
}
