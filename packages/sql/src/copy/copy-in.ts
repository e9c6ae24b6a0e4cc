import { ClusterError, type Database, errorCode, isClusterError, type Transaction } from '@cluster/core'
import type { BindContext } from '../binder/context.ts'
import type { Batch } from '../compile/batch.ts'
import { BATCH_ROWS } from '../compile/batch.ts'
import { type CompileOptions, compileStatement } from '../compile/compile-statement.ts'
import { isSqlError, SQLSTATE, sqlError, withContext } from '../errors.ts'
import { ExecutionContext } from '../executor/context.ts'
import { rowsThere } from '../executor/cte.ts'
import { MemoryBudget } from '../executor/memory.ts'
import type { Copy, QualifiedName } from '../syntax/ast.ts'
import type { ReadingContext } from '../types/datetime.ts'
import { BinaryReader } from './binary-reader.ts'
import { bindCopyFrom, forcedColumns, forcesNothing } from './bind-copy.ts'
import type { CopyFeed } from './feed.ts'
import { LineReader } from './line-reader.ts'
import { copyFormat } from './options.ts'
import { copyContext } from './place.ts'
import type { CopyRecord } from './records.ts'
import { type BinaryValues, place, readValues, type ValueReader } from './values.ts'

/** The statement as it was bound in, and what the session gives it. */
export interface CopyInPorts {
  readonly database: Database
  readonly transaction: Transaction
  readonly bind: BindContext
  readonly compile: Omit<CompileOptions, 'nextColumnId'>
  /** Null: there is no binary format here. */
  readonly binary: BinaryValues | null
  readonly reading: ReadingContext
  readonly context: ExecutionContext
  readonly clock: ConstructorParameters<typeof ExecutionContext>[0]['clock']
  readonly signal: AbortSignal | null
  readonly memoryBytesMax: number
  /** Checks that the session may do what was bound. @throws 42501 */
  permit(): Promise<void>
  /** Puts values of the statement's sequences by. */
  prepare(rows: number): Promise<void>
  /** True for the error that they were too few. */
  isDry(error: unknown): boolean
}

/** Inserts the rows of the feed, up to its bound. @returns how many were inserted */
export async function copyIn(
  copy: Copy & { readonly table: QualifiedName },
  source: string,
  feed: CopyFeed,
  ports: CopyInPorts,
): Promise<number> {
  const { bind } = ports
  const format = copyFormat(copy, source)
  if (format.kind === 'binary' && ports.binary === null) throw noBinary()
  const { table, columns, rows, insert } = bindCopyFrom(bind, copy)
  await ports.permit()
  const names = columns.map(({ name }) => name)
  const nothing = forcesNothing(format)
  const values: ValueReader = {
    table: table.name,
    columns,
    nullText: format.nullText,
    forceNotNull: nothing ? null : forcedColumns('FORCE_NOT_NULL', format.forceNotNull, names, table),
    forceNull: nothing ? null : forcedColumns('FORCE_NULL', format.forceNull, names, table),
    binary: ports.binary,
    context: ports.reading,
  }
  const compiled = compileStatement(insert, { ...ports.compile, nextColumnId: bind.nextColumnId })
  if (compiled.kind === 'query') throw new TypeError('COPY FROM was not compiled to an INSERT')
  const target = { table: table.name, columns: names }
  const same = feed.begin({ binary: format.kind === 'binary', columns: names.length }, names, () =>
    format.kind === 'binary' ? new BinaryReader(target) : new LineReader(format, target),
  )
  if (!same)
    throw sqlError(
      SQLSTATE.serializationFailure,
      `the columns of "${table.name}" were changed during the COPY`,
    )
  const run = async (batch: Batch): Promise<number> => {
    const { context, transaction } = ports
    const mark = transaction.mark()
    const known = context.keyWork.written.length
    for (let wanted = batch.length; ; wanted *= 2) {
      try {
        context.tables.set(rows, rowsThere([batch]))
        return (await compiled.run(batchContext(ports))).count
      } catch (error) {
        transaction.rollbackTo(mark)
        context.keyWork.written.length = known
        if (!ports.isDry(error)) throw error
        await ports.prepare(wanted * 2)
      }
    }
  }
  let count = 0
  let left = feed.rowsMax ?? Number.POSITIVE_INFINITY
  while (left > 0) {
    const records = await feed.take(Math.min(BATCH_ROWS, left))
    if (records.length === 0) break
    left -= records.length
    const { batch, error } = readValues(records, values)
    if (batch.length > 0) {
      await ports.prepare(batch.length)
      count += await inserted(batch, records, run, values)
    }
    if (error !== null) throw error
    const pause = ports.context.work(records.length)
    if (pause !== null) await pause
  }
  return count
}

/** A batch needs as much memory as it needs; what was inserted before is the transaction's. */
function batchContext({
  context,
  transaction,
  clock,
  signal,
  memoryBytesMax,
}: CopyInPorts): ExecutionContext {
  const memory = new MemoryBudget({ bytesMax: memoryBytesMax })
  return new ExecutionContext({ transaction, clock, frame: context.frame, memory, signal }, context)
}

/** Inserts a batch; when it fails, the rows one by one, to tell which it was. */
async function inserted(
  batch: Batch,
  records: readonly CopyRecord[],
  run: (batch: Batch) => Promise<number>,
  values: ValueReader,
): Promise<number> {
  try {
    return await run(batch)
  } catch (error) {
    if (errorCode(error) === 'DB_TRANSACTION_TOO_LARGE') throw tooLarge(error)
    if (!isSqlError(error) || error.detail.sqlstate === '57014') throw error
    for (let i = 0; i < batch.length; i++) {
      const record = records[i] as CopyRecord
      try {
        await run({ length: 1, columns: batch.columns.map((column) => [column[i] ?? null]) })
      } catch (reason) {
        // PostgreSQL puts rows by and writes many at once, so it has no line any more when a key is taken.
        const taken = isSqlError(reason) && reason.detail.sqlstate === SQLSTATE.uniqueViolation
        throw withContext(
          reason,
          copyContext(taken ? { ...place(record, values), text: null } : place(record, values)),
        )
      }
    }
    throw error
  }
}

/** Says what to do when the rows do not fit into one transaction. */
export function tooLarge(error: unknown): unknown {
  if (!isClusterError(error) || error.code !== 'DB_TRANSACTION_TOO_LARGE') return error
  const hint =
    'COPY is one transaction, as in PostgreSQL, and the log bounds how large one may be. To commit every so many rows instead: SET cluster.copy_rows_per_transaction, rowsPerTransaction of copyFrom(), or `cluster import`.'
  return new ClusterError(
    { ...error.detail, sqlstate: SQLSTATE.programLimitExceeded, hint } as typeof error.detail,
    error.message,
    { cause: error },
  )
}

export const noBinary = () =>
  sqlError(SQLSTATE.featureNotSupported, 'the binary format of COPY is not available here', {
    hint: 'Use FORMAT text or csv.',
  })
