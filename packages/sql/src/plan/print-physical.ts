import { unreachable } from '@cluster/core'
import type { Expr } from './expression.ts'
import type { AggregateCall, Output, SortKey } from './logical.ts'
import {
  type Access,
  type ApplyNode,
  type Bound,
  type JoinNode,
  type LookupJoinNode,
  type PhysicalPlan,
  physicalInputs,
  type TableScanNode,
} from './physical.ts'
import { type ColumnNames, printExpr, qualifiedNames } from './print-expression.ts'
import { keysText, setsText, windowText } from './print-parts.ts'

const joinWords = { hash: 'Hash', mark: 'Mark', merge: 'Merge', loop: 'Loop' } as const

/** One operator of a plan as EXPLAIN shows it, as far in as it stands below others. */
export interface PlanLine {
  readonly depth: number
  readonly text: string
  readonly node: PhysicalPlan
}

/** A plan as EXPLAIN shows it: one line an operator, what it reads below it and further in. */
export function planLines(plan: PhysicalPlan): PlanLine[] {
  const printer = new PlanPrinter(qualifiedNames(scansOf(plan)))
  printer.print(plan, 0)
  return printer.lines
}

function scansOf(plan: PhysicalPlan): Parameters<typeof qualifiedNames>[0][number][] {
  const own =
    plan.kind === 'tableScan' ||
    plan.kind === 'virtualScan' ||
    plan.kind === 'cteScan' ||
    plan.kind === 'lookupJoin'
      ? [plan]
      : []
  return [...physicalInputs(plan).flatMap(scansOf), ...own]
}

class PlanPrinter {
  readonly lines: PlanLine[] = []
  readonly #names: ColumnNames

  constructor(names: ColumnNames) {
    this.#names = names
  }

