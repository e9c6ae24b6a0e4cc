import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { type ArrayValue, EMPTY_ARRAY, ITEMS_MAX, listOf } from '../types/array.ts'
import { fromArray, toArray } from '../types/array-text.ts'
import { type Comparator, comparatorOf, compareValues } from '../types/compare.ts'
import { formatValue } from '../types/format.ts'
import {
  arrayOf,
  BOOLEAN,
  elementOf,
  INTEGER,
  type SqlType,
  sameKind,
  TEXT,
  unmodified,
} from '../types/type.ts'
import { commonType } from './cast.ts'
import { holds, type Sign } from './comparison.ts'
import type { ScalarFunction } from './function.ts'
import { inSession, loosely, type Resolver, strictly } from './generic.ts'

const isArray = (type: SqlType | undefined): type is SqlType => type?.element !== undefined
const isUnknown = (type: SqlType | undefined): boolean => type?.id === 'unknown'

/** The array type that both sides have, when one is known. */
function commonArray(left: SqlType | undefined, right: SqlType | undefined): SqlType | null {
  if (isArray(left) && isArray(right)) return sameKind(left, right) ? unmodified(left) : null
  if (isArray(left) && isUnknown(right)) return unmodified(left)
  return isArray(right) && isUnknown(left) ? unmodified(right) : null
}

const comparison =
  (sign: Sign): Resolver =>
  ([left, right]) => {
    const type = commonArray(left, right)
    if (type === null) return null
    const compare = comparatorOf(type)
    return strictly(sign, [type, type], BOOLEAN, (a: Value, b: Value) => holds[sign](compare(a, b)))
  }

/** True when every item of `part` is among those of `whole`; NULL is never found. */
function containsAll(whole: ArrayValue, part: ArrayValue, compare: Comparator): boolean {
  return part.items.every((item) => item !== null && has(whole, item, compare))
}

const has = ({ items }: ArrayValue, wanted: Value, compare: Comparator): boolean =>
  items.some((item) => item !== null && compare(item, wanted) === 0)

const setOperator =
  (sign: string, test: (left: ArrayValue, right: ArrayValue, compare: Comparator) => boolean): Resolver =>
  ([left, right]) => {
    const type = commonArray(left, right)
    if (type === null) return null
    const element = elementOf(type)
    const compare = comparatorOf(element)
    return strictly(sign, [type, type], BOOLEAN, (a: string, b: string) =>
      test(toArray(element, a), toArray(element, b), compare),
    )
  }

const incompatible = (detail: string) =>
  sqlError('2202E', 'cannot concatenate incompatible arrays', { detail })

/** Two arrays one behind the other, or an array as one more item of one with more dimensions. */
function concatenate(a: ArrayValue, b: ArrayValue): ArrayValue {
  if (a.dims.length === 0) return b
  if (b.dims.length === 0) return a
  const items = [...a.items, ...b.items]
  const shape = (array: ArrayValue, from: number): string =>
    `${array.dims.slice(from).join()} ${array.lowers.slice(from).join()}`
  if (a.dims.length === b.dims.length) {
    if (shape(a, 1) !== shape(b, 1))
      throw incompatible('Arrays with differing element dimensions are not compatible for concatenation.')
    return { dims: [(a.dims[0] ?? 0) + (b.dims[0] ?? 0), ...a.dims.slice(1)], lowers: a.lowers, items }
  }
  const [wide, narrow] = a.dims.length > b.dims.length ? [a, b] : [b, a]
  if (wide.dims.length !== narrow.dims.length + 1)
    throw incompatible(
      `Arrays of ${a.dims.length} and ${b.dims.length} dimensions are not compatible for concatenation.`,
    )
  if (shape(wide, 1) !== shape(narrow, 0))
    throw incompatible('Arrays with differing dimensions are not compatible for concatenation.')
  return { dims: [(wide.dims[0] ?? 0) + 1, ...wide.dims.slice(1)], lowers: wide.lowers, items }
}

const oneDimension = (array: ArrayValue, doing: string): void => {
  if (array.dims.length > 1)
    throw sqlError(SQLSTATE.featureNotSupported, `${doing} multidimensional arrays is not supported`)
}

function append(array: ArrayValue, item: Value): ArrayValue {
  if (array.dims.length > 1) throw sqlError('22000', 'argument must be empty or one-dimensional array')
  if (array.dims.length === 0) return listOf([item])
  return { dims: [array.items.length + 1], lowers: array.lowers, items: [...array.items, item] }
}

