import type { CommitOptions, Transaction } from '@cluster/core'
import type { SearchPath } from '../../catalog/names.ts'
import type { SessionState } from '../session-state.ts'
import type { Settings } from '../settings/settings.ts'
import type { Copying } from '../statements/copying.ts'
import type { Parameter } from './parameters.ts'

/** A statement on its way: where it was read, what was given with it, in which transaction it runs. */
export interface Run {
  /** The text that the statement's offsets point into. */
  readonly source: string
  /** Keeps the plan; null for a statement that is not the whole of its text. */
  readonly planKey: string | null
  readonly parameters: readonly Parameter[]
  readonly transaction: Transaction
  /** It is all that its transaction does, so it may commit it, with these; null: it may not. */
  readonly alone: CommitOptions | null
  /** Start of the transaction, in microseconds since 1970. */
  readonly transactionMicros: bigint
  readonly settings: Settings
  readonly session: SessionState
  /** Where names are looked for, where that is not where the session looks. */
  readonly path?: SearchPath
  readonly signal: AbortSignal | null
  /** Where COPY FROM has its rows from, or that somebody takes those of COPY TO; null: neither. */
  readonly copying: Copying | null
}

/** A statement that tried to commit its transaction has ended it without an effect, and has to run in another one. */
export class RunApartError extends Error {
  override readonly name = 'RunApartError'
}
