import {
  type Database,
  EVERYWHERE,
  KeyWriter,
  type RowAddress,
  relationId,
  type Transaction,
} from '@cluster/core'
import { LOCAL_SEQUENCES } from '../local/local-store.ts'
import type { SequenceSchema } from './schema.ts'

/** One row a sequence: `[next, called]`. */
const SEQUENCES = relationId(3)

/** What comes next: `next` itself, or, when it was given out already, the one behind it. */
export interface SequenceState {
  readonly next: string
  readonly called: boolean
}

interface StatePorts {
  readonly database: Database
  readonly transaction: Pick<Transaction, 'get' | 'put' | 'delete'>
}

function addressOf(database: Database, { oid, temporary }: SequenceSchema): RowAddress {
  const key = new KeyWriter().double(oid).finish()
  if (temporary) return { relation: LOCAL_SEQUENCES, partition: EVERYWHERE, key }
  return { relation: SEQUENCES, partition: database.partitionOf(key), key }
}

/** Writes the state; null removes it. */
export function resetSequence(
  { database, transaction }: StatePorts,
  sequence: SequenceSchema,
  state: SequenceState | null,
): void {
  const address = addressOf(database, sequence)
  if (state === null) transaction.delete(address)
  else transaction.put(address, [state.next, state.called])
}

export async function readSequence(
  { database, transaction }: StatePorts,
  sequence: SequenceSchema,
): Promise<SequenceState> {
  const row = await transaction.get(addressOf(database, sequence))
  if (row === null) return { next: sequence.start, called: false }
  return { next: String(row[0]), called: row[1] === true }
}