function prepend(item: Value, array: ArrayValue): ArrayValue {
  if (array.dims.length > 1) throw sqlError('22000', 'argument must be empty or one-dimensional array')
  if (array.dims.length === 0) return listOf([item])
  return { dims: [array.items.length + 1], lowers: array.lowers, items: [item, ...array.items] }
}

const read = (element: SqlType, text: Value): ArrayValue =>
  text === null ? EMPTY_ARRAY : toArray(element, text as string)

/** The type that the items of two arrays have in common, as an array. */
function joinedArray(left: SqlType | undefined, right: SqlType | undefined): SqlType | null {
  if (!isArray(left) || !isArray(right)) return commonArray(left, right)
  const common = commonType([unmodified(elementOf(left)), unmodified(elementOf(right))])
  return 'type' in common ? arrayOf(common.type) : null
}

/** The type that the array's items and the item have in common. */
function withItem(array: SqlType | undefined, item: SqlType | undefined): SqlType | null {
  if (array === undefined || item === undefined) return null
  if (isArray(array)) {
    const element = unmodified(elementOf(array))
    if (isUnknown(item)) return element
    const common = commonType([element, item])
    return 'type' in common ? unmodified(common.type) : null
  }
  return isUnknown(array) && !isUnknown(item) && !isArray(item) ? unmodified(item) : null
}

function catFunction(name: string, type: SqlType): ScalarFunction {
  const element = elementOf(type)
  return loosely(name, [type, type], type, (a: Value, b: Value) => {
    if (a === null || b === null) return a ?? b
    return fromArray(element, concatenate(toArray(element, a as string), toArray(element, b as string)))
  })
}

function appendFunction(name: string, element: SqlType): ScalarFunction {
  const type = arrayOf(element)
  return loosely(name, [type, element], type, (array: Value, item: Value) =>
    fromArray(element, append(read(element, array), item)),
  )
}

function prependFunction(name: string, element: SqlType): ScalarFunction {
  const type = arrayOf(element)
  return loosely(name, [element, type], type, (item: Value, array: Value) =>
    fromArray(element, prepend(item, read(element, array))),
  )
}

const concatenation: Resolver = ([left, right]) => {
  const both = joinedArray(left, right)
  if (both !== null) return catFunction('||', both)
  const behind = isArray(left) ? withItem(left, right) : null
  if (behind !== null) return appendFunction('||', behind)
  const before = isArray(right) ? withItem(right, left) : null
  return before === null ? null : prependFunction('||', before)
}

export const arrayOperators: ReadonlyMap<string, readonly Resolver[]> = new Map([
  ...(Object.keys(holds) as Sign[]).map((sign) => [sign, [comparison(sign)]] as const),
  ['@>', [setOperator('@>', containsAll)]],
  ['<@', [setOperator('<@', (a, b, compare) => containsAll(b, a, compare))]],
  [
    '&&',
    [setOperator('&&', (a, b, compare) => b.items.some((item) => item !== null && has(a, item, compare)))],
  ],
  ['||', [concatenation]],
])

/** A function of an array alone, or with whole numbers behind it. */
const ofArray =
  (
    name: string,
    numbers: number,
    returns: SqlType | null,
    impl: (array: ArrayValue, a: number, element: SqlType) => Value | ArrayValue,
  ): Resolver =>
  (args) => {
    const [array] = args
    if (!isArray(array) || args.length !== numbers + 1) return null
    const element = unmodified(elementOf(array))
    const type = arrayOf(element)
    return strictly(
      name,
      [type, ...Array.from({ length: numbers }, () => INTEGER)],
      returns ?? type,
      (text: string, a: number) => {
        const result = impl(toArray(element, text), a, element)
        return typeof result === 'object' && result !== null && 'dims' in result
          ? fromArray(element, result)
          : result
      },
    )
  }

const bounds = ({ dims, lowers }: ArrayValue): string =>
  dims.map((length, i) => `[${lowers[i]}:${(lowers[i] ?? 1) + length - 1}]`).join('')

const sameItem =
  (element: SqlType) =>
  (a: Value, b: Value): boolean =>
    a === null || b === null ? a === b : compareValues(element, a, b) === 0

const searched =
  (
    name: string,
    impl: (array: ArrayValue, wanted: Value, element: SqlType, from: Value) => Value,
    returns: SqlType,
  ): Resolver =>
  (args) => {
    const element = withItem(args[0], args[1])
    if (element === null || args.length > 3 || (args.length === 3 && name !== 'array_position')) return null
    const type = arrayOf(element)
    const third = args.length === 3 ? [INTEGER] : []
    return loosely(name, [type, element, ...third], returns, (text: Value, wanted: Value, from: Value) =>
      text === null ? null : impl(toArray(element, text as string), wanted, element, from ?? null),
    )
  }

