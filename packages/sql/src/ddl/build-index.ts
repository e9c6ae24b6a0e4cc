import {
  afterKey,
  EVERYWHERE,
  type Key,
  type PartitionId,
  type Row,
  type Transaction,
  type Value,
} from '@cluster/core'
import { layoutOf } from '../catalog/row-layout.ts'
import type { IndexSchema, TableSchema } from '../catalog/schema.ts'
import { isSqlError, SQLSTATE, sqlError } from '../errors.ts'
import { deferrableKeyOf } from '../executor/write/deferrable-keys.ts'
import { addressOf, indexEntryOf } from '../executor/write/index-entries.ts'
import { duplicateKey, type StoredRow, TableWriter } from '../executor/write/table-writer.ts'
import { change, type DdlContext, type RunStep } from './context.ts'
import { removeIndex } from './remove-parts.ts'
import { rowsOf } from './rows.ts'

/** A table with more rows than this has its index filled behind the statement, while others go on writing. */
export const ROWS_AT_ONCE = 2_000
/** Rows that one transaction of a long work looks at. */
const ROWS_A_STEP = 1_000

/**
 * Fills an index with the rows that are there: at once, or, for a large table and a statement that is alone, in steps of
 * bounded size after it. Until then writers keep it and no reader uses it.
 * @returns the table as the catalog has it now
 * @throws 23505
 */
export async function buildIndex(
  context: DdlContext,
  table: TableSchema,
  index: IndexSchema,
): Promise<TableSchema> {
  const { later } = context
  if (
    later !== null &&
    index.deferral === undefined &&
    (await hasMoreRows(table, context.transaction, ROWS_AT_ONCE))
  ) {
    const begun = { ...index, ready: false }
    const indexes = table.indexes.map((one) => (one === index ? begun : one))
    later.add((step) => fillInSteps(context, table, begun, step))
    return change(context, { ...table, indexes })
  }
  const writer = new TableWriter({
    database: context.database,
    transaction: context.transaction,
    table,
    makeRowKey: () => {
      throw new TypeError('filling an index makes no rows')
    },
  })
  try {
    const known = new Set<Key>()
    for await (const rows of rowsOf(table, context.transaction)) {
      if (index.deferral !== undefined) refuseKnown(table, index, rows, known)
      await writer.fillIndex(index, rows)
    }
  } catch (error) {
    throw asIndexError(error)
  }
  return table
}

/** @throws 23505 for a row that has the key of one before */
function refuseKnown(
  table: TableSchema,
  index: IndexSchema,
  rows: readonly StoredRow[],
  known: Set<Key>,
): void {
  for (const stored of rows) {
    const key = deferrableKeyOf(table, index, stored)
    if (key === null) continue
    if (known.has(key)) throw duplicateKey(table, { constraint: index, row: stored.row })
    known.add(key)
  }
}

export async function hasMoreRows(
  table: TableSchema,
  transaction: Transaction,
  count: number,
): Promise<boolean> {
  const partitions = table.placement === 'everywhere' ? { partitions: [EVERYWHERE] } : {}
  const request = { relation: table.relation, range: {}, columns: [], limit: count + 1, ...partitions }
  let found = 0
  for await (const { length } of transaction.scan(request)) found += length
  return found > count
}

/** What PostgreSQL says of rows that break an index which is being made. */
export function asIndexError(error: unknown): unknown {
  if (!isSqlError(error) || error.detail.sqlstate !== SQLSTATE.uniqueViolation) return error
  const { table, constraint, detail } = error.detail
  return sqlError(SQLSTATE.uniqueViolation, `could not create unique index "${constraint}"`, {
    detail: detail?.replace(/ already exists\.$/, ' is duplicated.'),
    table,
    constraint,
  })
}

