import type { Database, Key, Row, Value } from '@cluster/core'
import type { TableSchema } from '../../catalog/schema.ts'
import { type Batch, batchesOfRows, rowOf } from '../../compile/batch.ts'
import { brokenDomain, SQLSTATE, sqlError } from '../../errors.ts'
import { formatValue } from '../../types/format.ts'
import type { ExecutionContext, Source } from '../context.ts'
import { rowsBytes } from '../memory.ts'
import type { Mapper } from '../pipeline.ts'
import type { CompiledRelated, NamedCheck, RowChecks } from './key-work.ts'
import { checkNotNull, type RowChange, type StoredRow, TableWriter } from './table-writer.ts'

export interface WriteTarget {
  readonly database: Database
  readonly table: TableSchema
  readonly makeRowKey: () => Key
  readonly checks: RowChecks | null
  /** Tables that its foreign keys tie it to. */
  readonly related: readonly CompiledRelated[]
  /** Computes RETURNING from the row and what came behind it. */
  readonly returning: Mapper | null
}

export interface Written {
  readonly count: number
  readonly returned: readonly Batch[]
}

/** All rows of the source: it is read before the first write, so a statement never meets its own rows. */
export async function readAll(source: Source, context: ExecutionContext): Promise<Value[][]> {
  const rows: Value[][] = []
  for await (const batch of source.open(context)) {
    context.memory.take(rowsBytes(batch.columns, batch.length))
    for (let i = 0; i < batch.length; i++) rows.push(rowOf(batch, i))
  }
  return rows
}

export function writerFor(
  { database, table, makeRowKey, related }: WriteTarget,
  context: ExecutionContext,
): TableWriter {
  const { transaction, keyWork } = context
  const noted = related.length > 0 || hasDeferrable(table)
  const onChange = noted ? keyWork.begin(related) : null
  return new TableWriter({ database, table, makeRowKey, transaction, onChange })
}

/** It has a unique constraint that is looked at when the statement or the transaction ends. */
const hasDeferrable = ({ indexes }: TableSchema): boolean =>
  indexes.some(({ deferral }) => deferral !== undefined)

export function finish(
  target: WriteTarget,
  context: ExecutionContext,
  rows: readonly (readonly Value[])[],
  count: number,
): Written {
  const { returning } = target
  if (returning === null) return { count, returned: [] }
  const width = rows[0]?.length ?? 0
  const returned = [...batchesOfRows(rows, width)].map((batch) => returning(batch, context.frame))
  return { count, returned }
}

export function checkRows(
  { table, checks }: Pick<WriteTarget, 'table' | 'checks'>,
  context: ExecutionContext,
  rows: readonly (readonly Value[])[],
): void {
  if (checks === null) return
  // A value that is missing comes before a condition that is not met.
  for (const row of rows) checkNotNull(table, row)
  for (const batch of batchesOfRows(rows, table.columns.length)) {
    const broken = checks.find(batch, context.frame)
    const at = broken.findIndex((check) => check >= 0)
    if (at >= 0) throw brokenCheck(table, checks.checks[broken[at] as number], rowOf(batch, at))
  }
}

/** 23514; 23502 for NULL in a domain that has none */
export function brokenCheck(table: TableSchema, check: NamedCheck | undefined, row: Row) {
  const { name, domain, view = false } = check ?? { name: '', domain: null }
  if (domain !== null) return brokenDomain(domain, name)
  const values = row.map((value, i) => {
    const column = table.columns[i]
    return value === null || column === undefined ? 'null' : formatValue(column.type, value)
  })
  if (view)
    return sqlError('44000', `new row violates check option for view "${name}"`, {
      detail: `Failing row contains (${values.join(', ')}).`,
    })
  return sqlError(
    SQLSTATE.checkViolation,
    `new row for relation "${table.name}" violates check constraint "${name}"`,
    { detail: `Failing row contains (${values.join(', ')}).`, table: table.name, constraint: name },
  )
}

/** Inserts the rows of the source. @throws 23505, 23502, 23514 */
export async function insertRows(
  target: WriteTarget,
  source: Source,
  context: ExecutionContext,
): Promise<Written> {
  const rows = await readAll(source, context)
  checkRows(target, context, rows)
  await writerFor(target, context).insert(rows)
  return finish(target, context, rows, rows.length)
}

/**
 * Source rows are: key, old values, columns of other tables, new values. A row that the join gives several
 * times is written once, by the first.
 */
export async function updateRows(
  target: WriteTarget,
  source: Source,
  context: ExecutionContext,
): Promise<Written> {
  const width = target.table.columns.length
  const writer = writerFor(target, context)
  const found = firstOfEach(await readAll(source, context), writer)
  const news = found.map((row) => row.slice(row.length - width))
  checkRows(target, context, news)
  const changes = found.map(
    (row, i): RowChange => ({
      old: { key: row[0] as Key, row: row.slice(1, 1 + width) },
      row: news[i] as Row,
    }),
  )
  await writer.update(changes, true)
  const results = found.map((row, i) => [
    ...(news[i] as readonly Value[]),
    ...row.slice(1 + width, row.length - width),
  ])
  return finish(target, context, results, found.length)
}

/** Source rows are: key, old values, columns of other tables. */
export async function deleteRows(
  target: WriteTarget,
  source: Source,
  context: ExecutionContext,
): Promise<Written> {
  const width = target.table.columns.length
  const writer = writerFor(target, context)
  const found = firstOfEach(await readAll(source, context), writer)
  const stored = found.map((row): StoredRow => ({ key: row[0] as Key, row: row.slice(1, 1 + width) }))
  await writer.delete(stored)
  return finish(
    target,
    context,
    found.map((row) => row.slice(1)),
    found.length,
  )
}

/** Each row once; those that another part of the statement has written already are left to it. */
function firstOfEach(rows: readonly Value[][], writer: TableWriter): Value[][] {
  const seen = new Set<Value>()
  return rows.filter((row) => {
    const key = row[0] as Value
    if (seen.has(key) || writer.isTaken(key as Key)) return false
    seen.add(key)
    return true
  })
}