function fill(value: Value, dims: ArrayValue, lowers: ArrayValue | null): ArrayValue {
  if (dims.dims.length > 1)
    throw sqlError('2202E', 'wrong number of array subscripts', {
      detail: 'Dimension array must be one dimensional.',
    })
  const lengths = dims.items.map(Number)
  const count = lengths.reduce((product, length) => product * length, 1)
  if (dims.items.includes(null)) throw sqlError('22004', 'dimension values cannot be null')
  if (count > ITEMS_MAX || lengths.some((length) => length < 0))
    throw sqlError(SQLSTATE.programLimitExceeded, `array size exceeds the maximum allowed (${ITEMS_MAX})`)
  if (lengths.length === 0 || count === 0) return EMPTY_ARRAY
  if (lowers !== null && lowers.items.length !== lengths.length)
    throw sqlError('2202E', 'wrong number of array subscripts', {
      detail: 'Low bound array has different size than dimensions array.',
    })
  return {
    dims: lengths,
    lowers: lengths.map((_, i) => Number(lowers?.items[i] ?? 1)),
    items: Array.from({ length: count }, () => value),
  }
}

const arrayFill: Resolver = (args) => {
  const [value, dims, lowers] = args
  if (value === undefined || dims === undefined || args.length > 3 || isArray(value)) return null
  const element = isUnknown(value) ? TEXT : unmodified(value)
  const whole = arrayOf(INTEGER)
  const third = lowers === undefined ? [] : [whole]
  return loosely(
    'array_fill',
    [element, whole, ...third],
    arrayOf(element),
    (item: Value, d: Value, l: Value) => {
      if (d === null || (l === null && third.length > 0))
        throw sqlError('22004', 'dimension array or low bound array cannot be null')
      const array = fill(
        item,
        toArray(INTEGER, d as string),
        l == null ? null : toArray(INTEGER, l as string),
      )
      return fromArray(element, array)
    },
  )
}

const toText: Resolver = (args) => {
  const [array] = args
  if (!isArray(array) || args.length < 2 || args.length > 3) return null
  const element = unmodified(elementOf(array))
  const types = [arrayOf(element), TEXT, ...(args.length === 3 ? [TEXT] : [])]
  return inSession('array_to_string', types, TEXT, ({ zone }, text, delimiter, nothing) => {
    if (text === null || delimiter === null || text === undefined) return null
    const shown = toArray(element, text as string).items.map((item) =>
      item === null ? (nothing ?? null) : formatValue(element, item, zone),
    )
    return shown.filter((item) => item !== null).join(delimiter as string)
  })
}

/** @param nothing text that stands for NULL */
export function splitText(text: string, delimiter: Value, nothing: Value): ArrayValue {
  if (text === '') return EMPTY_ARRAY
  const parts = delimiter === null ? [...text] : delimiter === '' ? [text] : text.split(delimiter as string)
  return listOf(parts.map((part) => (part === nothing ? null : part)))
}

const fromText: Resolver = (args) =>
  args.length < 2 || args.length > 3
    ? null
    : loosely(
        'string_to_array',
        args.map(() => TEXT),
        arrayOf(TEXT),
        (text: Value, delimiter: Value, nothing: Value) =>
          text === null ? null : fromArray(TEXT, splitText(text as string, delimiter, nothing ?? null)),
      )

const removed: Resolver = (args) => {
  const element = args.length === 2 ? withItem(args[0], args[1]) : null
  if (element === null) return null
  const type = arrayOf(element)
  const same = sameItem(element)
  return loosely('array_remove', [type, element], type, (text: Value, wanted: Value) => {
    if (text === null) return null
    const array = toArray(element, text as string)
    oneDimension(array, 'removing elements from')
    const items = array.items.filter((item) => !same(item, wanted))
    return fromArray(element, items.length === array.items.length ? array : listOf(items))
  })
}

const replaced: Resolver = (args) => {
  const first = args.length === 3 ? withItem(args[0], args[1]) : null
  const element = first === null ? null : withItem(arrayOf(first), args[2])
  if (element === null) return null
  const type = arrayOf(element)
  const same = sameItem(element)
  return loosely('array_replace', [type, element, element], type, (text: Value, from: Value, to: Value) => {
    if (text === null) return null
    const array = toArray(element, text as string)
    return fromArray(element, { ...array, items: array.items.map((item) => (same(item, from) ? to : item)) })
  })
}

