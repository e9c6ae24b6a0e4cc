import type { Value } from '@cluster/core'
import { same } from '../types/convert.ts'
import { isOrdered, isRelative } from '../types/parse-moment.ts'
import { boundId, isRangeId, RANGE_TYPES } from '../types/range-types.ts'
import {
  elementOf,
  isPreferred,
  type SqlType,
  sameKind,
  sameType,
  TEXT,
  TYPES,
  type TypeId,
  typeCategory,
  unmodified,
} from '../types/type.ts'
import { type Conversion, conversion, fitter } from './conversion.ts'
import type { Capture, FunctionContext, ScalarFunction } from './function.ts'
import { recordContext } from './record-casts.ts'
import { systemCast } from './system-casts.ts'

/**
 * How freely a cast is applied: `implicit` anywhere, `assignment` when a value is stored in a column,
 * `explicit` where CAST says so. Each includes those before it.
 */
export type CastContext = 'implicit' | 'assignment' | 'explicit'

const freedom: Readonly<Record<CastContext, number>> = { implicit: 0, assignment: 1, explicit: 2 }

/** Numbers in the order in which they widen. */
const numbers: readonly TypeId[] = ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double']
const whole: ReadonlySet<TypeId> = new Set(['smallint', 'integer', 'bigint'])

/** Casts between types of different kinds that PostgreSQL has. */
const listed: Readonly<Partial<Record<`${TypeId} ${TypeId}`, CastContext>>> = {
  'date timestamp': 'implicit',
  'date timestamptz': 'implicit',
  'timestamp timestamptz': 'implicit',
  'timestamp date': 'assignment',
  'timestamp time': 'assignment',
  'timestamptz timestamp': 'assignment',
  'timestamptz date': 'assignment',
  'timestamptz time': 'assignment',
  'timestamptz timetz': 'assignment',
  'time timetz': 'implicit',
  'time interval': 'implicit',
  'timetz time': 'assignment',
  'interval time': 'assignment',
  'json jsonb': 'assignment',
  'jsonb json': 'assignment',
  'jsonb boolean': 'explicit',
  'jsonb numeric': 'explicit',
  'jsonb smallint': 'explicit',
  'jsonb integer': 'explicit',
  'jsonb bigint': 'explicit',
  'jsonb real': 'explicit',
  'jsonb double': 'explicit',
  'bit varbit': 'implicit',
  'varbit bit': 'implicit',
  'integer bit': 'explicit',
  'bigint bit': 'explicit',
  'bit integer': 'explicit',
  'bit bigint': 'explicit',
  'boolean integer': 'explicit',
  'integer boolean': 'explicit',
  ...Object.fromEntries(
    RANGE_TYPES.map(({ range, multirange }) => [`${range} ${multirange}`, 'explicit' as const]),
  ),
}

/** The least context in which PostgreSQL casts between two types of different kinds; null: never. */
function leastContext(from: SqlType, to: SqlType): CastContext | null {
  if (from.id === 'unknown') return 'implicit'
  if (to.id === 'unknown') return null
  const source = typeCategory(from.id)
  const target = typeCategory(to.id)
  if (source === 'array' && target === 'array') {
    const [element, wanted] = [elementOf(from), elementOf(to)]
    return sameKind(element, wanted) ? 'implicit' : leastContext(element, wanted)
  }
  if (source === 'record' && target === 'record') return recordContext(from, to, leastContext)
  if (source === 'number' && target === 'number')
    return numbers.indexOf(from.id) < numbers.indexOf(to.id) ? 'implicit' : 'assignment'
  if (source === 'string' && target === 'string') return 'implicit'
  if (from.id === 'jsonpath' && to.id === 'text') return 'implicit'
  if (target === 'string') return 'assignment'
  if (source === 'string') return 'explicit'
  return listed[`${from.id} ${to.id}`] ?? null
}

/** True when values of one type may stand, in that context, where the other is wanted. */
export function canCast(from: SqlType, to: SqlType, context: CastContext): boolean {
  if (sameKind(from, to)) return true
  const system = systemCast(from, to)
  if (system !== null) return freedom[system.least] <= freedom[context]
  const least = leastContext(from, to)
  return least !== null && freedom[least] <= freedom[context]
}

/**
 * The function that brings values of one type into another, modifiers included.
 * @returns `'same'` when nothing needs to be done; null when the context does not allow it
 */
