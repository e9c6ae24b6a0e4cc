import type {
  Clock,
  CommitOptions,
  CommitReceipt,
  Database,
  Random,
  Transaction,
  TransactionMark,
  Value,
} from '@cluster/core'
import type { DataStatement } from '../../binder/bind-statement.ts'
import type { BindContext } from '../../binder/context.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import { CatalogImage } from '../../catalog/image.ts'
import { schemaKey, writtenName } from '../../catalog/names.ts'
import type { CatalogEntry } from '../../catalog/schema.ts'
import type { VirtualTable } from '../../catalog/virtual-table.ts'
import type { Frame } from '../../compile/batch.ts'
import { forcedColumns, queryOfTable } from '../../copy/bind-copy.ts'
import { copyIn } from '../../copy/copy-in.ts'
import { copyFormat } from '../../copy/options.ts'
import { givesRows, needsStream, noServerFile } from '../../copy/refusals.ts'
import type { BinaryValues } from '../../copy/values.ts'
import type { Later } from '../../ddl/context.ts'
import { define } from '../../ddl/define.ts'
import { dropAll } from '../../ddl/drop.ts'
import { SQLSTATE, sqlError } from '../../errors.ts'
import { ExecutionContext, type Source } from '../../executor/context.ts'
import { Profile } from '../../executor/profile.ts'
import type { LockCalls } from '../../functions/function.ts'
import { routines } from '../../functions/routines.ts'
import { localOf } from '../../local/local-store.ts'
import type { Outbox } from '../../notify/outbox.ts'
import type { LogicalPlan } from '../../plan/logical.ts'
import { printLogical } from '../../plan/print-logical.ts'
import type { ResultColumn } from '../../plan/statement.ts'
import type {
  AccessStatement,
  ChannelStatement,
  Copy,
  CreateSchema,
  DatabaseStatement,
  Definition,
  Discard,
  Explain,
  IdentityStatement,
  Statement,
  TransactionStatement,
} from '../../syntax/ast.ts'
import { readsAlone } from '../../syntax/changes.ts'
import { isAccess } from '../../syntax/print-access.ts'
import type { AccessRun, AccessRunner } from '../access-runner.ts'
import { noLockCalls, withLocks } from '../locks/statement-locks.ts'
import { notInBlock, onlyInBlock } from '../refusals.ts'
import { SequenceDryError, type SequencePools, StatementSequences } from '../sequences.ts'
import { timeLimit, within } from '../settings/time-limit.ts'
import { budgetOf, type WorkMemory } from '../settings/work-memory.ts'
import { ddlContext } from '../statements/definer.ts'
import { type Explained, explainJson, explainOptions, explainText } from '../statements/explain.ts'
import { trafficSince } from '../statements/explain-fragments.ts'
import { droppedAbsent, extended } from '../statements/extensions.ts'
import { inSteps } from '../statements/in-steps.ts'
import { runDo, tended } from '../statements/maintenance.ts'
import type { Sweeper } from '../sweeper.ts'
import { Drawing } from './drawing.ts'
import { functionContext } from './function-context.ts'
import type { KeyChecks } from './key-checks.ts'
import { collect, done, type Outcome, show, textColumn, textRows } from './outcome.ts'
import { convertParameters } from './parameters.ts'
import type { PlannedStatement, Planner } from './planner.ts'
import { restsOnReads } from './retrying.ts'
import { type Run, RunApartError } from './run.ts'
import { endLocally, fills, isData, needsOf, rowsAtMost } from './run-parts.ts'
import { elementsIn } from './schema-elements.ts'

export interface RunnerPorts extends WorkMemory {
  readonly database: Database
  readonly catalog: Catalog
  readonly planner: Planner
  readonly clock: Clock
  readonly random: Random
  readonly access: AccessRunner
  readonly outbox: Outbox
  readonly reserved: (name: string) => boolean
  readonly sequences: SequencePools
  readonly sweeper: Sweeper
  readonly keyChecks: KeyChecks
  readonly virtualTables: ReadonlyMap<string, VirtualTable>
  /** All databases of the cluster. */
  readonly databaseNames: () => readonly string[]
  /** Null: COPY has no binary format here. */
  readonly binary: BinaryValues | null
}