/** A function of an array and an item, in that order, or the other way round. */
const joined =
  (name: string): Resolver =>
  (args) => {
    const [left, right] = args
    if (args.length !== 2) return null
    if (name === 'array_cat') {
      const type = joinedArray(left, right)
      return type === null ? null : catFunction(name, type)
    }
    const element = name === 'array_append' ? withItem(left, right) : withItem(right, left)
    if (element === null) return null
    return name === 'array_append' ? appendFunction(name, element) : prependFunction(name, element)
  }

export const arrayFunctions: ReadonlyMap<string, Resolver> = new Map<string, Resolver>([
  ['array_ndims', ofArray('array_ndims', 0, INTEGER, ({ dims }) => (dims.length === 0 ? null : dims.length))],
  ['array_dims', ofArray('array_dims', 0, TEXT, (array) => (array.dims.length === 0 ? null : bounds(array)))],
  ['cardinality', ofArray('cardinality', 0, INTEGER, ({ items }) => items.length)],
  ['array_length', ofArray('array_length', 1, INTEGER, ({ dims }, n) => dims[n - 1] ?? null)],
  ['array_lower', ofArray('array_lower', 1, INTEGER, ({ lowers }, n) => lowers[n - 1] ?? null)],
  [
    'array_upper',
    ofArray('array_upper', 1, INTEGER, ({ dims, lowers }, n) => {
      const [length, lower] = [dims[n - 1], lowers[n - 1]]
      return length === undefined || lower === undefined ? null : lower + length - 1
    }),
  ],
  [
    'trim_array',
    ofArray('trim_array', 1, null, (array, n) => {
      const length = array.dims[0] ?? 0
      if (n < 0 || n > length)
        throw sqlError('2202E', `number of elements to trim must be between 0 and ${length}`)
      if (n === length) return EMPTY_ARRAY
      const row = array.items.length / Math.max(1, length)
      return {
        dims: [length - n, ...array.dims.slice(1)],
        lowers: array.dims.map(() => 1),
        items: array.items.slice(0, (length - n) * row),
      }
    }),
  ],
  ['array_append', joined('array_append')],
  ['array_prepend', joined('array_prepend')],
  ['array_cat', joined('array_cat')],
  ['array_remove', removed],
  ['array_replace', replaced],
  ['array_fill', arrayFill],
  [
    'array_position',
    searched(
      'array_position',
      (array, wanted, element, from) => {
        oneDimension(array, 'searching for elements in')
        const lower = array.lowers[0] ?? 1
        const same = sameItem(element)
        const start = from === null ? 0 : Math.max(0, Number(from) - lower)
        const at = array.items.findIndex((item, i) => i >= start && same(item, wanted))
        return at < 0 ? null : at + lower
      },
      INTEGER,
    ),
  ],
  [
    'array_positions',
    searched(
      'array_positions',
      (array, wanted, element) => {
        oneDimension(array, 'searching for elements in')
        const same = sameItem(element)
        const lower = array.lowers[0] ?? 1
        const found = array.items.flatMap((item, i) => (same(item, wanted) ? [i + lower] : []))
        return fromArray(INTEGER, listOf(found))
      },
      arrayOf(INTEGER),
    ),
  ],
  ['array_to_string', toText],
  ['string_to_array', fromText],
])

/**
 * `ARRAY[…]` of items of one type; items that are arrays make one of more dimensions.
 * @throws 2202E when those do not have the same dimensions
 */
export function arrayMaker(item: SqlType, count: number): ScalarFunction {
  const type = arrayOf(item)
  const element = elementOf(type)
  const args = Array.from({ length: count }, () => item)
  if (item.element === undefined)
    return loosely('array', args, type, (...items: readonly Value[]) => fromArray(element, listOf(items)))
  return loosely('array', args, type, (...texts: readonly Value[]) => {
    const parts = texts.map((text) => read(element, text))
    const [first] = parts
    if (first === undefined || parts.every(({ dims }) => dims.length === 0))
      return fromArray(element, EMPTY_ARRAY)
    if (parts.some(({ dims }) => dims.join() !== first.dims.join()))
      throw sqlError('2202E', 'multidimensional arrays must have array expressions with matching dimensions')
    return fromArray(element, {
      dims: [parts.length, ...first.dims],
      lowers: [1, ...first.dims.map(() => 1)],
      items: parts.flatMap(({ items }) => items),
    })
  })
}
