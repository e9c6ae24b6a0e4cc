import { PROGRAM_DEPTH_MAX, PROGRAM_ROWS_MAX } from '@cluster/core'
import type { TableSchema } from '../catalog/schema.ts'
import { columnExpr } from '../plan/build.ts'
import type { Column, Expr } from '../plan/expression.ts'
import type { PhysicalPlan, TableScanNode } from '../plan/physical.ts'
import type {
  DeleteStatement,
  InsertStatement,
  StatementPlan,
  Target,
  UpdateStatement,
} from '../plan/statement.ts'
import { columnsIn, hasSubquery, someExpr, substitute } from '../plan/traverse.ts'
import { foldExpr } from './fold-constants.ts'
import { type ColumnSource, ExpressionLowering, type LoweredExpression } from './lower-expression.ts'

/** A change of some columns of a row that is there. */
export interface LoweredUpdate {
  readonly set: readonly { readonly position: number; readonly value: LoweredExpression }[]
  readonly where: LoweredExpression | null
  /** The checks that the change may break, by position in `Target.checks`. */
  readonly checks: readonly { readonly check: number; readonly condition: LoweredExpression }[]
}

/** A statement that can be one program, if its rows turn out to be in one partition. */
export type LoweredWrite = {
  /** Depend on no row; computed by the node that submits. */
  readonly constants: readonly Expr[]
} & (
  | {
      readonly kind: 'insert'
      /** What becomes of a row whose key is taken: an error, nothing, or a change. */
      readonly taken: 'refuse' | 'keep' | LoweredUpdate
    }
  | {
      readonly kind: 'update'
      /** Positions in `constants`, for each row one for each column of its primary key. */
      readonly keys: readonly (readonly number[])[]
      readonly update: LoweredUpdate
    }
  | {
      readonly kind: 'delete'
      readonly keys: readonly (readonly number[])[]
      readonly where: LoweredExpression | null
    }
)

/** Whether a program can go by what a part of a table's description says. */
type PartRule = (value: unknown, position: number) => boolean

const anything: PartRule = () => true
const nothing: PartRule = (value) =>
  value === null || value === undefined || (Array.isArray(value) && value.length === 0)
const inPlace: PartRule = (value, position) => value === position

/**
 * What a table may be described by here. Whatever a later version adds may be something that a program would miss, so a
 * part that is not named must say nothing.
 */
const tableParts: Readonly<Record<string, PartRule>> = {
  ...{
    kind: anything,
    schema: anything,
    name: anything,
    oid: anything,
    version: anything,
    comment: anything,
  },
  ...{ relation: anything, columns: anything, primaryKey: anything, indexes: anything, checks: anything },
  placement: anything,
  // Stored rows are as wide as the table: no column was dropped.
  slots: inPlace,
}
const columnParts: Readonly<Record<string, PartRule>> = {
  ...{ name: anything, type: anything, notNull: anything, defaultText: anything, comment: anything },
  ...{ identity: anything, sequence: anything },
  slot: inPlace,
}
const indexParts: Readonly<Record<string, PartRule>> = {
  ...{ name: anything, oid: anything, relation: anything, columns: anything, comment: anything },
  ...{ unique: anything, constraint: anything, ready: anything },
}
const checkParts: Readonly<Record<string, PartRule>> = {
  ...{ name: anything, oid: anything, text: anything, comment: anything },
  // Else rows that are there may break it, and a change of other columns would have to find out.
  validated: (value) => value === true,
}

const isPlainPart = (object: object, parts: Readonly<Record<string, PartRule>>, position = 0): boolean =>
  Object.entries(object).every(([part, value]) =>
    (Object.hasOwn(parts, part) ? (parts[part] as PartRule) : nothing)(value, position),
  )

const isPlain = (table: TableSchema): boolean =>
  isPlainPart(table, tableParts, table.columns.length) &&
  table.columns.every((column, position) => isPlainPart(column, columnParts, position)) &&
  table.indexes.every((index) => isPlainPart(index, indexParts)) &&
  table.checks.every((check) => isPlainPart(check, checkParts))

/**
 * Finds statements that need no reading first: they name whole primary keys, touch no index, and compute only what every
 * replica computes alike. Null for all others.
 */
