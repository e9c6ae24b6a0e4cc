import { unreachable } from '@cluster/core'
import { SQLSTATE, sqlError } from '../errors.ts'
import { columnExpr, conjunction, constant, isTrue, TRUE } from '../plan/build.ts'
import type { Column, Expr } from '../plan/expression.ts'
import {
  type AggregatePlan,
  columnsOf,
  type JoinPlan,
  type LateralPlan,
  type LimitPlan,
  type LogicalPlan,
  type Output,
  type ProjectPlan,
  type ScanPlan,
  type SortKey,
  type SortPlan,
  type WindowPlan,
} from '../plan/logical.ts'
import { type JoinNode, type PhysicalPlan, physicalColumns } from '../plan/physical.ts'
import { mapWindowCall } from '../plan/plan-parts.ts'
import { sameExpr } from '../plan/same-expr.ts'
import {
  columnsIn,
  conjunctsOf,
  freeColumns,
  hasSubquery,
  isSubquery,
  mapChildren,
  someExpr,
} from '../plan/traverse.ts'
import { BIGINT } from '../types/type.ts'
import { type ChosenAccess, chooseAccess } from './access-path.ts'
import { applySubqueries, exactly } from './apply-subqueries.ts'
import { estimateRows } from './estimate.ts'
import { comesSorted, comesTogether } from './given-order.ts'
import { joinKeys, type Lookup, lookupFor } from './join-method.ts'
import { type JoinSizes, joinsByStoredKeys, mergeByKey } from './merge-by-key.ts'
import { orderByIndex } from './order-by-index.ts'
import { orderByKey } from './order-by-key.ts'
import { passKeys } from './pass-keys.ts'

export interface PhysicalOptions {
  /** Makes ids for columns that the planner adds. */
  readonly nextColumnId: () => number
  /** False: full scans and nested loops only, for comparing results. */
  readonly optimize: boolean
}

/** Chooses an operator for every node of a logical plan. */
export function physicalPlan(plan: LogicalPlan, options: PhysicalOptions): PhysicalPlan {
  return new PhysicalPlanner(options).plan(plan)
}

class PhysicalPlanner {
  readonly #options: PhysicalOptions
  /** Of joins that may be done in the order of keys. */
  readonly #sizes = new WeakMap<JoinNode, JoinSizes>()
  /** How many rows of the sort that is planned next are wanted; null: all. */
  #wanted: number | null = null

  constructor(options: PhysicalOptions) {
    this.#options = options
  }

  plan(plan: LogicalPlan): PhysicalPlan {
    switch (plan.kind) {
      case 'scan':
        return this.#scan(plan, [])
      case 'virtualScan':
        return plan
      case 'functionScan':
      case 'values':
        return this.#withoutInput(plan)
      case 'filter':
        if (plan.input.kind === 'scan') return this.#scan(plan.input, conjunctsOf(plan.predicate))
        return this.#filter(this.plan(plan.input), conjunctsOf(plan.predicate))
      case 'project':
        return this.#project(plan)
      case 'join':
        return this.#join(plan)
      case 'aggregate':
        return this.#aggregate(plan)
      case 'distinct':
        return { kind: 'distinct', input: this.#exact(plan.input), on: plan.on }
      case 'sort':
        return this.#sort(plan)
      case 'limit':
        return this.#limit(plan)
      case 'set':
        return { ...plan, left: this.#exact(plan.left), right: this.#exact(plan.right) }
      case 'window':
        return this.#window(plan)
      case 'lateral':
        return this.#lateral(plan)
      case 'single':
        return { kind: 'single', input: this.plan(plan.input) }
      case 'with': {
        const tables = plan.tables.map(({ id, name, plan: table }) => ({
          id,
          name,
          plan: this.#exact(table),
        }))
        return { kind: 'with', tables, input: this.plan(plan.input) }
      }
      case 'cteScan':
        return plan
      case 'recursive': {
        const { id, name, all, columns } = plan
        const [base, step] = [this.#exact(plan.base), this.#exact(plan.step)]
        return { kind: 'recursive', id, name, all, base, step, columns }
      }
      default:
        return unreachable(plan)
    }
  }

  /** With exactly the columns that the logical plan has, in order. */
  #exact(plan: LogicalPlan): PhysicalPlan {
    return exactly(this.plan(plan), columnsOf(plan))
  }

  #scan(scan: ScanPlan, conditions: readonly Expr[]): PhysicalPlan {
    const { access, rest }: ChosenAccess = this.#options.optimize
      ? chooseAccess(scan, conditions)
      : { access: { kind: 'all' }, rest: conditions }
    const { table, alias, columns } = scan
    const node: PhysicalPlan = { kind: 'tableScan', table, alias, columns, access, order: 'any', limit: null }
    return this.#filter(node, rest)
  }

  /** Conditions with subqueries come last: the others spare them rows. */
  #filter(input: PhysicalPlan, conditions: readonly Expr[]): PhysicalPlan {
    const plain = conditions.filter((condition) => !hasSubquery(condition))
    let result = withFilter(input, plain)
    for (const condition of conditions) {
      if (!hasSubquery(condition)) continue
      const applied = this.#apply(result, condition)
      result = withFilter(applied.input, [applied.expr])
    }
    // Columns of subqueries that are of no more use do no harm: who needs exact columns asks for them.
    return result
  }

