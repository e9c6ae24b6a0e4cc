import type { Key, Row, Value } from '@cluster/core'
import type { KeyConstraint } from '../../catalog/schema.ts'
import { type Batch, batchesOfRows, rowsOf } from '../../compile/batch.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import type { ExecutionContext, Source } from '../context.ts'
import type { RowChange, TableWriter } from './table-writer.ts'
import { checkRows, finish, readAll, type WriteTarget, type Written, writerFor } from './write.ts'

/** Computes rows to be changed; may drop some. */
export type UpdateRows = (
  batches: readonly Batch[],
  context: ExecutionContext,
) => readonly Batch[] | Promise<readonly Batch[]>

/** What becomes of rows that others are in the way of. */
export interface ConflictRules {
  readonly arbiters: readonly KeyConstraint[]
  /**
   * From key, old values and values that were to be inserted: key, old values and new values of the rows to be
   * changed. Null: the rows are left out.
   */
  readonly update: UpdateRows | null
}

/** Where a row of the source goes: it is inserted, or it changes the row of that key. */
interface Fate {
  readonly row: Row
  readonly holder: Key | null
}

/**
 * INSERT … ON CONFLICT: every key that a row needs is read before anything is written. Changes come before
 * insertions, so what a change frees may be taken.
 * @throws 23505 for constraints that are no arbiters, 23502, 23514, 21000 when two rows mean the same one
 */
export async function upsertRows(
  target: WriteTarget,
  { arbiters, update }: ConflictRules,
  source: Source,
  context: ExecutionContext,
): Promise<Written> {
  const rows = await readAll(source, context)
  checkRows(target, context, rows)
  const writer = writerFor(target, context)
  for (const row of rows) writer.checkNotNull(row)
  const fates = await fatesOf(writer, rows, arbiters, update !== null)
  const changed = update === null ? null : await change(target, writer, update, fates, context)
  const inserted = fates.filter(({ holder }) => holder === null)
  await writer.insert(inserted.map(({ row }) => row))
  const written = fates.flatMap(({ row, holder }) => {
    const result = holder === null ? row : changed?.get(holder)
    return result === undefined ? [] : [result]
  })
  return finish(target, context, written, written.length)
}

async function fatesOf(
  writer: TableWriter,
  rows: readonly Row[],
  arbiters: readonly KeyConstraint[],
  updates: boolean,
): Promise<readonly Fate[]> {
  const claims = rows.map((row) => writer.claimsOf(row, arbiters))
  const holders = await writer.holders(claims.flat())
  const fates: Fate[] = []
  const taken = new Set<string>()
  const changed = new Set<Key>()
  rows.forEach((row, i) => {
    const names = (claims[i] ?? []).map(({ name }) => name)
    const holder = names.map((name) => holders.get(name)).find((key) => key !== undefined)
    const again = names.some((name) => taken.has(name))
    if (holder === undefined && !again) {
      for (const name of names) taken.add(name)
      fates.push({ row, holder: null })
      return
    }
    if (!updates) return
    if (holder === undefined || changed.has(holder) || writer.isTaken(holder)) throw twice()
    changed.add(holder)
    fates.push({ row, holder })
  })
  return fates
}

const twice = () =>
  sqlError(SQLSTATE.cardinalityViolation, 'ON CONFLICT DO UPDATE command cannot affect row a second time', {
    hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.',
  })

/** Changes the rows that were in the way; gives their new values by key. */
async function change(
  target: WriteTarget,
  writer: TableWriter,
  update: UpdateRows,
  fates: readonly Fate[],
  context: ExecutionContext,
): Promise<ReadonlyMap<Key, Row>> {
  const width = target.table.columns.length
  const met = fates.flatMap(({ row, holder }) => (holder === null ? [] : [{ row, holder }]))
  const stored = await writer.rowsAt(met.map(({ holder }) => holder))
  const pairs = stored.map(({ key, row }, i): Value[] => [key, ...row, ...(met[i]?.row ?? [])])
  const batches = await update([...batchesOfRows(pairs, 1 + 2 * width)], context)
  const computed = batches.flatMap(rowsOf)
  const news = computed.map((row) => row.slice(1 + width))
  checkRows(target, context, news)
  const changes = computed.map(
    (row, i): RowChange => ({
      old: { key: row[0] as Key, row: row.slice(1, 1 + width) },
      row: news[i] as Row,
    }),
  )
  await writer.update(changes)
  return new Map(changes.map(({ old, row }) => [old.key, row]))
}
