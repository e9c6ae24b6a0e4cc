import type { Value } from '@cluster/core'
import type { NamedKind } from '../catalog/image.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import { OID, type SqlType, TEXT, type TypeId, typeCategory } from '../types/type.ts'
import type { ContextImplementation, ScalarFunction } from './function.ts'

/** A cast to or from the types by which `pg_catalog` knows objects. */
export interface SystemCast {
  readonly least: 'implicit' | 'assignment' | 'explicit'
  readonly fn: ScalarFunction | 'same'
}

const whole: ReadonlySet<TypeId> = new Set(['smallint', 'integer', 'bigint'])
const named: ReadonlySet<TypeId> = new Set(['regclass', 'regtype', 'regnamespace'])

/** Null: neither is such a type, or there is no such cast. */
export function systemCast(from: SqlType, to: SqlType): SystemCast | null {
  if (to.id === 'oid') return toOid(from)
  if (named.has(to.id)) return toName(from, to)
  if (from.id === 'oid' && whole.has(to.id))
    return {
      least: 'assignment',
      fn: to.id === 'bigint' ? cast(from, to, (value) => BigInt(value as number)) : 'same',
    }
  if (from.id === 'oid' && typeCategory(to.id) === 'string')
    return { least: 'assignment', fn: cast(from, to, (value) => String(value)) }
  if (!named.has(from.id)) return null
  if (typeCategory(to.id) === 'string') return { least: 'assignment', fn: 'same' }
  if (!whole.has(to.id)) return null
  return {
    least: 'assignment',
    fn: inCatalog(from, to, (session, name) => {
      const oid = session.catalog().oidOf(from.id, name as string)
      return to.id === 'bigint' ? BigInt(oid) : oid
    }),
  }
}

/** @throws 22003 */
function checkOid(value: bigint): number {
  if (value < 0n || value > 0xffff_ffffn) throw sqlError(SQLSTATE.numericValueOutOfRange, 'OID out of range')
  return Number(value)
}

function toOid(from: SqlType): SystemCast | null {
  if (from.id === 'bigint')
    return { least: 'implicit', fn: cast(from, OID, (value) => checkOid(value as bigint)) }
  if (whole.has(from.id)) return { least: 'implicit', fn: 'same' }
  if (!named.has(from.id)) return null
  const fn = inCatalog(from, OID, (session, name) => session.catalog().oidOf(from.id, name as string))
  return { least: 'implicit', fn }
}

/** From a text, which is looked up, or from a number. */
function toName(from: SqlType, to: SqlType): SystemCast | null {
  const text = from.id === 'unknown' || typeCategory(from.id) === 'string'
  if (!text && from.id !== 'oid' && !whole.has(from.id)) return null
  const id = to.id as NamedKind
  const fn = inCatalog(from, to, (session, value) => {
    const catalog = session.catalog()
    const named = text && !/^\d+$/.test(value as string)
    return catalog.nameOf(id, named ? catalog.oidOf(id, value as string) : Number(value))
  })
  return { least: from.id === 'unknown' || from.id === 'oid' ? 'implicit' : 'explicit', fn }
}

function cast(from: SqlType, to: SqlType, impl: (value: Value) => Value): ScalarFunction {
  return {
    name: 'cast',
    args: [from],
    returns: to,
    strict: true,
    volatility: 'immutable',
    impl: impl as ScalarFunction['impl'],
    contextual: null,
    js: null,
  }
}

const inCatalog = (from: SqlType, to: SqlType, contextual: ContextImplementation): ScalarFunction => ({
  ...cast(from.id === 'unknown' ? TEXT : from, to, () => {
    throw new TypeError('this cast needs the catalog')
  }),
  volatility: 'stable',
  contextual,
})
