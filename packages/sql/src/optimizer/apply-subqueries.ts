import { columnExpr, conjunction } from '../plan/build.ts'
import type {
  CaseExpr,
  CoalesceExpr,
  Column,
  ExistsExpr,
  Expr,
  QuantifiedExpr,
  ScalarQueryExpr,
} from '../plan/expression.ts'
import type { LogicalPlan } from '../plan/logical.ts'
import { type ApplyNode, type PhysicalPlan, physicalColumns } from '../plan/physical.ts'
import { columnsIn, hasSubquery, isSubquery, mapChildren } from '../plan/traverse.ts'
import { BOOLEAN } from '../types/type.ts'

export interface ApplyPorts {
  readonly nextColumnId: () => number
  readonly plan: (plan: LogicalPlan) => PhysicalPlan
}

type Subquery = ScalarQueryExpr | ExistsExpr | QuantifiedExpr

/**
 * Puts operators over the input that compute the subqueries of an expression, and names their columns instead.
 * A subquery in a branch of CASE, or behind the first argument of COALESCE, runs only for the rows that get there.
 */
export function applySubqueries(
  start: PhysicalPlan,
  expr: Expr,
  ports: ApplyPorts,
): { readonly input: PhysicalPlan; readonly expr: Expr } {
  const applier = new Applier(start, ports)
  const replaced = applier.replace(expr, null)
  return { input: applier.input, expr: replaced }
}

class Applier {
  readonly #ports: ApplyPorts
  #input: PhysicalPlan

  constructor(input: PhysicalPlan, ports: ApplyPorts) {
    this.#input = input
    this.#ports = ports
  }

  get input(): PhysicalPlan {
    return this.#input
  }

  /** @param guard a column of the input that is true for the rows which need the value; null: all do */
  replace(part: Expr, guard: Column | null): Expr {
    if (!hasSubquery(part)) return part
    if (isSubquery(part)) return this.#subquery(part as Subquery, guard)
    if (part.kind === 'case') return this.#case(part, guard)
    if (part.kind === 'coalesce') return this.#coalesce(part, guard)
    return mapChildren(part, (child) => this.replace(child, guard))
  }

  #case(expr: CaseExpr, guard: Column | null): Expr {
    let reached = guard
    const branches = expr.branches.map(({ when, result }, i) => {
      const condition = this.replace(when, reached)
      const taken = hasSubquery(result) ? this.#column(both(reached, condition), 'taken') : null
      const branch = { when: condition, result: this.replace(result, taken) }
      const rest = [
        ...expr.branches.slice(i + 1).flatMap((later) => [later.when, later.result]),
        expr.otherwise,
      ]
      if (rest.some(hasSubquery)) reached = this.#column(both(reached, isNotTrue(condition)), 'reached')
      return branch
    })
    return { ...expr, branches, otherwise: this.replace(expr.otherwise, reached) }
  }

  #coalesce(expr: CoalesceExpr, guard: Column | null): Expr {
    let reached = guard
    const args = expr.args.map((arg, i) => {
      const value = this.replace(arg, reached)
      if (expr.args.slice(i + 1).some(hasSubquery))
        reached = this.#column(both(reached, isNull(value)), 'reached')
      return value
    })
    return { ...expr, args }
  }

  #subquery(subquery: Subquery, guard: Column | null): Expr {
    const result = this.#result(subquery, guard)
    const known = new Set(physicalColumns(this.#input).map(({ id }) => id))
    const outer = [
      ...columnsIn({ kind: 'exists', type: subquery.type, plan: subquery.plan, negated: false }).values(),
    ]
    const column = this.#newColumn('subquery', subquery)
    this.#input = {
      kind: 'apply',
      input: this.#input,
      subquery: this.#plan(subquery),
      column,
      result,
      when: guard,
      outer: outer.filter(({ id }) => known.has(id)),
    }
    return columnExpr(column)
  }

  /** A scalar subquery's value is its first column. */
  #plan(subquery: Subquery): PhysicalPlan {
    const plan = this.#ports.plan(subquery.plan)
    return subquery.kind === 'scalarQuery' ? exactly(plan, [subquery.column]) : plan
  }

  #result(subquery: Subquery, guard: Column | null): ApplyNode['result'] {
    switch (subquery.kind) {
      case 'scalarQuery':
        return { kind: 'scalar' }
      case 'exists':
        return { kind: 'exists', negated: subquery.negated }
      case 'quantified': {
        const left = subquery.left.map((expr) => {
          const value = this.replace(expr, guard)
          return columnExpr(this.#column(guard === null ? value : onlyWhen(guard, value), 'operand'))
        })
        return { kind: 'quantified', expr: { ...subquery, left } }
      }
    }
  }

  /** The expression as a column of the input, which gets one more unless it has it. */
  #column(expr: Expr, name: string): Column {
    const known = physicalColumns(this.#input)
    if (expr.kind === 'column' && known.some(({ id }) => id === expr.column.id)) return expr.column
    const column = this.#newColumn(name, expr)
    const outputs = [...known.map((one) => ({ column: one, expr: columnExpr(one) })), { column, expr }]
    this.#input = { kind: 'map', input: this.#input, filter: null, outputs }
    return column
  }

  #newColumn(name: string, { type }: Expr): Column {
    return { id: this.#ports.nextColumnId(), name, type }
  }
}

const both = (guard: Column | null, condition: Expr): Expr =>
  conjunction([...(guard === null ? [] : [columnExpr(guard)]), condition])

const isNotTrue = (operand: Expr): Expr => ({
  kind: 'is',
  type: BOOLEAN,
  test: 'true',
  operand,
  negated: true,
})

const isNull = (operand: Expr): Expr => ({ kind: 'is', type: BOOLEAN, test: 'null', operand, negated: false })

/** A value that is not computed for other rows. */
function onlyWhen(guard: Column, value: Expr): Expr {
  if (value.kind === 'column') return value
  const otherwise = { kind: 'constant', type: value.type, value: null } as const
  return {
    kind: 'case',
    type: value.type,
    branches: [{ when: columnExpr(guard), result: value }],
    otherwise,
  }
}

/** Exactly these columns, in order. */
export function exactly(input: PhysicalPlan, columns: readonly Column[]): PhysicalPlan {
  const known = physicalColumns(input)
  if (known.length === columns.length && known.every(({ id }, i) => id === columns[i]?.id)) return input
  const outputs = columns.map((column) => ({ column, expr: columnExpr(column) }))
  return { kind: 'map', input, filter: null, outputs }
}
