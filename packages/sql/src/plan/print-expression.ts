import type { Value } from '@cluster/core'
import { formatValue } from '../types/format.ts'
import { formatType } from '../types/type.ts'
import type { Column, Expr } from './expression.ts'

/** How a column is called in a printed plan. */
export type ColumnNames = (column: Column) => string

/** Every column by its own name. */
const bareNames: ColumnNames = ({ name }) => name

/** Columns with their table in front where the bare name would be ambiguous. */
export function qualifiedNames(
  scans: readonly { readonly alias: string; readonly columns: readonly { readonly column: Column }[] }[],
): ColumnNames {
  const ids = new Map<string, Set<number>>()
  const aliases = new Map<number, string>()
  for (const { alias, columns } of scans)
    for (const { column } of columns) {
      aliases.set(column.id, alias)
      const known = ids.get(column.name) ?? new Set()
      ids.set(column.name, known.add(column.id))
    }
  return ({ id, name }) => {
    const alias = aliases.get(id)
    return alias !== undefined && (ids.get(name)?.size ?? 0) > 1 ? `${alias}.${name}` : name
  }
}

/** An expression in SQL's notation, with parentheses where they are needed. */
export function printExpr(expr: Expr, names: ColumnNames = bareNames, inside = false): string {
  const print = (part: Expr): string => printExpr(part, names)
  const within = (part: Expr): string => printExpr(part, names, true)
  const wrap = (text: string): string => (inside ? `(${text})` : text)
  switch (expr.kind) {
    case 'constant':
      return constantText(expr.value, expr)
    case 'parameter':
      return `$${expr.index}`
    case 'column':
      return names(expr.column)
    case 'call': {
      const [first, second] = expr.args
      if (expr.form === 'cast' && first !== undefined) return `${within(first)}::${formatType(expr.type)}`
      if (expr.form === 'infix' && first !== undefined && second !== undefined)
        return wrap(`${within(first)} ${expr.fn.name} ${within(second)}`)
      if (expr.form === 'prefix' && first !== undefined) return wrap(`${expr.fn.name} ${within(first)}`)
      return `${expr.fn.name}(${expr.args.map((arg) => print(arg)).join(', ')})`
    }
    case 'and':
    case 'or':
      return wrap(expr.operands.map((operand) => within(operand)).join(` ${expr.kind.toUpperCase()} `))
    case 'not':
      return wrap(`NOT ${within(expr.operand)}`)
    case 'is':
      return wrap(`${within(expr.operand)} IS ${expr.negated ? 'NOT ' : ''}${expr.test.toUpperCase()}`)
    case 'distinctFrom':
      return wrap(`${within(expr.left)} IS ${expr.negated ? 'NOT ' : ''}DISTINCT FROM ${within(expr.right)}`)
    case 'case': {
      const branches = expr.branches.map(({ when, result }) => `WHEN ${print(when)} THEN ${print(result)}`)
      return `CASE ${branches.join(' ')} ELSE ${print(expr.otherwise)} END`
    }
    case 'coalesce':
      return `COALESCE(${expr.args.map((arg) => print(arg)).join(', ')})`
    case 'inList': {
      const list = expr.list.map((item) => print(item)).join(', ')
      return wrap(`${within(expr.operand)} ${expr.negated ? 'NOT ' : ''}IN (${list})`)
    }
    case 'scalarQuery':
      return '(subquery)'
    case 'exists':
      return wrap(`${expr.negated ? 'NOT ' : ''}EXISTS (subquery)`)
    case 'quantified': {
      const left = expr.left.map((one) => print(one)).join(', ')
      return wrap(`${left} ${expr.negated ? 'NOT ' : ''}${expr.quantifier.toUpperCase()} (subquery)`)
    }
  }
}

function constantText(value: Value, { type }: Expr): string {
  if (value === null) return 'NULL'
  const text = formatValue(type, value)
  const bare = typeof value === 'number' || typeof value === 'bigint' || type.id === 'numeric'
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (bare && type.id !== 'date' && type.id !== 'timestamp') return text
  return `'${text.replaceAll("'", "''")}'`
}
