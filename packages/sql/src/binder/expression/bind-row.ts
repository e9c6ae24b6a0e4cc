import { SQLSTATE } from '../../errors.ts'
import { interned } from '../../functions/interned.ts'
import { fieldGetter, nullTest, rowMaker, wholeRow } from '../../functions/record.ts'
import { isFunction } from '../../functions/resolve.ts'
import { columnExpr } from '../../plan/build.ts'
import type { CallExpr, Expr } from '../../plan/expression.ts'
import type { Expression, Identifier, Node, RowExpression } from '../../syntax/ast.ts'
import { fieldsOf, type RecordField, recordOf, typeName } from '../../types/type.ts'
import { type BindContext, errorAt, type Scope, type ScopeTable } from '../context.ts'
import type { Place } from '../place.ts'
import { findTable } from '../scope.ts'
import { settle } from './coerce.ts'

type Bind = (expression: Expression) => Expr

const call = (fn: CallExpr['fn'], args: readonly Expr[]): CallExpr => ({
  kind: 'call',
  type: fn.returns,
  fn,
  form: 'function',
  args,
})

/** Fields that a row spreads into, each with the name that it has. */
export interface Spread {
  readonly name: string
  readonly expr: Expr
}

/** The most fields that a row may have, as in PostgreSQL. */
const FIELDS_MAX = 1_664

/** `ROW(a, b)` as a value: its fields are f1, f2, … */
export function bindRow(context: BindContext, expression: RowExpression, items: readonly Expr[]): Expr {
  if (items.length > FIELDS_MAX)
    throw errorAt(context, expression, '54011', `ROW expressions can have at most ${FIELDS_MAX} entries`)
  const fields = items.map((item) => settle(context, item))
  const type = recordOf(fields.map((field, i) => ({ name: `f${i + 1}`, type: field.type })))
  const fn = interned('row', [type], '', () => rowMaker(type))
  return call(fn, fields)
}

/** Items of a list in which `row.*` stands for all of its fields. */
export function spreadItems(place: Place, items: readonly Expression[], bind: Bind): Expr[] {
  return items.flatMap((item) =>
    item.kind === 'fields' ? spreadFields(place, item, bind).map(({ expr }) => expr) : [bind(item)],
  )
}

/** The syntax of a list in which `row.*` stands for all of its fields, so that each can be bound by itself. */
export function spreadSyntax(place: Place, items: readonly Expression[], bind: Bind): Expression[] {
  return items.flatMap((item): Expression[] => {
    if (item.kind !== 'fields') return [item]
    const { operand, span } = item
    return spreadFields(place, item, bind).map(({ name }) => {
      const part: Identifier = { kind: 'identifier', name, span }
      return operand.kind === 'column'
        ? { kind: 'column', parts: [...operand.parts, part], span }
        : { kind: 'field', operand, field: part, span }
    })
  })
}

/** What `table.*` or `(row).*` stands for. @throws 42P01, 42809 */
export function spreadFields(
  place: Place,
  { operand, span }: Node & { readonly operand: Expression },
  bind: Bind,
): Spread[] {
  const { context, scope } = place
  if (operand.kind === 'column') {
    const table = findTable(scope, operand.parts)
    if (table !== null)
      return table.columns.map(({ name, column }) => {
        context.access.named(column)
        return { name, expr: columnExpr(column) }
      })
  }
  const row = bind(operand)
  if (row.type.record === undefined)
    throw errorAt(context, { span }, SQLSTATE.wrongObjectType, `type ${typeName(row.type)} is not composite`)
  return fieldsOf(row.type).map(({ name }, at) => ({ name, expr: fieldAt(row, at) }))
}

/** One field of a row; of one that is made on the spot the field itself. */
export function fieldAt(row: Expr, at: number): Expr {
  if (row.kind === 'call' && row.fn.name === 'row' && row.args[at] !== undefined) return row.args[at]
  const field = fieldsOf(row.type)[at] as RecordField
  const fn = interned('field', [row.type], String(at), () => fieldGetter(row.type, at, field.type))
  return call(fn, [row])
}

/** `(row).name`. @throws 42809, 42703 */
export function bindField(
  context: BindContext,
  { operand, field }: { readonly operand: Expression; readonly field: Identifier },
  row: Expr,
): Expr {
  if (row.type.record === undefined)
    throw errorAt(
      context,
      operand,
      SQLSTATE.wrongObjectType,
      `column notation .${field.name} applied to type ${typeName(row.type)}, which is not a composite type`,
    )
  const at = fieldsOf(row.type).findIndex(({ name }) => name === field.name)
  if (at >= 0) return fieldAt(row, at)
  throw errorAt(
    context,
    operand,
    SQLSTATE.undefinedColumn,
    row.type.record.named === null
      ? `could not identify column "${field.name}" in record data type`
      : `column "${field.name}" not found in data type ${typeName(row.type)}`,
  )
}

/** The row of a table of FROM by the table's name; null when there is no such table. */
export function rowOfTable(
  context: BindContext,
  scope: Scope | null,
  parts: readonly Identifier[],
): Expr | null {
  const table = findTable(scope, parts)
  return table === null ? null : rowOf(context, table)
}

/** All columns of a table as one value; whoever asks for it needs the right to read each. */
export function rowOf(context: BindContext, { columns, rowType = null, scalar = false }: ScopeTable): Expr {
  for (const { column } of columns) context.access.named(column)
  const [first] = columns
  if (scalar && first !== undefined) return columnExpr(first.column)
  const type = recordOf(
    columns.map(({ name, column }) => ({ name, type: column.type })),
    rowType,
  )
  return call(
    interned('whole row', [type], '', () => wholeRow(type)),
    columns.map(({ column }) => columnExpr(column)),
  )
}

/** `name(row)` is another way to write `(row).name`. */
export const isFieldCall = (name: string, args: readonly Expr[]): boolean => {
  const [only] = args
  return (
    args.length === 1 &&
    only !== undefined &&
    !isFunction(name) &&
    fieldsOf(only.type).some((field) => field.name === name)
  )
}

/** IS [NOT] NULL of a row looks at its fields. */
export const bindNullTest = (row: Expr, negated: boolean): Expr =>
  call(
    interned('null test', [row.type], String(negated), () => nullTest(row.type, negated)),
    [row],
  )
