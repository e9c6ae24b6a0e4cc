import type { FragmentInput } from '@cluster/core'
import { layoutOf } from '../catalog/row-layout.ts'
import type { TableSchema } from '../catalog/schema.ts'
import { columnExpr, conjunction, constant, isTrue } from '../plan/build.ts'
import type { Column, Expr } from '../plan/expression.ts'
import { ROW_KEY, type ScanColumn } from '../plan/logical.ts'
import {
  type AggregateNode,
  type JoinNode,
  type LimitNode,
  type MapNode,
  type PhysicalPlan,
  physicalColumns,
  type TableScanNode,
  type TopNode,
} from '../plan/physical.ts'
import { knownRows } from '../plan/table-statistics.ts'
import { conjunctsOf } from '../plan/traverse.ts'
import { BIGINT } from '../types/type.ts'
import type { ColumnForm, ExprForm, OutputForm, PlanForm, RowsColumnForm } from './form.ts'
import { UnsendableError } from './form.ts'
import { partialAggregate } from './partial-aggregates.ts'
import { hasForm, writeType, writeValue } from './values.ts'
import { writeExpression } from './write-expression.ts'

/** An input of a fragment before its range is known. */
export type CutInput = Omit<FragmentInput, 'range'> & { readonly scan: TableScanNode }

/** A value that is computed by whoever asks; `rows`: the number of rows that the limit and the offset leave to be looked at. */
export type Given =
  | { readonly kind: 'value'; readonly expr: Expr }
  | { readonly kind: 'rows'; readonly limit: Expr | null; readonly offset: Expr | null }

/** A part of a plan that holders compute, and what is left to be done with what they give. */
export interface Cut {
  readonly form: PlanForm
  readonly inputs: readonly CutInput[]
  readonly given: readonly Given[]
  /** Plans whose rows are sent along with the fragment: sides of joins that are small. */
  readonly sent: readonly PhysicalPlan[]
  /** One result of all partitions of a holder is wanted. */
  readonly together: boolean
  /** The columns of what holders give. */
  readonly columns: readonly Column[]
  /** What is left, over `gathered`; null: nothing. */
  readonly rest: PhysicalPlan | null
  /** Under which `rest` reads what was gathered. */
  readonly gathered: number
}

/** Sides of a join with more rows than this, as far as one knows, are not sent along. */
const SENT_ROWS_MAX = 50_000
/** Rows of a table that every node has which may be read once a partition. */
const EVERYWHERE_ROWS = 5_000
/** Columns that are made for a fragment have numbers behind those of any statement. */
const FIRST_COLUMN = 1_000_000_000

/** The table whose rows make a plan worth cutting: the first one that is spread and read by ranges; null: there is none. */
export function spreadScan(plan: PhysicalPlan): TableScanNode | null {
  switch (plan.kind) {
    case 'tableScan':
      return isRanged(plan) && plan.table.placement === 'hashed' && plan.table.temporary === null
        ? plan
        : null
    case 'map':
    case 'distinct':
    case 'top':
    case 'limit':
    case 'aggregate':
      return spreadScan(plan.input)
    case 'join':
      if (plan.method !== 'hash') return null
      return spreadScan(plan.left) ?? (plan.type === 'inner' ? spreadScan(plan.right) : null)
    default:
      return null
  }
}

const isRanged = ({ access, order, limit }: TableScanNode): boolean =>
  order === 'any' &&
  limit === null &&
  (access.kind === 'all' || (access.kind === 'range' && access.index === null))

/** Null: nothing of it can be computed where the rows are. */
export function cut(plan: PhysicalPlan, gathered: number): Cut | null {
  const cutter = new Cutter(gathered)
  try {
    return cutter.cut(plan)
  } catch (error) {
    if (error instanceof UnsendableError) return null
    throw error
  }
}

/** What a part of the plan comes to. */
interface Part {
  readonly form: PlanForm
  readonly columns: readonly Column[]
  /** False: each holder has all of the rows. */
  readonly spread: boolean
  /** The columns of a table's whole primary key, in order, when rows of one key are in one partition; else null. */
  readonly key: { readonly table: TableSchema; readonly columns: readonly number[] } | null
}

