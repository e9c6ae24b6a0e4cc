import {
  afterKey,
  afterPrefix,
  type Database,
  EVERYWHERE,
  type Key,
  type KeyRange,
  type PartitionId,
  type Row,
  type RowAddress,
  type RowBatch,
  type TransactionScan,
  type Value,
} from '@cluster/core'
import { layoutOf } from '../catalog/row-layout.ts'
import type { IndexSchema, TableSchema } from '../catalog/schema.ts'
import type { VirtualContext, VirtualTable } from '../catalog/virtual-table.ts'
import { BATCH_ROWS, type Batch, batchesOfRows, type Frame } from '../compile/batch.ts'
import { ROW_KEY } from '../plan/logical.ts'
import { readTable } from '../plan/table-statistics.ts'
import type { ExecutionContext, Source } from './context.ts'
import { readRows } from './read-rows.ts'
import { partitionOfRow } from './rows/row-keys.ts'

/** The keys that a statement's constants and parameters come to; evaluated once a run. */
export type KeyAccess = (frame: Frame) => readonly Key[]
/** Null: nothing can match. */
export type RangeAccess = (frame: Frame) => KeyRange | null

export interface ScanOptions {
  readonly database: Database
  readonly table: TableSchema
  /** Positions wanted, `ROW_KEY` among them perhaps. */
  readonly positions: readonly number[]
}

/** At most this many rows are wanted; null: all. */
export type ScanLimit = ((frame: Frame) => number | null) | null

export type ScanOrder = 'any' | 'ascending' | 'descending'

const partitionsOf = (table: TableSchema): { readonly partitions?: readonly PartitionId[] } =>
  table.placement === 'everywhere' ? { partitions: [EVERYWHERE] } : {}

/** Rows with keys in a range, in key order when asked. */
export function rangeScan(
  { table, positions }: ScanOptions,
  range: RangeAccess,
  limit: ScanLimit,
  order: ScanOrder,
): Source {
  const wantedColumns = positions.filter((position) => position !== ROW_KEY)
  const { slots } = layoutOf(table)
  const columns = wantedColumns.map((position) => slots[position] as number)
  const restore = columnReader(table, wantedColumns)
  return {
    async *open(context) {
      const wanted = range(context.frame)
      const most = limit?.(context.frame) ?? null
      if (wanted === null || most === 0) return
      const request = {
        relation: table.relation,
        range: wanted,
        columns,
        ordered: order !== 'any',
        reverse: order === 'descending',
        ...partitionsOf(table),
        ...(most === null ? {} : { limit: most }),
      }
      const whole = most === null && wanted.from === undefined && wanted.to === undefined
      const reading = whole ? readTable(table, wantedColumns) : null
      for await (const batch of context.reads.scan(request)) {
        const pause = context.work(batch.length)
        if (pause !== null) await pause
        const shown = restore(batch)
        reading?.take(shown.length, shown.columns)
        yield withKeys(shown, positions)
      }
      // A consumer that goes away before the end has not seen all of it.
      reading?.done()
    },
  }
}

/** Gives the columns of stored rows the values that the table shows. */
function columnReader(table: TableSchema, positions: readonly number[]): (batch: RowBatch) => RowBatch {
  const { read } = layoutOf(table)
  const converts = positions.map((position) => read[position] ?? null)
  if (converts.every((convert) => convert === null)) return (batch) => batch
  return (batch) => ({
    ...batch,
    columns: batch.columns.map((column, i) => {
      const convert = converts[i] ?? null
      return convert === null ? column : column.map(convert)
    }),
  })
}

function withKeys(batch: RowBatch, positions: readonly number[]): Batch {
  if (!positions.includes(ROW_KEY)) return batch
  let next = 0
  const columns = positions.map((position) =>
    position === ROW_KEY ? batch.keys : (batch.columns[next++] as readonly Value[]),
  )
  return { length: batch.length, columns }
}