type PlainStatement = Exclude<Statement, TransactionStatement>

const MICROS_A_MS = 1_000

/** All rows of a query that needs no waiting, else what gives them. A cancelled statement finds that out where it would wait. */
function batchesOf(source: Source, context: ExecutionContext, { signal }: Run): Outcome['batches'] {
  const batch = signal?.aborted === true ? undefined : source.now?.(context)
  return batch === undefined ? source.open(context) : [batch]
}

/** Runs one statement inside a transaction that someone else begins and ends. */
export class StatementRunner {
  readonly #ports: RunnerPorts
  readonly #drawing: Drawing
  /** Transactions that have changed the catalog. */
  readonly #defining = new WeakSet<Transaction>()
  /** What their statements have left to be done behind them. */
  readonly #work = new WeakMap<Transaction, readonly Later[]>()

  constructor(ports: RunnerPorts) {
    this.#ports = ports
    this.#drawing = new Drawing(ports)
  }

  get memoryBytesMax(): number {
    return this.#ports.memoryBytesMax
  }

  get binary(): BinaryValues | null {
    return this.#ports.binary
  }

  /** Looks at what was put off to the end of a transaction. @throws 23503 */
  beforeCommit(transaction: Transaction): Promise<void> {
    return this.#ports.keyChecks.beforeCommit(transaction)
  }

  /** Commits what BEGIN has begun, with what COMMIT has to see to; what fails in it ends the transaction, and is true. */
  async commit(transaction: Transaction, options: CommitOptions): Promise<CommitReceipt> {
    try {
      await this.beforeCommit(transaction)
    } catch (error) {
      try {
        if (restsOnReads(error)) await transaction.validate()
      } finally {
        transaction.rollback()
      }
      throw error
    }
    const receipt = await transaction.commit(options)
    await this.committed(transaction)
    return receipt
  }

  /** Tells that writes of a transaction were undone. */
  undone(transaction: Transaction, mark: TransactionMark): void {
    this.#ports.sequences.forget(transaction)
    this.#ports.outbox.undone(transaction, mark)
  }