  print(plan: PhysicalPlan, depth: number): void {
    const line = (text: string): void => {
      this.lines.push({ depth, text, node: plan })
    }
    const below = (...inputs: readonly PhysicalPlan[]): void => {
      for (const input of inputs) this.print(input, depth + 1)
    }
    switch (plan.kind) {
      case 'tableScan':
        line(this.#scan(plan, null))
        return
      case 'virtualScan':
        line(`Read ${plan.table.name}${aliasText(plan.table.name, plan.alias)}`)
        return
      case 'functionScan':
        line(
          `Call ${plan.name}(${this.#list(plan.args)})${plan.ordinality === null ? '' : ' with ordinality'}`,
        )
        return
      case 'values':
        line(plan.rows.length === 0 ? 'Nothing' : `Values of ${rowsText(plan.rows.length)}`)
        return
      case 'map':
        if (plan.outputs !== null) {
          line(`Project ${this.#outputs(plan.outputs)}`)
          below(plan.filter === null ? plan.input : { ...plan, outputs: null })
          return
        }
        if (plan.input.kind === 'tableScan') {
          line(this.#scan(plan.input, plan.filter))
          return
        }
        line(plan.filter === null ? 'Pass' : `Filter ${this.#expr(plan.filter)}`)
        below(plan.input)
        return
      case 'join':
        line(this.#join(plan))
        below(plan.left, plan.right)
        return
      case 'lookupJoin':
        line(this.#lookupJoin(plan))
        below(plan.left)
        return
      case 'aggregate': {
        const calls = plan.calls.map((call) => this.#call(call)).join(', ')
        const by = setsText(plan.groups, plan.sets, (exprs) => this.#list(exprs))
        line(['Aggregate', calls, by === '' ? '' : `by ${by}`].filter((part) => part !== '').join(' '))
        below(plan.input)
        return
      }
      case 'distinct':
        line(plan.on === null ? 'Distinct' : `Distinct on ${plan.on.map(this.#names).join(', ')}`)
        below(plan.input)
        return
      case 'sort':
        line(`Sort ${this.#keys(plan.keys)}`)
        below(plan.input)
        return
      case 'top':
        line(`Top ${this.#expr(plan.limit)}${this.#offset(plan.offset)} by ${this.#keys(plan.keys)}`)
        below(plan.input)
        return
      case 'limit':
        line(
          `Limit ${plan.limit === null ? 'all' : this.#expr(plan.limit)}${this.#offset(plan.offset)}${plan.ties === null ? '' : ` with ties by ${this.#list(plan.ties)}`}`,
        )
        below(plan.input)
        return
      case 'set':
        line(`${plan.operator.replace(/^./, (first) => first.toUpperCase())}${plan.all ? ' all' : ''}`)
        below(plan.left, plan.right)
        return
      case 'apply':
        line(`Apply ${this.#apply(plan)}`)
        below(plan.input, plan.subquery)
        return
      case 'window':
        line(`Window ${windowText(plan, (expr) => this.#expr(expr))}`)
        below(plan.input)
        return
      case 'lateralJoin': {
        const on = plan.on === null ? '' : ` on ${this.#expr(plan.on)}`
        const each = plan.outer.length === 0 ? '' : ` for each ${plan.outer.map(this.#names).join(', ')}`
        line(`Lateral join ${plan.type}${each}${on}`)
        below(plan.left, plan.right)
        return
      }
      case 'single':
        line('At most one row')
        below(plan.input)
        return
      case 'with':
        line(`With ${plan.tables.map(({ name }) => name).join(', ')}`)
        below(...plan.tables.map((table) => table.plan), plan.input)
        return
      case 'cteScan':
        line(
          `Read ${plan.name}${aliasText(plan.name, plan.alias)}(${plan.columns.map(({ column }) => column.name).join(', ')})`,
        )
        return
      case 'recursive':
        line(`Recursive ${plan.name} union${plan.all ? ' all' : ''}`)
        below(plan.base, plan.step)
        return
      default:
        unreachable(plan)
    }
  }

  #expr(expr: Expr): string {
    return printExpr(expr, this.#names)
  }

  #list(exprs: readonly Expr[]): string {
    return exprs.map((expr) => this.#expr(expr)).join(', ')
  }

  #offset(offset: Expr | null): string {
    return offset === null ? '' : ` offset ${this.#expr(offset)}`
  }

  #join({ keys, residual, type, method }: JoinNode): string {
    const on = [
      ...keys.map(({ left, right }) => `${this.#expr(left)} = ${this.#expr(right)}`),
      ...(residual === null ? [] : [this.#expr(residual)]),
    ].join(' AND ')
    const word = type === 'inner' && on === '' ? 'cross' : type
    return `${joinWords[method]} join ${word}${on === '' ? '' : ` on ${on}`}`
  }

  #lookupJoin({ type, table, alias, columns, index, keys, residual }: LookupJoinNode): string {
    const key = index ?? table.primaryKey
    const on = (key?.columns ?? []).map(
      (position, i) => `${table.columns[position]?.name} = ${this.#expr(keys[i] as Expr)}`,
    )
    const list = columns.map(({ column }) => column.name).join(', ')
    const where = residual === null ? '' : ` where ${this.#expr(residual)}`
    const name = `${table.name}${aliasText(table.name, alias)}(${list})`
    return `Lookup join ${type} ${name} by ${key?.name} ${on.join(' AND ')}${where}`
  }

  #call({ fn, args, distinct, filter }: AggregateCall): string {
    const list = args.length === 0 ? '*' : this.#list(args)
    return `${fn.name}(${distinct ? 'distinct ' : ''}${list})${filter === null ? '' : ` filter ${this.#expr(filter)}`}`
  }

  #apply({ result, when: guard, outer }: ApplyNode): string {
    const often = outer.length === 0 ? 'once' : `for each ${outer.map(this.#names).join(', ')}`
    const when = guard === null ? often : `${often} where ${this.#names(guard)}`
    switch (result.kind) {
      case 'scalar':
        return `scalar ${when}`
      case 'exists':
        return `${result.negated ? 'not ' : ''}exists ${when}`
      case 'quantified': {
        const { negated, quantifier, left } = result.expr
        return `${this.#list(left)} ${negated ? 'not ' : ''}${quantifier} ${when}`
      }
    }
  }

  #outputs(outputs: readonly Output[]): string {
    if (outputs.length === 0) return 'nothing'
    return outputs
      .map(({ column, expr }) => {
        const text = this.#expr(expr)
        return expr.kind === 'column' || text === column.name ? text : `${text} as ${column.name}`
      })
      .join(', ')
  }

  #keys(keys: readonly SortKey[]): string {
    return keysText(keys, (expr) => this.#expr(expr))
  }

  #scan(plan: TableScanNode, filter: Expr | null): string {
    const { table, alias, access, order, limit, keyed = [] } = plan
    const columns = plan.columns.map(({ column }) => column.name).join(', ')
    const word = access.kind === 'keys' ? 'Look up' : 'Scan'
    return [
      `${word} ${table.name}${aliasText(table.name, alias)}(${columns})`,
      this.#access(plan, access),
      order === 'any' ? '' : order === 'ascending' ? 'in key order' : 'in key order backwards',
      keyed.length === 0 ? '' : `joined by ${keyed.map(({ column }) => this.#names(column)).join(', ')}`,
      filter === null ? '' : `where ${this.#expr(filter)}`,
      limit === null ? '' : `limit ${this.#expr(limit)}`,
    ]
      .filter((part) => part !== '')
      .join(' ')
  }

  #access({ table }: TableScanNode, access: Access): string {
    if (access.kind === 'all') return ''
    const key = access.index ?? table.primaryKey
    const names = (key?.columns ?? []).map(
      (position, i) => table.columns[position]?.name ?? access.index?.keys?.[i]?.text ?? '',
    )
    const by = `by ${key?.name ?? 'key'}`
    if (access.kind === 'keys') {
      if (access.tuples.length > 3) return `${by} ${names.join(', ')} in ${access.tuples.length} keys`
      const tuples = access.tuples.map((tuple) =>
        tuple.map((expr, i) => `${names[i]} = ${this.#expr(expr)}`).join(' AND '),
      )
      return `${by} ${tuples.join(' OR ')}`
    }
    const next = names[access.equal.length] ?? ''
    const bound = (sign: string, { expr, inclusive }: Bound): string =>
      `${next} ${sign}${inclusive ? '=' : ''} ${this.#expr(expr)}`
    const parts = [
      ...access.equal.map((expr, i) => `${names[i]} = ${this.#expr(expr)}`),
      ...(access.lower === null ? [] : [bound('>', access.lower)]),
      ...(access.upper === null ? [] : [bound('<', access.upper)]),
    ]
    return parts.length === 0 ? by : `${by} ${parts.join(' AND ')}`
  }
}

const aliasText = (name: string, alias: string): string => (name === alias ? '' : ` ${alias}`)

const rowsText = (count: number): string => `${count} ${count === 1 ? 'row' : 'rows'}`
