import type { Value } from '@cluster/core'
import type { ArrayValue } from './array.ts'
import { toArray } from './array-text.ts'
import { compareDecimal } from './decimal.ts'
import { placeOf } from './enum.ts'
import { intervalSpan, toInterval } from './interval.ts'
import { compareJson, toJson } from './json.ts'
import { compareLists, rangeKindOf } from './range-kind.ts'
import { toRanges } from './range-text.ts'
import { type AnyRangeId, forRangeTypes } from './range-types.ts'
import { toRecord } from './record-text.ts'
import { compareText } from './text-order.ts'
import { compareZonedTimes } from './time.ts'
import { fieldsOf, type SqlType, TYPES, type TypeId } from './type.ts'

/** Negative, 0 or positive, for values of one type that are not NULL. */
export type Comparator = (a: Value, b: Value) => number

const plain = (a: number | bigint | boolean, b: number | bigint | boolean): number =>
  a < b ? -1 : a > b ? 1 : 0

const byType: Readonly<Record<TypeId, Comparator>> = {
  boolean: (a, b) => plain(a as boolean, b as boolean),
  smallint: (a, b) => (a as number) - (b as number),
  integer: (a, b) => (a as number) - (b as number),
  bigint: (a, b) => plain(a as bigint, b as bigint),
  real: (a, b) => compareFloat(a as number, b as number),
  double: (a, b) => compareFloat(a as number, b as number),
  numeric: (a, b) => compareDecimal(a as string, b as string),
  text: (a, b) => compareText(a as string, b as string),
  varchar: (a, b) => compareText(a as string, b as string),
  char: (a, b) => compareText(trimBlanks(a as string), trimBlanks(b as string)),
  timestamp: (a, b) => plain(a as bigint, b as bigint),
  timestamptz: (a, b) => plain(a as bigint, b as bigint),
  time: (a, b) => plain(a as number, b as number),
  timetz: (a, b) => compareZonedTimes(a as string, b as string),
  uuid: (a, b) => compareText(a as string, b as string),
  json: (a, b) => compareText(a as string, b as string),
  jsonb: (a, b) => (a === b ? 0 : compareJson(toJson(a as string), toJson(b as string))),
  array: (a, b) => compareText(a as string, b as string),
  date: (a, b) => plain(a as number, b as number),
  interval: (a, b) => plain(intervalSpan(toInterval(a as string)), intervalSpan(toInterval(b as string))),
  bytea: (a, b) => compareBytes(a as Uint8Array, b as Uint8Array),
  oid: (a, b) => (a as number) - (b as number),
  regclass: (a, b) => compareText(a as string, b as string),
  regtype: (a, b) => compareText(a as string, b as string),
  record: (a, b) => compareText(a as string, b as string),
  jsonpath: (a, b) => compareText(a as string, b as string),
  bit: (a, b) => compareText(a as string, b as string),
  varbit: (a, b) => compareText(a as string, b as string),
  regnamespace: (a, b) => compareText(a as string, b as string),
  enum: (a, b) => compareText(a as string, b as string),
  ...forRangeTypes(rangeComparator),
  unknown: (a, b) => compareText(a as string, b as string),
}

function rangeComparator(id: AnyRangeId): Comparator {
  const type = TYPES[id]
  return (a, b) => {
    const kind = rangeKindOf(type)
    if (a === b || kind === null) return 0
    return compareLists(kind, toRanges(kind, type, a as string), toRanges(kind, type, b as string))
  }
}

/** Numbers, texts and moments: types of which values are compared, and of which there is a least and a greatest. */
export const MEASURED_TYPES = [
  'smallint',
  'integer',
  'bigint',
  'real',
  'double',
  'numeric',
  'text',
  'char',
  'timestamp',
  'timestamptz',
  'date',
  'time',
  'timetz',
  'interval',
] as const satisfies readonly TypeId[]

/** NaN is equal to itself and greater than every number; −0 equals 0. */
export function compareFloat(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  if (a === b) return 0
  return (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0)
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

const BLANK = 32

/** `character` does not tell its padding from the end of its text. */
export const trimBlanks = (text: string): string =>
  text.charCodeAt(text.length - 1) === BLANK ? text.replace(/ +$/, '') : text

/** Equal but for the blanks at their ends. */
export function sameWithoutBlanks(a: string, b: string): boolean {
  if (a.length === b.length) return a === b
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  for (let at = long.length - 1; at >= short.length; at--) if (long.charCodeAt(at) !== BLANK) return false
  return long.startsWith(short)
}

/** How two values of the type compare: types of one kind (`sameKind`) compare alike. */
export const comparatorOf = (type: SqlType): Comparator =>
  type.enum !== undefined
    ? (a, b) => placeOf(type, a) - placeOf(type, b)
    : type.record !== undefined
      ? recordComparator(type)
      : type.element === undefined
        ? byType[type.id]
        : arrayComparator(type.element)

/** Negative, 0 or positive; neither may be NULL. */
export const compareValues = (type: SqlType, a: Value, b: Value): number => comparatorOf(type)(a, b)

const arrays = new Map<TypeId, Comparator>()

/** Field by field, NULL behind every value and equal to itself. */
function recordComparator(type: SqlType): Comparator {
  const fields = fieldsOf(type).map((field) => comparatorOf(field.type))
  return (a, b) => {
    if (a === b) return 0
    const [left, right] = [toRecord(type, a as string), toRecord(type, b as string)]
    for (const [i, compare] of fields.entries()) {
      const [x, y] = [left[i] ?? null, right[i] ?? null]
      const order = x === null || y === null ? (x === null ? 1 : 0) - (y === null ? 1 : 0) : compare(x, y)
      if (order !== 0) return order
    }
    return 0
  }
}

/** True for types whose id alone does not tell how their values compare. */
const isOwn = (type: SqlType): boolean => type.enum !== undefined || type.record !== undefined

function arrayComparator(element: SqlType): Comparator {
  let compare = !isOwn(element) ? arrays.get(element.id) : undefined
  if (compare === undefined) {
    const items = comparatorOf(element)
    compare = (a, b) =>
      a === b ? 0 : compareArrays(toArray(element, a as string), toArray(element, b as string), items)
    if (!isOwn(element)) arrays.set(element.id, compare)
  }
  return compare
}

/** Item by item, NULL behind every value; then by their number, the dimensions, and the first subscripts. */
function compareArrays(a: ArrayValue, b: ArrayValue, compare: Comparator): number {
  const count = Math.min(a.items.length, b.items.length)
  for (let i = 0; i < count; i++) {
    const [x, y] = [a.items[i] ?? null, b.items[i] ?? null]
    const order = x === null || y === null ? (x === null ? 1 : 0) - (y === null ? 1 : 0) : compare(x, y)
    if (order !== 0) return order
  }
  const shape = ({ items, dims, lowers }: ArrayValue): readonly number[] => [
    items.length,
    dims.length,
    ...dims,
    ...lowers,
  ]
  const [left, right] = [shape(a), shape(b)]
  for (let i = 0; i < left.length && i < right.length; i++) {
    const order = (left[i] ?? 0) - (right[i] ?? 0)
    if (order !== 0) return order
  }
  return 0
}