export function lowerWrite(
  statement: Exclude<StatementPlan, { readonly kind: 'query' }>,
  plan: PhysicalPlan,
): LoweredWrite | null {
  const { table } = statement.target
  if (table.primaryKey === null || !isPlain(table)) return null
  switch (statement.kind) {
    case 'insert':
      return lowerInsert(statement, plan)
    case 'update':
      return lowerUpdate(statement, plan)
    case 'delete':
      return lowerDelete(statement, plan)
    default:
      return null
  }
}

function lowerInsert({ target, conflict }: InsertStatement, plan: PhysicalPlan): LoweredWrite | null {
  if (target.table.indexes.length > 0 || !isConstantRows(plan)) return null
  if (conflict === null) return { kind: 'insert', constants: [], taken: 'refuse' }
  const { update, arbiters } = conflict
  if (!arbiters.includes(target.table.primaryKey as never)) return null
  if (update === null) return { kind: 'insert', constants: [], taken: 'keep' }
  const sources = new Map<number, ColumnSource>()
  for (const [position, { id }] of update.old.entries()) sources.set(id, { kind: 'stored', position })
  for (const [position, { id }] of update.excluded.entries()) sources.set(id, { kind: 'proposed', position })
  const lowering = new ExpressionLowering(sources)
  const where = update.where === null ? [] : [update.where]
  const change = lowerChange(lowering, target, update.values, update.old, where)
  return change === null ? null : { kind: 'insert', constants: lowering.constants, taken: change }
}

/** Rows of VALUES, perhaps with columns computed from them. */
function isConstantRows(plan: PhysicalPlan): boolean {
  if (plan.kind === 'values')
    return plan.rows.length <= PROGRAM_ROWS_MAX && !plan.rows.some((row) => row.some(hasSubquery))
  return (
    plan.kind === 'map' &&
    isConstantRows(plan.input) &&
    !(plan.outputs ?? []).some(({ expr }) => hasSubquery(expr))
  )
}

function lowerUpdate(statement: UpdateStatement, plan: PhysicalPlan): LoweredWrite | null {
  const flat = flatten(plan)
  if (flat === null || statement.others.length > 0) return null
  const values = statement.values.map(({ id }) => flat.outputs.get(id))
  const old = storedColumns(flat.scan, statement.target.table)
  if (values.some((value) => value === undefined)) return null
  const lowering = new ExpressionLowering(sourcesOf(flat.scan))
  const keys = keysOf(flat.scan, lowering)
  const update = lowerChange(lowering, statement.target, values as readonly Expr[], old, flat.conditions)
  if (keys === null || update === null) return null
  return { kind: 'update', constants: lowering.constants, keys, update }
}

function lowerDelete(statement: DeleteStatement, plan: PhysicalPlan): LoweredWrite | null {
  const flat = flatten(plan)
  if (flat === null || statement.others.length > 0 || statement.target.table.indexes.length > 0) return null
  const lowering = new ExpressionLowering(sourcesOf(flat.scan))
  const keys = keysOf(flat.scan, lowering)
  const where = lowerAll(lowering, flat.conditions)
  if (keys === null || where === undefined) return null
  return { kind: 'delete', constants: lowering.constants, keys, where }
}

/**
 * @param values the new value of each column
 * @param old the columns that stand for the stored row; undefined where the plan does not read it
 */
function lowerChange(
  lowering: ExpressionLowering,
  { table, row, checks }: Target,
  values: readonly Expr[],
  old: readonly (Column | undefined)[],
  conditions: readonly Expr[],
): LoweredUpdate | null {
  const set: LoweredUpdate['set'][number][] = []
  const assigned = new Set<number>()
  for (const [position, expr] of values.entries()) {
    if (expr.kind === 'column' && expr.column.id === old[position]?.id) continue
    const value = lowering.lower(expr)
    if (value === null) return null
    set.push({ position, value })
    assigned.add(position)
  }
  const indexed = [table.primaryKey, ...table.indexes].flatMap((key) => key?.columns ?? [])
  if (indexed.some((position) => assigned.has(position))) return null
  const where = lowerAll(lowering, conditions)
  if (where === undefined) return null
  const positions = new Map(row.map(({ id }, position) => [id, position]))
  const after = new ExpressionLowering(
    new Map(row.map(({ id }, position) => [id, { kind: 'stored', position }])),
  )
  const broken: LoweredUpdate['checks'][number][] = []
  for (const [check, { expr }] of checks.entries()) {
    // What a check says of columns that stay has been true before, and is for ever.
    const touched = [...columnsIn(expr).keys()].some((id) => assigned.has(positions.get(id) ?? -1))
    if (!touched && !someExpr(expr, isUnsteady)) continue
    const condition = after.lower(foldExpr(expr))
    // Its constants have a list of their own, so it must have none but those written out.
    if (condition === null || !after.constants.every((one) => one.kind === 'constant')) return null
    const values = after.constants.map((one) => (one.kind === 'constant' ? one.value : null))
    broken.push({
      check,
      condition: { ...condition, make: () => condition.make({ constants: values, proposed: [] }) },
    })
  }
  return { set, where, checks: broken }
}

