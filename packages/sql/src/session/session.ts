import type {
  Bundle,
  BundleCondition,
  CommitOptions,
  CommitReceipt,
  Transaction,
  TransactionMark,
  TransactionOptions,
} from '@cluster/core'
import { rowsOf } from '../compile/batch.ts'
import type { CopyOutput } from '../copy/copy-out.ts'
import type { CopySource, OpenCopySource } from '../copy/feed.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import type {
  CursorStatement,
  ModesStatement,
  Query,
  Statement,
  TransactionStatement,
} from '../syntax/ast.ts'
import { readsAlone } from '../syntax/changes.ts'
import { isCursor } from './cursors/cursors.ts'
import { toSqlError } from './errors.ts'
import type { Beginning, SessionPorts } from './ports.ts'
import { inFailedTransaction, sound } from './refusals.ts'
import { autocommit } from './run/autocommit.ts'
import { callOptions, pastOf, readOnlyTransaction } from './run/call-options.ts'
import type { Outcome } from './run/outcome.ts'
import type { Parameter } from './run/parameters.ts'
import { RestOfRows } from './run/rest-of-rows.ts'
import type { Run } from './run/run.ts'
import { readsOnly } from './run/run-parts.ts'
import { type Running, resultOf } from './run/running.ts'
import { SessionState } from './session-state.ts'
import { SessionFacts } from './settings/session-facts.ts'
import type { Settings } from './settings/settings.ts'
import {
  changeModes,
  modesResult,
  nothingToChain,
  opened,
  setCharacteristics,
} from './settings/transaction-modes.ts'
import { copyStatement, pieces, runCopyFrom, runCopyOut } from './statements/copying.ts'
import { forgetAll, forgetsAll } from './statements/discarding.ts'
import { isNamed, PreparedStatements } from './statements/prepared.ts'
import { savepointResult } from './statements/savepoints.ts'
import {
  type CallDetails,
  doneResult,
  type Item,
  isControl,
  itemsOf,
  noteUse,
  type OpenTransaction,
  onlyItem,
  outlineOf,
} from './statements/statements.ts'
import {
  type CopyFromOptions,
  type OpenResult,
  objectsOf,
  type PreparedStatement,
  type QueryOptions,
  type RowsBatch,
  type Session,
  type SessionOptions,
  type SqlResult,
  type SqlTag,
  type StatementOutline,
  type TransactionState,
} from './types.ts'

type PlainStatement = Exclude<Statement, TransactionStatement>

const MICROS_A_MS = 1_000

/** Fewer rows than this are read to the end before they are handed over. */
const FEW_ROWS = 64

export class SqlSession extends SessionFacts implements Session {
  readonly #ports: SessionPorts
  readonly #state: SessionState
  readonly #settings: Settings
  readonly #prepared = new PreparedStatements()
  /** What all transactions of this session begin with. */
  readonly #beginning: Beginning
  #open: OpenTransaction | null = null
  #last: Transaction | null = null
  #queue: Promise<unknown> = Promise.resolve()
  #closed = false

  /**
   * @param beginning optimistic for a caller who runs everything again when it was out of date: transactions are
   * proved before they end, by COMMIT and ROLLBACK alike
   * @param fences what all that it commits depends on, beside what its own locks say
   */
  constructor(
    ports: SessionPorts,
    { user, pid, settings }: SessionOptions = {},
    beginning: Beginning = {},
    fences: readonly BundleCondition[] = [],
  ) {
    const state = new SessionState({
      ...ports,
      user: user ?? ports.user,
      settings,
      pid: () => pid ?? ports.random.uint32() >>> 1,
      fences,
    })
    super(state)
    this.#ports = ports
    this.#state = state
    this.#settings = state.settings
    this.#beginning = beginning
  }

