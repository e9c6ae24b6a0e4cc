import type { Value } from '@cluster/core'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { loosely, strictly } from '../../functions/generic.ts'
import { constant } from '../../plan/build.ts'
import type { CallExpr, Expr } from '../../plan/expression.ts'
import type { AssignedPart, Expression, Node } from '../../syntax/ast.ts'
import { EMPTY_ARRAY, itemAt } from '../../types/array.ts'
import { checkDimensions, type SliceBounds, withItem, withSlice } from '../../types/array-assign.ts'
import { fromArray, toArray } from '../../types/array-text.ts'
import { fromRecord, toRecord } from '../../types/record-text.ts'
import { elementOf, fieldsOf, INTEGER, type SqlType, typeName } from '../../types/type.ts'
import { errorAt } from '../context.ts'
import { bindExpression } from '../expression/bind-expression.ts'
import { fieldAt } from '../expression/bind-row.ts'
import { coerce, tryCoerce } from '../expression/coerce.ts'
import type { Place } from '../place.ts'
import { assignMember } from '../query/bind-members.ts'

interface Assigned {
  /** The name of what changes, for messages. */
  readonly name: string
  /** Where the column was named. */
  readonly target: Node
  /** What gives the value. */
  readonly node: Node
  readonly value: Expr
}

type Item = Extract<AssignedPart, { kind: 'item' }>

/**
 * The new value of a column of which a part changes: `row.field = …`, `items[2] = …`, `rows[1].items[2] = …`.
 * @param old the column's value before
 * @throws 42804 when the value is not one of the part, 42703 for a field that is not there
 */
export function assignPart(place: Place, old: Expr, path: readonly AssignedPart[], assigned: Assigned): Expr {
  const [first, ...rest] = path
  if (first === undefined) {
    const { name, value } = assigned
    return converted(
      place,
      assigned,
      old.type,
      `column "${name}" is of type ${typeName(old.type)} but expression is of type ${typeName(value.type)}`,
    )
  }
  if (first.kind === 'field') return assignField(place, old, first, rest, assigned)
  const end = path.findIndex((part) => part.kind === 'field')
  const items = path.slice(0, end < 0 ? path.length : end) as readonly Item[]
  const inner = path.slice(items.length)
  return old.type.id === 'jsonb'
    ? assignMembers(place, old, items, inner, assigned)
    : assignItems(place, old, items, inner, assigned)
}

/** @throws 42804 with that message */
function converted(place: Place, { node, value }: Assigned, type: SqlType, refusal: string): Expr {
  const cast = tryCoerce(place.context, node, value, type, 'assignment')
  if (cast !== null) return cast
  throw errorAt(place.context, node, SQLSTATE.datatypeMismatch, refusal, {
    hint: 'You will need to rewrite or cast the expression.',
  })
}

function assignField(
  place: Place,
  old: Expr,
  { field }: Extract<AssignedPart, { kind: 'field' }>,
  rest: readonly AssignedPart[],
  assigned: Assigned,
): Expr {
  const { name, value, target } = assigned
  const refuse = (sqlstate: string, why: string): Error =>
    errorAt(
      place.context,
      target,
      sqlstate,
      `cannot assign to field "${field.name}" of column "${name}" because ${why}`,
    )
  const type = typeName(old.type)
  if (old.type.record === undefined)
    throw refuse(SQLSTATE.datatypeMismatch, `its type ${type} is not a composite type`)
  const at = fieldsOf(old.type).findIndex((one) => one.name === field.name)
  if (at < 0) throw refuse(SQLSTATE.undefinedColumn, `there is no such column in data type ${type}`)
  const inside = fieldAt(old, at)
  const put =
    rest.length > 0
      ? assignPart(place, inside, rest, { ...assigned, name: field.name })
      : converted(
          place,
          assigned,
          inside.type,
          `subfield "${field.name}" is of type ${typeName(inside.type)} but expression is of type ${typeName(value.type)}`,
        )
  return withField(old, at, put)
}

