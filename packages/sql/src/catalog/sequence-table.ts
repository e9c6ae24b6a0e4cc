import { BIGINT, BOOLEAN } from '../types/type.ts'
import type { SequenceSchema } from './schema.ts'
import { readSequence } from './sequence-state.ts'
import type { VirtualTable } from './virtual-table.ts'

export const SEQUENCE_COLUMNS = [
  { name: 'last_value', type: BIGINT },
  { name: 'log_cnt', type: BIGINT },
  { name: 'is_called', type: BOOLEAN },
] as const

/** A sequence as a table of one row. Values that other nodes have put by count as given out. */
export const sequenceTable = (sequence: SequenceSchema): VirtualTable => ({
  name: sequence.name,
  columns: SEQUENCE_COLUMNS,
  async rows({ database, transaction, given }) {
    const { next, called } = given(sequence, await readSequence({ database, transaction }, sequence))
    return [[BigInt(next), 0n, called]]
  },
})
