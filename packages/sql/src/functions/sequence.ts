import { contextual } from './define.ts'
import type { ScalarFunction } from './function.ts'

/** What takes no name; the others are bound to the sequence that they name. */
export const sequenceFunctions: readonly ScalarFunction[] = [
  contextual('lastval', [], 'bigint', 'volatile', ({ sequences }) => sequences.last()),
]
