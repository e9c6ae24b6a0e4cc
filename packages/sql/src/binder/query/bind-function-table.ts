import { SQLSTATE } from '../../errors.ts'
import { isPopulate } from '../../functions/json/populate.ts'
import { isSetFunction } from '../../functions/set-returning.ts'
import { columnExpr } from '../../plan/build.ts'
import type { Column, Expr } from '../../plan/expression.ts'
import type { LogicalPlan, Output } from '../../plan/logical.ts'
import type { CallExpression, FunctionTable } from '../../syntax/ast.ts'
import { BIGINT, fieldsOf } from '../../types/type.ts'
import { type BindContext, errorAt, newColumn, type OutputColumn } from '../context.ts'
import { bindExpression } from '../expression/bind-expression.ts'
import { fieldAt } from '../expression/bind-row.ts'
import { settle } from '../expression/coerce.ts'
import { declaredType } from '../expression/declared-type.ts'
import type { Place } from '../place.ts'
import { type BoundFrom, type FromPlace, lateralScope, named } from './from-parts.ts'
import { setFunction } from './set-functions.ts'
import { inStep, type SetCall } from './set-scope.ts'

/** What the only column of some functions is called, whatever alias the table has. */
const columnNames: Readonly<Record<string, string>> = {
  json_array_elements: 'value',
  json_array_elements_text: 'value',
  jsonb_array_elements: 'value',
  jsonb_array_elements_text: 'value',
}

/** A function in FROM, which sees the tables to its left. One that gives a single value gives one row. */
export function bindFunctionTable(
  context: BindContext,
  reference: FunctionTable,
  place: FromPlace,
): BoundFrom {
  const { call, more, alias, ordinality, definition } = reference
  const inside: Place = {
    context,
    scope: lateralScope(place),
    aggregates: null,
    name: 'functions in FROM',
  }
  const all = [call, ...more].flatMap(unnested)
  const shown = alias?.name.name ?? nameOf(call)
  const { plan, columns, scalar } = all.length === 1 && !isSetFunction(nameOf(call)) ? value() : series()
  const bound = named(context, { plan, columns }, alias, shown)
  return scalar ? { ...bound, tables: bound.tables.map((table) => ({ ...table, scalar })) } : bound

  function series() {
    const calls = all.map((one) => {
      const name = nameOf(one)
      if (!isSetFunction(name))
        throw errorAt(
          context,
          one,
          SQLSTATE.featureNotSupported,
          `function ${name} beside others in ROWS FROM is not supported`,
        )
      const declared = definition?.map((field) => ({
        name: field.name.name,
        type: declaredType(context, field.type).type,
      }))
      const args = one.args.map((arg) => bindExpression(inside, arg))
      const made = setFunction(context, one, name, args, declared)
      if (declared !== undefined && (!isPopulate(name) || made.type.record?.named != null))
        throw noDefinition()
      const own = columnNames[name] ?? (all.length === 1 ? shown : name)
      const column = newColumn(context, own, made.type)
      return { name, args: made.args, column, rows: made.rows, node: one } satisfies SetCall
    })
    const { plan: scan, counter } = inStep(context, calls, ordinality)
    const [only] = calls
    const single = calls.length === 1 && only?.column.type.record === undefined
    return {
      ...spread(
        scan,
        calls.map(({ column }) => column),
        ordinality ? counter : null,
      ),
      scalar: single,
    }
  }

  /** The fields of rows as columns, then the number of the row. */
  function spread(scan: LogicalPlan, given: readonly Column[], counter: Column | null) {
    const outputs = given.flatMap((column): Output[] =>
      column.type.record === undefined
        ? [{ column, expr: columnExpr(column) }]
        : fieldsOf(column.type).map((field, i) => ({
            column: newColumn(context, field.name, field.type),
            expr: fieldAt(columnExpr(column), i),
          })),
    )
    const columns: OutputColumn[] = outputs.map(({ column }) => ({ name: column.name, column }))
    if (counter !== null) {
      outputs.push({ column: counter, expr: columnExpr(counter) })
      columns.push({ name: 'ordinality', column: counter })
    }
    const flat = given.every(({ type }) => type.record === undefined)
    return { plan: flat ? scan : ({ kind: 'project', input: scan, outputs } satisfies LogicalPlan), columns }
  }

  function value() {
    const expr = settle(context, bindExpression(inside, call))
    const column = newColumn(context, shown, expr.type)
    const counter = ordinality ? newColumn(context, 'ordinality', BIGINT) : null
    const one: Expr = { kind: 'constant', type: BIGINT, value: 1n }
    const columns = counter === null ? [column] : [column, counter]
    const rows = [counter === null ? [expr] : [expr, one]]
    const scalar = expr.type.record === undefined
    return { ...spread({ kind: 'values', columns, rows }, [column], counter), scalar }
  }

  function noDefinition() {
    return errorAt(
      context,
      call,
      SQLSTATE.syntaxError,
      'a column definition list is only allowed for functions returning "record"',
    )
  }
}

const nameOf = (call: CallExpression): string => call.name.parts.at(-1)?.name ?? ''

/** `unnest` of several arrays is `unnest` of each of them, side by side. */
const unnested = (call: CallExpression): CallExpression[] =>
  nameOf(call) === 'unnest' && call.args.length > 1
    ? call.args.map((arg) => ({ ...call, args: [arg] }))
    : [call]
