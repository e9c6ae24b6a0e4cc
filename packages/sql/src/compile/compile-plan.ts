import { assert, type Database, type Key, unreachable, type Value } from '@cluster/core'
import type { Source } from '../executor/context.ts'
import { cteSource, recursiveSource, withSource } from '../executor/cte.ts'
import { applySource, type SubqueryResult } from '../executor/join/apply.ts'
import { joinSource } from '../executor/join/hash-join.ts'
import type { PairFilter } from '../executor/join/join.ts'
import { lateralSource } from '../executor/join/lateral.ts'
import { lookupJoinSource } from '../executor/join/lookup-join.ts'
import { markJoinSource } from '../executor/join/mark-join.ts'
import { mergeJoinSource } from '../executor/join/merge-join.ts'
import { keyedSource, type PassedKeys, tellingKeys } from '../executor/join/passed-keys.ts'
import { type CountsOf, limitSource, singleSource } from '../executor/limit.ts'
import { mapSource } from '../executor/pipeline.ts'
import { profiled } from '../executor/profile.ts'
import { aggregateSource, groupingSetsSource } from '../executor/rows/aggregate.ts'
import { distinctSource } from '../executor/rows/distinct.ts'
import { concatSource, matchSource } from '../executor/rows/set-operation.ts'
import { type SortOptions, sortSource, topSource } from '../executor/rows/sort.ts'
import { generatedSource, virtualScan } from '../executor/scan.ts'
import { storedKeys } from '../optimizer/merge-by-key.ts'
import { columnExpr } from '../plan/build.ts'
import type { Expr, QuantifiedExpr } from '../plan/expression.ts'
import type { FunctionScanPlan, SortKey } from '../plan/logical.ts'
import {
  type AggregateNode,
  type ApplyNode,
  type JoinNode,
  type LateralJoinNode,
  type LimitNode,
  type LookupJoinNode,
  type MapNode,
  type PassedKey,
  type PhysicalPlan,
  physicalColumns,
  type RecursiveNode,
  type SetNode,
  type TableScanNode,
} from '../plan/physical.ts'
import { columnsIn, comparesAlike, isEquality, substitute } from '../plan/traverse.ts'
import { comparatorOf } from '../types/compare.ts'
import { type Frame, rowOf } from './batch.ts'
import { compileAggregate } from './compile-aggregate.ts'
import { compileGather } from './compile-gather.ts'
import {
  compileBefore,
  compileComparator,
  compileJoinKeys,
  compileKeys,
  compileMap,
  compilePairFilter,
  compileQuantified,
  compileScalars,
  Layout,
  Slots,
} from './compile-map.ts'
import { checkedCount, compileScan, countBound, encodeKey, typesOfKey } from './compile-scan.ts'
import { compileWindow } from './compile-window.ts'

export interface CompiledPlan {
  readonly source: Source
  readonly layout: Layout
  /** Slots that `Frame.outer` needs. */
  readonly slots: Slots
}

/**
 * Makes the operators of a plan, with all their code, when it is first run: a plan that is only looked at needs none. The
 * result keeps no state of a run: it may run many times.
 * @param database null for a plan that reads no tables
 */
export function compilePlan(
  plan: PhysicalPlan,
  database: Database | null,
  slots = new Slots(),
): CompiledPlan {
  let made: Source | null = null
  const compiled = (): Source => {
    made ??= new PlanCompiler(database, slots).compile(plan)
    return made
  }
  const source: Source = {
    now: (context) => compiled().now?.(context),
    open: (context) => compiled().open(context),
  }
  return { source, layout: new Layout(physicalColumns(plan)), slots }
}

class PlanCompiler {
  readonly #tables: Database | null
  readonly #slots: Slots

  constructor(tables: Database | null, slots: Slots) {
    this.#tables = tables
    this.#slots = slots
  }

  get #database(): Database {
    assert(this.#tables !== null, 'a plan that reads tables has a database')
    return this.#tables
  }

  compile(plan: PhysicalPlan): Source {
    if (this.#tables === null) return this.#compile(plan)
    return profiled(
      plan,
      compileGather(plan, this.#slots, {
        here: () => this.#compile(plan),
        other: (part) => this.compile(part),
      }),
    )
  }

