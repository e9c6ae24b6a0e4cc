import type { Clock, CommitOptions, CommitReceipt, Database, Random, Transaction, Value } from '@cluster/core'
import type { DataStatement } from '../binder/bind-statement.ts'
import { converted, settled } from '../binder/convert-query.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { ColumnSchema } from '../catalog/schema.ts'
import { type Batch, type Frame, rowsOf } from '../compile/batch.ts'
import { compileStatement } from '../compile/compile-statement.ts'
import type { DdlContext } from '../ddl/context.ts'
import { alreadyExists, newName, takenBy } from '../ddl/context.ts'
import { createTable, storeTable } from '../ddl/create-table.ts'
import { createView } from '../ddl/create-view.ts'
import { drop, truncate } from '../ddl/drop.ts'
import { createIndex } from '../ddl/indexes.ts'
import { SQLSTATE, sqlError } from '../errors.ts'
import { ExecutionContext, MemoryBudget } from '../executor/context.ts'
import { Profile } from '../executor/profile.ts'
import type { FunctionContext } from '../functions/function.ts'
import type { LogicalPlan } from '../plan/logical.ts'
import { printLogical } from '../plan/print-logical.ts'
import type { ResultColumn } from '../plan/statement.ts'
import type { CreateTableAs, Explain, Statement, TransactionStatement } from '../syntax/ast.ts'
import { readsAlone } from '../syntax/changes.ts'
import { TEXT } from '../types/type.ts'
import { type Explained, explainJson, explainOptions, explainText } from './explain.ts'
import { convertParameters, type Parameter } from './parameters.ts'
import type { PlannedStatement, Planner } from './planner.ts'
import type { Settings } from './settings.ts'

export interface RunnerPorts {
  readonly database: Database
  readonly catalog: Catalog
  readonly planner: Planner
  readonly clock: Clock
  readonly random: Random
  readonly memoryBytesMax: number
  readonly user: string
  readonly reserved: (name: string) => boolean
}

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
  readonly signal: AbortSignal | null
}

/** What a statement gave, before anything was committed, unless it says so. */
export interface Outcome {
  readonly command: string
  readonly columns: readonly ResultColumn[]
  readonly batches: AsyncIterable<Batch> | Iterable<Batch>
  /** Known at once where rows were written; null: as many as the batches have. */
  readonly written: number | null
  /** Set when the statement has committed its transaction; `error`: it had no effect, for that reason. */
  readonly committed?: { readonly receipt: CommitReceipt; readonly error: Error | null }
}

/** A statement that tried to commit its transaction has ended it without an effect, and has to run in another one. */
export class RunApartError extends Error {
  override readonly name = 'RunApartError'
}

type PlainStatement = Exclude<Statement, TransactionStatement>

const MICROS_A_MS = 1_000

const textColumn = (name: string): ResultColumn => ({ name, type: TEXT })

const done = (command: string, written = 0): Outcome => ({ command, columns: [], batches: [], written })

const textRows = (
  command: string,
  columns: readonly ResultColumn[],
  rows: readonly (readonly string[])[],
): Outcome => ({
  command,
  columns,
  batches:
    rows.length === 0
      ? []
      : [{ length: rows.length, columns: columns.map((_, c) => rows.map((row) => row[c] as string)) }],
  written: null,
})

/** True for statements that write nothing whatever they find. */
export function readsOnly(statement: Statement): boolean {
  if (statement.kind === 'explain') return !statement.analyze || readsOnly(statement.statement)
  return readsAlone(statement) || statement.kind === 'show' || statement.kind === 'set'
}

/** Runs one statement inside a transaction that someone else begins and ends. */
export class StatementRunner {
  readonly #ports: RunnerPorts

  constructor(ports: RunnerPorts) {
    this.#ports = ports
  }

  async run(statement: PlainStatement, run: Run): Promise<Outcome> {
    switch (statement.kind) {
      case 'query':
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
        return this.#data(statement, run)
      case 'explain':
        return this.#explain(statement, run)
      case 'createTableAs':
        return this.#createTableAs(statement, run)
      case 'set':
        run.settings.set(statement.name, statement.values)
        return done('SET')
      case 'show':
        return show(statement.name, run.settings)
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
    if (statement.kind === 'explain') return { parameterTypes: [], columns: [textColumn('QUERY PLAN')] }
    if (statement.kind === 'show')
      return { parameterTypes: [], columns: show(statement.name, run.settings).columns }
    return { parameterTypes: [], columns: [] }
  }

  #plan(statement: DataStatement, { source, transaction, planKey }: Run): Promise<PlannedStatement> {
    return this.#ports.planner.plan(statement, source, transaction, planKey)
  }

