import { KeyWriter, type Value } from '@cluster/core'
import { toArray } from './array-text.ts'
import { trimBlanks } from './compare.ts'
import { placeOf } from './enum.ts'
import { intervalSpan, toInterval } from './interval.ts'
import { isArray, isNumber, isObject, type Json, type JsonKind, kindOf, toJson } from './json.ts'
import type { RangeList } from './range.ts'
import { type RangeKind, rangeKindOf } from './range-kind.ts'
import { toRanges } from './range-text.ts'
import { toRecord } from './record-text.ts'
import { toZonedTime, utcOf } from './time.ts'
import { elementOf, fieldsOf, type RecordField, type SqlType } from './type.ts'

/** Adds a value, or NULL, to an order-preserving key. Equal values give equal keys. */
export function writeKeyValue(writer: KeyWriter, type: SqlType, value: Value): void {
  if (value === null) {
    writer.null()
    return
  }
  switch (type.id) {
    case 'boolean':
      writer.boolean(value as boolean)
      return
    case 'smallint':
    case 'integer':
    case 'real':
    case 'double':
    case 'date':
    case 'time':
    case 'oid':
      writer.double(value as number)
      return
    case 'bigint':
    case 'timestamp':
    case 'timestamptz':
      writer.int64(value as bigint)
      return
    case 'numeric':
      writer.decimal(value as string)
      return
    case 'interval':
      writer.decimal(intervalSpan(toInterval(value as string)).toString())
      return
    case 'char':
      writer.text(trimBlanks(value as string))
      return
    case 'bytea':
      writer.bytes(value as Uint8Array)
      return
    case 'timetz': {
      const time = toZonedTime(value as string)
      writer.double(utcOf(time)).double(-time.offset)
      return
    }
    case 'jsonb':
      writeJson(writer, toJson(value as string), true)
      return
    case 'enum':
      writer.double(placeOf(type, value))
      return
    case 'array':
      writeArray(writer, elementOf(type), value as string)
      return
    case 'record': {
      const fields = fieldsOf(type)
      for (const [i, field] of toRecord(type, value as string).entries())
        writeKeyValue(writer, (fields[i] as RecordField).type, field)
      return
    }
    default: {
      const kind = rangeKindOf(type)
      if (kind === null) writer.text(value as string)
      else writeRanges(writer, kind, toRanges(kind, type, value as string))
    }
  }
}

/** Each range behind a sign that one follows: what is empty sorts before all others. */
function writeRanges(writer: KeyWriter, { subtype }: RangeKind, list: RangeList): void {
  for (const { lower, upper } of list) {
    writer.boolean(true)
    if (lower.value === null) writer.boolean(false)
    else {
      writeKeyValue(writer.boolean(true), subtype, lower.value)
      writer.boolean(!lower.inclusive)
    }
    if (upper.value === null) writer.boolean(true)
    else {
      writeKeyValue(writer.boolean(false), subtype, upper.value)
      writer.boolean(upper.inclusive)
    }
  }
  writer.boolean(false)
}

/** Each item behind a sign that one follows: an array that ends sorts before one that goes on. */
function writeArray(writer: KeyWriter, element: SqlType, value: string): void {
  const { items, dims, lowers } = toArray(element, value)
  for (const item of items) writeKeyValue(writer.boolean(true), element, item)
  writer.boolean(false).double(dims.length)
  for (const bound of [...dims, ...lowers]) writer.double(bound)
}

const ranks: Readonly<Record<JsonKind, number>> = {
  null: 1,
  string: 2,
  number: 3,
  boolean: 4,
  array: 5,
  object: 6,
}

function writeJson(writer: KeyWriter, value: Json, top: boolean): void {
  const kind = kindOf(value)
  // An empty array at the top is less than everything.
  const emptyTop = top && isArray(value) && value.length === 0
  writer.double(emptyTop ? 0 : ranks[kind])
  if (isArray(value)) {
    writer.double(value.length)
    for (const item of value) writeJson(writer, item, false)
  } else if (isObject(value)) {
    writer.double(value.size)
    for (const [key, member] of value) writeJson(writer.text(key), member, false)
  } else if (isNumber(value)) writer.decimal(value.text)
  else if (typeof value === 'string') writer.text(value)
  else if (typeof value === 'boolean') writer.boolean(value)
}

/**
 * A value that `Map` and `===` find equal exactly when SQL does, for grouping and DISTINCT; NULL gives null.
 * Most values are their own key.
 */
export function hashKey(type: SqlType, value: Value): string | number | bigint | boolean | null {
  if (value === null) return null
  switch (type.id) {
    case 'numeric':
    case 'interval':
    case 'timetz':
    case 'jsonb':
    case 'array':
    case 'record':
    case 'numrange':
    case 'nummultirange':
    case 'bytea': {
      const writer = new KeyWriter()
      writeKeyValue(writer, type, value)
      return writer.finish()
    }
    case 'char':
      return trimBlanks(value as string)
    default:
      return value as string | number | bigint | boolean
  }
}
