import type { SequenceSchema } from '../catalog/schema.ts'
import { contextual } from './define.ts'
import type { ScalarFunction } from './function.ts'

/** Sequences as a running statement has them. Values that it may need were put by before. */
export interface SequenceCalls {
  /** @throws 2200H at the end of one that does not cycle */
  next(sequence: SequenceSchema): bigint
  /** @throws 55000 when this session has taken none */
  current(sequence: SequenceSchema): bigint
  /** Takes effect when the statement ends. @throws 22003 */
  set(sequence: SequenceSchema, value: bigint, called: boolean): bigint
  /** What `next` gave last, of any sequence. @throws 55000 */
  last(): bigint
}

/** What takes no name; the others are bound to the sequence that they name. */
export const sequenceFunctions: readonly ScalarFunction[] = [
  contextual('lastval', [], 'bigint', 'volatile', ({ sequences }) => sequences.last()),
]
