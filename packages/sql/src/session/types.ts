import type { Bundle, CommitReceipt, TransactionOptions, Value, Version } from '@cluster/core'
import type { CopyOutput } from '../copy/copy-out.ts'
import type { CopySource, OpenCopySource } from '../copy/feed.ts'
import type { Notification } from '../notify/notification.ts'
import type { ResultColumn } from '../plan/statement.ts'
import type { SqlType } from '../types/type.ts'
import type { Parameter } from './run/parameters.ts'

export interface SqlResult {
  /** `SELECT`, `INSERT`, `CREATE TABLE`, … A COMMIT of a failed transaction says `ROLLBACK`. */
  readonly command: string
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly (readonly Value[])[]
  /** Rows given, or written. */
  readonly rowCount: number
  /** What the commit is worth; null when this statement committed nothing. */
  readonly receipt: CommitReceipt | null
  /** The version that was read, where an old one was asked for. */
  readonly version?: Version
}

/** A row by the names of its columns; of equal names the last one counts. */
export type RowObject = Readonly<Record<string, Value>>

export interface RowsBatch {
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly (readonly Value[])[]
}

/** Runs what the template says; each `${value}` becomes a parameter, never text. Gives the rows. */
export type SqlTag = (texts: TemplateStringsArray, ...values: readonly Parameter[]) => Promise<RowObject[]>

export interface PreparedStatement {
  readonly parameterTypes: readonly SqlType[]
  readonly columns: readonly ResultColumn[]
  query(parameters?: readonly Parameter[]): Promise<SqlResult>
  stream(parameters?: readonly Parameter[]): AsyncIterable<RowsBatch>
}

export interface QueryOptions {
  /** Cancels the statement (57014); one that was being committed ends with an unknown outcome. */
  readonly signal?: AbortSignal
  /**
   * Makes what commits by itself safe to try again after an unknown outcome (08007): of all calls with one key one takes
   * effect, and the later ones are answered as it was, but for the rows that they give.
   */
  readonly idempotencyKey?: string
  /** Outside of a transaction: reads what may be out of date, without asking the leader; see `Database.begin`. @throws 25006 */
  readonly staleness?: TransactionOptions['staleness']
  /** Outside of a transaction: reads at the version of an earlier result or receipt. @throws 25006 */
  readonly atVersion?: Version
}

/** What can run statements. */
export interface SqlRunner {
  readonly sql: SqlTag
  /** One statement. @throws 42601 for several */
  query(text: string, parameters?: readonly Parameter[], options?: QueryOptions): Promise<SqlResult>
  /**
   * Any number of statements, one result each. Outside of a transaction, and unless the text has BEGIN or its
   * like, they are one transaction together. Parameters are for a single statement.
   */
  execute(text: string, parameters?: readonly Parameter[], options?: QueryOptions): Promise<SqlResult[]>
  /** The rows of one statement, in batches, as they come. Nobody else can use the session meanwhile. */
  stream(text: string, parameters?: readonly Parameter[], options?: QueryOptions): AsyncIterable<RowsBatch>
  /**
   * Runs `COPY … FROM STDIN` on what the source gives, in pieces of any length. It is one transaction, unless
   * `rowsPerTransaction` says otherwise; a lost race is 40001, since the source cannot be read again.
   * @param source the data, or what opens them once the statement is known to be right
   * @throws 22P04 and whatever the rows are refused for, with the line in `detail.context`; 54000 when they are too many
   */
  copyFrom(text: string, source: CopySource | OpenCopySource, options?: CopyFromOptions): Promise<SqlResult>
  /** Gives what `COPY … TO STDOUT` writes, in pieces of whole rows. Nobody else can use the session meanwhile. */
  copyTo(text: string, options?: QueryOptions): AsyncIterable<Uint8Array>
}

export interface CopyFromOptions extends Pick<QueryOptions, 'signal'> {
  /**
   * Commits every so many rows, so that any number can be copied. After an error those before it stay; the error's hint
   * says how many. Not within a transaction (25001).
   */
  readonly rowsPerTransaction?: number
}