class Cutter {
  readonly #inputs: CutInput[] = []
  readonly #given: Given[] = []
  readonly #sent: PhysicalPlan[] = []
  readonly #own = new Set<number>()
  readonly #gathered: number
  #columns = FIRST_COLUMN

  constructor(gathered: number) {
    this.#gathered = gathered
  }

  cut(plan: PhysicalPlan): Cut {
    switch (plan.kind) {
      case 'aggregate':
        return this.#aggregate(plan)
      case 'top':
        return this.#top(plan)
      case 'limit':
        return this.#limit(plan)
      case 'distinct': {
        if (plan.on !== null) throw new UnsendableError('which row stays depends on their order')
        const part = this.#spread(plan.input)
        const rest: PhysicalPlan = { ...plan, input: this.#read(part.columns) }
        return this.#done({ ...part, form: { k: 'unique', of: part.form } }, true, rest)
      }
      case 'map':
        return this.#mapped(plan)
      default:
        return this.#done(this.#spread(plan), false, null)
    }
  }

  #done({ form, columns }: Part, together: boolean, rest: PhysicalPlan | null): Cut {
    const { length } = this.#inputs.filter(({ from }) => from === 'spread')
    if (length === 0) throw new UnsendableError('every holder has all of it')
    return {
      form,
      inputs: this.#inputs,
      given: this.#given,
      sent: this.#sent,
      together: together || this.#inputs.some(isLargeEverywhere),
      columns,
      rest,
      gathered: this.#gathered,
    }
  }

  /** What was gathered, as `rest` reads it. */
  #read(columns: readonly Column[]): PhysicalPlan {
    const scanned: ScanColumn[] = columns.map((column, position) => ({ column, position }))
    return { kind: 'cteScan', id: this.#gathered, name: 'gathered', alias: 'gathered', columns: scanned }
  }

