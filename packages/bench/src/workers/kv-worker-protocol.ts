import type { ClosedLoop, LoadAnswer } from '../closed-loop.ts'

/**
 * - `insert`: one row with a fresh key, autocommit
 * - `update`: one row out of those that were loaded, by key, autocommit
 * - `transaction`: five inserts with fresh keys, one by one, in a transaction
 * - `counter`: one and the same row, incremented
 * - `read`: one row by key, linearizable; `readAway`: of those that the asked node does not hold
 */
export type KvKind = 'insert' | 'update' | 'transaction' | 'counter' | 'read' | 'readAway'

export interface KvLoad extends ClosedLoop {
  readonly kind: KvKind
}

/** So many rows with fresh keys are put in, many by one statement. */
export interface KvFill {
  readonly rows: number
}

/** What was acknowledged since the start, with warming up. */
export interface KvAcknowledged {
  /** Keys of inserted rows, as ranges with both ends. */
  readonly ids: readonly (readonly [first: number, last: number])[]
  readonly increments: number
}

export interface KvAnswer extends LoadAnswer {
  /** Operations that were refused although they were run again by themselves. */
  readonly failed: number
}

/** Rows that are there before anything is measured, with the keys from 1. */
export const ROWS_LOADED = 10_000
/** Characters of a row's text. */
export const TEXT_LENGTH = 100