  #later(transaction: Transaction, steps: Later): void {
    const known = this.#work.get(transaction) ?? []
    this.#work.set(transaction, [...known, steps])
  }

  /**
   * Tells that a transaction was committed: what its statements have dropped can be swept away, and what is left of their
   * work is done.
   * @throws what that work comes to
   */
  async committed(transaction: Transaction): Promise<void> {
    const local = localOf(transaction)
    if (local !== null && !local.isEmpty) endLocally(this.#ports.catalog, local)
    if (!this.#defining.has(transaction)) return
    const later = this.#work.get(transaction) ?? []
    this.#work.delete(transaction)
    try {
      for (const steps of later) await steps((work) => inSteps(this.#ports, work))
    } finally {
      this.#ports.sweeper.kick()
    }
  }

  /** @throws 57014 when it took longer than `statement_timeout` */
  run(statement: PlainStatement, run: Run): Promise<Outcome> {
    const ms = run.settings.statementMsMax()
    if (ms > 0) return this.#limited(statement, run, ms)
    return isData(statement) ? this.#data(statement, run) : this.#run(statement, run)
  }

  async #limited(statement: PlainStatement, run: Run, ms: number): Promise<Outcome> {
    const limit = timeLimit(this.#ports.clock, ms, run.signal)
    try {
      const outcome = await this.#run(statement, { ...run, signal: limit.signal })
      return { ...outcome, batches: within(outcome.batches, limit) }
    } catch (error) {
      limit.release()
      throw error
    }
  }

  async #run(statement: PlainStatement, run: Run): Promise<Outcome> {
    if (isAccess(statement)) return this.#access(statement, run)
    switch (statement.kind) {
      case 'query':
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
        return this.#data(statement, run)
      case 'explain':
        return this.#explain(statement, run)
      case 'set':
        if (statement.reset && statement.name === 'all') run.settings.resetAll()
        else run.settings.set(statement.name, statement.values, statement.scope === 'local')
        return done(statement.reset ? 'RESET' : 'SET')
      case 'show':
        return show(statement.name, run.settings)
      case 'setConstraints': {
        const names = statement.names.map(({ parts }) => parts.at(-1)?.name ?? '')
        await this.#ports.keyChecks.set(run.transaction, names, statement.deferred)
        return done('SET CONSTRAINTS')
      }
      case 'copy':
        return this.#copy(statement, run)
      case 'lockTable':
      case 'maintain': {
        if (statement.kind === 'lockTable' && run.alone !== null) throw onlyInBlock('LOCK TABLE')
        const { database } = this.#ports
        return done(await tended(statement, await this.#image(run), database, this.#context(run, [])))
      }
      case 'createExtension':
      case 'dropExtension':
        return done(extended(statement))
      case 'dropAbsent':
        return done(droppedAbsent(statement))
      case 'discard':
        return this.#discard(statement, run)
      case 'do':
        await runDo(statement, run.transaction, async ({ statement: inner, source }) => {
          await collect(await this.#run(inner, { ...run, source, planKey: null, alone: null }))
        })
        return done('DO')
      case 'prepare':
      case 'execute':
      case 'createTableExecute':
      case 'deallocate':
      case 'declare':
      case 'fetch':
      case 'move':
      case 'close':
        throw sqlError(SQLSTATE.featureNotSupported, `${statement.kind.toUpperCase()} is not supported`)
      case 'createSchema':
        return this.#defineSchema(statement, run)
      default:
        return this.#define(statement, run)
    }
  }

  /** Types of parameters and columns, without running. */
  async describe(
    statement: PlainStatement,
    run: Run,
  ): Promise<Pick<PlannedStatement, 'parameterTypes'> & { columns: readonly ResultColumn[] }> {
    if (isData(statement)) {
      const { compiled, parameterTypes } = await this.#plan(statement, run)
      return { parameterTypes, columns: compiled.result }
    }
    if (statement.kind === 'declare') {
      const { parameterTypes } = await this.describe(statement.query, run)
      return { parameterTypes, columns: [] }
    }
    if (statement.kind === 'explain') return { parameterTypes: [], columns: [textColumn('QUERY PLAN')] }
    if (statement.kind === 'show')
      return { parameterTypes: [], columns: show(statement.name, run.settings).columns }
    return { parameterTypes: [], columns: [] }
  }

  #plan(statement: DataStatement, { source, transaction, planKey, session }: Run): Promise<PlannedStatement> {
    return this.#ports.planner.plan(statement, source, transaction, session.path, planKey)
  }

  async #data(statement: DataStatement, run: Run): Promise<Outcome> {
    const planned = await this.#plan(statement, run)
    const { access } = this.#ports
    if (!access.permits(planned, run.session)) await access.permit(planned, this.#accessRun(run))
    if (!planned.takesLocks) return this.#planned(planned, statement, run, noLockCalls)
    const locksOnly = planned.dependencies.size === 0
    const outcome = await withLocks(this.#ports.clock, run, (locks) =>
      this.#planned(planned, statement, { ...run, alone: null }, locks),
    )
    return { ...outcome, locksOnly }
  }

  async #planned(
    { compiled, parameterTypes, sequences, asksCatalog }: PlannedStatement,
    statement: DataStatement,
    run: Run,
    locks: LockCalls,
  ): Promise<Outcome> {
    const image = asksCatalog ? await this.#image(run) : null
    const context = this.#context(run, convertParameters(run.parameters, parameterTypes), image, locks)
    if (sequences.length > 0)
      await this.#drawing.prepare(sequences, rowsAtMost(compiled.plan), run.transaction)
    if (compiled.kind === 'query') {
      const batches =
        sequences.length === 0 && readsAlone(statement)
          ? batchesOf(compiled.source, context, run)
          : this.#drawing.rows(compiled.source, sequences, context)
      return { command: 'SELECT', columns: compiled.result, batches, written: null }
    }
    const command = compiled.kind.toUpperCase()
    const columns = compiled.result
    const { alone } = run
    // A program that turns out not to be one computes its rows twice, and values of a sequence are gone then.
    const once = sequences.length === 0 || rowsAtMost(compiled.plan) <= 1
    const program =
      once && alone !== null && compiled.program !== null ? await compiled.program(context, alone) : null
    if (program === 'unfit') throw new RunApartError('a program met values that programs do not compute with')
    if (program !== null) {
      const { written, receipt, error } = program
      const { count = 0, returned = [] } = written ?? {}
      return { command, columns, batches: returned, written: count, committed: { receipt, error } }
    }
    const { count, returned } = await this.#drawing.run(context, () => compiled.run(context))
    return { command, columns, batches: returned, written: count }
  }

  #context(
    { transaction, transactionMicros, session, settings, signal }: Run,
    parameters: readonly Value[],
    image: CatalogImage | null = null,
    locks: LockCalls = noLockCalls,
  ): ExecutionContext {
    const { clock } = this.#ports
    const sequences = new StatementSequences(this.#ports.sequences, session.sequences, transaction)
    const frame: Frame = {
      parameters,
      outer: [],
      functions: functionContext(this.#ports, {
        transactionMicros,
        session,
        transaction,
        sequences,
        image,
        locks,
      }),
    }
    return new ExecutionContext({
      transaction,
      clock,
      frame,
      memory: budgetOf(this.#ports, settings.workBytes()),
      signal,
    })
  }

  async #copy(copy: Copy, run: Run): Promise<Outcome> {
    if (copy.file !== null) throw noServerFile(copy)
    const { copying, source, transaction } = run
    if (copying === null) throw needsStream(copy)
    const { planner, database, clock, binary, memoryBytesMax } = this.#ports
    const { context: bind, asksCatalog } = await planner.bindContext(
      copy,
      source,
      transaction,
      run.session.path,
    )
    if (copy.direction === 'to') return this.#copyTo(copy, bind, run)
    if (copying === 'out' || copy.table === null) throw needsStream(copy)
    const context = this.#context(run, [], asksCatalog ? await this.#image(run) : null)
    const count = await copyIn({ ...copy, table: copy.table }, source, copying, {
      database,
      transaction,
      bind,
      compile: planner.compileOptions,
      binary,
      reading: { zone: run.settings.zone(), nowMicros: run.transactionMicros },
      context,
      clock,
      signal: run.signal,
      memoryBytesMax,
      permit: () => this.#ports.access.permit(needsOf(bind), this.#accessRun(run)),
      prepare: (rows) => this.#drawing.prepare(bind.sequences, rows, transaction),
      isDry: (error) => error instanceof SequenceDryError,
    })
    await this.#drawing.finish(context)
    return done('COPY', count)
  }

  async #copyTo(copy: Copy, bind: BindContext, run: Run): Promise<Outcome> {
    const { table } = copy
    const statement = table === null ? copy.query : queryOfTable(bind, { ...copy, table })
    const format = copyFormat(copy, run.source)
    if (statement === null || (statement.kind !== 'query' && !givesRows(statement)))
      throw sqlError(SQLSTATE.featureNotSupported, 'COPY query must have a RETURNING clause')
    const outcome = await this.#data(statement, { ...run, planKey: null, alone: null })
    const names = outcome.columns.map(({ name }) => name)
    const entry = table === null ? null : bind.names.entry(writtenName(table))
    forcedColumns('FORCE_QUOTE', format.forceQuote, names, entry?.kind === 'table' ? entry : null)
    return { ...outcome, command: 'COPY', written: null }
  }

  async #explain(statement: Explain, run: Run): Promise<Outcome> {
    const inner = statement.statement
    if (!isData(inner))
      throw sqlError(SQLSTATE.featureNotSupported, 'EXPLAIN takes SELECT, INSERT, UPDATE or DELETE')
    const { format } = explainOptions(statement)
    const steps: string[] = []
    let before = ''
    const trace = (step: string, plan: LogicalPlan): void => {
      const lines = printLogical(plan)
      // Only a rule that changed something is worth a paragraph.
      if (lines.join() !== before) steps.push(`${step}:`, ...lines.map((line) => `  ${line}`))
      before = lines.join()
    }
    const { planner } = this.#ports
    const { path } = run.session
    const planned = await planner.plan(inner, run.source, run.transaction, path, null, trace)
    await this.#ports.access.permit(planned, this.#accessRun(run))
    const { compiled, parameterTypes } = planned
    const words = {
      query: null,
      insert: 'Insert into',
      update: 'Update',
      delete: 'Delete from',
      merge: 'Merge into',
    }
    const word = words[compiled.kind]
    const aside =
      compiled.kind === 'query' || compiled.onConflict === null ? '' : `, on conflict ${compiled.onConflict}`
    const heading = compiled.kind === 'query' ? null : `${word} ${compiled.target.table.name}${aside}`
    const ran = statement.analyze ? await this.#measure(compiled, parameterTypes, run) : null
    const fragments = run.transaction.fragments ?? null
    const explained = { heading, plan: compiled.plan, ran, fragments }
    const tree = format === 'json' ? [explainJson(explained)] : explainText(explained)
    if (statement.verbose && format === 'text') tree.unshift(...steps, 'run as:')
    return textRows(
      'EXPLAIN',
      [textColumn('QUERY PLAN')],
      tree.map((line) => [line]),
    )
  }

  /** Runs a plan and counts what each of its operators does. */
  async #measure(
    compiled: PlannedStatement['compiled'],
    parameterTypes: PlannedStatement['parameterTypes'],
    run: Run,
  ): Promise<Explained['ran']> {
    const { clock } = this.#ports
    const profile = new Profile()
    const context = this.#context(run, convertParameters(run.parameters, parameterTypes)).profiling(profile)
    const start = clock.now()
    const fragments = run.transaction.fragments ?? null
    const before = fragments === null ? null : { ...fragments.received }
    const rows = await this.#drawing.run(context, async () => {
      if (compiled.kind !== 'query') return (await compiled.run(context)).count
      let count = 0
      for await (const batch of compiled.source.open(context)) count += batch.length
      return count
    })
    return { profile, rows, ms: clock.now() - start, received: trafficSince(fragments, before) }
  }

  #accessRun({ transaction, session }: Run): AccessRun {
    return { transaction, session, nowMicros: () => this.#now() }
  }

  #now(): bigint {
    return BigInt(Math.round(this.#ports.clock.wall() * MICROS_A_MS))
  }

  /** Roles, privileges, who speaks, and channels. */
  async #access(
    statement: AccessStatement | IdentityStatement | ChannelStatement | DatabaseStatement,
    run: Run,
  ): Promise<Outcome> {
    const { access, outbox } = this.#ports
    const { session, transaction } = run
    const { channels } = session
    switch (statement.kind) {
      case 'setRole':
      case 'setSessionAuthorization':
        await access.become(statement, this.#accessRun(run))
        return done('SET')
      case 'listen':
        channels.listen(statement.channel.name)
        return done('LISTEN')
      case 'unlisten':
        channels.unlisten(statement.channel?.name ?? null)
        return done('UNLISTEN')
      case 'createDatabase':
      case 'dropDatabase':
        return done(await access.runForDatabases(statement, this.#accessRun(run), run.alone === null))
      case 'notify':
        outbox.add(transaction, {
          channel: statement.channel.name,
          payload: statement.payload,
          pid: session.pid,
        })
        return done('NOTIFY')
      default: {
        const command = await access.run(statement, this.#accessRun(run), async (entries, cascade) => {
          if (entries.length > 0) await this.#drop(entries, cascade, statement, run)
        })
        return done(command)
      }
    }
  }

  async #define(statement: Definition, run: Run): Promise<Outcome> {
    const { access } = this.#ports
    const { context, bind } = await this.#definer(statement, run)
    return access.defining(statement, this.#accessRun(run), async () => {
      const { command, rows } = await define(context, statement)
      // What its query reads is known now; an error takes back what was done.
      if (fills(statement)) await access.permit(needsOf(bind), this.#accessRun(run))
      return done(command, rows)
    })
  }

  /** CREATE SCHEMA, and what is made in it. */
  async #defineSchema(statement: CreateSchema, run: Run): Promise<Outcome> {
    const { name } = statement.name
    const elements = elementsIn(statement)
    const before = await this.#ports.catalog.entry(run.transaction, schemaKey(name))
    const made = await this.#define(statement, run)
    if (before !== null) return made
    const { schemas, temporary } = run.session.path
    for (const element of elements)
      await this.#define(element, { ...run, path: { schemas: [name, ...schemas], temporary } })
    return made
  }

  /** DISCARD of one thing; the session takes DISCARD ALL apart. @throws 25001 */
  async #discard(statement: Discard, run: Run): Promise<Outcome> {
    if (statement.what === 'all') throw notInBlock('DISCARD ALL')
    if (statement.what === 'sequences') run.session.sequences.forget()
    if (statement.what === 'temp') {
      const own = run.session.path.temporary
      const entries = own === null ? [] : await this.#ports.catalog.entries(run.transaction)
      const temporary = entries.filter(({ schema }) => schema === own)
      if (temporary.length > 0) await this.#drop(temporary, true, statement, run)
    }
    return done(`DISCARD ${statement.what.toUpperCase()}`)
  }

  async #drop(
    entries: readonly CatalogEntry[],
    cascade: boolean,
    statement: Statement,
    run: Run,
  ): Promise<void> {
    const { context } = await this.#definer(statement, run)
    const { catalog } = this.#ports
    const targets = entries.map((entry) => ({ kind: 'entry', key: catalog.keyOf(entry), entry }) as const)
    await dropAll(context, targets, cascade)
  }

  /** What a statement that changes the catalog works with. */
  async #definer(statement: Statement, run: Run) {
    const { planner, catalog, database, reserved } = this.#ports
    const { transaction, source, path = run.session.path } = run
    const { context: bind } = await planner.bindContext(statement, source, transaction, path)
    const execution = (): ExecutionContext =>
      this.#context(run, convertParameters(run.parameters, bind.parameters.types()))
    const context = ddlContext({
      transaction,
      catalog,
      database,
      source,
      path,
      reserved,
      bind,
      planner,
      execution,
      temporarySchema: () => run.session.local.schema,
      later: run.alone === null ? null : { add: (steps) => this.#later(transaction, steps) },
      prepare: (rows) => this.#drawing.prepare(bind.sequences, rows, transaction),
    })
    this.#defining.add(transaction)
    return { context, bind }
  }

  /** The catalog as the transaction sees it. */
  async #image({ transaction, session }: Run): Promise<CatalogImage> {
    const { access, catalog, virtualTables, database, databaseNames } = this.#ports
    const entries = await catalog.entries(transaction)
    return new CatalogImage({
      entries,
      virtualTables: virtualTables.values(),
      routines,
      path: session.path,
      user: session.identity.current,
      access: await access.load(transaction),
      database: database.name,
      databases: databaseNames(),
      cursors: session.cursors.list(),
    })
  }
}
