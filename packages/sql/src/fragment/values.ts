import { assert, type Value } from '@cluster/core'
import { isIntervalSpan } from '../types/interval-fields.ts'
import { type EnumType, type SqlType, TYPES, type TypeId } from '../types/type.ts'
import { FormUnknownError, type TypeForm, UnsendableError, type ValueForm } from './form.ts'

export function writeType(type: SqlType): TypeForm {
  if (type.record !== undefined) throw new UnsendableError('rows have types of their own')
  const { id, length, precision, scale, ...rest } = type
  const plain =
    length === null &&
    precision === null &&
    scale === null &&
    Object.values(rest).every((one) => one === undefined)
  return plain && id !== 'array' && id !== 'enum' ? id : { ...type }
}

const isObject = (form: unknown): form is Readonly<Record<string, unknown>> =>
  typeof form === 'object' && form !== null && !Array.isArray(form)

const isTypeId = (id: unknown): id is TypeId => typeof id === 'string' && Object.hasOwn(TYPES, id)

const isCount = (value: unknown): value is number | null => value === null || Number.isSafeInteger(value)

/** @throws FormUnknownError */
export function readType(form: unknown): SqlType {
  if (isTypeId(form)) return TYPES[form]
  if (!isObject(form)) throw new FormUnknownError('a type is none')
  const { id, length, precision, scale, span } = form
  if (!isTypeId(id) || id === 'record' || !isCount(length) || !isCount(precision) || !isCount(scale))
    throw new FormUnknownError('a type is not known')
  return {
    id,
    length,
    precision,
    scale,
    ...(form['element'] === undefined ? {} : { element: readType(form['element']) }),
    ...(typeof span === 'string' && isIntervalSpan(span) ? { span } : {}),
    ...(form['catalogName'] === true ? { catalogName: true } : {}),
    ...(form['vector'] === true ? { vector: true } : {}),
    ...(form['enum'] === undefined ? {} : { enum: readEnum(form['enum']) }),
  }
}

function readEnum(form: unknown): EnumType {
  if (!isObject(form)) throw new FormUnknownError('an enum is none')
  const { oid, schema, name, labels } = form
  if (
    typeof oid !== 'number' ||
    typeof schema !== 'string' ||
    typeof name !== 'string' ||
    !Array.isArray(labels)
  )
    throw new FormUnknownError('an enum is not known')
  return {
    oid,
    schema,
    name,
    labels: labels.map((one: unknown) => {
      if (!isObject(one)) throw new FormUnknownError('a label is none')
      const { label, place } = one
      if (typeof label !== 'string' || typeof place !== 'number')
        throw new FormUnknownError('a label is not known')
      return { label, place }
    }),
  }
}

/** True for values that have a form; others are sent along. */
export const hasForm = (value: Value): value is Exclude<Value, Uint8Array> =>
  !(value instanceof Uint8Array) && !(typeof value === 'string' && !value.isWellFormed())

export function writeValue(value: Value): ValueForm {
  assert(hasForm(value), 'bytes are sent along')
  if (typeof value === 'bigint') return { n: value.toString() }
  if (typeof value !== 'number') return value
  if (Object.is(value, -0)) return { f: '-0' }
  if (Number.isFinite(value)) return value
  return { f: Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity' }
}

const floats: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity', '-0'])

/** @throws FormUnknownError */
export function readValue(form: unknown): Value {
  if (form === null || typeof form === 'boolean' || typeof form === 'number' || typeof form === 'string')
    return form
  if (isObject(form)) {
    const { n, f } = form
    if (typeof n === 'string' && /^-?\d+$/.test(n)) return BigInt(n)
    if (floats.has(f)) return Number(f)
  }
  throw new FormUnknownError('a value is none')
}