  #expr(expr: Expr): ExprForm {
    return writeExpression(expr, {
      isOwn: (id) => this.#own.has(id),
      given: (value) => this.#give({ kind: 'value', expr: value }),
    })
  }

  #give(given: Given): number {
    const known = this.#given.findIndex(
      (one) =>
        one.kind === 'value' &&
        given.kind === 'value' &&
        one.expr.kind === 'parameter' &&
        given.expr.kind === 'parameter' &&
        one.expr.index === given.expr.index,
    )
    return known >= 0 ? known : this.#given.push(given) - 1
  }

  #outputs(outputs: readonly { readonly column: Column; readonly expr: Expr }[]): OutputForm[] {
    return outputs.map(({ column, expr }) => ({ ...this.#column(column), e: this.#expr(expr) }))
  }

  #column(column: Column): ColumnForm {
    this.#own.add(column.id)
    return { n: column.id, t: writeType(column.type) }
  }

  /** A part whose rows are spread. */
  #spread(plan: PhysicalPlan): Part {
    const part = this.#part(plan)
    if (!part.spread) throw new UnsendableError('every holder has all of it')
    return part
  }

  #part(plan: PhysicalPlan): Part {
    switch (plan.kind) {
      case 'tableScan':
        return this.#scan(plan)
      case 'map': {
        const part = this.#part(plan.input)
        const where = plan.filter === null ? null : this.#expr(plan.filter)
        const o = plan.outputs === null ? null : this.#outputs(plan.outputs)
        const form: PlanForm = { k: 'map', of: part.form, where, o }
        return { ...part, form, columns: physicalColumns(plan), key: keyBehind(part, plan) }
      }
      case 'join':
        return this.#join(plan)
      default:
        throw new UnsendableError(`a ${plan.kind} is no part of a fragment`)
    }
  }

  #scan(plan: TableScanNode): Part {
    const { table, columns } = plan
    if (!isRanged(plan) || table.temporary !== null) throw new UnsendableError('the rows are looked up')
    const { slots } = layoutOf(table)
    const plainOnes = columns.filter(({ position }) => position !== ROW_KEY)
    const forms = columns.map(({ column, position }): RowsColumnForm => {
      if (position === ROW_KEY) return { ...this.#column(column), at: plainOnes.length }
      const at = plainOnes.findIndex((one) => one.position === position)
      const missing = table.columns[position]?.missing ?? null
      if (missing === null) return { ...this.#column(column), at }
      if (!hasForm(missing)) throw new UnsendableError('what older rows have in a column has no form')
      return { ...this.#column(column), at, missing: writeValue(missing) }
    })
    const spread = table.placement === 'hashed'
    this.#inputs.push({
      relation: table.relation,
      columns: plainOnes.map(({ position }) => slots[position] as number),
      keys: plainOnes.length < columns.length,
      from: spread ? 'spread' : 'everywhere',
      scan: plan,
    })
    const form: PlanForm = { k: 'rows', i: this.#inputs.length - 1, c: forms }
    return { form, columns: physicalColumns(plan), spread, key: keyOf(plan) }
  }

  #join(plan: JoinNode): Part {
    if (plan.method !== 'hash' || plan.type === 'full')
      throw new UnsendableError('such joins are not computed in parts')
    const sides = this.#sides(plan)
    const { left, right } = sides
    const on = plan.keys.map((key) => [this.#expr(key.left), this.#expr(key.right)] as const)
    const where = plan.residual === null ? null : this.#expr(plan.residual)
    const o = plan.outputs.map((column) => this.#column(column))
    const form: PlanForm = { k: 'join', type: plan.type, left: left.form, right: right.form, on, where, o }
    return { form, columns: plan.outputs, spread: true, key: null }
  }

  /** Both sides of a join: where they are together, one is everywhere, or a small one is sent along. */
  #sides(plan: JoinNode): { readonly left: Part; readonly right: Part } {
    const left = this.#attempt(() => this.#spread(plan.left))
    if (left === null) {
      if (plan.type !== 'inner') throw new UnsendableError('the outer side is not spread')
      const right = this.#spread(plan.right)
      return { left: this.#attempt(() => this.#everywhere(plan.left)) ?? this.#along(plan.left), right }
    }
    const right =
      this.#attempt(() => this.#everywhere(plan.right)) ??
      this.#attempt(() => this.#besides(plan, left)) ??
      this.#along(plan.right)
    return { left, right }
  }

  /** Undoes what was noted on the way when it fails. */
  #attempt(work: () => Part): Part | null {
    const marks = [this.#inputs.length, this.#given.length, this.#sent.length] as const
    try {
      return work()
    } catch (error) {
      if (!(error instanceof UnsendableError)) throw error
      this.#inputs.length = marks[0]
      this.#given.length = marks[1]
      this.#sent.length = marks[2]
      return null
    }
  }

  #everywhere(plan: PhysicalPlan): Part {
    const part = this.#part(plan)
    if (part.spread) throw new UnsendableError('the rows are spread')
    return part
  }

  /** The other side of a join by whole primary keys: equal keys are in partitions of one number, which one node holds. */
  #besides({ keys, right }: JoinNode, left: Part): Part {
    const part = this.#spread(right)
    const [one, other] = [left.key, part.key]
    if (one === null || other === null || one.columns.length !== other.columns.length)
      throw new UnsendableError('the rows are in other partitions')
    const together = one.columns.every((id, i) =>
      keys.some(
        ({ left: a, right: b }) =>
          a.kind === 'column' &&
          b.kind === 'column' &&
          a.column.id === id &&
          b.column.id === other.columns[i] &&
          a.type.id === b.type.id,
      ),
    )
    if (!together) throw new UnsendableError('the join is not by the keys that say where rows are')
    return part
  }

  #along(plan: PhysicalPlan): Part {
    const scan = spreadScan(plan)
    if (scan !== null && scan.access.kind === 'all' && (knownRows(scan.table) ?? 0) > SENT_ROWS_MAX)
      throw new UnsendableError('the side is too large to be sent along')
    const columns = physicalColumns(plan)
    const form: PlanForm = {
      k: 'sent',
      i: this.#sent.length,
      c: columns.map((column) => this.#column(column)),
    }
    this.#sent.push(plan)
    return { form, columns, spread: false, key: null }
  }

  /** Filters as far as they can be sent; the others are tested here, and what is computed then, too. */
  #mapped(plan: MapNode): Cut {
    const whole = this.#attempt(() => this.#spread(plan))
    if (whole !== null) return this.#done(whole, false, null)
    const part = this.#spread(plan.input)
    const sent: ExprForm[] = []
    const kept: Expr[] = []
    for (const condition of plan.filter === null ? [] : conjunctsOf(plan.filter)) {
      try {
        sent.push(this.#expr(condition))
      } catch (error) {
        if (!(error instanceof UnsendableError)) throw error
        kept.push(condition)
      }
    }
    const filter = conjunction(kept)
    const [first] = sent
    const where: ExprForm | null =
      first === undefined || sent.length === 1 ? (first ?? null) : { k: 'and', t: 'boolean', a: sent }
    const form: PlanForm = where === null ? part.form : { k: 'map', of: part.form, where, o: null }
    const rest: MapNode = { ...plan, input: this.#read(part.columns), filter: isTrue(filter) ? null : filter }
    return this.#done({ ...part, form }, false, rest)
  }

  #aggregate(plan: AggregateNode): Cut {
    if (plan.sets !== null) throw new UnsendableError('several groupings at once')
    const part = this.#spread(plan.input)
    const by = this.#outputs(plan.groups)
    const groups = plan.groups.map(({ column }) => column)
    const added: Column[] = []
    const merged = plan.calls.map((call) => {
      const partial = partialAggregate(call)
      if (partial === null) throw new UnsendableError(`${call.fn.name} is not computed in parts`)
      const columns = partial.parts.map(
        ({ type, fn }): Column => ({ id: this.#columns++, name: fn.name, type }),
      )
      added.push(...columns)
      const a = call.args.map((arg) => this.#expr(arg))
      const where = call.filter === null ? null : this.#expr(call.filter)
      const forms = partial.parts.map(({ fn, state }, i) => ({
        ...this.#column(columns[i] as Column),
        name: fn.name,
        types: fn.args.map(writeType),
        a,
        where,
        state,
      }))
      return { forms, call: partial.finish(call, columns) }
    })
    const columns = [...groups, ...added]
    const rest: PhysicalPlan = {
      ...plan,
      input: this.#read(columns),
      groups: groups.map((column) => ({ column, expr: columnExpr(column) })),
      calls: merged.map(({ call }) => call),
    }
    const calls = merged.flatMap(({ forms }) => forms)
    return this.#done({ ...part, form: { k: 'group', of: part.form, by, calls }, columns }, true, rest)
  }

  #top(plan: TopNode): Cut {
    if (plan.counts !== null) throw new UnsendableError('the limit is a subquery')
    const part = this.#spread(plan.input)
    const by = plan.keys.map(({ expr, descending, nulls }) => ({
      e: this.#expr(expr),
      down: descending,
      nulls,
    }))
    const n = this.#give({ kind: 'rows', limit: plan.limit, offset: plan.offset })
    const rest: PhysicalPlan = { ...plan, input: this.#read(part.columns) }
    return this.#done({ ...part, form: { k: 'top', of: part.form, by, n } }, true, rest)
  }

  #limit(plan: LimitNode): Cut {
    if (plan.counts !== null || plan.ties !== null) throw new UnsendableError('such a limit')
    const part = this.#spread(plan.input)
    const n = this.#give({ kind: 'rows', limit: plan.limit ?? constant(BIGINT, null), offset: plan.offset })
    const rest: PhysicalPlan = { ...plan, input: this.#read(part.columns) }
    return this.#done({ ...part, form: { k: 'limit', of: part.form, n } }, true, rest)
  }
}

/** Read again for each partition it would cost more than keeping the results of a holder until it is done. */
const isLargeEverywhere = ({ from, scan }: CutInput): boolean =>
  from === 'everywhere' && (knownRows(scan.table) ?? 0) > EVERYWHERE_ROWS

/** The columns of a scan that make up the table's primary key, by which rows are spread. */
function keyOf({ table, columns }: TableScanNode): Part['key'] {
  if (table.primaryKey === null) return null
  const ids: number[] = []
  for (const position of table.primaryKey.columns) {
    const found = columns.find((one) => one.position === position)
    if (found === undefined) return null
    ids.push(found.column.id)
  }
  return { table, columns: ids }
}

/** The key as the columns of a projection have it. */
function keyBehind({ key }: Part, { outputs }: MapNode): Part['key'] {
  if (key === null || outputs === null) return key
  const ids: number[] = []
  for (const id of key.columns) {
    const found = outputs.find(({ expr }) => expr.kind === 'column' && expr.column.id === id)
    if (found === undefined) return null
    ids.push(found.column.id)
  }
  return { table: key.table, columns: ids }
}
