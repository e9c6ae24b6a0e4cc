import type { Value } from '@cluster/core'
import type { AggregateFunction } from '../functions/function.ts'
import type { Expr } from '../plan/expression.ts'
import type { AggregateCall, AggregatePlan, LogicalPlan, Output, ScanPlan } from '../plan/logical.ts'
import { conjunctsOf, isEquality, mapInputs, mapSubqueries } from '../plan/traverse.ts'
import type { SqlType } from '../types/type.ts'

/**
 * Groups by no more columns than tell groups apart: where a table's primary key is among the groups, or what an inner join
 * makes equal to it, its other columns are the same for all rows of a group, and any row's will do.
 */
export function reduceGroups(plan: LogicalPlan): LogicalPlan {
  const inner = mapSubqueries(mapInputs(plan, reduceGroups), reduceGroups)
  return inner.kind === 'aggregate' ? reduced(inner) : inner
}

function reduced(plan: AggregatePlan): AggregatePlan {
  const plain = plan.groups.filter(isPlain)
  if (plan.sets !== null || plain.length < 2) return plan
  const facts = factsOf(plan.input)
  if (facts.keyed.length === 0) return plan
  let kept = plain
  // What costs most to compare goes first.
  for (const group of plain.toSorted((a, b) => costOf(b.expr.type) - costOf(a.expr.type))) {
    const others = kept.filter((one) => one !== group)
    if (determined(others.map(idOf), facts).has(idOf(group))) kept = others
  }
  if (kept.length === plain.length) return plan
  const keeps = (group: Output): boolean => !isPlain(group) || kept.includes(group)
  const calls = plain.filter((group) => !kept.includes(group)).map(anyValue)
  return { ...plan, groups: plan.groups.filter(keeps), calls: [...plan.calls, ...calls] }
}

/** Whole numbers are compared most cheaply, what has to be made comparable least. */
function costOf({ id }: SqlType): number {
  if (id === 'smallint' || id === 'integer' || id === 'date') return 0
  if (id === 'bigint') return 1
  return id === 'text' || id === 'varchar' ? 2 : 3
}

type PlainOutput = Output & { readonly expr: Expr & { readonly kind: 'column' } }

const isPlain = (output: Output): output is PlainOutput => output.expr.kind === 'column'
const idOf = ({ expr }: PlainOutput): number => expr.column.id

/** What is known of the rows of a plan. */
interface Facts {
  /** Columns of the key, and those of the whole row that it tells. */
  readonly keyed: readonly { readonly key: readonly number[]; readonly columns: readonly number[] }[]
  /** Pairs of columns that are equal in every row. */
  readonly equal: readonly (readonly [number, number])[]
}

function factsOf(plan: LogicalPlan): Facts {
  const keyed: { key: readonly number[]; columns: readonly number[] }[] = []
  const equal: (readonly [number, number])[] = []
  const addEqualities = (condition: Expr): void => {
    for (const one of conjunctsOf(condition)) {
      if (!isEquality(one)) continue
      const [left, right] = one.args
      if (left?.kind === 'column' && right?.kind === 'column') equal.push([left.column.id, right.column.id])
    }
  }
  const visit = (part: LogicalPlan): void => {
    switch (part.kind) {
      case 'scan': {
        const key = keyOf(part)
        if (key !== null) keyed.push({ key, columns: part.columns.map(({ column }) => column.id) })
        return
      }
      case 'filter':
        addEqualities(part.predicate)
        visit(part.input)
        return
      case 'sort':
      case 'limit':
        visit(part.input)
        return
      case 'join':
        // Padded rows have NULL in the key and in all other columns alike, but no equality holds for them.
        if (part.type === 'inner' || part.type === 'semi') addEqualities(part.on)
        visit(part.left)
        if (part.type !== 'semi' && part.type !== 'anti') visit(part.right)
    }
  }
  visit(plan)
  return { keyed, equal }
}

/** The columns of the primary key; null when there is none, or not all of it is read. */
function keyOf({ table, columns }: ScanPlan): readonly number[] | null {
  const { primaryKey } = table
  if (primaryKey === null) return null
  const key = primaryKey.columns.flatMap(
    (position) => columns.find((one) => one.position === position)?.column.id ?? [],
  )
  return key.length === primaryKey.columns.length ? key : null
}

/** All columns that these columns tell. */
function determined(columns: readonly number[], { keyed, equal }: Facts): ReadonlySet<number> {
  const known = new Set(columns)
  for (let before = -1; before !== known.size; ) {
    before = known.size
    for (const [one, other] of equal) {
      if (known.has(one)) known.add(other)
      else if (known.has(other)) known.add(one)
    }
    for (const { key, columns: told } of keyed)
      if (key.every((id) => known.has(id))) for (const id of told) known.add(id)
  }
  return known
}

/** The value of some row of the group. */
function anyValue({ column, expr }: PlainOutput): AggregateCall {
  const fn: AggregateFunction<readonly [Value] | null> = {
    name: 'any_value',
    args: [expr.type],
    returns: expr.type,
    strict: false,
    ordered: false,
    init: () => null,
    step: (state, value) => state ?? [value as Value],
    merge: (left, right) => left ?? right,
    finish: (state) => state?.[0] ?? null,
  }
  return { column, fn: fn as AggregateFunction, args: [expr], distinct: false, filter: null, orderBy: [] }
}