/** Rows by their own keys. */
export function pointScan(options: ScanOptions, keys: KeyAccess): Source {
  return {
    now: (context) => rowsAtHand(options, distinct(keys(context.frame)), context),
    open: (context) => fetchRows(options, distinct(keys(context.frame)), context),
  }
}

/** Rows that are found within the turn of whoever asks. */
const KEYS_AT_ONCE = 64

/** A few rows without a promise; undefined when one of them is elsewhere. */
function rowsAtHand(
  { database, table, positions }: ScanOptions,
  keys: readonly Key[],
  { reads }: ExecutionContext,
): Batch | undefined {
  if (keys.length > KEYS_AT_ONCE) return undefined
  const { plain, fromStored } = layoutOf(table)
  const rows: (Row | null)[] = []
  for (const key of keys) {
    const partition = partitionOfRow(database, table, key)
    const row = reads.getNow?.({ relation: table.relation, partition, key })
    if (row === undefined) return undefined
    rows.push(row === null || plain ? row : fromStored(row))
  }
  return columnsOf(keys, rows, positions)
}

const distinct = (keys: readonly Key[]): readonly Key[] => (keys.length < 2 ? keys : [...new Set(keys)])

/** Rows by complete keys of a unique index. */
export function uniquePointScan(options: ScanOptions, index: IndexSchema, keys: KeyAccess): Source {
  const { database, table } = options
  return {
    async *open(context) {
      const entries = distinct(keys(context.frame))
      for (let start = 0; start < entries.length; start += BATCH_ROWS) {
        const found = await readRows(
          context.reads,
          entries.slice(start, start + BATCH_ROWS).map((key) => {
            const partition = table.placement === 'everywhere' ? EVERYWHERE : database.partitionOf(key)
            return { relation: index.relation, partition, key }
          }),
        )
        const rowKeys = found.flatMap((entry) => (entry === null ? [] : [entry[0] as Key]))
        yield* fetchRows(options, rowKeys, context)
      }
    },
  }
}

/** Entries read at first of an index in order, when nobody knows how many are wanted. */
const ENTRIES_FIRST = 64
const ENTRIES_MOST = 4_096

/** Rows whose index entries lie in a range, in the order of the entries when asked. */
export function indexScan(
  options: ScanOptions,
  index: IndexSchema,
  range: RangeAccess,
  limit: ScanLimit,
  order: ScanOrder,
): Source {
  const { table, positions } = options
  const wantedColumns = positions.filter((position) => position !== ROW_KEY)
  const { slots } = layoutOf(table)
  const columns = wantedColumns.map((position) => slots[position] as number)
  const restore = columnReader(table, wantedColumns)
  // Entries of a unique index are not beside their rows.
  const beside = !index.unique || table.placement === 'everywhere'
  return {
    async *open(context) {
      const wanted = range(context.frame)
      const most = limit?.(context.frame) ?? null
      if (wanted === null || most === 0) return
      const followed =
        order === 'any' && beside
          ? context.reads.followNow?.({
              entries: index.relation,
              range: wanted,
              rows: table.relation,
              columns,
              ...partitionsOf(table),
              ...(most === null ? {} : { limit: most }),
            })
          : undefined
      if (followed !== undefined) {
        for (const batch of followed) {
          const pause = context.work(batch.length)
          if (pause !== null) await pause
          yield withKeys(restore(batch), positions)
        }
        return
      }
      const request = {
        relation: index.relation,
        range: wanted,
        columns: [0],
        ...partitionsOf(table),
      }
      if (order !== 'any') yield* inOrder(options, request, most, order === 'descending', context)
      else {
        const bounded = most === null ? request : { ...request, limit: most }
        for await (const batch of entriesOf(bounded, context)) yield* rowsOfEntries(options, batch, context)
      }
    },
  }
}