/** The partitions that rows of a table are in. */
export const partitionsOf = (
  { database }: Pick<DdlContext, 'database'>,
  table: TableSchema,
): readonly PartitionId[] =>
  table.placement === 'everywhere'
    ? [EVERYWHERE]
    : Array.from({ length: database.options.partitions }, (_, i) => (i + 1) as PartitionId)

/** Some rows of one partition, from a key on. */
export async function someRows(
  transaction: Transaction,
  table: TableSchema,
  partition: PartitionId,
  from: Key | undefined,
): Promise<readonly StoredRow[]> {
  const { slots, read } = layoutOf(table)
  const range = from === undefined ? {} : { from }
  const request = {
    relation: table.relation,
    range,
    columns: slots,
    partitions: [partition],
    limit: ROWS_A_STEP,
  }
  const found: StoredRow[] = []
  for await (const { length, keys, columns } of transaction.scan({ ...request, ordered: true }))
    for (let i = 0; i < length; i++) {
      const row: Row = columns.map((column, position) => {
        const value: Value = column[i] ?? null
        const convert = read[position] ?? null
        return convert === null ? value : convert(value)
      })
      found.push({ key: keys[i] as Key, row })
    }
  return found
}

/** Where the rows behind these begin; null: these were the last. */
export function nextOf(rows: readonly StoredRow[]): Key | null {
  const last = rows.at(-1)
  return last === undefined || rows.length < ROWS_A_STEP ? null : afterKey(last.key)
}

async function fillInSteps(
  context: DdlContext,
  table: TableSchema,
  { name, oid }: IndexSchema,
  step: RunStep,
): Promise<void> {
  const key = context.catalog.keyOf(table)
  /** The table and the index as they are now; null: one of them is gone. */
  const current = async (transaction: Transaction) => {
    const entry = await context.catalog.entry(transaction, key)
    const index = entry?.kind === 'table' ? entry.indexes.find((one) => one.oid === oid) : undefined
    return entry?.kind === 'table' && index !== undefined ? { table: entry, index } : null
  }
  try {
    for (const partition of partitionsOf(context, table)) {
      // A step may run several times, so it tells where the next one begins when it is done.
      for (let from: Key | null | undefined; from !== null; )
        from = await step(async (transaction): Promise<Key | null> => {
          const now = await current(transaction)
          if (now === null) return null
          const rows = await someRows(transaction, now.table, partition, from ?? undefined)
          await addEntries(context, transaction, now.table, now.index, rows)
          return nextOf(rows)
        })
    }
    await step(async (transaction) => {
      const now = await current(transaction)
      if (now === null) return
      const indexes = now.table.indexes.map((one) => (one === now.index ? { ...one, ready: true } : one))
      await change({ ...context, transaction }, { ...now.table, indexes })
    })
  } catch (error) {
    // As if the statement had failed at once.
    await step(async (transaction) => {
      const now = await current(transaction)
      if (now !== null) await removeIndex({ ...context, transaction }, now.table, name)
    })
    throw asIndexError(error)
  }
}

/** Adds the entries of some rows. Rows that were written meanwhile have theirs. @throws 23505 */
async function addEntries(
  { database }: DdlContext,
  transaction: Transaction,
  table: TableSchema,
  index: IndexSchema,
  rows: readonly StoredRow[],
): Promise<void> {
  const entries = rows.map(({ key, row }) => indexEntryOf(database, table, index, row, key))
  const taken = await Promise.all(
    entries.map((entry) =>
      entry?.exclusive === true ? transaction.get(addressOf(index, entry)) : Promise.resolve(null),
    ),
  )
  const own = new Set<string>()
  rows.forEach(({ key, row }, i) => {
    const entry = entries[i] ?? null
    if (entry === null) return
    const holder = taken[i] ?? null
    const again = entry.exclusive && own.has(entry.key)
    if (again || (holder !== null && holder[0] !== key)) throw duplicateKey(table, { constraint: index, row })
    if (entry.exclusive) own.add(entry.key)
    if (holder === null) transaction.put(addressOf(index, entry), [key])
  })
}
