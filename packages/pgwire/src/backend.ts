import type { Value } from '@cluster/core'
import type { ScramVerifier } from './machine/scram.ts'

/** A column of a result, as clients are told of it. */
export interface WireColumn {
  readonly name: string
  /** PostgreSQL's number of the type. */
  readonly typeOid: number
  /** Bytes of a value in PostgreSQL's catalog, −1 for variable length. */
  readonly typeBytes: number
  /** Length, precision and the like, packed as PostgreSQL does; −1 for none. */
  readonly typeModifier: number
  /** A value of the column, not null, as PostgreSQL would print it. */
  text(value: Value): string
}

export type WireRow = readonly Value[]

/** What a COPY copies. */
export interface WireCopyShape {
  readonly binary: boolean
  /** How many columns. */
  readonly columns: number
}

/** The rows of a COPY to the client. */
export interface WireCopyOut extends WireCopyShape {
  /** Each row, written, in batches as they come; to be read to the end, or given up by `return`. */
  readonly rows: AsyncIterable<readonly Uint8Array[]>
}

/** What one statement gives. */
export interface WireResult {
  /** Null for a statement that gives no rows. */
  readonly columns: readonly WireColumn[] | null
  /** The first rows. */
  readonly rows: readonly WireRow[]
  /** Batches behind them as they come; to be read to the end, or given up by `return`. Null: there are no more. */
  readonly rest: AsyncIterator<readonly WireRow[]> | null
  /** What CommandComplete says, such as `INSERT 0 3`. @param rows rows that were given */
  tag(rows: number): string
  /** Set for a COPY to the client, which has no columns and no rows. */
  readonly copyOut?: WireCopyOut
}

/** What a statement needs and gives. */
export interface WireDescription {
  readonly parameterTypes: readonly number[]
  /** Null for a statement that gives no rows. */
  readonly columns: readonly WireColumn[] | null
}

/** A parameter as the client sent it: text, raw bytes of a bytea, or null. */
export type WireParameter = string | Uint8Array | null

export interface WireCall {
  /** Cancels the statement: SQLSTATE 57014. */
  readonly signal: AbortSignal
  /**
   * Asks the client for the rows of a COPY, once a statement. Gives what it sends, in pieces of any length.
   * @throws (while taking) when the client gives up; the error is the statement's
   */
  copyIn(shape: WireCopyShape): AsyncIterable<Uint8Array>
}

/** A message for a client that listens to a channel. */
export interface WireNotification {
  readonly channel: string
  readonly payload: string
  /** The number of the session that sent it. */
  readonly process: number
}

/** What comes for a session unasked. */
export interface WireNotifications {
  /** All that came, taken out; nothing while a transaction is open. @throws when some were lost: the connection ends */
  take(): readonly WireNotification[]
  /** Called whenever something came. */
  onArrival(listener: () => void): void
}

/** One client's session. Calls come one after another, and a result is read to its end before the next call. */
export interface WireSession {
  readonly transactionState: 'idle' | 'open' | 'failed'
  /** Absent where there are no channels. */
  readonly notifications?: WireNotifications
  /** Settings that clients are told of, at the beginning and when they change: another map then, as the same one is not looked at again. */
  settings(): ReadonlyMap<string, string>
  /** Statements in the text; 0 for an empty one. @throws a syntax error */
  count(text: string): number
  /** The texts of several statements that are to be run one after another, because of a COPY among them; null: `executeAll` will do. */
  apart(text: string): readonly string[] | null
  describe(text: string, call: WireCall): Promise<WireDescription>
  /** Runs a single statement. */
  execute(text: string, parameters: readonly WireParameter[], call: WireCall): Promise<WireResult>
  /** Runs several statements, one transaction together unless the text says otherwise. */
  executeAll(text: string, call: WireCall): Promise<readonly WireResult[]>
  /** Rolls back what is open. */
  close(): void
}

export interface WireLogin {
  readonly user: string
  readonly database: string
  /** Settings that the client asked for at the start, such as `application_name`. */
  readonly settings: ReadonlyMap<string, string>
}

/** How a client has to show who it is. */
export type WireAdmission =
  | { readonly how: 'trust' }
  | { readonly how: 'scram'; readonly verifier: ScramVerifier }
  /** It may not come in from there, whatever it knows. */
  | { readonly how: 'refuse'; readonly error: WireError }

/** Where a client comes from. */
export interface WireOrigin {
  /** From a process of this very machine. */
  readonly local: boolean
  readonly encrypted: boolean
}

/** What stands behind the protocol. */
export interface WireBackend {
  /** For a user that does not exist a verifier that fits no password, so that nobody learns who exists. */
  admit(login: WireLogin, origin: WireOrigin): Promise<WireAdmission>
  /**
   * Opens a session.
   * @param process the number by which the client knows it
   * @throws an error with a SQLSTATE when the database or the user is unknown, or may not log in
   */
  connect(login: WireLogin, process: number): Promise<WireSession>
  /** What an error says to a client. */
  describeError(error: unknown): WireError
}

/** An error in PostgreSQL's terms. */
export interface WireError {
  readonly sqlstate: string
  readonly message: string
  readonly detail?: string
  readonly hint?: string
  /** In characters from 1. */
  readonly position?: number
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
  /** Where it happened, when that is not the text of the statement. */
  readonly context?: string
}
