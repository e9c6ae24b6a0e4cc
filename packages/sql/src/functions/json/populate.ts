import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { listOf } from '../../types/array.ts'
import { fromArray } from '../../types/array-text.ts'
import { parseValue } from '../../types/parse.ts'
import { fromRecord, toRecord } from '../../types/record-text.ts'
import {
  elementOf,
  fieldsOf,
  JSON_TYPE,
  JSONB,
  type RecordField,
  recordOf,
  type SqlType,
  typeCategory,
} from '../../types/type.ts'
import { fitter } from '../conversion.ts'
import { jsonItems, jsonMembers } from './functions.ts'
import { partsOf, plainText, textKind } from './text.ts'

const noArray = (hint: string) =>
  sqlError(SQLSTATE.invalidTextRepresentation, 'expected JSON array', { hint })

/**
 * A value of JSON, as text, as one of the type: what `json_populate_record` makes of a member.
 * @param before what the field of the row to begin with has
 */
function fieldValue(type: SqlType, json: string, field: string, before: Value): Value {
  const text = plainText(json)
  if (text === null) return null
  if (type.id === 'json') return json.trim()
  if (type.id === 'jsonb') return parseValue(JSONB, json)
  const kind = textKind(json)
  if (type.element !== undefined && kind !== 'string') {
    if (kind !== 'array') throw noArray(`See the value of key "${field}".`)
    return arrayOfJson(elementOf(type), json, field)
  }
  if (type.record !== undefined && kind !== 'string') {
    if (kind !== 'object')
      throw sqlError(
        SQLSTATE.invalidParameterValue,
        `cannot call populate_composite on ${kind === 'array' ? 'an array' : 'a scalar'}`,
      )
    return populated(type, before as string | null, json, false, 'populate_composite')
  }
  const value = parseValue(type, text)
  const fits = fitter(type, false)
  return fits === null || typeCategory(type.id) === 'string' ? value : fits(value, null)
}

/** Arrays of arrays become one of more dimensions. */
function arrayOfJson(element: SqlType, json: string, field: string): Value {
  const dims: number[] = []
  const items: Value[] = []
  let depthOfItems: number | null = null
  const walk = (text: string, depth: number, path: string): void => {
    const parts = [...partsOf(text)].map(({ value }) => value)
    const known = dims[depth]
    if (known !== undefined && known !== parts.length)
      throw sqlError(SQLSTATE.invalidTextRepresentation, 'malformed JSON array', {
        detail: 'Multidimensional arrays must have sub-arrays with matching dimensions.',
      })
    dims[depth] = parts.length
    for (const [i, part] of parts.entries()) {
      const deeper = textKind(part) === 'array' && element.id !== 'json' && element.id !== 'jsonb'
      if (deeper && depth !== depthOfItems) walk(part, depth + 1, `${path}[${i}]`)
      else {
        depthOfItems ??= depth
        if (depth < depthOfItems) throw noArray(`See the array element ${path}[${i}] of key "${field}".`)
        items.push(fieldValue(element, part, field, null))
      }
    }
  }
  walk(json, 0, '')
  if (items.length === 0) return fromArray(element, listOf([]))
  return fromArray(element, { dims, lowers: dims.map(() => 1), items })
}

/** The fields that the object has; those that it lacks are the base's, or NULL. */
function populated(type: SqlType, base: string | null, json: string, binary: boolean, name: string): string {
  const members = new Map<string, string>()
  for (const { key, value } of jsonMembers(json, binary, name)) members.set(key, value)
  const before = base === null ? [] : toRecord(type, base)
  const values = fieldsOf(type).map((field, i) => {
    const member = members.get(field.name)
    const old = before[i] ?? null
    return member === undefined ? old : fieldValue(field.type, member, field.name, old)
  })
  return fromRecord(type, values)
}

/** A function that makes rows of JSON. Arguments come as they are, NULL too. */
export interface Populate {
  readonly args: readonly SqlType[]
  readonly returns: SqlType
  /** True: one row for each item of an array. */
  readonly many: boolean
  readonly rows: (...values: readonly Value[]) => Iterable<Value>
}

const names = /^(jsonb?)_(populate|to)_record(set)?$/

export const isPopulate = (name: string): boolean => names.test(name)

/**
 * `json_populate_record` and its kin.
 * @param definition the columns that the call declares; `json_to_record` needs them
 * @returns null when these types do not fit
 * @throws 42601 without the columns that are needed
 */
export function resolvePopulate(
  name: string,
  args: readonly SqlType[],
  definition: readonly RecordField[] | null,
): Populate | null {
  const [, word, how, set] = names.exec(name) ?? []
  const binary = word === 'jsonb'
  const json = binary ? JSONB : JSON_TYPE
  const many = set !== undefined
  const based = how === 'populate'
  if (args.length !== (based ? 2 : 1)) return null
  const [base] = args
  const own = based && base?.record !== undefined && base.record.fields.length > 0 ? base : null
  if (based && base?.record === undefined && base?.id !== 'unknown')
    throw sqlError(SQLSTATE.datatypeMismatch, `first argument of ${name} must be a row type`)
  if (own === null && definition === null)
    throw sqlError(
      based ? SQLSTATE.featureNotSupported : SQLSTATE.syntaxError,
      based
        ? `could not determine row type for result of ${name}`
        : 'a column definition list is required for functions returning "record"',
      based
        ? {
            hint: 'Provide a non-null record argument, or call the function in the FROM clause using a column definition list.',
          }
        : {},
    )
  const type = own ?? recordOf(definition ?? [])
  const types = based ? [own ?? base ?? type, json] : [json]
  function* rows(...values: readonly Value[]): Generator<Value> {
    const text = (values.at(-1) ?? null) as string | null
    const before = based ? ((values[0] ?? null) as string | null) : null
    if (text === null) {
      if (!many) yield before
      return
    }
    if (!many) yield populated(type, before, text, binary, name)
    else
      for (const item of jsonItems(text, binary, name)) {
        if (textKind(item) !== 'object')
          throw sqlError(SQLSTATE.invalidParameterValue, `argument of ${name} must be an array of objects`)
        yield populated(type, before, item, binary, name)
      }
  }
  return { args: types, returns: type, many, rows }
}