const isUnsteady = (expr: Expr): boolean => expr.kind === 'call' && expr.fn.volatility !== 'immutable'

/** All of the conditions as one; null for none; undefined when one of them has no counterpart. */
function lowerAll(
  lowering: ExpressionLowering,
  conditions: readonly Expr[],
): LoweredExpression | null | undefined {
  const lowered: LoweredExpression[] = []
  for (const condition of conditions) {
    const one = lowering.lower(condition)
    if (one === null) return undefined
    lowered.push(one)
  }
  const [first] = lowered
  if (first === undefined) return null
  if (lowered.length === 1) return first
  return {
    make: (known) => ({ op: 'and', operands: lowered.map((one) => one.make(known)) }),
    size: lowered.reduce((sum, { size }) => sum + size, 1),
    depth: Math.max(...lowered.map(({ depth }) => depth)) + 1,
  }
}

interface Flat {
  readonly scan: TableScanNode
  /** Over columns of the scan. */
  readonly conditions: readonly Expr[]
  /** By column: its value over columns of the scan. */
  readonly outputs: ReadonlyMap<number, Expr>
}

/** A plan that reads rows of one table and computes from each by itself; null for any other. */
function flatten(plan: PhysicalPlan): Flat | null {
  if (plan.kind === 'tableScan') {
    if (plan.limit !== null) return null
    const outputs = new Map<number, Expr>(plan.columns.map(({ column }) => [column.id, columnExpr(column)]))
    return { scan: plan, conditions: [], outputs }
  }
  if (plan.kind !== 'map') return null
  const inner = flatten(plan.input)
  if (inner === null) return null
  const { outputs } = inner
  const conditions =
    plan.filter === null ? inner.conditions : [...inner.conditions, substitute(plan.filter, outputs)]
  if (plan.outputs === null) return { ...inner, conditions }
  return {
    scan: inner.scan,
    conditions,
    outputs: new Map(plan.outputs.map(({ column, expr }) => [column.id, substitute(expr, outputs)])),
  }
}

const sourcesOf = ({ columns }: TableScanNode): ReadonlyMap<number, ColumnSource> =>
  new Map(columns.map(({ column, position }) => [column.id, { kind: 'stored', position }]))

/** The scan's columns by their positions in the table. */
function storedColumns({ columns }: TableScanNode, table: TableSchema): readonly (Column | undefined)[] {
  const stored: (Column | undefined)[] = table.columns.map(() => undefined)
  for (const { column, position } of columns) if (position >= 0) stored[position] = column
  return stored
}

function keysOf(
  { access }: TableScanNode,
  lowering: ExpressionLowering,
): readonly (readonly number[])[] | null {
  if (access.kind !== 'keys' || access.index !== null || access.tuples.length > PROGRAM_ROWS_MAX) return null
  const keys: number[][] = []
  for (const tuple of access.tuples) {
    const key = tuple.map((expr) => lowering.constant(expr))
    if (key.some((position) => position === null)) return null
    keys.push(key as number[])
  }
  return keys
}

/** Expressions that a program made of it has for each row, all checks counted once; infinite when they are nested too deeply. */
export function sizeOf(lowered: LoweredWrite): number {
  const update = lowered.kind === 'update' ? lowered.update : lowered.kind === 'insert' ? lowered.taken : null
  const change = typeof update === 'object' && update !== null ? update : null
  const where = lowered.kind === 'delete' ? lowered.where : (change?.where ?? null)
  const all = [
    ...(change?.set.map(({ value }) => value) ?? []),
    ...(change?.checks.map(({ condition }) => condition) ?? []),
    ...(where === null ? [] : [where]),
  ]
  if (all.some(({ depth }) => depth > PROGRAM_DEPTH_MAX)) return Number.POSITIVE_INFINITY
  return all.reduce((sum, { size }) => sum + size, 0)
}
