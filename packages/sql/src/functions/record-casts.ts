import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { fromRecord, toRecord } from '../types/record-text.ts'
import { fieldsOf, type SqlType, sameKind, sameType, typeName } from '../types/type.ts'
import type { FunctionContext } from './function.ts'

/** As conversions of values are. */
type Conversion = (value: Value, session: FunctionContext | null) => Value

type Context = 'implicit' | 'assignment' | 'explicit'

/**
 * How a row becomes one of another type: field by field, by position. A row without a name becomes a named one wherever
 * its fields can be assigned.
 */
export function recordContext(
  from: SqlType,
  to: SqlType,
  least: (from: SqlType, to: SqlType) => Context | null,
): Context | null {
  const [given, wanted] = [fieldsOf(from), fieldsOf(to)]
  const rank: readonly Context[] = ['implicit', 'assignment', 'explicit']
  if (to.record?.named == null) {
    if (wanted.length === 0) return 'implicit'
    if (given.length !== wanted.length) return null
  } else if (given.length !== wanted.length) return 'explicit'
  const named = from.record?.named != null && to.record?.named != null
  let worst = named ? 2 : 0
  for (const [i, field] of given.entries()) {
    const other = wanted[i]
    if (other === undefined) return null
    if (sameKind(field.type, other.type)) continue
    const own = least(field.type, other.type)
    if (own === null) return null
    if (to.record?.named == null) worst = Math.max(worst, rank.indexOf(own))
  }
  return rank[worst] ?? null
}

/** @throws 42846 when the rows have different numbers of fields */
export function recordConversion(
  from: SqlType,
  to: SqlType,
  explicit: boolean,
  conversion: (from: SqlType, to: SqlType, explicit: boolean) => Conversion,
  fitter: (to: SqlType, explicit: boolean) => Conversion | null,
): Conversion {
  const [given, wanted] = [fieldsOf(from), fieldsOf(to)]
  if (wanted.length === 0) return (value) => value
  if (given.length !== wanted.length)
    throw sqlError(SQLSTATE.cannotCoerce, `cannot cast type ${typeName(from)} to ${typeName(to)}`, {
      detail: given.length < wanted.length ? 'Input has too few columns.' : 'Input has too many columns.',
    })
  const each = given.map(({ type }, i): Conversion | null => {
    const other = wanted[i]
    if (other === undefined || sameType(type, other.type)) return null
    const first = sameKind(type, other.type) ? null : conversion(type, other.type, explicit)
    const second = fitter(other.type, explicit)
    if (first === null || second === null) return first ?? second
    return (value, session) => second(first(value, session), session)
  })
  return (row, session) => {
    const values = toRecord(from, row as string).map((value, i): Value => {
      const convert = each[i] ?? null
      return value === null || convert === null ? value : convert(value, session)
    })
    return fromRecord(to, values)
  }
}
