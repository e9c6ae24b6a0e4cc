import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { fromArray, toArray } from '../types/array-text.ts'
import { bitsToWhole, fitBits, wholeToBits } from '../types/bits.ts'
import { DAY, splitMicros } from '../types/calendar.ts'
import { trimBlanks } from '../types/compare.ts'
import {
  decimalToFloat,
  decimalToWhole,
  floatToDecimal,
  floatToWhole,
  same,
  toSingle,
  toWhole,
} from '../types/convert.ts'
import {
  dateToTimestamp,
  inTimestampRange,
  isInfinite,
  roundTimestamp,
  timestampToDate,
} from '../types/datetime.ts'
import { fitDecimal } from '../types/decimal.ts'
import { castText } from '../types/format.ts'
import { fitInterval, intervalText, toInterval } from '../types/interval.ts'
import { isNumber, jsonbOf, kindOf, toJson } from '../types/json.ts'
import { fitName, fitText, parseValue } from '../types/parse.ts'
import { RANGE_KINDS } from '../types/range-kind.ts'
import { fromRanges, toRanges } from '../types/range-text.ts'
import { roundTime, roundTimetz, timetzText, toZonedTime, wrapTime } from '../types/time.ts'
import { fromLocal, toLocal, UTC, type Zone } from '../types/time-zone.ts'
import {
  elementOf,
  NUMERIC,
  type SqlType,
  type TypeId,
  typeCategory,
  typeName,
  unmodified,
} from '../types/type.ts'
import type { FunctionContext } from './function.ts'
import { recordConversion } from './record-casts.ts'

/** Brings a value that is not NULL into another type; `session` is set where its zone takes part. */
export type Conversion = (value: Value, session: FunctionContext | null) => Value

const whole: ReadonlySet<TypeId> = new Set(['smallint', 'integer', 'bigint'])

/** What a column's modifiers ask of a value; null: nothing. */
export function fitter(to: SqlType, explicit: boolean): Conversion | null {
  const { precision, scale, length } = to
  if (to.element !== undefined) {
    const item = fitter(to.element, explicit)
    return item === null ? null : eachItem(to.element, to.element, item)
  }
  if (to.id === 'numeric' && precision !== null)
    return (value) => fitDecimal(value as string, precision, scale ?? 0)
  if (to.catalogName === true) return (value) => fitName(value as string)
  if (to.id === 'interval' && (length !== null || to.span !== undefined))
    return (value) => fitInterval(value as string, to.span, length)
  if (length === null) return null
  if (to.id === 'varchar' || to.id === 'char') return (value) => fitText(to, value as string, explicit)
  if (to.id === 'bit' || to.id === 'varbit') return (value) => fitBits(to, value as string, explicit)
  if (to.id === 'timestamp' || to.id === 'timestamptz')
    return (value) => roundTimestamp(value as bigint, length)
  if (to.id === 'time') return (value) => roundTime(value as number, length)
  if (to.id === 'timetz') return (value) => roundTimetz(value as string, length)
  return null
}

/** An array, item by item. */
const eachItem =
  (from: SqlType, to: SqlType, item: Conversion): Conversion =>
  (value, session) => {
    const array = toArray(from, value as string)
    const items = array.items.map((one) => (one === null ? null : item(one, session)))
    return fromArray(to, { ...array, items })
  }

const zoneOf = (session: FunctionContext | null): Zone => session?.zone ?? UTC

/** How values of one kind of type become those of another. The cast is known to exist. */
export function conversion(from: SqlType, to: SqlType, explicit: boolean): Conversion {
  const source = typeCategory(from.id)
  const target = typeCategory(to.id)
  if (from.id === 'unknown' || source === 'string') {
    const { record } = to.element ?? to
    if (record?.named === null)
      return () => {
        throw sqlError(SQLSTATE.featureNotSupported, 'input of anonymous composite types is not implemented')
      }
  }
  if (from.id === 'unknown') {
    if (target === 'string') return same
    const wanted = explicit && target === 'bits' ? unmodified(to) : to
    return (value, session) => read(wanted, value as string, session)
  }
  if (source === 'string' && target === 'string')
    return from.id === 'char' ? (value) => trimBlanks(value as string) : same
  if (target === 'string') return (value, session) => castText(from, value, zoneOf(session))
  if (source === 'string') {
    const wanted = explicit && target === 'bits' ? unmodified(to) : to
    return (value, session) => read(wanted, value as string, session)
  }
  if (source === 'number' && target === 'number') return numberConversion(from, to)
  if (source === 'array') {
    const [element, wanted] = [elementOf(from), elementOf(to)]
    return eachItem(element, wanted, conversion(element, wanted, explicit))
  }
  if (source === 'record' && target === 'record')
    return recordConversion(from, to, explicit, conversion, fitter)
  if (target === 'bits' && source === 'number')
    return (value) => wholeToBits(BigInt(value as number | bigint), to.length ?? 1)
  if (source === 'bits' && target === 'number') {
    const width = to.id === 'integer' ? 32 : 64
    return (value) => toWhole(to, bitsToWhole(value as string, width, to))
  }
  if (source === 'bits' && target === 'bits') return same
  if (from.id === 'jsonb' && to.id !== 'json') return (value) => fromJsonb(value as string, to)
  const known = pairs[`${from.id} ${to.id}`]
  if (known === undefined) throw new TypeError(`no conversion from ${from.id} to ${to.id}`)
  return known
}

