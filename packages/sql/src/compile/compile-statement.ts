import type { Database, Key } from '@cluster/core'
import type { ExecutionContext, Source } from '../executor/context.ts'
import { type Mapper, mapSource, sameBatch } from '../executor/pipeline.ts'
import { DeferredWrites } from '../executor/write/deferred-writes.ts'
import type { CompiledRelated } from '../executor/write/key-work.ts'
import { mergeRows } from '../executor/write/merge.ts'
import { type ConflictRules, upsertRows } from '../executor/write/upsert.ts'
import {
  deleteRows,
  insertRows,
  updateRows,
  type WriteTarget,
  type Written,
} from '../executor/write/write.ts'
import { additionsRunner, type RunAdditions } from '../executor/write/write-additions.ts'
import { programRunner, type RunProgram } from '../executor/write/write-program.ts'
import { foldExpr } from '../optimizer/fold-constants.ts'
import { lowerWrite, sizeOf } from '../optimizer/lower-write.ts'
import { optimize } from '../optimizer/optimize.ts'
import { physicalPlan } from '../optimizer/physical.ts'
import { columnExpr, constant } from '../plan/build.ts'
import type { Column, Expr } from '../plan/expression.ts'
import type { LogicalPlan } from '../plan/logical.ts'
import { type PhysicalPlan, physicalColumns } from '../plan/physical.ts'
import type {
  ConflictAction,
  RelatedTable,
  ResultColumn,
  Returning,
  StatementPlan,
  Target,
} from '../plan/statement.ts'
import { hasSubquery } from '../plan/traverse.ts'
import { compileMap, compileRowChecks, compileScalars, Layout, Slots } from './compile-map.ts'
import { compilePlan } from './compile-plan.ts'
import { compileRows, type RowsMap } from './compile-rows.ts'

export interface CompileOptions {
  readonly database: Database
  readonly makeRowKey: () => Key
  readonly nextColumnId: () => number
  readonly optimize: boolean
  /** Told of the logical plan as it was bound and after every rule. */
  readonly trace?: (step: string, plan: LogicalPlan) => void
}

/** A statement ready to run, any number of times, by any number of transactions. */
export type CompiledStatement =
  | {
      readonly kind: 'query'
      readonly result: readonly ResultColumn[]
      readonly plan: PhysicalPlan
      readonly source: Source
    }
  | {
      readonly kind: 'insert' | 'update' | 'delete' | 'merge'
      readonly result: readonly ResultColumn[]
      readonly plan: PhysicalPlan
      readonly target: Target
      /** What INSERT does about keys that are taken. */
      readonly onConflict: 'nothing' | 'update' | null
      run(context: ExecutionContext): Promise<Written>
      /** Runs it where the log applies it, as all that its transaction does; null when it is not made for that. */
      readonly program: RunProgram | null
    }

export function compileStatement(statement: StatementPlan, options: CompileOptions): CompiledStatement {
  const slots = new Slots()
  if (statement.kind === 'query') {
    const plan = planFor(statement.plan, statement.columns, options)
    return {
      kind: 'query',
      result: statement.result,
      plan,
      source: sourceFor(plan, statement.columns, options, slots),
    }
  }
  const wanted = columnsOfSource(statement)
  const plan = planFor(statement.source, wanted, options)
  const source = sourceFor(plan, wanted, options, slots)
  const { returning } = statement
  const writeTarget: WriteTarget = {
    database: options.database,
    table: statement.target.table,
    makeRowKey: options.makeRowKey,
    checks: checksOf(statement.target, slots),
    related: statement.target.related.map((related) => compileRelated(related, slots)),
    returning: returning === null ? null : compileReturning(returning, rowOf(statement), slots),
  }
  const conflict = statement.kind === 'insert' ? statement.conflict : null
  const rows =
    returning?.exprs.some(hasSubquery) === true
      ? compileRows(rowOf(statement), null, returning.exprs.map(foldExpr), options)
      : null
  const lowered =
    options.optimize && rows === null ? compileLowered(statement, plan, source, writeTarget, slots) : null
  const common = {
    kind: statement.kind,
    result: returning?.result ?? [],
    plan,
    target: statement.target,
    program: lowered?.program ?? null,
  }
  if (conflict !== null) {
    const rules = compileConflict(conflict, slots, options)
    return {
      ...common,
      onConflict: conflict.update === null ? 'nothing' : 'update',
      run: returningRows(rows, (context) => upsertRows(writeTarget, rules, source, context)),
    }
  }
  if (statement.kind === 'merge') {
    const { actions } = statement
    return { ...common, onConflict: null, run: (context) => mergeRows(writeTarget, actions, source, context) }
  }
  const run = { insert: insertRows, update: updateRows, delete: deleteRows }[statement.kind]
  return {
    ...common,
    onConflict: null,
    run: returningRows(rows, async (context) => {
      const written = (await lowered?.additions?.(context)) ?? null
      return written ?? run(writeTarget, source, context)
    }),
  }
}

