import type { Value } from '@cluster/core'
import { formatValue } from '../types/format.ts'
import { formatType } from '../types/type.ts'
import type { Expr } from './expression.ts'
import type { Output, SortKey } from './logical.ts'
import type { Access, ApplyNode, Bound, PhysicalPlan, TableScanNode } from './physical.ts'

/** A plan as EXPLAIN shows it: one line an operator, what it reads below it and further in. */
export function printPlan(plan: PhysicalPlan): string[] {
  const lines: string[] = []
  print(plan, 0, lines)
  return lines
}

function print(plan: PhysicalPlan, depth: number, lines: string[]): void {
  const line = (text: string): void => {
    lines.push('  '.repeat(depth) + text)
  }
  switch (plan.kind) {
    case 'tableScan':
      line(scanText(plan, null))
      return
    case 'virtualScan':
      line(`Read ${plan.table.name}${aliasText(plan.table.name, plan.alias)}`)
      return
    case 'functionScan':
      line(`Call ${plan.name}(${plan.args.map((arg) => printExpr(arg)).join(', ')})`)
      return
    case 'values':
      line(
        plan.rows.length === 0
          ? 'Nothing'
          : `Values ${plan.rows.length} ${plan.rows.length === 1 ? 'row' : 'rows'}`,
      )
      return
    case 'map': {
      if (plan.outputs !== null) {
        line(`Project ${outputsText(plan.outputs)}`)
        if (plan.filter === null) print(plan.input, depth + 1, lines)
        else print({ ...plan, outputs: null }, depth + 1, lines)
        return
      }
      if (plan.input.kind === 'tableScan') {
        line(scanText(plan.input, plan.filter))
        return
      }
      line(plan.filter === null ? 'Pass' : `Filter ${printExpr(plan.filter)}`)
      break
    }
    case 'join': {
      const keys = plan.keys.map(({ left, right }) => `${printExpr(left)} = ${printExpr(right)}`)
      const on = [...keys, ...(plan.residual === null ? [] : [printExpr(plan.residual)])].join(' AND ')
      const word = plan.type === 'inner' && on === '' ? 'cross' : plan.type
      line(`${plan.method === 'hash' ? 'Hash' : 'Loop'} join ${word}${on === '' ? '' : ` on ${on}`}`)
      print(plan.left, depth + 1, lines)
      print(plan.right, depth + 1, lines)
      return
    }
    case 'aggregate': {
      const calls = plan.calls.map((call) => {
        const args = call.args.length === 0 ? '*' : call.args.map((arg) => printExpr(arg)).join(', ')
        const filter = call.filter === null ? '' : ` filter ${printExpr(call.filter)}`
        return `${call.fn.name}(${call.distinct ? 'distinct ' : ''}${args})${filter}`
      })
      const by = plan.groups.map(({ expr }) => printExpr(expr)).join(', ')
      line(`Aggregate ${calls.join(', ')}${by === '' ? '' : `${calls.length > 0 ? ' ' : ''}by ${by}`}`)
      break
    }
    case 'distinct':
      line(plan.on === null ? 'Distinct' : `Distinct on ${plan.on.map(({ name }) => name).join(', ')}`)
      break
    case 'sort':
      line(`Sort ${keysText(plan.keys)}`)
      break
    case 'top':
      line(`Top ${printExpr(plan.limit)}${offsetText(plan.offset)} by ${keysText(plan.keys)}`)
      break
    case 'limit':
      line(`Limit ${plan.limit === null ? 'all' : printExpr(plan.limit)}${offsetText(plan.offset)}`)
      break
    case 'set':
      line(`${plan.operator.replace(/^./, (first) => first.toUpperCase())}${plan.all ? ' all' : ''}`)
      print(plan.left, depth + 1, lines)
      print(plan.right, depth + 1, lines)
      return
    case 'apply':
      line(`Apply ${applyText(plan)}`)
      print(plan.input, depth + 1, lines)
      print(plan.subquery, depth + 1, lines)
      return
  }
  print(plan.input, depth + 1, lines)
}

const aliasText = (name: string, alias: string): string => (name === alias ? '' : ` ${alias}`)

const offsetText = (offset: Expr | null): string => (offset === null ? '' : ` offset ${printExpr(offset)}`)

function applyText({ result, outer }: ApplyNode): string {
  const word =
    result.kind === 'scalar'
      ? 'scalar'
      : result.kind === 'exists'
        ? `${result.negated ? 'not ' : ''}exists`
        : `${result.expr.negated ? 'not ' : ''}${result.expr.quantifier}`
  return outer.length === 0 ? `${word} once` : `${word} for each ${outer.map(({ name }) => name).join(', ')}`
}

function outputsText(outputs: readonly Output[]): string {
  if (outputs.length === 0) return 'nothing'
  return outputs
    .map(({ column, expr }) => {
      const text = printExpr(expr)
      return expr.kind === 'column' || text === column.name ? text : `${text} as ${column.name}`
    })
    .join(', ')
}

