import { SQLSTATE } from '../errors.ts'
import { isPopulate } from '../functions/json/populate.ts'
import { isSetFunction } from '../functions/set-returning.ts'
import { columnExpr } from '../plan/build.ts'
import type { Column, Expr } from '../plan/expression.ts'
import type { LogicalPlan } from '../plan/logical.ts'
import type { FunctionTable } from '../syntax/ast.ts'
import { BIGINT, fieldsOf } from '../types/type.ts'
import { bindExpression } from './bind-expression.ts'
import { fieldAt } from './bind-row.ts'
import { settle } from './coerce.ts'
import { type BindContext, errorAt, newColumn, type OutputColumn } from './context.ts'
import { declaredType } from './declared-type.ts'
import { type BoundFrom, type FromPlace, lateralScope, named } from './from-parts.ts'
import { setFunction } from './set-functions.ts'

/** A function in FROM, which sees the tables to its left. One that gives a single value gives one row. */
export function bindFunctionTable(
  context: BindContext,
  reference: FunctionTable,
  place: FromPlace,
): BoundFrom {
  const { call, alias, ordinality, definition } = reference
  const name = call.name.parts.at(-1)?.name ?? ''
  const inside = { context, scope: lateralScope(place), aggregates: null, name: 'functions in FROM' }
  const shown = alias?.name.name ?? name
  const counter = ordinality ? newColumn(context, 'ordinality', BIGINT) : null
  const { plan, columns: made } = isSetFunction(name) ? series() : value()
  const columns: OutputColumn[] = [...made]
  if (counter !== null) columns.push({ name: 'ordinality', column: counter })
  return named(context, { plan, columns }, alias, shown)

  function series() {
    const bound = call.args.map((arg) => bindExpression(inside, arg))
    const declared = definition?.map((field) => ({
      name: field.name.name,
      type: declaredType(context, field.type).type,
    }))
    const { rows, args, type } = setFunction(context, call, name, bound, declared)
    if (declared !== undefined && (!isPopulate(name) || type.record?.named != null)) throw noDefinition()
    const column = newColumn(context, shown, type)
    const scan: LogicalPlan = { kind: 'functionScan', name, args, column, ordinality: counter, rows }
    return type.record === undefined
      ? { plan: scan, columns: [{ name: shown, column }] }
      : spread(scan, column)
  }

  /** The fields of a row as columns. */
  function spread(scan: LogicalPlan, column: Column) {
    const outputs = fieldsOf(column.type).map((field, i) => ({
      column: newColumn(context, field.name, field.type),
      expr: fieldAt(columnExpr(column), i),
    }))
    const passed = counter === null ? [] : [{ column: counter, expr: columnExpr(counter) }]
    const plan: LogicalPlan = { kind: 'project', input: scan, outputs: [...outputs, ...passed] }
    return { plan, columns: outputs.map(({ column: own }) => ({ name: own.name, column: own })) }
  }

  function value() {
    const expr = settle(context, bindExpression(inside, call))
    const column = newColumn(context, shown, expr.type)
    const one: Expr = { kind: 'constant', type: BIGINT, value: 1n }
    const all = counter === null ? [column] : [column, counter]
    const rows = [counter === null ? [expr] : [expr, one]]
    const plan: LogicalPlan = { kind: 'values', columns: all, rows }
    return expr.type.record === undefined
      ? { plan, columns: [{ name: shown, column }] }
      : spread(plan, column)
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