export function castFor(from: SqlType, to: SqlType, context: CastContext): ScalarFunction | 'same' | null {
  if (!canCast(from, to, context)) return null
  const system = sameKind(from, to) ? null : systemCast(from, to)
  if (system !== null) return system.fn
  const explicit = context === 'explicit'
  const first: Conversion = sameKind(from, to) ? same : conversion(from, to, explicit)
  const fit = sameType(from, to) && from.id !== 'unknown' ? null : fitter(to, explicit)
  // Reading a text fits it already; only an explicit cast cuts.
  const reads = first !== same && (from.id === 'unknown' || typeCategory(from.id) === 'string')
  const cuts = ['varchar', 'char', 'bit', 'varbit'].includes(to.id) || to.catalogName === true
  const second = reads && !cuts ? null : fit
  if (first === same && second === null) return 'same'
  const impl: Conversion =
    second === null
      ? first
      : first === same
        ? second
        : (value, session) => second(first(value, session), session)
  const js = second === null ? inline(from.id, to.id) : null
  const cast = zoned(from, to) ? sessionCast(from, to, impl) : plainCast(from, to, impl, js)
  return { ...cast, castContext: context }
}

function plainCast(from: SqlType, to: SqlType, impl: Conversion, js: ScalarFunction['js']): ScalarFunction {
  return {
    name: 'cast',
    args: [from],
    returns: to,
    strict: true,
    volatility: 'immutable',
    impl: ((value: Value) => impl(value, null)) as ScalarFunction['impl'],
    contextual: null,
    js,
  }
}

function sessionCast(from: SqlType, to: SqlType, impl: Conversion): ScalarFunction {
  return {
    name: 'cast',
    args: [from],
    returns: to,
    strict: true,
    volatility: 'stable',
    impl: () => {
      throw new TypeError('this cast needs its session')
    },
    contextual: (session: FunctionContext, ...[value]) => impl(value ?? null, session),
    js: null,
  }
}

const styled: ReadonlySet<TypeId> = new Set(['date', 'timestamp', 'interval', 'bytea'])
const zonedIds: ReadonlySet<TypeId> = new Set(['timestamptz', 'timetz'])
const baseId = (type: SqlType): TypeId => boundId((type.element ?? type).id)

/** True when the session's time zone takes part. */
function zoned(from: SqlType, to: SqlType): boolean {
  const [source, target] = [baseId(from), baseId(to)]
  if (source === target) return false
  if (source === 'timestamptz') return true
  // The styles of the session show in texts, and say how they are read.
  if (styled.has(source) && typeCategory(to.id) === 'string') return true
  if (styled.has(target) && target !== 'bytea' && typeCategory(from.id) === 'string') return true
  if (source === 'timetz') return false
  return zonedIds.has(target)
}

/**
 * The cast of a literal such as `now` or `01/02/2024`, which depends on the present or on the styles of the session.
 * @returns null when the literal always means the same
 */
export function relativeCast(text: Value, to: SqlType): ScalarFunction | null {
  if (typeof text !== 'string') return null
  const wanted = ['timestamp', 'timestamptz', 'date', 'time', 'timetz'].includes(boundId(to.id))
  const parts = isRangeId(to.id) ? text.split(/[[\](){},"]/) : [text]
  const signed = to.id === 'interval' && /^\s*-/.test(text)
  const open = wanted && parts.some((part) => isRelative(part) || isOrdered(part))
  if (!open && !signed) return null
  const unknown = TYPES.unknown
  return sessionCast(unknown, to, conversion(unknown, to, true))
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
    if (best === null || sameKind(best, type)) {
      if (best !== null && !sameType(best, type)) uniform = false
      best ??= type
      continue
    }
    uniform = false
    // Whole numbers become numbers of objects.
    if (best.id === 'oid' && canCast(type, best, 'implicit')) continue
    if (type.id === 'oid' && canCast(best, type, 'implicit')) {
      best = type
      continue
    }
    if (typeCategory(best.id) !== typeCategory(type.id)) return { clash: [best, type] }
    if (wins(type, best)) best = type
    else if (!canCast(type, best, 'implicit')) return { clash: [best, type] }
  }
  if (best === null) return { type: TEXT }
  const literal = types.some((type) => type.id === 'unknown')
  return { type: uniform && !literal ? best : unmodified(best) }
}

/** A preferred type stays; else one gives way to another that it can become and that cannot become it. */
function wins(type: SqlType, best: SqlType): boolean {
  if (isPreferred(best.id)) return false
  return canCast(best, type, 'implicit') && !canCast(type, best, 'implicit')
}