  #compile(plan: PhysicalPlan): Source {
    const slots = this.#slots
    switch (plan.kind) {
      case 'tableScan':
        return this.#tableScan(plan)
      case 'virtualScan':
        return virtualScan(
          plan.table,
          plan.columns.map(({ position }) => position),
          this.#database,
        )
      case 'functionScan':
        return this.#functionScan(plan)
      case 'values': {
        const rows = plan.rows.map((row) => compileScalars(row, slots))
        return generatedSource((frame) => lazily(rows, frame), plan.columns.length)
      }
      case 'map': {
        const layout = this.#layout(plan.input)
        const outputs = plan.outputs?.map(({ expr }) => expr) ?? layout.columns.map(columnExpr)
        return mapSource(this.compile(plan.input), compileMap(layout, slots, plan.filter, outputs))
      }
      case 'join':
        return this.#join(plan)
      case 'lookupJoin':
        return this.#lookupJoin(plan)
      case 'aggregate':
        return this.#aggregate(plan)
      case 'distinct': {
        const layout = this.#layout(plan.input)
        const columns = (plan.on ?? layout.columns).map(columnExpr)
        return distinctSource(this.compile(plan.input), {
          node: plan,
          keysOf: compileKeys(layout, slots, columns, 'same'),
          width: layout.width,
        })
      }
      case 'sort':
        return sortSource(this.compile(plan.input), this.#sort(plan, this.#layout(plan.input), plan.keys))
      case 'top':
        return topSource(
          this.compile(plan.input),
          this.#sort(plan, this.#layout(plan.input), plan.keys),
          this.#counts(plan),
        )
      case 'limit':
        return limitSource(
          this.compile(plan.input),
          this.#counts(plan),
          plan.ties === null ? null : compileKeys(this.#layout(plan.input), slots, plan.ties, 'same'),
        )
      case 'set':
        return this.#set(plan)
      case 'apply':
        return this.#apply(plan)
      case 'window':
        return compileWindow(this.compile(plan.input), plan, this.#layout(plan.input), slots)
      case 'lateralJoin':
        return this.#lateralJoin(plan)
      case 'single':
        return singleSource(this.compile(plan.input))
      case 'with': {
        const tables = plan.tables.map(({ id, plan: table }) => ({
          id,
          source: this.compile(table),
        }))
        return withSource(tables, this.compile(plan.input), plan)
      }
      case 'cteScan':
        return cteSource(
          plan.id,
          plan.columns.map(({ position }) => position),
        )
      case 'recursive':
        return this.#recursive(plan)
      default:
        return unreachable(plan)
    }
  }

  #tableScan(plan: TableScanNode): Source {
    const source = compileScan(plan, this.#database, this.#slots)
    const { keyed = [] } = plan
    return keyedSource(
      source,
      this.#passed(
        plan,
        keyed.map(({ id, column }) => ({ id, expr: columnExpr(column) })),
      ),
    )
  }

  /** Keys that rows of a plan tell, or are asked for. */
  #passed(plan: PhysicalPlan, keys: readonly PassedKey[]): readonly PassedKeys[] {
    const layout = this.#layout(plan)
    return keys.map(({ id, expr }) => ({ id, keysOf: compileJoinKeys(layout, this.#slots, [expr]) }))
  }

  #layout(plan: PhysicalPlan): Layout {
    return new Layout(physicalColumns(plan))
  }

  /** LIMIT and OFFSET; those with subqueries are what a plan of one row gives. */
  #counts({ limit, offset, counts }: Pick<LimitNode, 'limit' | 'offset' | 'counts'>): CountsOf {
    if (counts === null) {
      const [most, skipped] = [
        countBound(limit, this.#slots, 'LIMIT'),
        countBound(offset, this.#slots, 'OFFSET'),
      ]
      return ({ frame }) => ({ limit: most(frame), offset: skipped(frame) })
    }
    const source = this.compile(counts)
    return async (context) => {
      for await (const { columns } of source.open(context))
        return {
          limit: checkedCount(columns[0]?.[0] ?? null, 'LIMIT'),
          offset: checkedCount(columns[1]?.[0] ?? null, 'OFFSET'),
        }
      return { limit: null, offset: null }
    }
  }

  #functionScan(plan: FunctionScanPlan): Source {
    const args = compileScalars(plan.args, this.#slots)
    const rows = plan.ordinality === null ? single : counted
    const width = plan.ordinality === null ? 1 : 2
    return generatedSource((frame) => rows(plan.rows(...args(frame))), width)
  }

  #aggregate(plan: AggregateNode): Source {
    // A filter right below is judged in the same loop.
    const below = plan.input
    const fused = below.kind === 'map' && below.outputs === null
    const input = fused ? below.input : below
    const filter = fused ? below.filter : null
    const layout = this.#layout(input)
    const { groups, calls, sets } = plan
    const code = (positions: readonly number[]) => ({
      groupWidth: positions.length,
      ...compileAggregate(
        layout,
        this.#slots,
        filter,
        positions.map((position) => groups[position] as (typeof groups)[number]),
        calls,
      ),
    })
    const source = fused ? this.#filtered(below) : this.compile(input)
    const of = { node: plan, width: layout.width }
    if (sets === null) return aggregateSource(source, of, code(groups.map((_, position) => position)))
    return groupingSetsSource(
      source,
      of,
      groups.length,
      sets.sets.map((positions) => ({ positions, ...code(positions) })),
    )
  }

  /** The rows that a filter lets through, or more: whoever reads them judges them again. Holders of the rows judge them, too. */
  #filtered(plan: MapNode): Source {
    if (this.#tables === null) return this.compile(plan.input)
    return compileGather(plan, this.#slots, {
      here: () => this.compile(plan.input),
      other: (part) => this.compile(part),
    })
  }

  #lateralJoin(plan: LateralJoinNode): Source {
    const left = this.#layout(plan.left)
    const right = this.#layout(plan.right)
    const both = new Layout([...left.columns, ...right.columns])
    return lateralSource(this.compile(plan.left), this.compile(plan.right), {
      type: plan.type,
      outer: plan.outer.map(({ id }) => ({
        slot: this.#slots.of(id),
        position: left.position(id) as number,
      })),
      filter: plan.on === null ? null : compilePairFilter(left, right, this.#slots, plan.on),
      leftWidth: left.width,
      outputs: plan.outputs.map(({ id }) => both.position(id) as number),
    })
  }

  #recursive(plan: RecursiveNode): Source {
    const layout = new Layout(plan.columns)
    return recursiveSource(this.compile(plan.base), this.compile(plan.step), {
      node: plan,
      id: plan.id,
      keys: plan.all ? null : compileKeys(layout, this.#slots, plan.columns.map(columnExpr), 'same'),
    })
  }

  #join(plan: JoinNode): Source {
    const left = this.#layout(plan.left)
    const right = this.#layout(plan.right)
    const slots = this.#slots
    const both = new Layout([...left.columns, ...right.columns])
    const sideKeys = (layout: Layout, side: 'left' | 'right') =>
      compileJoinKeys(
        layout,
        slots,
        plan.keys.map((key) => key[side]),
      )
    const keys = { left: sideKeys(left, 'left'), right: sideKeys(right, 'right') }
    const filter = plan.residual === null ? null : compilePairFilter(left, right, slots, plan.residual)
    if (plan.method === 'merge') return this.#mergeJoin(plan, filter)
    const { passes = [] } = plan
    if (plan.method === 'mark')
      return markJoinSource(
        tellingKeys(this.compile(plan.left), this.#passed(plan.left, passes)),
        this.compile(plan.right),
        {
          node: plan,
          rightWidth: right.width,
          matched: plan.type === 'semi',
          keys,
          filter,
          leftWidth: left.width,
          outputs: plan.outputs.map(({ id }) => left.position(id) as number),
        },
      )
    return joinSource(
      this.compile(plan.left),
      tellingKeys(this.compile(plan.right), this.#passed(plan.right, passes)),
      {
        node: plan,
        type: plan.type,
        keys: plan.method === 'loop' ? null : keys,
        filter,
        leftWidth: left.width,
        rightWidth: right.width,
        outputs: plan.outputs.map(({ id }) => both.position(id) as number),
      },
    )
  }

  #mergeJoin(plan: JoinNode, filter: PairFilter | null): Source {
    const { type, descending } = plan
    const stored = storedKeys(plan)
    assert(stored !== null && type !== 'full', 'a merge join goes by keys that both sides are stored by')
    const left = this.#layout(plan.left)
    const right = this.#layout(plan.right)
    const both = new Layout([...left.columns, ...right.columns])
    return mergeJoinSource(this.compile(plan.left), this.compile(plan.right), {
      type,
      keys: stored.map((key) => {
        const compare = comparatorOf(key.left.type)
        return {
          left: left.position(key.left.id) as number,
          right: right.position(key.right.id) as number,
          compare: descending === true ? (a, b) => compare(b, a) : compare,
        }
      }),
      filter,
      leftWidth: left.width,
      rightWidth: right.width,
      outputs: plan.outputs.map(({ id }) => both.position(id) as number),
    })
  }

  #lookupJoin(plan: LookupJoinNode): Source {
    const { table, index } = plan
    const left = this.#layout(plan.left)
    const right = new Layout(plan.columns.map(({ column }) => column))
    const both = new Layout([...left.columns, ...right.columns])
    const values = compileMap(left, this.#slots, null, plan.keys)
    const types = typesOfKey(table, index)
    return lookupJoinSource(this.compile(plan.left), {
      database: this.#database,
      table,
      index,
      positions: plan.columns.map(({ position }) => position),
      keys(batch, frame) {
        const parts = values(batch, frame)
        const keys: (Key | undefined)[] = []
        for (let i = 0; i < parts.length; i++) keys.push(encodeKey(types, rowOf(parts, i)) ?? undefined)
        return keys
      },
      join: {
        type: plan.type,
        filter: plan.residual === null ? null : compilePairFilter(left, right, this.#slots, plan.residual),
        leftWidth: left.width,
        outputs: plan.outputs.map(({ id }) => both.position(id) as number),
      },
    })
  }

  #sort(node: object, layout: Layout, keys: readonly SortKey[]): SortOptions {
    const added: Expr[] = []
    const placed = keys.map(({ expr, descending, nulls }) => {
      const known = expr.kind === 'column' ? layout.position(expr.column.id) : null
      if (known === null) added.push(expr)
      return { type: expr.type, descending, nulls, position: known ?? layout.width + added.length - 1 }
    })
    return {
      node,
      addKeys: compileMap(layout, this.#slots, null, [...layout.columns.map(columnExpr), ...added]),
      width: layout.width,
      widthWithKeys: layout.width + added.length,
      compare: compileComparator(placed),
      before: compileBefore(placed),
    }
  }

  #set(plan: SetNode): Source {
    const left = this.compile(plan.left)
    const right = this.compile(plan.right)
    const layout = new Layout(plan.columns)
    const keysOf = compileKeys(layout, this.#slots, plan.columns.map(columnExpr), 'same')
    const of = { node: plan, keysOf, width: layout.width }
    if (plan.operator !== 'union')
      return matchSource(left, right, { ...of, operator: plan.operator, all: plan.all })
    const all = concatSource(left, right)
    return plan.all ? all : distinctSource(all, of)
  }

  #apply(plan: ApplyNode): Source {
    const layout = this.#layout(plan.input)
    const inner = this.#layout(plan.subquery)
    return applySource(this.compile(plan.input), {
      subquery: this.compile(plan.subquery),
      result: this.#applyResult(plan, layout, inner),
      subqueryWidth: inner.width,
      when: plan.when === null ? null : layout.position(plan.when.id),
      outer: plan.outer.map(({ id }) => ({
        slot: this.#slots.of(id),
        position: layout.position(id) as number,
      })),
      outerKeys:
        plan.outer.length === 0 ? null : compileKeys(layout, this.#slots, plan.outer.map(columnExpr), 'same'),
    })
  }

  #applyResult({ result }: ApplyNode, layout: Layout, inner: Layout): SubqueryResult {
    if (result.kind !== 'quantified') return result
    const { expr } = result
    // The planner has made columns of the left values.
    const positions = new Map(
      expr.leftColumns.map(({ id }, i) => {
        const left = expr.left[i]
        assert(left?.kind === 'column', 'the left side of ANY or ALL must be a column by now')
        return [id, layout.position(left.column.id) as number]
      }),
    )
    return {
      kind: 'quantified',
      negated: expr.negated,
      single: expr.quantifier === 'row',
      test: compileQuantified(positions, inner, expr.quantifier, expr.compare),
      hash: this.#quantifiedHash(expr, layout, inner),
    }
  }

  /** Equality of one value with one column is answered by a hash table. */
  #quantifiedHash(expr: QuantifiedExpr, layout: Layout, inner: Layout) {
    const { compare, quantifier } = expr
    if (quantifier !== 'any' || !isEquality(compare) || !comparesAlike(compare)) return null
    const [outside, inside] = compare.args as [Expr, Expr]
    const outer = new Set(expr.leftColumns.map(({ id }) => id))
    if ([...columnsIn(outside).keys()].some((id) => !outer.has(id))) return null
    if ([...columnsIn(inside).keys()].some((id) => outer.has(id))) return null
    const by = new Map(expr.leftColumns.map(({ id }, i) => [id, expr.left[i] as Expr]))
    return {
      left: compileKeys(layout, this.#slots, [substitute(outside, by)], 'none'),
      right: compileKeys(inner, this.#slots, [inside], 'none'),
    }
  }
}

function* single(values: Iterable<Value>): Generator<readonly Value[]> {
  for (const value of values) yield [value]
}

function* counted(values: Iterable<Value>): Generator<readonly Value[]> {
  let row = 0n
  for (const value of values) yield [value, ++row]
}

function* lazily(rows: readonly ((frame: Frame) => Value[])[], frame: Frame): Generator<readonly Value[]> {
  for (const row of rows) yield row(frame)
}
