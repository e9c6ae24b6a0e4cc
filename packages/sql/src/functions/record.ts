import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { comparatorOf } from '../types/compare.ts'
import { fromRecord, toRecord } from '../types/record-text.ts'
import { BOOLEAN, fieldsOf, JSON_TYPE, type SqlType, sameKind, typeName } from '../types/type.ts'
import { holds, type Sign } from './comparison.ts'
import type { ScalarFunction } from './function.ts'
import { inSession, loosely, type Resolver, strictly } from './generic.ts'
import { jsonText } from './json/text.ts'

const isRow = (type: SqlType | undefined): type is SqlType => type?.id === 'record'
const isUnknown = (type: SqlType): boolean => type.id === 'unknown'

/** Rows of other fields are told apart only when two of them meet, as in PostgreSQL. @throws 42804 */
function checkAlike(left: SqlType, right: SqlType): void {
  const [a, b] = [fieldsOf(left), fieldsOf(right)]
  for (const [i, field] of a.entries()) {
    const other = b[i]
    if (other === undefined) break
    if (!sameKind(field.type, other.type))
      throw sqlError(
        SQLSTATE.datatypeMismatch,
        `cannot compare dissimilar column types ${typeName(field.type)} and ${typeName(other.type)} at record column ${i + 1}`,
      )
  }
  if (a.length !== b.length)
    throw sqlError(SQLSTATE.datatypeMismatch, 'cannot compare record types with different numbers of columns')
}

/** Rows compare as sorting has them: NULL equals NULL and stands behind every value. */
const comparison =
  (sign: Sign): Resolver =>
  ([left, right]) => {
    const type = isRow(left) ? left : right
    if (!isRow(type)) return null
    const other = isRow(left) ? right : left
    if (other === undefined || (!isRow(other) && !isUnknown(other))) return null
    const types = isRow(other) ? [left as SqlType, right as SqlType] : [type, type]
    const compare = comparatorOf(type)
    return strictly(sign, types, BOOLEAN, (a: Value, b: Value) => {
      if (isRow(other)) checkAlike(left as SqlType, right as SqlType)
      return holds[sign](compare(a, b))
    })
  }

export const recordOperators: ReadonlyMap<string, readonly Resolver[]> = new Map(
  (Object.keys(holds) as Sign[]).map((sign) => [sign, [comparison(sign)]]),
)

/** Makes a row of the values of its fields. */
export const rowMaker = (type: SqlType): ScalarFunction =>
  loosely(
    'row',
    fieldsOf(type).map((field) => field.type),
    type,
    (...values: readonly Value[]) => fromRecord(type, values),
  )

/** A row of a table, which is NULL where an outer join found none: then all of its fields are. */
export const wholeRow = (type: SqlType): ScalarFunction =>
  loosely(
    'row',
    fieldsOf(type).map((field) => field.type),
    type,
    (...values: readonly Value[]) =>
      values.length > 0 && values.every((value) => value === null) ? null : fromRecord(type, values),
  )

/** One field of a row. */
export const fieldGetter = (row: SqlType, at: number, type: SqlType): ScalarFunction =>
  strictly('field', [row], type, (text: string) => toRecord(row, text)[at] ?? null)

/** A row IS NULL when all of its fields are, and IS NOT NULL when none is. */
export const nullTest = (row: SqlType, negated: boolean): ScalarFunction =>
  loosely(negated ? 'row_is_not_null' : 'row_is_null', [row], BOOLEAN, (value: Value) => {
    if (value === null) return !negated
    const fields = toRecord(row, value as string)
    return negated ? fields.every((field) => field !== null) : fields.every((field) => field === null)
  })

const rowToJson: Resolver = (args) => {
  const [type] = args
  if (!isRow(type) || args.length > 2) return null
  const flag = args.length === 2 ? [BOOLEAN] : []
  return inSession('row_to_json', [type, ...flag], JSON_TYPE, ({ zone }, value, pretty) => {
    if (value == null || (args.length === 2 && pretty === null)) return null
    return jsonText(type, value, zone, pretty === true ? ',\n ' : ',')
  })
}

export const recordFunctions: ReadonlyMap<string, Resolver> = new Map([['row_to_json', rowToJson]])
