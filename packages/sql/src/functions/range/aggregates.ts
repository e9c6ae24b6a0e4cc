import type { Value } from '@cluster/core'
import { normalized, RANGE_KINDS, type RangeKind } from '../../types/range-kind.ts'
import { intersection } from '../../types/range-math.ts'
import { fromRanges, toRanges } from '../../types/range-text.ts'
import type { SqlType } from '../../types/type.ts'
import type { AggregateFunction } from '../function.ts'

/** How many texts are kept before what they have in common is taken together. */
const KEPT_MAX = 1_024

/** All that is in any of them. The state is texts of `multirange` and of the type itself. */
function rangeAgg(kind: RangeKind, type: SqlType): AggregateFunction {
  const { multirange } = kind
  const joined = (texts: readonly string[]): string => {
    const lists = texts.map((text) => toRanges(kind, text.startsWith('{') ? multirange : type, text))
    return fromRanges(kind, multirange, normalized(kind, lists.flat()))
  }
  const compact = (texts: string[]): string[] => (texts.length < KEPT_MAX ? texts : [joined(texts)])
  const aggregate: AggregateFunction<string[]> = {
    name: 'range_agg',
    args: [type],
    returns: multirange,
    strict: true,
    ordered: false,
    init: () => [],
    step(texts, value) {
      texts.push(value as string)
      return compact(texts)
    },
    merge: (a, b) => compact([...a, ...b]),
    finish: (texts) => (texts.length === 0 ? null : joined(texts)),
  }
  return aggregate as AggregateFunction
}

/** What is in all of them. */
function intersectAgg(kind: RangeKind, type: SqlType): AggregateFunction {
  const both = (a: Value, b: Value): Value =>
    a === null || b === null
      ? (a ?? b)
      : fromRanges(
          kind,
          type,
          intersection(kind, toRanges(kind, type, a as string), toRanges(kind, type, b as string)),
        )
  const aggregate: AggregateFunction<Value> = {
    name: 'range_intersect_agg',
    args: [type],
    returns: type,
    strict: true,
    ordered: false,
    init: () => null,
    step: (common, value) => both(common, value ?? null),
    merge: both,
    finish: (common) => common,
  }
  return aggregate as AggregateFunction
}

export const rangeAggregates: readonly AggregateFunction[] = RANGE_KINDS.flatMap((kind) =>
  [kind.range, kind.multirange].flatMap((type) => [rangeAgg(kind, type), intersectAgg(kind, type)]),
)