  #project(plan: ProjectPlan): PhysicalPlan {
    let input = this.plan(plan.input)
    const outputs = plan.outputs.map(({ column, expr }) => {
      const applied = this.#apply(input, expr)
      input = applied.input
      return { column, expr: applied.expr }
    })
    const [below, filter] =
      input.kind === 'map' && input.outputs === null ? [input.input, input.filter] : [input, null]
    const used = [...outputs.map(({ expr }) => expr), ...(filter === null ? [] : [filter])]
    return { kind: 'map', input: narrowed(below, used), filter, outputs }
  }

  #aggregate(plan: AggregatePlan): PhysicalPlan {
    let input = this.plan(plan.input)
    const replace = (expr: Expr): Expr => {
      const applied = this.#apply(input, expr)
      input = applied.input
      return applied.expr
    }
    const groups = plan.groups.map(({ column, expr }) => ({ column, expr: replace(expr) }))
    const calls = plan.calls.map((call) => ({
      ...call,
      args: call.args.map(replace),
      filter: call.filter === null ? null : replace(call.filter),
      orderBy: call.orderBy.map((key) => ({ ...key, expr: replace(key.expr) })),
    }))
    return { kind: 'aggregate', input, groups, calls, sets: plan.sets }
  }

  #sort(plan: SortPlan): PhysicalPlan {
    const wanted = this.#wanted
    this.#wanted = null
    let input = this.plan(plan.input)
    const keys = plan.keys.map((key) => {
      const applied = this.#apply(input, key.expr)
      input = applied.input
      return { ...key, expr: applied.expr }
    })
    return this.#sorted(input, keys, wanted)
  }

  /** Sorts, unless the rows come in that order. */
  #sorted(input: PhysicalPlan, keys: readonly SortKey[], wanted: number | null = null): PhysicalPlan {
    if (keys.length === 0) return input
    if (this.#options.optimize) {
      if (comesSorted(input, keys)) return input
      const sizesOf = (join: JoinNode): JoinSizes | null => this.#sizes.get(join) ?? null
      const ordered =
        orderByKey(input, keys) ??
        orderByIndex(input, keys, wanted) ??
        mergeByKey(input, keys, sizesOf, wanted)
      if (ordered !== null) return ordered
    }
    return { kind: 'sort', input, keys }
  }

  /** Partitions are runs of sorted rows. What the window sorts by is computed once, as columns. */
  #window(plan: WindowPlan): PhysicalPlan {
    let input = this.plan(plan.input)
    const added: Output[] = []
    const replace = (expr: Expr): Expr => {
      const applied = this.#apply(input, expr)
      input = applied.input
      return applied.expr
    }
    const column = (expr: Expr): Expr => {
      const applied = replace(expr)
      if (applied.kind === 'column') return applied
      const known = added.find((output) => sameExpr(output.expr, applied))
      if (known !== undefined) return columnExpr(known.column)
      const made = { id: this.#options.nextColumnId(), name: 'window key', type: applied.type }
      added.push({ column: made, expr: applied })
      return columnExpr(made)
    }
    const partitionBy = plan.partitionBy.map(column)
    const orderBy = plan.orderBy.map((key) => ({ ...key, expr: column(key.expr) }))
    const calls = plan.calls.map((call) => mapWindowCall(call, replace))
    if (added.length > 0) {
      const passed = physicalColumns(input).map((one) => ({ column: one, expr: columnExpr(one) }))
      input = { kind: 'map', input, filter: null, outputs: [...passed, ...added] }
    }
    const sides = partitionBy.map((expr): SortKey => ({ expr, descending: false, nulls: 'last' }))
    const together = this.#options.optimize && comesTogether(input, partitionBy, orderBy)
    const sorted = together ? input : this.#sorted(input, [...sides, ...orderBy])
    return { kind: 'window', input: sorted, partitionBy, orderBy, calls }
  }

  #lateral(plan: LateralPlan): PhysicalPlan {
    const left = this.plan(plan.left)
    const known = new Set(physicalColumns(left).map(({ id }) => id))
    const outer = [...freeColumns(plan.right).values()].filter(({ id }) => known.has(id))
    const right = this.plan(plan.right)
    const { type } = plan
    const outputs = columnsOf(plan)
    // A condition with a subquery of its own is part of what runs for each row.
    const inside = hasSubquery(plan.on)
    const rightPlan = inside ? this.#filter(right, conjunctsOf(plan.on)) : right
    const more = inside ? [...columnsIn(plan.on).values()].filter(({ id }) => known.has(id)) : []
    const both = [...new Map([...outer, ...more].map((one) => [one.id, one])).values()]
    const on = inside || isTrue(plan.on) ? null : plan.on
    return { kind: 'lateralJoin', type, left, right: rightPlan, on, outer: both, outputs }
  }

  #limit(plan: LimitPlan): PhysicalPlan {
    const { limit, offset } = plan
    const sorted = plan.input.kind === 'project' ? plan.input.input : plan.input
    if (sorted.kind === 'sort' && limit !== null && !isNull(limit))
      this.#wanted = countOf(limit) + (offset === null ? 0 : countOf(offset))
    const input = this.plan(plan.input)
    const counts = this.#counts(plan)
    const rest = { limit, offset, counts }
    if (plan.ties !== null) return { kind: 'limit', input, ...rest, ties: plan.ties.map(({ expr }) => expr) }
    if (this.#options.optimize && limit !== null && !isNull(limit)) {
      if (input.kind === 'sort') return { kind: 'top', input: input.input, keys: input.keys, ...rest, limit }
      // The projection goes over the rows that stay.
      if (input.kind === 'map' && input.filter === null && input.input.kind === 'sort') {
        const { keys, input: below } = input.input
        return { ...input, input: { kind: 'top', input: below, keys, ...rest, limit } }
      }
    }
    const known = offset === null && counts === null
    return { kind: 'limit', input: known ? limited(input, limit) : input, ...rest, ties: null }
  }

  /** Limit and offset in one row, when one of them needs a subquery. */
  #counts({ limit, offset }: LimitPlan): PhysicalPlan | null {
    const exprs = [limit, offset].map((expr) => expr ?? constant(BIGINT, null))
    if (!exprs.some(hasSubquery)) return null
    return this.#row(
      exprs,
      exprs.map(({ type }) => this.#newColumn('count', type)),
    )
  }

  /** One row of expressions that may have subqueries. */
  #row(exprs: readonly Expr[], columns: readonly Column[]): PhysicalPlan {
    let input: PhysicalPlan = { kind: 'values', columns: [], rows: [[]] }
    const applied = exprs.map((expr) => {
      const one = this.#apply(input, expr)
      input = one.input
      return one.expr
    })
    const outputs = columns.map((column, i) => ({ column, expr: applied[i] as Expr }))
    return { kind: 'map', input, filter: null, outputs }
  }

  #newColumn(name: string, type: Expr['type']): Column {
    return { id: this.#options.nextColumnId(), name, type }
  }

  /** Subqueries in VALUES or in a function's arguments are computed from one row without columns. */
  #withoutInput(plan: LogicalPlan & { kind: 'values' | 'functionScan' }): PhysicalPlan {
    if (plan.kind === 'functionScan') {
      if (!plan.args.some(hasSubquery)) return plan
      const columns = plan.args.map(({ type }) => this.#newColumn('argument', type))
      const right = { ...plan, args: columns.map(columnExpr) }
      const left = this.#row(plan.args, columns)
      const outputs = columnsOf(plan)
      return { kind: 'lateralJoin', type: 'inner', left, right, on: null, outer: columns, outputs }
    }
    if (!plan.rows.some((row) => row.some(hasSubquery))) return plan
    return plan.rows
      .map((row) => this.#row(row, plan.columns))
      .reduce((left, right) => ({
        kind: 'set',
        operator: 'union',
        all: true,
        left,
        right,
        columns: plan.columns,
      }))
  }

  #join(plan: JoinPlan): PhysicalPlan {
    if (hasSubquery(plan.on)) return this.#joinWithSubquery(plan)
    const lookup = this.#options.optimize ? this.#lookupJoin(plan) : null
    if (lookup !== null) return lookup
    const swapped = plan.type === 'right' || (this.#options.optimize && worthSwapping(plan))
    const [left, right] = swapped ? [plan.right, plan.left] : [plan.left, plan.right]
    const type = plan.type === 'right' ? 'left' : plan.type
    const { keys, residual } = this.#options.optimize
      ? joinKeys(plan.on, columnsOf(left), columnsOf(right))
      : { keys: [], residual: conjunctsOf(plan.on) }
    const rest = conjunction(residual)
    const method = keys.length === 0 ? 'loop' : worthMarking(plan) ? 'mark' : 'hash'
    const node: JoinNode = {
      kind: 'join',
      method,
      type,
      left: this.plan(left),
      right: this.plan(right),
      keys,
      residual: isTrue(rest) ? null : rest,
      outputs: columnsOf(plan),
    }
    if (joinsByStoredKeys(node))
      this.#sizes.set(node, {
        left: estimateRows(left),
        right: estimateRows(right),
        rows: estimateRows(plan),
      })
    const sides = method === 'mark' ? { first: left, second: right } : { first: right, second: left }
    return passKeys(node, sides, this.#options.nextColumnId)
  }

  #lookupJoin(plan: JoinPlan): PhysicalPlan | null {
    const { type, on, left, right } = plan
    if (type === 'full') return null
    const node = (outer: LogicalPlan, lookup: Lookup | null): PhysicalPlan | null => {
      if (lookup === null) return null
      const { table, alias, columns } = lookup.scan
      const residual = conjunction(lookup.residual)
      return {
        kind: 'lookupJoin',
        type: type === 'right' ? 'left' : type,
        left: this.plan(outer),
        table,
        alias,
        columns,
        index: lookup.index,
        keys: lookup.keys,
        residual: isTrue(residual) ? null : residual,
        outputs: columnsOf(plan),
      }
    }
    const forwards = type === 'right' ? null : node(left, lookupFor(left, right, on, estimateRows))
    if (forwards !== null || (type !== 'inner' && type !== 'right')) return forwards
    return node(right, lookupFor(right, left, on, estimateRows))
  }

  /**
   * Inner joins test such a condition behind a cross join. Where it needs one side of an outer join alone, the
   * subquery's value becomes a column of that side; else the other side is filtered for each row.
   */
  #joinWithSubquery(plan: JoinPlan): PhysicalPlan {
    if (plan.type === 'inner') return this.#filter(this.#join({ ...plan, on: TRUE }), conjunctsOf(plan.on))
    const leftIds = new Set(columnsOf(plan.left).map(({ id }) => id))
    const rightIds = new Set(columnsOf(plan.right).map(({ id }) => id))
    const touches = (expr: Expr, side: ReadonlySet<number>): boolean =>
      [...columnsIn(expr).keys()].some((id) => side.has(id))
    const ofBoth = someExpr(
      plan.on,
      (expr) => isSubquery(expr) && touches(expr, leftIds) && touches(expr, rightIds),
    )
    if (ofBoth) return this.#joinRowByRow(plan)
    let left = this.plan(plan.left)
    let right = this.plan(plan.right)
    const wanted = columnsOf(plan)
    const replace = (expr: Expr): Expr => {
      if (!isSubquery(expr)) return mapChildren(expr, replace)
      const onRight = touches(expr, rightIds)
      const applied = this.#apply(onRight ? right : left, expr)
      if (onRight) right = applied.input
      else left = applied.input
      return applied.expr
    }
    const residual = replace(plan.on)
    const [one, other] = plan.type === 'right' ? [right, left] : [left, right]
    return {
      kind: 'join',
      method: 'loop',
      type: plan.type === 'right' ? 'left' : plan.type,
      left: one,
      right: other,
      keys: [],
      residual,
      outputs: wanted,
    }
  }

  #joinRowByRow(plan: JoinPlan): PhysicalPlan {
    const { type, on } = plan
    if (type !== 'left' && type !== 'right')
      throw sqlError(
        SQLSTATE.featureNotSupported,
        'FULL JOIN is only supported with merge-joinable or hash-joinable join conditions',
      )
    const [left, right] = type === 'left' ? [plan.left, plan.right] : [plan.right, plan.left]
    const lateral = this.#lateral({ kind: 'lateral', type: 'left', left, right, on })
    return lateral.kind === 'lateralJoin' ? { ...lateral, outputs: columnsOf(plan) } : lateral
  }

  /** Puts operators over the input that compute the expression's subqueries, and names their columns instead. */
  #apply(input: PhysicalPlan, expr: Expr): { readonly input: PhysicalPlan; readonly expr: Expr } {
    if (!hasSubquery(expr)) return { input, expr }
    const { nextColumnId } = this.#options
    return applySubqueries(input, expr, { nextColumnId, plan: (plan) => this.plan(plan) })
  }
}