/** A few entries first, then more and more: most often only the first rows are wanted. */
async function* inOrder(
  options: ScanOptions,
  request: TransactionScan,
  most: number | null,
  reverse: boolean,
  context: ExecutionContext,
): AsyncGenerator<Batch> {
  let { range } = request
  let left = most ?? Number.POSITIVE_INFINITY
  let step = Math.min(most ?? ENTRIES_FIRST, ENTRIES_MOST)
  while (left > 0) {
    let count = 0
    let last: Key | undefined
    for await (const batch of entriesOf(
      { ...request, range, ordered: true, reverse, limit: step },
      context,
    )) {
      count += batch.length
      last = batch.keys[batch.length - 1]
      yield* rowsOfEntries(options, batch, context)
    }
    if (count < step || last === undefined) return
    left -= count
    range = reverse ? { ...range, to: last } : { ...range, from: afterKey(last) }
    step = Math.min(left, step * 4, ENTRIES_MOST)
  }
}

async function* entriesOf(request: TransactionScan, context: ExecutionContext): AsyncGenerator<RowBatch> {
  for await (const batch of context.reads.scan(request)) {
    const pause = context.work(batch.length)
    if (pause !== null) await pause
    yield batch
  }
}

const rowsOfEntries = (
  options: ScanOptions,
  { columns }: RowBatch,
  context: ExecutionContext,
): AsyncGenerator<Batch> => fetchRows(options, columns[0] as readonly Key[], context)

async function* fetchRows(
  { database, table, positions }: ScanOptions,
  keys: readonly Key[],
  context: ExecutionContext,
): AsyncGenerator<Batch> {
  const { plain, fromStored } = layoutOf(table)
  const addressOf = (key: Key): RowAddress => ({
    relation: table.relation,
    partition: partitionOfRow(database, table, key),
    key,
  })
  for (let start = 0; start < keys.length; start += BATCH_ROWS) {
    const some = start === 0 && keys.length <= BATCH_ROWS ? keys : keys.slice(start, start + BATCH_ROWS)
    const reading = readRows(context.reads, some.map(addressOf))
    const rows = reading instanceof Promise ? await reading : reading
    const pause = context.work(rows.length)
    if (pause !== null) await pause
    const shown = plain ? rows : rows.map((row) => (row === null ? null : fromStored(row)))
    const batch = columnsOf(some, shown, positions)
    if (batch.length > 0) yield batch
  }
}

/** The columns of the rows that were found. */
function columnsOf(keys: readonly Key[], rows: readonly (Row | null)[], positions: readonly number[]): Batch {
  const found: Row[] = []
  for (const row of rows) if (row !== null) found.push(row)
  const columns = positions.map((position) =>
    position === ROW_KEY ? keys.filter((_, i) => rows[i] !== null) : columnOf(found, position),
  )
  return { length: found.length, columns }
}

function columnOf(rows: readonly Row[], position: number): Value[] {
  const column: Value[] = []
  for (const row of rows) column.push(row[position] ?? null)
  return column
}

/** Every key that begins with `prefix`. */
export function prefixRange(prefix: Key): KeyRange {
  const to = afterPrefix(prefix)
  return to === undefined ? { from: prefix } : { from: prefix, to }
}

/** What a virtual table may ask: only one of the catalog may ask for that. */
const virtualContext = (database: Database, { reads, frame }: ExecutionContext): VirtualContext => ({
  database,
  transaction: reads,
  settings: () => frame.functions.settings(),
  given: (sequence, stored) => frame.functions.sequences.state(sequence, stored),
  get catalog() {
    return frame.functions.catalog()
  },
})

/** All rows of a virtual table. */
export function virtualScan(table: VirtualTable, positions: readonly number[], database: Database): Source {
  return {
    async *open(context) {
      const rows = await table.rows(virtualContext(database, context))
      const picked = rows.map((row) => positions.map((position) => row[position] as Value))
      yield* batchesOfRows(picked, positions.length)
    },
  }
}

/** Rows made by a function of the frame. */
export function generatedSource(rows: (frame: Frame) => Iterable<readonly Value[]>, width: number): Source {
  return {
    async *open(context) {
      for (const batch of batchesOfRows(rows(context.frame), width)) {
        const pause = context.work(batch.length)
        if (pause !== null) await pause
        yield batch
      }
    },
  }
}
