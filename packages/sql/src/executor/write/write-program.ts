import {
  type CommitOptions,
  type CommitReceipt,
  type ExecuteReceipt,
  errorCode,
  type Key,
  type PartitionId,
  PROGRAM_EXPRESSIONS_MAX,
  PROGRAM_ROWS_MAX,
  type PresentAction,
  type ProgramFailure,
  type ProgramStep,
  type Row,
  type RowExpression,
  type RowProgram,
  type Value,
} from '@cluster/core'
import type { Frame } from '../../compile/batch.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { Known, LoweredExpression } from '../../optimizer/lower-expression.ts'
import type { LoweredUpdate, LoweredWrite } from '../../optimizer/lower-write.ts'
import { outOfRange } from '../../types/convert.ts'
import { TYPES } from '../../types/type.ts'
import type { ExecutionContext, Source } from '../context.ts'
import { keyOfValues, partitionOfRow, primaryKeyOf } from '../rows/row-keys.ts'
import { checkNotNull, duplicateKey } from './table-writer.ts'
import { brokenCheck, checkRows, finish, readAll, type WriteTarget, type Written } from './write.ts'

/** A statement that ran as a program: it is committed, whatever came of it. */
export interface ProgramRun {
  readonly receipt: CommitReceipt
  /** Null when it failed. */
  readonly written: Written | null
  /** Null when it did not. */
  readonly error: Error | null
}

/**
 * Runs a lowered statement as a program.
 * @returns null when it cannot be one this time and nothing was done: it runs as any other then. `unfit` when the rows
 *   turned out to hold what programs do not compute with: nothing was changed either, but the transaction has ended.
 */
export type RunProgram = (
  context: ExecutionContext,
  options: CommitOptions,
) => Promise<ProgramRun | 'unfit' | null>

export interface ProgramOptions {
  readonly target: WriteTarget
  readonly lowered: LoweredWrite
  /** Gives the rows that an INSERT proposes. */
  readonly source: Source
  /** Computes `LoweredWrite.constants`. */
  readonly constants: (frame: Frame) => readonly Value[]
  /** Expressions of each row's part of the program. */
  readonly size: number
}

export function programRunner(options: ProgramOptions): RunProgram {
  return async (context, commit) => {
    const { target } = options
    const made = await makeProgram(options, context)
    // Whatever was read or written to get here belongs to an ordinary transaction.
    if (made === null || context.transaction.mark().writes > 0) return null
    const { program, proposed } = made
    let receipt: ExecuteReceipt
    try {
      receipt = await context.transaction.execute(program, commit)
    } catch (error) {
      // A member runs an older release: nothing was submitted.
      if (errorCode(error) === 'LOG_VERSION_TOO_LOW') return null
      throw error
    }
    const { outcome } = receipt
    if (outcome.type === 'failed') {
      if (outcome.failure.reason === 'kind') return 'unfit'
      return { receipt, written: null, error: failureOf(options, outcome.failure, proposed) }
    }
    const { changed, rows } = outcome
    const shown = program.returning
      ? rows.map((row) => asWide(target.table, row))
      : changed.map((step) => proposed[step] ?? [])
    return { receipt, written: finish(target, context, shown, changed.length), error: null }
  }
}

interface Made {
  readonly program: RowProgram
  /** The rows that an INSERT proposes, one a step. */
  readonly proposed: readonly Row[]
}

async function makeProgram(options: ProgramOptions, context: ExecutionContext): Promise<Made | null> {
  const { target, lowered, size } = options
  const { table, database } = target
  let values: readonly Value[]
  try {
    values = options.constants(context.frame)
  } catch {
    // An error in what may not even be needed is told, or not, by the ordinary way of running it.
    return null
  }
  const proposed = lowered.kind === 'insert' ? await proposedRows(options, context) : []
  const keys =
    lowered.kind === 'insert'
      ? proposed.map((row) => primaryKeyOf(table, row))
      : keysOf(target, lowered.keys, values)
  if (keys.length === 0 || keys.length > PROGRAM_ROWS_MAX || keys.length * size > PROGRAM_EXPRESSIONS_MAX)
    return null
  const known = keys.filter((key) => key !== null)
  const partition = partitionOfAll(known.map((key) => partitionOfRow(database, table, key)))
  if (partition === null || new Set(known).size < keys.length) return null
  const notNull: RowExpression[] = changeOf(lowered) === null ? [] : notNullChecks(options)
  const program: RowProgram = {
    relation: table.relation,
    partition,
    steps: known.map((key, i) => stepOf(lowered, key, proposed[i] ?? null, values)),
    // A value that is missing comes before a condition that is not met.
    checks: [
      ...notNull,
      ...(changeOf(lowered)?.checks.map(({ condition }) => condition.make({ constants: [], proposed: [] })) ??
        []),
    ],
    // Rows that an INSERT proposed are known here.
    returning: target.returning !== null && (lowered.kind !== 'insert' || changeOf(lowered) !== null),
  }
  return { program, proposed }
}

