import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts'
import { columnExpr } from '../../plan/build.ts'
import type { Column, Expr } from '../../plan/expression.ts'
import type { LogicalPlan, Output } from '../../plan/logical.ts'
import type { Check } from '../../plan/statement.ts'
import { substitute } from '../../plan/traverse.ts'
import { parseExpression } from '../../syntax/parse.ts'
import { BOOLEAN } from '../../types/type.ts'
import type { BindContext, Scope } from '../context.ts'
import { bindCondition, bindExpression } from '../expression/bind-expression.ts'
import { coerce } from '../expression/coerce.ts'
import { domainChain, domainCondition } from '../expression/domains.ts'
import { rowColumns, rowScope } from './bind-assignment.ts'

/** A row under the names of the table, whatever the statement calls them. */
const scopeOf = (table: TableSchema, row: readonly Column[]): Scope =>
  rowScope(
    table,
    row.map((column, position) => ({ ...column, name: table.columns[position]?.name ?? column.name })),
    table.name,
  )

const isGenerated = ({ generated }: ColumnSchema): boolean => generated !== null

/** The expressions of a table's generated columns over the columns of a row, by position. */
function generatedOver(
  context: BindContext,
  table: TableSchema,
  row: readonly Column[],
): ReadonlyMap<number, Expr> {
  const inner: BindContext = { ...context, source: null }
  const place = {
    context: inner,
    scope: scopeOf(table, row),
    aggregates: null,
    name: 'column generation expressions',
  }
  const exprs = new Map<number, Expr>()
  table.columns.forEach(({ generated, type }, position) => {
    if (generated === null) return
    const node = parseExpression(generated)
    exprs.set(position, coerce(inner, node, bindExpression(place, node), type, 'assignment'))
  })
  return exprs
}

interface RowPlan {
  readonly plan: LogicalPlan
  /** One for each column of the table. */
  readonly columns: readonly Column[]
}

/** Rows of a table with its generated columns computed from the others. @param kept what the plan gives besides */
export function withGenerated(
  context: BindContext,
  table: TableSchema,
  source: RowPlan,
  kept: readonly Column[] = [],
): RowPlan {
  if (!table.columns.some(isGenerated)) return source
  const exprs = generatedOver(context, table, source.columns)
  const columns = rowColumns(context, table)
  const passed = kept.map((column): Output => ({ column, expr: columnExpr(column) }))
  const computed = columns.map(
    (column, position): Output => ({
      column,
      expr: exprs.get(position) ?? columnExpr(source.columns[position] as Column),
    }),
  )
  return { plan: { kind: 'project', input: source.plan, outputs: [...passed, ...computed] }, columns }
}

/** New values of a row, those of generated columns computed from the others. */
export function valuesWithGenerated(
  context: BindContext,
  table: TableSchema,
  values: readonly Expr[],
): readonly Expr[] {
  if (!table.columns.some(isGenerated)) return values
  const row = rowColumns(context, table)
  const by = new Map(row.map(({ id }, position) => [id, values[position] as Expr]))
  const exprs = generatedOver(context, table, row)
  return values.map((value, position) => {
    const expr = exprs.get(position)
    return expr === undefined ? value : substitute(expr, by)
  })
}

/** The conditions that rows of a table meet: its own checks, then what domains of its columns ask. */
export function checksOver(
  context: BindContext,
  table: TableSchema,
  row: readonly Column[],
): readonly Check[] {
  const inner: BindContext = { ...context, source: null }
  const place = {
    context: inner,
    scope: scopeOf(table, row),
    aggregates: null,
    name: 'check constraints',
  }
  // In the order of their names, as PostgreSQL tries them.
  const named = [...table.checks].sort((a, b) => (a.name < b.name ? -1 : 1))
  const checks = named.map(
    ({ name, text }): Check => ({
      name,
      expr: bindCondition(place, parseExpression(text), 'CHECK'),
      domain: null,
    }),
  )
  table.columns.forEach(({ domain: key }, position) => {
    const domain = key === null ? null : context.names.byKey(key)
    if (domain?.kind !== 'domain') return
    const value = columnExpr(row[position] as Column)
    const chain = domainChain(context, domain)
    if (chain.some(({ notNull }) => notNull))
      checks.push({
        name: '',
        expr: { kind: 'is', type: BOOLEAN, operand: value, test: 'null', negated: true },
        domain: domain.name,
      })
    for (const level of chain)
      for (const check of level.checks)
        checks.push({
          name: check.name,
          expr: domainCondition(inner, level, check, value, bindCondition),
          domain: domain.name,
        })
  })
  return checks
}