function keysText(keys: readonly SortKey[]): string {
  return keys
    .map(({ expr, descending, nulls }) => {
      const usual = descending ? 'first' : 'last'
      return `${printExpr(expr)}${descending ? ' desc' : ''}${nulls === usual ? '' : ` nulls ${nulls}`}`
    })
    .join(', ')
}

function scanText(plan: TableScanNode, filter: Expr | null): string {
  const { table, alias, access, order, limit } = plan
  const columns = plan.columns.map(({ column }) => column.name).join(', ')
  return [
    `${access.kind === 'keys' ? 'Look up' : 'Scan'} ${table.name}${aliasText(table.name, alias)}(${columns})`,
    accessText(plan, access),
    order === 'any' ? '' : order === 'ascending' ? 'in key order' : 'in key order backwards',
    filter === null ? '' : `where ${printExpr(filter)}`,
    limit === null ? '' : `limit ${printExpr(limit)}`,
  ]
    .filter((part) => part !== '')
    .join(' ')
}

function accessText({ table }: TableScanNode, access: Access): string {
  if (access.kind === 'all') return ''
  const key = access.index ?? table.primaryKey
  const names = (key?.columns ?? []).map((position) => table.columns[position]?.name ?? '')
  const by = `by ${key?.name ?? 'key'}`
  if (access.kind === 'keys') {
    if (access.tuples.length > 3) return `${by} ${names.join(', ')} in ${access.tuples.length} keys`
    const tuples = access.tuples.map((tuple) =>
      tuple.map((expr, i) => `${names[i]} = ${printExpr(expr)}`).join(' AND '),
    )
    return `${by} ${tuples.join(' OR ')}`
  }
  const next = names[access.equal.length] ?? ''
  const bound = (sign: string, { expr, inclusive }: Bound): string =>
    `${next} ${sign}${inclusive ? '=' : ''} ${printExpr(expr)}`
  const parts = [
    ...access.equal.map((expr, i) => `${names[i]} = ${printExpr(expr)}`),
    ...(access.lower === null ? [] : [bound('>', access.lower)]),
    ...(access.upper === null ? [] : [bound('<', access.upper)]),
  ]
  return `${by} ${parts.join(' AND ')}`
}

/** An expression in SQL's notation, with parentheses where they are needed. */
export function printExpr(expr: Expr, inside = false): string {
  const wrap = (text: string): string => (inside ? `(${text})` : text)
  switch (expr.kind) {
    case 'constant':
      return constantText(expr.value, expr)
    case 'parameter':
      return `$${expr.index}`
    case 'column':
      return expr.column.name
    case 'call': {
      const [first, second] = expr.args
      if (expr.form === 'cast' && first !== undefined)
        return `${printExpr(first, true)}::${formatType(expr.type)}`
      if (expr.form === 'infix' && first !== undefined && second !== undefined)
        return wrap(`${printExpr(first, true)} ${expr.fn.name} ${printExpr(second, true)}`)
      if (expr.form === 'prefix' && first !== undefined)
        return wrap(`${expr.fn.name} ${printExpr(first, true)}`)
      return `${expr.fn.name}(${expr.args.map((arg) => printExpr(arg)).join(', ')})`
    }
    case 'and':
    case 'or':
      return wrap(
        expr.operands.map((operand) => printExpr(operand, true)).join(` ${expr.kind.toUpperCase()} `),
      )
    case 'not':
      return wrap(`NOT ${printExpr(expr.operand, true)}`)
    case 'is':
      return wrap(
        `${printExpr(expr.operand, true)} IS ${expr.negated ? 'NOT ' : ''}${expr.test.toUpperCase()}`,
      )
    case 'distinctFrom':
      return wrap(
        `${printExpr(expr.left, true)} IS ${expr.negated ? 'NOT ' : ''}DISTINCT FROM ${printExpr(expr.right, true)}`,
      )
    case 'case': {
      const branches = expr.branches.map(
        ({ when, result }) => `WHEN ${printExpr(when)} THEN ${printExpr(result)}`,
      )
      return `CASE ${branches.join(' ')} ELSE ${printExpr(expr.otherwise)} END`
    }
    case 'coalesce':
      return `COALESCE(${expr.args.map((arg) => printExpr(arg)).join(', ')})`
    case 'inList': {
      const list = expr.list.map((item) => printExpr(item)).join(', ')
      return wrap(`${printExpr(expr.operand, true)} ${expr.negated ? 'NOT ' : ''}IN (${list})`)
    }
    case 'scalarQuery':
      return '(subquery)'
    case 'exists':
      return wrap(`${expr.negated ? 'NOT ' : ''}EXISTS (subquery)`)
    case 'quantified': {
      const left = expr.left.map((one) => printExpr(one)).join(', ')
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
