import { unreachable } from '@cluster/core'
import type { Expr } from './expression.ts'
import type { LogicalPlan } from './logical.ts'
import { type ColumnNames, printExpr, qualifiedNames } from './print-expression.ts'
import { setsText, windowText } from './print-parts.ts'
import { exprsOf, inputsOf, someExpr } from './traverse.ts'

/** A logical plan, one line a node; the plans of subqueries stand below the node that uses them. */
export function printLogical(plan: LogicalPlan): string[] {
  const lines: string[] = []
  print(plan, 0, qualifiedNames(scansOf(plan)), lines)
  return lines
}

/** The plans of the subqueries in a node's own expressions. */
function subqueriesOf(plan: LogicalPlan): LogicalPlan[] {
  const found: LogicalPlan[] = []
  for (const expr of exprsOf(plan))
    someExpr(expr, (part) => {
      if (part.kind === 'scalarQuery' || part.kind === 'exists' || part.kind === 'quantified')
        found.push(part.plan)
      return false
    })
  return found
}

function scansOf(plan: LogicalPlan): Parameters<typeof qualifiedNames>[0][number][] {
  const own = plan.kind === 'scan' || plan.kind === 'virtualScan' || plan.kind === 'cteScan' ? [plan] : []
  return [...own, ...[...inputsOf(plan), ...subqueriesOf(plan)].flatMap(scansOf)]
}

function print(plan: LogicalPlan, depth: number, names: ColumnNames, lines: string[]): void {
  lines.push('  '.repeat(depth) + nodeText(plan, names))
  for (const input of inputsOf(plan)) print(input, depth + 1, names, lines)
  for (const subquery of subqueriesOf(plan)) {
    lines.push(`${'  '.repeat(depth + 1)}Subquery`)
    print(subquery, depth + 2, names, lines)
  }
}

function nodeText(plan: LogicalPlan, names: ColumnNames): string {
  const text = (expr: Expr): string => printExpr(expr, names)
  const list = (exprs: readonly Expr[]): string => exprs.map(text).join(', ')
  switch (plan.kind) {
    case 'scan':
    case 'virtualScan': {
      const alias = plan.alias === plan.table.name ? '' : ` ${plan.alias}`
      return `Scan ${plan.table.name}${alias}(${plan.columns.map(({ column }) => column.name).join(', ')})`
    }
    case 'functionScan':
      return `Call ${plan.name}(${list(plan.args)})`
    case 'values':
      return `Values ${plan.rows.map((row) => `(${list(row)})`).join(', ') || 'none'}`
    case 'filter':
      return `Filter ${text(plan.predicate)}`
    case 'project':
      return `Project ${plan.outputs
        .map(({ column, expr }) => (expr.kind === 'column' ? text(expr) : `${text(expr)} as ${column.name}`))
        .join(', ')}`
    case 'join':
      return `Join ${plan.type} on ${text(plan.on)}`
    case 'aggregate': {
      const calls = plan.calls.map(({ fn, args, distinct }) => {
        const given = args.length === 0 ? '*' : list(args)
        return `${fn.name}(${distinct ? 'distinct ' : ''}${given})`
      })
      const groups = setsText(plan.groups, plan.sets, list)
      const by = groups === '' ? [] : [`by ${groups}`]
      return ['Aggregate', calls.join(', '), ...by].filter((part) => part !== '').join(' ')
    }
    case 'distinct':
      return plan.on === null ? 'Distinct' : `Distinct on ${plan.on.map(names).join(', ')}`
    case 'sort':
      return `Sort ${plan.keys.map(({ expr, descending }) => `${text(expr)}${descending ? ' desc' : ''}`).join(', ')}`
    case 'limit':
      return `Limit ${plan.limit === null ? 'all' : text(plan.limit)}${plan.offset === null ? '' : ` offset ${text(plan.offset)}`}${plan.ties === null ? '' : ' with ties'}`
    case 'set':
      return `${plan.operator.replace(/^./, (first) => first.toUpperCase())}${plan.all ? ' all' : ''}`
    case 'window':
      return `Window ${windowText(plan, text)}`
    case 'lateral':
      return `Lateral ${plan.type} on ${text(plan.on)}`
    case 'single':
      return 'At most one row'
    case 'with':
      return `With ${plan.tables.map(({ name }) => name).join(', ')}`
    case 'cteScan':
      return `Read ${plan.name}${plan.alias === plan.name ? '' : ` ${plan.alias}`}(${plan.columns.map(({ column }) => column.name).join(', ')})`
    case 'recursive':
      return `Recursive ${plan.name} union${plan.all ? ' all' : ''}`
    default:
      return unreachable(plan)
  }
}
