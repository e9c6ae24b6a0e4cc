import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { loosely } from '../../functions/generic.ts'
import { constant } from '../../plan/build.ts'
import type { Expr } from '../../plan/expression.ts'
import type { AssignedPart, Expression } from '../../syntax/ast.ts'
import { type ArrayValue, EMPTY_ARRAY, ITEMS_MAX, itemAt, listOf } from '../../types/array.ts'
import { fromArray, toArray } from '../../types/array-text.ts'
import { fromRecord, toRecord } from '../../types/record-text.ts'
import { elementOf, fieldsOf, INTEGER, typeName } from '../../types/type.ts'
import { errorAt } from '../context.ts'
import { bindExpression } from '../expression/bind-expression.ts'
import { fieldAt } from '../expression/bind-row.ts'
import { coerce, tryCoerce } from '../expression/coerce.ts'
import type { Place } from '../place.ts'
import { assignMember } from '../query/bind-members.ts'

interface Assigned {
  /** The name of what changes, for messages. */
  readonly name: string
  readonly node: Expression
  readonly value: Expr
}

/**
 * The new value of a column of which a part changes: `row.field = …`, `items[2] = …`.
 * @param old the column's value before
 * @throws 42804 when the value is not one of the part, 42703 for a field that is not there
 */
export function assignPart(place: Place, old: Expr, path: readonly AssignedPart[], assigned: Assigned): Expr {
  const [first, ...rest] = path
  const { context } = place
  const { name, node, value } = assigned
  if (first === undefined) {
    const cast = tryCoerce(context, node, value, old.type, 'assignment')
    if (cast !== null) return cast
    throw errorAt(
      context,
      node,
      SQLSTATE.datatypeMismatch,
      `column "${name}" is of type ${typeName(old.type)} but expression is of type ${typeName(value.type)}`,
      { hint: 'You will need to rewrite or cast the expression.' },
    )
  }
  if (first.kind === 'field') {
    const { field } = first
    const fields = fieldsOf(old.type)
    if (old.type.record === undefined)
      throw errorAt(
        context,
        field,
        SQLSTATE.datatypeMismatch,
        `cannot assign to field "${field.name}" of column "${name}" because its type ${typeName(old.type)} is not a composite type`,
      )
    const at = fields.findIndex((one) => one.name === field.name)
    if (at < 0)
      throw errorAt(
        context,
        field,
        SQLSTATE.undefinedColumn,
        `cannot assign to field "${field.name}" of column "${name}" because there is no such column in data type ${typeName(old.type)}`,
      )
    return withField(old, at, assignPart(place, fieldAt(old, at), rest, { ...assigned, name: field.name }))
  }
  const items = path.filter((part) => part.kind === 'item')
  if (old.type.id === 'jsonb' && items.length === path.length) {
    const put = assignPart(place, constant(old.type, null), [], assigned)
    return assignMember(context, node, items, old, put, (part) => bindExpression(place, part))
  }
  if (items.length < path.length || old.type.element === undefined)
    throw errorAt(
      context,
      node,
      SQLSTATE.datatypeMismatch,
      `cannot subscript type ${typeName(old.type)} because it does not support subscripting`,
    )
  const slice = items.some((part) => part.slice)
  const element = elementOf(old.type)
  const wanted = slice ? old.type : element
  const put = assignPart(place, constant(wanted, null), [], assigned)
  const bound = (part: Expression | null, otherwise: number | null): Expr =>
    part === null
      ? constant(INTEGER, otherwise)
      : coerce(context, part, bindExpression(place, part), INTEGER, 'assignment')
  const bounds = items.flatMap((part) =>
    slice
      ? [
          bound(part.slice ? part.lower : null, part.slice ? null : 1),
          bound(part.slice ? part.upper : part.lower, null),
        ]
      : [bound(part.lower, null)],
  )
  const fn = loosely(
    'assign_item',
    [old.type, put.type, ...bounds.map(() => INTEGER)],
    old.type,
    (text: Value, item: Value, ...at: readonly (number | null)[]) => {
      const array = text === null ? EMPTY_ARRAY : toArray(element, text as string)
      if (slice) {
        if (item === null) return text
        return fromArray(element, withSlice(array, at, toArray(element, item as string)))
      }
      if (at.includes(null)) throw sqlError('22004', 'array subscript in assignment must not be null')
      return fromArray(element, withItem(array, at as readonly number[], item))
    },
  )
  return { kind: 'call', type: old.type, fn, form: 'function', args: [old, put, ...bounds] }
}

function withField(row: Expr, at: number, value: Expr): Expr {
  const { type } = row
  const fn = loosely('assign_field', [type, value.type], type, (text: Value, field: Value) => {
    const values: readonly Value[] =
      text === null ? fieldsOf(type).map(() => null) : toRecord(type, text as string)
    return fromRecord(type, values.with(at, field))
  })
  return { kind: 'call', type, fn, form: 'function', args: [row, value] }
}

const outside = () => sqlError('2202E', 'array subscript out of range')

/** A list grows to hold the item, with NULLs between. @throws 2202E */
function withItem(array: ArrayValue, at: readonly number[], item: Value): ArrayValue {
  const { dims, lowers, items } = array
  const [first = 1] = at
  if (dims.length === 0) return { dims: at.map(() => 1), lowers: at, items: [item] }
  if (at.length !== dims.length) throw sqlError('2202E', 'wrong number of array subscripts')
  const place = itemAt(array, at)
  if (place !== null) return { dims, lowers, items: items.with(place, item) }
  if (dims.length > 1) throw outside()
  const lower = lowers[0] ?? 1
  const [from, to] = [Math.min(lower, first), Math.max(lower + items.length - 1, first)]
  if (to - from >= ITEMS_MAX)
    throw sqlError(SQLSTATE.programLimitExceeded, `array size exceeds the maximum allowed (${ITEMS_MAX})`)
  const grown: Value[] = new Array<Value>(to - from + 1).fill(null)
  for (const [i, value] of items.entries()) grown[lower - from + i] = value
  grown[first - from] = item
  return { dims: [grown.length], lowers: [from], items: grown }
}

/** Slices of lists; what the array has outside of its bounds stays. @throws 2202E */
function withSlice(array: ArrayValue, bounds: readonly (number | null)[], put: ArrayValue): ArrayValue {
  const { dims, lowers } = array
  if (bounds.length > 2 || dims.length > 1)
    throw sqlError(SQLSTATE.featureNotSupported, 'a slice of several dimensions cannot be assigned to')
  const last = (lowers[0] ?? 1) + array.items.length - 1
  const from = bounds[0] ?? lowers[0] ?? 1
  const to = bounds[1] ?? (dims.length === 0 ? from + put.items.length - 1 : last)
  if (to < from) throw sqlError('2202E', 'upper bound cannot be less than lower bound')
  if (put.items.length < to - from + 1) throw sqlError('2202E', 'source array too small')
  let result = array
  for (let i = 0; i <= to - from; i++)
    result =
      result.dims.length === 0
        ? { ...listOf([put.items[i] ?? null]), lowers: [from] }
        : withItem(result, [from + i], put.items[i] ?? null)
  return result
}