  get transactionState(): TransactionState {
    if (this.#open === null) return 'idle'
    return this.#open.failed ? 'failed' : 'open'
  }

  get inTransaction(): boolean {
    return this.#open !== null
  }

  readonly sql: SqlTag = async (texts, ...values) => {
    const text = texts.reduce((before, part, i) => `${before}$${i}${part}`)
    return objectsOf(await this.query(text, values))
  }

  async query(
    text: string,
    parameters: readonly Parameter[] = [],
    options: QueryOptions = {},
  ): Promise<SqlResult> {
    return this.#exclusive(async () => {
      return this.#one(this.#single(text), parameters, options)
    })
  }

  async execute(
    text: string,
    parameters: readonly Parameter[] = [],
    options: QueryOptions = {},
  ): Promise<SqlResult[]> {
    return this.#exclusive(async () => {
      const items = this.#parse(text)
      if (items.length > 1 && parameters.length > 0)
        throw sqlError(SQLSTATE.syntaxError, 'parameters go with a single statement, but there are several')
      const [first] = items
      if (first !== undefined && items.length === 1) return [await this.#one(first, parameters, options)]
      const together =
        this.#open === null && !items.some(({ statement }) => isControl(statement) || isNamed(statement))
      if (together && items.length > 1) return this.#autocommit(items, [], options)
      const results: SqlResult[] = []
      for (const item of items) results.push(await this.#one(item, [], options))
      return results
    })
  }

  stream(
    text: string,
    parameters: readonly Parameter[] = [],
    options: QueryOptions = {},
  ): AsyncIterable<RowsBatch> {
    return this.#stream(text, parameters, options)
  }

  async *#stream(
    text: string,
    parameters: readonly Parameter[],
    options: CallDetails,
  ): AsyncGenerator<RowsBatch> {
    const release = await this.#lock()
    try {
      const item = this.#single(text)
      if (!readsAlone(item.statement)) {
        const { columns, rows } = await this.#one(item, parameters, options)
        yield { columns, rows }
        return
      }
      yield* this.#streamQuery(item, parameters, options)
    } finally {
      release()
    }
  }

  async open(
    text: string,
    parameters: readonly Parameter[] = [],
    options: QueryOptions = {},
  ): Promise<OpenResult> {
    const release = await this.#lock()
    let rest: RestOfRows | null = null
    try {
      const item = this.#single(text)
      if (!readsAlone(item.statement)) {
        const { command, columns, rows, rowCount } = await this.#one(item, parameters, options)
        return { command, columns, rows, written: rowCount, rest: null }
      }
      const begun = this.#streamQuery(item, parameters, options)
      const first = await begun.next()
      const { columns, rows } = first.done ? { columns: [], rows: [] } : first.value
      // Few rows are most often all.
      const second = rows.length < FEW_ROWS ? await begun.next() : null
      if (second?.done !== true) rest = new RestOfRows(begun, second?.value ?? null, release)
      return { command: 'SELECT', columns, rows, written: null, rest }
    } catch (error) {
      throw toSqlError(error)
    } finally {
      if (rest === null) release()
    }
  }

  async copyFrom(
    text: string,
    source: CopySource | OpenCopySource,
    { signal, rowsPerTransaction }: CopyFromOptions = {},
  ): Promise<SqlResult> {
    return this.#exclusive(async () => {
      const item = this.#single(text)
      copyStatement(item.statement, 'from')
      if (rowsPerTransaction !== undefined && this.#open !== null)
        throw sqlError(SQLSTATE.activeTransaction, 'rowsPerTransaction cannot be used within a transaction')
      const call = signal === undefined ? {} : { signal }
      const cut = this.#open === null ? (rowsPerTransaction ?? this.#settings.copyRows()) : null
      return runCopyFrom(source, cut, (copying) => this.#one(item, [], { ...call, copying }))
    })
  }

  async copyOut(text: string, options: QueryOptions = {}): Promise<CopyOutput> {
    const copy = copyStatement(this.#single(text).statement, 'to')
    const batches = this.#stream(text, [], { ...options, copying: 'out' })
    return runCopyOut(copy, text, batches, {
      binary: this.#ports.runner.binary,
      format: (type, value) => this.format(type, value),
    })
  }

  async *copyTo(text: string, options: QueryOptions = {}): AsyncIterable<Uint8Array> {
    yield* pieces(await this.copyOut(text, options))
  }

  outline(text: string): readonly StatementOutline[] {
    return outlineOf(this.#parse(text), text)
  }

  async prepare(text: string): Promise<PreparedStatement> {
    const described = await this.#exclusive(async () => {
      const item = this.#single(text)
      const { statement } = item
      if (isControl(statement)) return { parameterTypes: [], columns: [] }
      if (statement.kind === 'fetch')
        return { parameterTypes: [], columns: this.#state.cursors.columnsOf(statement.cursor.name) }
      const { runner } = this.#ports
      return this.#inside(item, (run) => runner.describe(statement as PlainStatement, run))
    })
    return {
      ...described,
      query: (parameters) => this.query(text, parameters),
      stream: (parameters) => this.stream(text, parameters),
    }
  }

  /** The last transaction that it began, which the next attempt may be the retry of. */
  get lastTransaction(): Transaction | null {
    return this.#last
  }

  /** Proves what the open transaction has read, before the caller says what it learned. @throws 40001 */
  async prove(): Promise<void> {
    const transaction = this.#open?.transaction ?? null
    if (transaction !== null) await this.#exclusive(() => transaction.validate())
  }

  commitAlong(along: Bundle): Promise<SqlResult> {
    return this.#exclusive(async () => {
      await this.#begun(sound(this.#open))
      return this.#commit(along)
    })
  }

  close(): void {
    this.#closed = true
    void this.#state.cursors.close()
    this.#state.channels.close()
    this.#open?.transaction?.rollback()
    this.#open = null
    this.#state.locks.close()
  }

  /** Waits for the calls before, and lets nobody else in until released. */
  async #lock(): Promise<() => void> {
    const before = this.#queue
    let release: () => void = () => {}
    this.#queue = new Promise<void>((resolve) => {
      release = resolve
    })
    await before
    if (this.#closed) {
      release()
      throw sqlError('08003', 'the session is closed; open another one')
    }
    return release
  }

  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.#lock()
    try {
      return await work()
    } catch (error) {
      throw toSqlError(error)
    } finally {
      release()
    }
  }

  /** A text that cannot be read fails the transaction, like any other error in it. */
  #parse(text: string): readonly Item[] {
    try {
      return itemsOf(text, this.#ports.parsed)
    } catch (error) {
      if (this.#open !== null) this.#open.failed = true
      throw error
    }
  }

  #single(text: string): Item {
    return onlyItem(this.#parse(text))
  }

  async #one(item: Item, parameters: readonly Parameter[], options: CallDetails): Promise<SqlResult> {
    const { statement } = item
    if (isControl(statement)) return this.#control(statement)
    if (isNamed(statement)) return this.#named(item, parameters, options)
    if (forgetsAll(statement) && this.#open === null)
      return forgetAll(this.#state, (one) => this.#one(one, [], {}))
    if (isCursor(statement)) return this.#cursor(item, statement, parameters, options)
    if (this.#open !== null) {
      const outcome = await this.#within(this.#open, item, parameters, options)
      return { ...outcome, receipt: null }
    }
    const [result] = await this.#autocommit([item], parameters, options)
    return result as SqlResult
  }

  /** PREPARE, EXECUTE and DEALLOCATE. */
  async #named(item: Item, parameters: readonly Parameter[], options: CallDetails): Promise<SqlResult> {
    const { runner } = this.#ports
    const meant = await this.#failing(() =>
      this.#prepared.meant(item, {
        describe: (statement) =>
          this.#inside({ ...item, statement, planKey: null }, (run) => runner.describe(statement, run)),
        run: (statement) => this.#one({ ...item, statement, planKey: null }, parameters, options),
      }),
    )
    return 'command' in meant ? doneResult(meant.command) : this.#one(meant.item, meant.values, options)
  }

  #cursor(
    item: Item,
    statement: CursorStatement,
    parameters: readonly Parameter[],
    options: CallDetails,
  ): Promise<SqlResult> {
    const { runner } = this.#ports
    const query = (queried: Query): Item => ({ ...item, statement: queried, planKey: null })
    return this.#failing(() =>
      this.#state.cursors.run(statement, {
        inTransaction: this.#open !== null,
        memoryBytesMax: runner.memoryBytesMax,
        text: item.source,
        micros: this.#micros(),
        run: (queried, keep) =>
          this.#inside(
            query(queried),
            async (run) => keep(await runner.run(queried, run)),
            (transaction, micros) => this.#run(query(queried), transaction, micros, parameters, options),
          ),
      }),
    )
  }

  /** An error fails the open transaction. */
  async #failing<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open?.failed === true) throw inFailedTransaction()
    try {
      return await work()
    } catch (error) {
      if (this.#open !== null) this.#open.failed = true
      throw error
    }
  }

  #autocommit(
    items: readonly Item[],
    parameters: readonly Parameter[],
    options: CallDetails,
  ): Promise<SqlResult[]> {
    return autocommit(items, options, {
      ...this.#running(),
      retries: this.#ports,
      start: (beginning) => this.#start(beginning),
      run: (item, transaction, micros, alone) =>
        this.#run(item, transaction, micros, parameters, options, alone),
      micros: () => this.#micros(),
    })
  }

  #running(): Running {
    return { runner: this.#ports.runner, state: this.#state, open: this.#open }
  }

  #run(
    { source, planKey }: Item,
    transaction: Transaction,
    transactionMicros: bigint,
    parameters: readonly Parameter[],
    { signal, copying }: CallDetails,
    alone: CommitOptions | null = null,
  ): Run {
    return {
      source,
      planKey,
      parameters,
      transaction,
      alone,
      transactionMicros,
      settings: this.#settings,
      session: this.#state,
      signal: signal ?? null,
      copying: copying ?? null,
    }
  }

  #micros(): bigint {
    return BigInt(Math.round(this.#ports.clock.wall() * MICROS_A_MS))
  }

  /** Runs a statement in the open transaction; one that fails leaves nothing behind and fails it. */
  async #within(
    open: OpenTransaction,
    item: Item,
    parameters: readonly Parameter[],
    options: CallDetails,
  ): Promise<Omit<SqlResult, 'receipt'>> {
    if (open.failed) throw inFailedTransaction()
    let mark: TransactionMark | null = null
    try {
      if (open.readOnly && !readsOnly(item.statement)) throw readOnlyTransaction(item.statement)
      const transaction = await this.#begun(open)
      if (!readsOnly(item.statement)) await this.#state.cursors.settle()
      mark = transaction.mark()
      return await resultOf(
        this.#running(),
        item,
        this.#run(item, transaction, open.startMicros, parameters, options),
      )
    } catch (error) {
      open.failed = true
      if (mark !== null) open.transaction?.rollbackTo(mark)
      throw error
    }
  }

  async #start(options: TransactionOptions): Promise<Transaction> {
    const { database, runner } = this.#ports
    return this.#state.own(await database.begin(options), (transaction, mark) =>
      runner.undone(transaction, mark),
    )
  }

  async #begun(open: OpenTransaction): Promise<Transaction> {
    open.transaction ??= await this.#start({ ...this.#beginning, readOnly: open.readOnly })
    this.#last = open.transaction
    return open.transaction
  }

  async #control(statement: TransactionStatement): Promise<SqlResult> {
    switch (statement.kind) {
      case 'begin':
      case 'setTransaction':
        return this.#modes(statement)
      case 'commit':
      case 'rollback': {
        const open = this.#open
        if (statement.chain && open === null) throw nothingToChain(statement.kind.toUpperCase())
        const result = await (statement.kind === 'commit' ? this.#commit() : this.#rollback())
        if (statement.chain && open !== null) this.#open = opened(open, this.#state, this.#micros())
        return result
      }
      default:
        return savepointResult(statement, this.#open, (open) => this.#begun(open), this.#state)
    }
  }

  /** BEGIN inside of a transaction changes nothing but its modes, as in PostgreSQL. */
  async #modes(statement: ModesStatement): Promise<SqlResult> {
    const open = this.#open
    if (statement.kind === 'setTransaction' && (open === null || statement.session))
      return setCharacteristics(statement, this.#state)
    if (open === null) this.#open = opened(statement, this.#state, this.#micros())
    else await this.#failing(async () => changeModes(open, statement, this.#state))
    return modesResult(statement)
  }

  async #commit(along: Bundle | null = null): Promise<SqlResult> {
    const open = this.#open
    this.#open = null
    if (open === null) return doneResult('COMMIT')
    if (open.failed) {
      this.#open = open
      return this.#rollback()
    }
    const { cursors, locks } = this.#state
    let committed = false
    try {
      await cursors.hold()
      const receipt = open.transaction === null ? null : await this.#commitFenced(open.transaction, along)
      committed = true
      return doneResult('COMMIT', receipt)
    } finally {
      open.transaction?.rollback()
      await cursors.ended(committed)
      await this.#state.end(committed)
      await locks.endTransaction()
    }
  }

  /** What writes nothing depends on nothing. */
  #commitFenced(transaction: Transaction, along: Bundle | null): Promise<CommitReceipt> {
    const writes = along !== null || transaction.mark().writes > 0
    const fence = writes ? this.#state.requires() : {}
    return this.#ports.runner.commit(transaction, { ...fence, ...(along !== null && { along }) })
  }

  async #rollback(): Promise<SqlResult> {
    const transaction = this.#open?.transaction ?? null
    this.#open = null
    try {
      await transaction?.validate()
    } finally {
      await this.#state.cursors.ended(false)
      transaction?.rollback()
      await this.#state.end(false)
      await this.#state.locks.endTransaction()
    }
    return doneResult('ROLLBACK')
  }

  /** Looks at a statement in the open transaction, or in one that is thrown away. */
  async #inside<T>(
    item: Item,
    work: (run: Run) => Promise<T>,
    runOf = (transaction: Transaction, micros: bigint): Run => this.#run(item, transaction, micros, [], {}),
  ): Promise<T> {
    const open = this.#open
    if (open?.failed === true) throw inFailedTransaction()
    if (open !== null) {
      const transaction = await this.#begun(open)
      return work(runOf(transaction, open.startMicros))
    }
    const transaction = await this.#start({ readOnly: true })
    try {
      return await work(runOf(transaction, this.#micros()))
    } finally {
      transaction.rollback()
    }
  }

  async *#streamQuery(
    item: Item,
    parameters: readonly Parameter[],
    options: CallDetails,
  ): AsyncGenerator<RowsBatch> {
    const open = this.#open === null ? null : sound(this.#open)
    let own: Transaction | null = null
    try {
      if (open === null)
        own = await this.#start({ ...callOptions(options), ...pastOf(options, []), readOnly: true })
      const transaction = own ?? (await this.#begun(sound(open)))
      const run = this.#run(item, transaction, open?.startMicros ?? this.#micros(), parameters, options)
      const outcome: Outcome = await this.#ports.runner.run(item.statement as PlainStatement, run)
      noteUse(this.#open, item.statement, outcome)
      let any = false
      for await (const batch of outcome.batches) {
        any = true
        yield { columns: outcome.columns, rows: rowsOf(batch) }
      }
      if (!any) yield { columns: outcome.columns, rows: [] }
    } catch (error) {
      if (open !== null) open.failed = true
      throw toSqlError(error)
    } finally {
      own?.rollback()
      if (open === null) await this.#state.locks.endTransaction()
    }
  }
}