/**
 * - `idle`: each statement commits by itself;
 * - `open`: between BEGIN and COMMIT;
 * - `failed`: a statement of the open transaction failed; only ROLLBACK, or ROLLBACK TO, helps.
 */
export type TransactionState = 'idle' | 'open' | 'failed'

/** What a statement is, by its text alone. */
export interface StatementOutline {
  /** It only reads, so that `stream` gives its rows as they come. */
  readonly streams: boolean
  /** `from` and `to`: COPY with the client, which `query` and `stream` refuse; null: another statement. */
  readonly copy: 'from' | 'to' | null
  /** The statement alone, behind blanks up to where it begins, so that positions in it are those in the whole text. */
  readonly text: string
  /** It begins, ends or marks a transaction. */
  readonly control: boolean
}

export interface SessionOptions {
  /** The role that speaks; it must exist when the first statement runs (28000). Default: the owner of the database. */
  readonly user?: string
  /** What `pg_backend_pid()` says. Default: a random number. */
  readonly pid?: number
  /** What SHOW tells in place of the defaults, such as `max_connections`. Names and values are not checked. */
  readonly settings?: ReadonlyMap<string, string>
}

/** One user's connection: transactions and settings are its own. Calls are queued, one runs at a time. */
export interface Session extends SqlRunner {
  /** The statements of a text; none for an empty one. @throws 42601 */
  outline(text: string): readonly StatementOutline[]
  /** All settings by name, as SHOW tells them. */
  settings(): ReadonlyMap<string, string>
  /** Changes a setting as SET does, and what RESET goes back to. @throws 42704, 22023 */
  configure(name: string, value: string): void
  /** The text of a value that is not NULL, as this session's client is to see it. */
  format(type: SqlType, value: Value): string
  readonly transactionState: TransactionState
  readonly inTransaction: boolean
  prepare(text: string): Promise<PreparedStatement>
  /** Runs one statement. A little result is there at once; of a larger one the rest comes as it is taken. */
  open(text: string, parameters?: readonly Parameter[], options?: QueryOptions): Promise<OpenResult>
  /** As `copyTo`, row by row, for protocols. The rows are to be read to the end, or given up by `return`. */
  copyOut(text: string, options?: QueryOptions): Promise<CopyOutput>
  /** The role whose rights count now: `current_user`. */
  readonly user: string
  /** `pg_backend_pid()` */
  readonly pid: number
  /**
   * What was notified on the channels that the session listens to and was not taken yet, in the order of commits; nothing
   * while a transaction is open, as in PostgreSQL.
   * @throws when some were lost; it listens to nothing then any more
   */
  takeNotifications(): readonly Notification[]
  /** Called whenever something came. One listener; a later one takes its place. */
  onNotification(listener: () => void): void
  /**
   * Ends the open transaction as COMMIT does. Commands of other state machines take effect with it, at the same place in the
   * log, or nothing does.
   * @throws DB_ALONG_REFUSED; 25P01 outside of a transaction, 25P02 in one that has failed; whatever COMMIT throws
   */
  commitAlong(along: Bundle): Promise<SqlResult>
  /** Rolls back what is open. Later calls fail with 08003. */
  close(): void
}

/** What a statement gives. */
export interface OpenResult extends Pick<SqlResult, 'command' | 'columns' | 'rows'> {
  /** Rows that were written; null for a query. */
  readonly written: number | null
  /** What follows; to be read to the end, or given up by `return`: nobody else can use the session before. Null: nothing. */
  readonly rest: AsyncIterator<readonly (readonly Value[])[]> | null
}

/** Makes objects of a result's rows. */
export function objectsOf({
  columns,
  rows,
}: {
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly (readonly Value[])[]
}): RowObject[] {
  return rows.map((row) =>
    Object.fromEntries(columns.map(({ name }, position) => [name, row[position] as Value])),
  )
}
