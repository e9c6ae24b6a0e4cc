import type { CallOptions, Database, Key, Transaction } from '@cluster/core'
import { addressOf, deletedRow, endingAddress, type Held, heldOf, rowOf, storedOf } from './entries.ts'
import type { PlaceHandle } from './place.ts'

/** The row of one entry within a transaction. */
export interface EntryRow {
  readonly map: PlaceHandle
  readonly database: Database
  readonly life: number
  readonly key: Key
}

/** What a transaction finds under a key. */
export interface Found {
  /** The entry, if there is one. */
  readonly held: Held | null
  /** What is stored, be it over or deleted. */
  readonly stored: Held | null
  /** True for an entry whose end nobody was told of yet: it has to be removed before another one takes its place. */
  readonly isOver: boolean
}

/** Reads the entry; what is over by now, by the log as this node has it, is none. */
export async function findEntry(
  transaction: Transaction,
  { map, database, life, key }: EntryRow,
): Promise<Found> {
  const row = await transaction.get(addressOf(database, map.name, life, key))
  const [stored, held] = [storedOf(row), heldOf(row)]
  const isOver = held !== null && held.span !== null && !map.lasting()(held.span)
  return { stored, held: isOver ? null : held, isOver }
}

/** Puts an entry in the place of what was found; null deletes it. */
export function writeEntry(
  transaction: Transaction,
  { map, database, life, key }: EntryRow,
  { stored }: Found,
  after: Held | null,
): void {
  const address = addressOf(database, map.name, life, key)
  const endingOf = (span: string) => endingAddress(address, map.name, life, span, key)
  const before = stored?.span ?? null
  if (after === null) {
    // Its end removes what is left, and tells nobody.
    if (before === null) transaction.delete(address)
    else transaction.put(address, deletedRow(before))
    return
  }
  if (before !== null && before !== after.span) transaction.delete(endingOf(before))
  if (after.span !== null && before !== after.span) transaction.put(endingOf(after.span), [key])
  transaction.put(address, rowOf(after))
}

/** Removes entries whose spans are over, and the traces of those that were deleted. @throws DB_CONFLICT, DB_FENCED … */
export async function removeEnded(
  map: PlaceHandle,
  database: Database,
  life: number,
  due: readonly { readonly entry: Key; readonly span: string }[],
  call: CallOptions,
): Promise<void> {
  const transaction = await database.begin(call)
  try {
    for (const { entry, span } of due) {
      const address = addressOf(database, map.name, life, entry)
      const stored = storedOf(await transaction.get(address))
      if (stored?.span === span) transaction.delete(address)
      transaction.delete(endingAddress(address, map.name, life, span, entry))
    }
    await transaction.commit({ ...call, requires: [map.condition({ life })] })
  } finally {
    transaction.rollback()
  }
}

/** Removes the one entry that is over, so that its end comes before what its successor does. */
export async function removeFirst(
  { map, database, life, key }: EntryRow,
  { stored }: Found,
  call: CallOptions,
): Promise<void> {
  if (stored?.span) await removeEnded(map, database, life, [{ entry: key, span: stored.span }], call)
}