/** A scan without the columns that only its access needed. */
function narrowed(input: PhysicalPlan, used: readonly Expr[]): PhysicalPlan {
  if (input.kind !== 'tableScan') return input
  const ids = new Set(used.flatMap((expr) => [...columnsIn(expr).keys()]))
  return { ...input, columns: input.columns.filter(({ column }) => ids.has(column.id)) }
}

const isNull = (expr: Expr): boolean => expr.kind === 'constant' && expr.value === null

function withFilter(input: PhysicalPlan, conditions: readonly Expr[]): PhysicalPlan {
  const filter = conjunction(conditions)
  if (isTrue(filter)) return input
  return { kind: 'map', input, filter, outputs: null }
}

/** Tells a scan under a limit that nobody will read more. */
function limited(input: PhysicalPlan, limit: Expr | null): PhysicalPlan {
  if (limit === null) return input
  if (input.kind === 'tableScan' && input.access.kind !== 'keys') return { ...input, limit }
  if (input.kind === 'map' && input.filter === null) return { ...input, input: limited(input.input, limit) }
  return input
}

/** What a count is taken to be that is not known yet. */
const COUNT = 100

const countOf = (expr: Expr): number => (expr.kind === 'constant' ? Number(expr.value ?? 0) : COUNT)

/** A semi or anti join keeps the smaller side, too: where that is the left one by far, its rows are marked. */
function worthMarking(plan: JoinPlan): boolean {
  if (plan.type !== 'semi' && plan.type !== 'anti') return false
  return estimateRows(plan.left) * ROWS_A_MARK < estimateRows(plan.right)
}

/** How many times as large the right side must be: reading all of it may be spared where it is kept instead. */
const ROWS_A_MARK = 4

/** The smaller side of an inner join is better kept in memory. */
function worthSwapping(plan: JoinPlan): boolean {
  return plan.type === 'inner' && estimateRows(plan.left) < estimateRows(plan.right)
}