const read = (to: SqlType, text: string, session: FunctionContext | null): Value =>
  session === null
    ? parseValue(to, text)
    : parseValue(to, text, { zone: session.zone, nowMicros: session.transactionMicros })

const timeOfDay = (micros: bigint): Value => (isInfinite(micros) ? null : Number(splitMicros(micros).rest))

const pairs: Readonly<Partial<Record<string, Conversion>>> = {
  'boolean integer': (value) => (value === true ? 1 : 0),
  'integer boolean': (value) => value !== 0,
  'date timestamp': (value) => dateToTimestamp(value as number),
  'date timestamptz': (value, session) => {
    const local = dateToTimestamp(value as number)
    return isInfinite(local) ? local : inTimestampRange(fromLocal(zoneOf(session), local))
  },
  'timestamp timestamptz': (value, session) =>
    isInfinite(value as bigint) ? value : inTimestampRange(fromLocal(zoneOf(session), value as bigint)),
  'timestamp date': (value) => timestampToDate(value as bigint),
  'timestamp time': (value) => timeOfDay(value as bigint),
  'timestamptz timestamp': (value, session) => toLocal(zoneOf(session), value as bigint),
  'timestamptz date': (value, session) => timestampToDate(toLocal(zoneOf(session), value as bigint)),
  'timestamptz time': (value, session) => timeOfDay(toLocal(zoneOf(session), value as bigint)),
  'timestamptz timetz': (value, session) => {
    if (isInfinite(value as bigint)) return null
    const offset = zoneOf(session).offsetAt(Number((value as bigint) / 1_000n))
    return timetzText({
      micros: Number(splitMicros((value as bigint) + BigInt(offset) * 1_000_000n).rest),
      offset,
    })
  },
  'time timetz': (value, session) => {
    const offset = zoneOf(session).offsetAt(Number((session?.transactionMicros ?? 0n) / 1_000n))
    return timetzText({ micros: value as number, offset })
  },
  'time interval': (value) => intervalText({ months: 0, days: 0, micros: BigInt(value as number) }),
  'timetz time': (value) => toZonedTime(value as string).micros,
  'interval time': (value) => wrapTime(Number(toInterval(value as string).micros % DAY)),
  'json jsonb': (value) => jsonbOf(value as string),
  'jsonb json': same,
  ...Object.fromEntries(
    RANGE_KINDS.map((kind): [string, Conversion] => [
      `${kind.range.id} ${kind.multirange.id}`,
      (value) => fromRanges(kind, kind.multirange, toRanges(kind, kind.range, value as string)),
    ]),
  ),
}

/** @throws 22023 when it is of another kind */
function fromJsonb(text: string, to: SqlType): Value {
  const value = toJson(text)
  if (to.id === 'boolean' && typeof value === 'boolean') return value
  if (to.id !== 'boolean' && isNumber(value)) return numberConversion(NUMERIC, to)(value.text, null)
  const kind = kindOf(value) === 'number' ? 'numeric' : kindOf(value)
  throw sqlError(SQLSTATE.invalidParameterValue, `cannot cast jsonb ${kind} to type ${typeName(to)}`)
}

function numberConversion(from: SqlType, to: SqlType): Conversion {
  if (from.id === to.id) return same
  if (whole.has(to.id)) {
    if (whole.has(from.id)) {
      if (to.id === 'integer' && from.id === 'smallint') return same
      return (value) => toWhole(to, value as number | bigint)
    }
    if (from.id === 'numeric') return (value) => decimalToWhole(to, value as string)
    return (value) => floatToWhole(to, value as number)
  }
  if (to.id === 'numeric') {
    if (whole.has(from.id)) return (value) => String(value)
    const single = from.id === 'real'
    return (value) => floatToDecimal(value as number, single)
  }
  if (from.id === 'numeric') return (value) => decimalToFloat(value as string, to)
  if (to.id === 'real') return (value) => toSingle(Number(value))
  return from.id === 'bigint' ? (value) => Number(value) : same
}