/** @throws 42804 for a value of another type */
const subscripted = (place: Place, type: SqlType, assigned: Assigned): Expr =>
  converted(
    place,
    assigned,
    type,
    `subscripted assignment to "${assigned.name}" requires type ${typeName(type)} but expression is of type ${typeName(assigned.value.type)}`,
  )

function assignMembers(
  place: Place,
  old: Expr,
  items: readonly Item[],
  inner: readonly AssignedPart[],
  assigned: Assigned,
): Expr {
  // A member is a jsonb as well, and has no fields.
  const put =
    inner.length === 0 ? subscripted(place, old.type, assigned) : assignPart(place, old, inner, assigned)
  return assignMember(place.context, assigned.target, items, old, put, (part) => bindExpression(place, part))
}

function assignItems(
  place: Place,
  old: Expr,
  items: readonly Item[],
  inner: readonly AssignedPart[],
  assigned: Assigned,
): Expr {
  const { context } = place
  if (old.type.element === undefined)
    throw errorAt(
      context,
      assigned.target,
      SQLSTATE.datatypeMismatch,
      `cannot subscript type ${typeName(old.type)} because it does not support subscripting`,
    )
  checkDimensions(items.length)
  const slice = items.some((part) => part.slice)
  const element = elementOf(old.type)
  const bound = (part: Expression | null, otherwise: number | null): Expr =>
    part === null
      ? constant(INTEGER, otherwise)
      : coerce(context, part, bindExpression(place, part), INTEGER, 'assignment')
  const bounds = items.flatMap((part) =>
    !slice
      ? [bound(part.lower, null)]
      : part.slice
        ? [bound(part.lower, null), bound(part.upper, null)]
        : [bound(null, 1), bound(part.lower, null)],
  )
  const wanted = slice ? old.type : element
  const put =
    inner.length === 0
      ? subscripted(place, wanted, assigned)
      : assignPart(place, slice ? old : itemOf(old, element, bounds), inner, assigned)
  const impl = slice ? sliceAssignment(element, items) : itemAssignment(element)
  const fn = loosely('assign_item', [old.type, put.type, ...bounds.map(() => INTEGER)], old.type, impl)
  return { kind: 'call', type: old.type, fn, form: 'function', args: [old, put, ...bounds] }
}

/** The item as it is, NULL where there is none. */
function itemOf(array: Expr, element: SqlType, bounds: readonly Expr[]): CallExpr {
  const fn = strictly(
    'subscript',
    [array.type, ...bounds.map(() => INTEGER)],
    element,
    (text: string, ...at: readonly number[]) => {
      const value = toArray(element, text)
      const found = itemAt(value, at)
      return found === null ? null : (value.items[found] ?? null)
    },
  )
  return { kind: 'call', type: element, fn, form: 'function', args: [array, ...bounds] }
}

const nullSubscript = () => sqlError('22004', 'array subscript in assignment must not be null')

const itemAssignment =
  (element: SqlType) =>
  (text: Value, item: Value, ...at: readonly Value[]): Value => {
    if (at.includes(null)) throw nullSubscript()
    const array = text === null ? EMPTY_ARRAY : toArray(element, text as string)
    return fromArray(element, withItem(array, at as readonly number[], item))
  }

const sliceAssignment =
  (element: SqlType, items: readonly Item[]) =>
  (text: Value, put: Value, ...at: readonly Value[]): Value => {
    const bounds: SliceBounds = items.map((part, i) => {
      const [lower, upper] = [at[i * 2] as number | null, at[i * 2 + 1] as number | null]
      // What was left out has no value; what was written must have one.
      if (lower === null && part.slice && part.lower !== null) throw nullSubscript()
      if (upper === null && (!part.slice || part.upper !== null)) throw nullSubscript()
      return [lower, upper]
    })
    if (put === null) return text
    const array = text === null ? EMPTY_ARRAY : toArray(element, text as string)
    return fromArray(element, withSlice(array, bounds, toArray(element, put as string)))
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