/** @throws 23514, 23502 */
async function proposedRows(
  { target, source }: ProgramOptions,
  context: ExecutionContext,
): Promise<readonly Row[]> {
  const rows = await readAll(source, context)
  checkRows(target, context, rows)
  for (const row of rows) checkNotNull(target.table, row)
  return rows
}

/** Each key once, in the order in which a scan would meet them; those with a NULL match nothing and are left out. */
function keysOf(
  { table }: WriteTarget,
  keys: readonly (readonly number[])[],
  values: readonly Value[],
): readonly Key[] {
  const columns = table.primaryKey?.columns ?? []
  const complete = keys
    .map((key) => key.map((at) => values[at] as Value))
    .filter((key) => !key.includes(null))
  return [...new Set(complete.map((key) => keyOfValues(table, columns, key)))].sort()
}

/** Null when there are none, or several. */
function partitionOfAll(partitions: readonly PartitionId[]): PartitionId | null {
  const [first] = partitions
  return first !== undefined && partitions.every((partition) => partition === first) ? first : null
}

function changeOf(lowered: LoweredWrite): LoweredUpdate | null {
  if (lowered.kind === 'update') return lowered.update
  return lowered.kind === 'insert' && typeof lowered.taken === 'object' ? lowered.taken : null
}

/** Columns that the statement sets and that must not be NULL, in their order. */
const notNullColumns = ({ target, lowered }: ProgramOptions): readonly number[] =>
  (changeOf(lowered)?.set ?? [])
    .map(({ position }) => position)
    .filter((position) => target.table.columns[position]?.notNull === true)

const notNullChecks = (options: ProgramOptions): RowExpression[] =>
  notNullColumns(options).map((position) => ({
    op: 'not',
    operand: { op: 'isNull', operand: { op: 'column', position } },
  }))

function stepOf(
  lowered: LoweredWrite,
  key: Key,
  proposed: Row | null,
  constants: readonly Value[],
): ProgramStep {
  const known: Known = { constants, proposed: proposed ?? [] }
  switch (lowered.kind) {
    case 'update':
      return { key, present: updateOf(lowered.update, known), absent: null }
    case 'delete':
      return { key, present: { do: 'delete', where: made(lowered.where, known) }, absent: null }
    case 'insert': {
      const { taken } = lowered
      const present: PresentAction = typeof taken === 'object' ? updateOf(taken, known) : { do: taken }
      return { key, present, absent: proposed }
    }
  }
}

const made = (expression: LoweredExpression | null, known: Known): RowExpression | null =>
  expression === null ? null : expression.make(known)

const updateOf = ({ set, where }: LoweredUpdate, known: Known): PresentAction => ({
  do: 'update',
  set: set.map(({ position, value }) => ({ position, value: value.make(known) })),
  where: made(where, known),
})

/** What SQL says of a failure. */
function failureOf(
  options: ProgramOptions,
  failure: Exclude<ProgramFailure, { readonly reason: 'kind' }>,
  proposed: readonly Row[],
): Error {
  const { table, checks } = options.target
  switch (failure.reason) {
    case 'present':
      return duplicateKey(table, {
        constraint: table.primaryKey ?? { name: '', columns: [] },
        row: proposed[failure.step] ?? [],
      })
    case 'check': {
      const check = changeOf(options.lowered)?.checks[failure.check - notNullColumns(options).length]
      const row = asWide(table, failure.row)
      if (check !== undefined) return brokenCheck(table, checks?.checks[check.check], row)
      return nullIn(() => checkNotNull(table, row))
    }
    case 'range':
      return failure.type === 'numeric' ? numericOverflow() : outOfRange(TYPES[failure.type])
    case 'fit':
      return fieldOverflow(failure.precision, failure.scale)
  }
}

/** Rows that are older than the last columns do not have them. */
const asWide = ({ columns }: WriteTarget['table'], row: Row): Row =>
  row.length >= columns.length ? row : columns.map((_, position) => row[position] ?? null)

function nullIn(check: () => void): Error {
  try {
    check()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new TypeError('a program says that there is a NULL, and there is none')
}

const numericOverflow = () => sqlError(SQLSTATE.numericValueOutOfRange, 'value overflows numeric format')

const fieldOverflow = (precision: number, scale: number) =>
  sqlError(SQLSTATE.numericValueOutOfRange, 'numeric field overflow', {
    detail: `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ${
      precision === scale ? '1' : `10^${precision - scale}`
    }.`,
  })
