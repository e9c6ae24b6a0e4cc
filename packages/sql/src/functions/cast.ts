import type { Value } from '@cluster/core'
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
import { dateToTimestamp, roundTimestamp, timestampToDate } from '../types/datetime.ts'
import { fitDecimal } from '../types/decimal.ts'
import { castText } from '../types/format.ts'
import { fitText, parseValue } from '../types/parse.ts'
import { isPreferred, type SqlType, sameType, TEXT, TYPES, type TypeId, typeCategory } from '../types/type.ts'
import type { Capture, ScalarFunction } from './function.ts'

/**
 * How freely a cast is applied: `implicit` anywhere, `assignment` when a value is stored in a column,
 * `explicit` where CAST says so. Each includes those before it.
 */
export type CastContext = 'implicit' | 'assignment' | 'explicit'

const freedom: Readonly<Record<CastContext, number>> = { implicit: 0, assignment: 1, explicit: 2 }

/** Numbers in the order in which they widen. */
const numbers: readonly TypeId[] = ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double']
const whole: ReadonlySet<TypeId> = new Set(['smallint', 'integer', 'bigint'])

/** The least context in which PostgreSQL casts between two different types; null: never. */
function leastContext(from: TypeId, to: TypeId): CastContext | null {
  if (from === 'unknown') return 'implicit'
  if (to === 'unknown') return null
  const source = typeCategory(from)
  const target = typeCategory(to)
  if (source === 'number' && target === 'number')
    return numbers.indexOf(from) < numbers.indexOf(to) ? 'implicit' : 'assignment'
  if (source === 'string' && target === 'string') return 'implicit'
  if (target === 'string') return 'assignment'
  if (source === 'string') return 'explicit'
  if (from === 'date' && to === 'timestamp') return 'implicit'
  if (from === 'timestamp' && to === 'date') return 'assignment'
  if ((from === 'boolean' && to === 'integer') || (from === 'integer' && to === 'boolean')) return 'explicit'
  return null
}

/** True when values of one type may stand, in that context, where the other is wanted. */
export function canCast(from: SqlType, to: SqlType, context: CastContext): boolean {
  if (from.id === to.id) return true
  const least = leastContext(from.id, to.id)
  return least !== null && freedom[least] <= freedom[context]
}

type Conversion = (value: Value) => Value

/**
 * The function that brings values of one type into another, modifiers included.
 * @returns `'same'` when nothing needs to be done; null when the context does not allow it
 */
export function castFor(from: SqlType, to: SqlType, context: CastContext): ScalarFunction | 'same' | null {
  if (!canCast(from, to, context)) return null
  const explicit = context === 'explicit'
  const first = from.id === to.id ? same : conversion(from, to)
  const fit = sameType(from, to) && from.id !== 'unknown' ? null : fitter(to, explicit)
  // Reading a text fits it already; only an explicit cast cuts.
  const reads = first !== same && (from.id === 'unknown' || typeCategory(from.id) === 'string')
  const cuts = to.id === 'varchar' || to.id === 'char'
  const second = reads && !cuts ? null : fit
  if (first === same && second === null) return 'same'
  const impl: Conversion = second === null ? first : first === same ? second : (value) => second(first(value))
  return {
    name: 'cast',
    args: [from],
    returns: to,
    strict: true,
    volatility: 'immutable',
    impl: impl as ScalarFunction['impl'],
    contextual: null,
    js: second === null ? inline(from.id, to.id) : null,
  }
}

/** What a column's modifiers ask of a value; null: nothing. */
function fitter(to: SqlType, explicit: boolean): Conversion | null {
  const { precision, scale, length } = to
  if (to.id === 'numeric' && precision !== null)
    return (value) => fitDecimal(value as string, precision, scale ?? 0)
  if (length === null) return null
  if (to.id === 'varchar' || to.id === 'char') return (value) => fitText(to, value as string, explicit)
  if (to.id === 'timestamp') return (value) => roundTimestamp(value as bigint, length)
  return null
}

function conversion(from: SqlType, to: SqlType): Conversion {
  const source = typeCategory(from.id)
  const target = typeCategory(to.id)
  if (from.id === 'unknown') {
    if (target === 'string') return same
    return (value) => parseValue(to, value as string)
  }
  if (source === 'string' && target === 'string')
    return from.id === 'char' ? (value) => trimBlanks(value as string) : same
  if (target === 'string') return (value) => castText(from, value)
  if (source === 'string') return (value) => parseValue(to, value as string)
  if (source === 'number' && target === 'number') return numberConversion(from, to)
  if (to.id === 'timestamp') return (value) => dateToTimestamp(value as number)
  if (to.id === 'date') return (value) => timestampToDate(value as bigint)
  return to.id === 'boolean' ? (value) => value !== 0 : (value) => (value === true ? 1 : 0)
}

function numberConversion(from: SqlType, to: SqlType): Conversion {
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

/** Casts that hot expressions meet all the time. */
function inline(from: TypeId, to: TypeId): ((args: readonly string[], capture: Capture) => string) | null {
  if (to === 'bigint' && (from === 'smallint' || from === 'integer')) return ([value]) => `BigInt(${value})`
  if (to === 'double' && from === 'bigint') return ([value]) => `Number(${value})`
  if (to === 'numeric' && whole.has(from)) return ([value]) => `String(${value})`
  return null
}

/**
 * The type that all of several expressions can take, as for CASE, UNION and VALUES: literals of unknown type
 * follow the others, and alone become text.
 * @returns the type, or the first two that do not go together
 */
export function commonType(
  types: readonly SqlType[],
): { readonly type: SqlType } | { readonly clash: readonly [SqlType, SqlType] } {
  let best: SqlType | null = null
  let uniform = true
  for (const type of types) {
    if (type.id === 'unknown') continue
    if (best === null || best.id === type.id) {
      if (best !== null && !sameType(best, type)) uniform = false
      best ??= type
      continue
    }
    uniform = false
    if (typeCategory(best.id) !== typeCategory(type.id)) return { clash: [best, type] }
    if (wins(type, best)) best = type
  }
  if (best === null) return { type: TEXT }
  const literal = types.some((type) => type.id === 'unknown')
  return { type: uniform && !literal ? best : TYPES[best.id] }
}

/** A preferred type stays; else one gives way to another that it can become and that cannot become it. */
function wins(type: SqlType, best: SqlType): boolean {
  if (isPreferred(best.id)) return false
  return canCast(best, type, 'implicit') && !canCast(type, best, 'implicit')
}
