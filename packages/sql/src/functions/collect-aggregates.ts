import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { type ArrayValue, EMPTY_ARRAY, listOf } from '../types/array.ts'
import { fromArray, toArray } from '../types/array-text.ts'
import { comparatorOf } from '../types/compare.ts'
import { jsonbOf, quoteJson } from '../types/json.ts'
import { UTC } from '../types/time-zone.ts'
import { arrayOf, elementOf, JSON_TYPE, JSONB, type SqlType, TEXT, unmodified } from '../types/type.ts'
import type { AggregateFunction } from './function.ts'
import { jsonText, keyText } from './json/text.ts'

/** Finds the overload of an aggregate that takes values of many types; null when these do not fit. */
type AggregateResolver = (args: readonly SqlType[]) => AggregateFunction | null

const settled = (type: SqlType): SqlType => (type.id === 'unknown' ? TEXT : unmodified(type))

/** Keeps every value, and makes something of them at the end; NULL without rows. */
function collecting(
  name: string,
  args: readonly SqlType[],
  returns: SqlType,
  result: (rows: readonly (readonly Value[])[]) => Value,
): AggregateFunction {
  const aggregate: AggregateFunction<Value[][]> = {
    name,
    args,
    returns,
    strict: false,
    ordered: true,
    init: () => [],
    step(rows, ...values) {
      rows.push([...values])
      return rows
    },
    merge: (a, b) => [...a, ...b],
    finish: (rows) => (rows.length === 0 ? null : result(rows)),
  }
  return aggregate as AggregateFunction
}

/** Arrays of equal dimensions become one of one dimension more. */
function stacked(element: SqlType, texts: readonly Value[]): ArrayValue {
  const parts = texts.map((text) => {
    if (text === null) throw sqlError('22004', 'cannot accumulate null arrays')
    return toArray(element, text as string)
  })
  const [first = EMPTY_ARRAY] = parts
  if (parts.some(({ dims }) => dims.length === 0)) throw sqlError('2202E', 'cannot accumulate empty arrays')
  if (parts.some(({ dims }) => dims.join() !== first.dims.join()))
    throw sqlError('2202E', 'cannot accumulate arrays of different dimensionality')
  return {
    dims: [parts.length, ...first.dims],
    lowers: [1, ...first.lowers],
    items: parts.flatMap(({ items }) => items),
  }
}

const arrayAgg: AggregateResolver = ([arg, more]) => {
  if (arg === undefined || more !== undefined) return null
  const type = settled(arg)
  const array = arrayOf(type)
  const element = elementOf(array)
  return collecting('array_agg', [type], array, (rows) => {
    const values = rows.map(([value = null]) => value)
    return fromArray(element, type.element === undefined ? listOf(values) : stacked(element, values))
  })
}

const jsonAgg =
  (name: string, binary: boolean): AggregateResolver =>
  ([arg, more]) => {
    if (arg === undefined || more !== undefined) return null
    const type = settled(arg)
    // What has parts of its own goes on lines of its own.
    const separator = type.element !== undefined || type.record !== undefined ? ', \n ' : ', '
    return collecting(name, [type], binary ? JSONB : JSON_TYPE, (rows) => {
      const text = `[${rows.map(([value = null]) => jsonText(type, value, UTC)).join(separator)}]`
      return binary ? jsonbOf(text) : text
    })
  }

const objectAgg =
  (name: string, binary: boolean): AggregateResolver =>
  ([key, value, more]) => {
    if (key === undefined || value === undefined || more !== undefined) return null
    const [keys, values] = [settled(key), settled(value)]
    return collecting(name, [keys, values], binary ? JSONB : JSON_TYPE, (rows) => {
      const members = rows.map(([k = null, v = null]) => {
        if (k === null) throw sqlError(SQLSTATE.invalidParameterValue, 'field name must not be null')
        return `${quoteJson(keyText(keys, k, UTC))} : ${jsonText(values, v, UTC)}`
      })
      const text = `{ ${members.join(', ')} }`
      return binary ? jsonbOf(text) : text
    })
  }

const extreme =
  (name: string, sign: 1 | -1): AggregateResolver =>
  ([arg, more]) => {
    if (arg === undefined || more !== undefined) return null
    if (arg.element === undefined && arg.enum === undefined) return null
    const type = unmodified(arg)
    const compare = comparatorOf(type)
    const better = (a: Value, b: Value): Value =>
      a === null ? b : b === null ? a : compare(b, a) * sign > 0 ? b : a
    const aggregate: AggregateFunction<Value> = {
      name,
      args: [type],
      returns: type,
      strict: true,
      ordered: false,
      init: () => null,
      step: (best, value) => better(best, value ?? null),
      merge: better,
      finish: (best) => best,
    }
    return aggregate as AggregateFunction
  }

export const polymorphicAggregates: ReadonlyMap<string, AggregateResolver> = new Map([
  ['array_agg', arrayAgg],
  ['json_agg', jsonAgg('json_agg', false)],
  ['jsonb_agg', jsonAgg('jsonb_agg', true)],
  ['json_object_agg', objectAgg('json_object_agg', false)],
  ['jsonb_object_agg', objectAgg('jsonb_object_agg', true)],
  ['min', extreme('min', -1)],
  ['max', extreme('max', 1)],
])