type Run = (context: ExecutionContext) => Promise<Written>

/** Subqueries in RETURNING see the rows as they were before the statement, so its writes wait for them. */
function returningRows(rows: RowsMap | null, run: Run): Run {
  if (rows === null) return run
  return async (context) => {
    const deferred = new DeferredWrites(context.transaction)
    const { count, returned } = await run(context.fork(deferred))
    const made = await rows(returned, context)
    deferred.apply()
    return { count, returned: made }
  }
}

interface CompiledLowered {
  readonly program: RunProgram
  /** Null when it does not only add. */
  readonly additions: RunAdditions | null
}

function compileLowered(
  statement: Exclude<StatementPlan, { kind: 'query' }>,
  plan: PhysicalPlan,
  source: Source,
  target: WriteTarget,
  slots: Slots,
): CompiledLowered | null {
  const lowered = lowerWrite(statement, plan)
  if (lowered === null) return null
  const constants = compileScalars(lowered.constants, slots)
  return {
    program: programRunner({ target, lowered, source, constants, size: sizeOf(lowered) }),
    additions: additionsRunner({ target, lowered, constants }),
  }
}

function compileConflict(
  { arbiters, update }: ConflictAction,
  slots: Slots,
  options: CompileOptions,
): ConflictRules {
  if (update === null) return { arbiters, update: null }
  const { key, old, excluded, values, where } = update
  const columns = [key, ...old, ...excluded]
  const outputs = [...[key, ...old].map(columnExpr), ...values.map(foldExpr)]
  const condition = where === null ? null : foldExpr(where)
  if ([...outputs, ...(condition === null ? [] : [condition])].some(hasSubquery))
    return { arbiters, update: compileRows(columns, condition, outputs, options) }
  const map = compileMap(new Layout(columns), slots, condition, outputs)
  return { arbiters, update: (batches, { frame }) => batches.map((batch) => map(batch, frame)) }
}

function planFor(plan: LogicalPlan, wanted: readonly Column[], options: CompileOptions): PhysicalPlan {
  const { nextColumnId, trace } = options
  trace?.('bound', plan)
  const logical = options.optimize ? optimize(plan, wanted, trace) : plan
  return physicalPlan(logical, { nextColumnId, optimize: options.optimize })
}

/** Operators that give exactly the wanted columns, in order. */
function sourceFor(
  plan: PhysicalPlan,
  wanted: readonly Column[],
  { database }: CompileOptions,
  slots: Slots,
): Source {
  const { source } = compilePlan(plan, database, slots)
  const layout = new Layout(physicalColumns(plan))
  const exact = layout.width === wanted.length && layout.columns.every(({ id }, i) => id === wanted[i]?.id)
  return exact ? source : mapSource(source, compileMap(layout, slots, null, wanted.map(columnExpr)))
}

function columnsOfSource(statement: Exclude<StatementPlan, { kind: 'query' }>): readonly Column[] {
  switch (statement.kind) {
    case 'insert':
      return statement.sourceColumns
    case 'update':
      return [statement.key, ...statement.old, ...statement.others, ...statement.values]
    case 'delete':
      return [statement.key, ...statement.old, ...statement.others]
    case 'merge':
      return [statement.key, ...statement.old, statement.action, ...statement.values]
  }
}

/** The columns that RETURNING is computed from, as `Written` rows have them. */
function rowOf(statement: Exclude<StatementPlan, { kind: 'query' }>): readonly Column[] {
  const { row } = statement.target
  return 'others' in statement ? [...row, ...statement.others] : row
}

/** What RETURNING gives; with subqueries it is the row itself, from which `compileRows` goes on. */
function compileReturning(returning: Returning, row: readonly Column[], slots: Slots): Mapper {
  if (returning.exprs.some(hasSubquery)) return sameBatch
  return compileMap(new Layout(row), slots, null, returning.exprs.map(foldExpr))
}

function compileRelated(
  { key, table, row, values, defaults, checks }: RelatedTable,
  slots: Slots,
): CompiledRelated {
  const layout = new Layout(row)
  const none = table.columns.map(() => null)
  return {
    key,
    table,
    complete: values === null ? null : compileMap(layout, slots, null, values.map(foldExpr)),
    checks: checksOf({ checks, row }, slots),
    defaults: defaults.some((expr) => expr !== null)
      ? compileScalars(
          defaults.map((expr, i) => foldExpr(expr ?? constant((row[i] as Column).type, null))),
          slots,
        )
      : () => none,
  }
}

function checksOf({ checks, row }: Pick<Target, 'checks' | 'row'>, slots: Slots): WriteTarget['checks'] {
  if (checks.length === 0) return null
  const exprs: Expr[] = checks.map(({ expr }) => foldExpr(expr))
  return { checks, find: compileRowChecks(new Layout(row), slots, exprs) }
}