  async #data(statement: DataStatement, run: Run): Promise<Outcome> {
    const { compiled, parameterTypes } = await this.#plan(statement, run)
    const context = this.#context(run, convertParameters(run.parameters, parameterTypes))
    if (compiled.kind === 'query')
      return {
        command: 'SELECT',
        columns: compiled.result,
        batches: compiled.source.open(context),
        written: null,
      }
    const command = compiled.kind.toUpperCase()
    const columns = compiled.result
    const { alone } = run
    const program =
      alone !== null && compiled.program !== null ? await compiled.program(context, alone) : null
    if (program === 'unfit') throw new RunApartError('a program met values that programs do not compute with')
    if (program !== null) {
      const { written, receipt, error } = program
      const { count = 0, returned = [] } = written ?? {}
      return { command, columns, batches: returned, written: count, committed: { receipt, error } }
    }
    const { count, returned } = await compiled.run(context)
    return { command, columns, batches: returned, written: count }
  }

  #context(
    { transaction, transactionMicros, settings, signal }: Run,
    parameters: readonly Value[],
  ): ExecutionContext {
    const { clock, memoryBytesMax } = this.#ports
    const frame: Frame = { parameters, outer: [], functions: this.#functions(transactionMicros, settings) }
    return new ExecutionContext({
      transaction,
      clock,
      frame,
      memory: new MemoryBudget(memoryBytesMax),
      signal,
    })
  }

  #functions(transactionMicros: bigint, settings: Settings): FunctionContext {
    const { clock, random, user, database } = this.#ports
    const now = (): bigint => BigInt(Math.round(clock.wall() * MICROS_A_MS))
    return {
      transactionMicros,
      statementMicros: now(),
      clockMicros: now,
      // 53 bits, as many as a double has.
      random: () => (random.uint32() * 0x20_0000 + (random.uint32() >>> 11)) / 0x20_0000_0000_0000,
      zone: settings.zone(),
      randomBytes: (count) => random.bytes(count),
      user,
      database: database.name,
      schema: 'public',
    }
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
    const { compiled, parameterTypes } = await planner.plan(inner, run.source, run.transaction, null, trace)
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
    const explained = { heading, plan: compiled.plan, ran }
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
    let rows = 0
    if (compiled.kind === 'query')
      for await (const batch of compiled.source.open(context)) rows += batch.length
    else rows = (await compiled.run(context)).count
    return { profile, rows, ms: clock.now() - start }
  }

  async #ddlContext(statement: Statement, run: Run): Promise<DdlContext> {
    const { planner, catalog, database, reserved } = this.#ports
    const { context } = await planner.bindContext(statement, run.source, run.transaction)
    return {
      transaction: run.transaction,
      catalog,
      database,
      bind: context,
      source: run.source,
      reserved,
    }
  }

  async #define(
    statement: Exclude<PlainStatement, DataStatement | Explain | CreateTableAs | { kind: 'set' | 'show' }>,
    run: Run,
  ): Promise<Outcome> {
    const context = await this.#ddlContext(statement, run)
    switch (statement.kind) {
      case 'createTable':
        await createTable(context, statement)
        return done('CREATE TABLE')
      case 'createIndex':
        await createIndex(context, statement)
        return done('CREATE INDEX')
      case 'createView':
        await createView(context, statement)
        return done('CREATE VIEW')
      case 'truncate':
        await truncate(context, statement)
        return done('TRUNCATE TABLE')
      case 'drop':
        await drop(context, statement)
        return done(`DROP ${statement.object.toUpperCase()}`)
      default:
        throw sqlError(SQLSTATE.featureNotSupported, `${statement.kind.toUpperCase()} is not supported`)
    }
  }

  /** CREATE TABLE AS: a table with the columns of the query, and its rows. */
  async #createTableAs(statement: CreateTableAs, run: Run): Promise<Outcome> {
    const context = await this.#ddlContext(statement, run)
    const { bind } = context
    const name = newName(context, statement.table)
    if ((await takenBy(context, name)) !== null) {
      if (statement.ifNotExists) return done('CREATE TABLE AS')
      throw alreadyExists(name)
    }
    const bound = settled(bind, statement.query, bind.bindQuery(statement.query, bind, null))
    const columns = bound.columns.map(
      ({ name: own, column }, i): ColumnSchema => ({
        name: statement.columns[i]?.name ?? own,
        type: column.type,
        notNull: false,
        defaultText: null,
      }),
    )
    const twice = columns.find((column, i) => columns.findIndex((one) => one.name === column.name) !== i)
    if (twice !== undefined)
      throw sqlError(SQLSTATE.duplicateColumn, `column "${twice.name}" specified more than once`)
    const table = await storeTable(context, {
      name,
      columns,
      primaryKey: null,
      indexes: [],
      checks: [],
      placement: 'hashed',
    })
    if (!statement.withData) return done('CREATE TABLE AS')
    const source = converted(bind, statement.query, bound, [])
    const sourceColumns = source.kind === 'project' ? source.outputs.map(({ column }) => column) : []
    const compiled = compileStatement(
      {
        kind: 'insert',
        target: { table, row: sourceColumns, checks: [] },
        source,
        sourceColumns,
        conflict: null,
        returning: null,
      },
      { ...this.#ports.planner.compileOptions, nextColumnId: bind.nextColumnId },
    )
    if (compiled.kind === 'query') throw new TypeError('an INSERT was compiled into a query')
    const parameters = convertParameters(run.parameters, bind.parameters.types())
    const { count } = await compiled.run(this.#context(run, parameters))
    return done('SELECT', count)
  }
}

export function isData(statement: Statement): statement is DataStatement {
  return ['query', 'insert', 'update', 'delete', 'merge'].includes(statement.kind)
}

function show(name: string, settings: Settings): Outcome {
  if (name === 'all') return textRows('SHOW', [textColumn('name'), textColumn('setting')], settings.all())
  return textRows('SHOW', [textColumn(name)], [[settings.get(name)]])
}

/** All rows of an outcome. */
export async function collect(outcome: Outcome): Promise<Value[][]> {
  const rows: Value[][] = []
  for await (const batch of outcome.batches) for (const row of rowsOf(batch)) rows.push(row)
  return rows
}
