import type { Database } from '@cluster/core'
import { type Session, type SqlResult, sqlEngine, sqlstateOf } from '@cluster/sql'
import { modelDatabases, SimRandom, StillClock } from '@cluster/testkit'
import { broken } from './broken.ts'
import { type Asker, Checks } from './checks.ts'
import { Definitions } from './definitions.ts'
import { Dice } from './dice.ts'
import { Queries } from './queries.ts'
import { Schema } from './schema.ts'
import { Writes } from './writes.ts'

export interface FuzzFailure {
  readonly problem: string
  readonly statement: string
  /** The number of the statement in its round, from 0. */
  readonly at: number
}

export interface RoundReport {
  readonly seed: number
  /** `sqlstate` null: it was executed. */
  readonly statements: readonly { readonly kind: string; readonly sqlstate: string | null }[]
  readonly checks: number
  readonly failures: readonly FuzzFailure[]
}

interface Answer {
  readonly result: SqlResult | null
  readonly sqlstate: string | null
  readonly problem: string | null
}

/** Runs one statement; anything but an error of SQL is a problem. */
async function ask(session: Session, sql: string): Promise<Answer> {
  try {
    return { result: await session.query(sql), sqlstate: null, problem: null }
  } catch (error) {
    const sqlstate = sqlstateOf(error)
    const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    if (sqlstate === null || sqlstate.startsWith('XX')) {
      const stack = error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 6).join('\n') : ''
      return { result: null, sqlstate: 'XX000', problem: `internal error: ${said}\n${stack}` }
    }
    return { result: null, sqlstate, problem: null }
  }
}

const PLANS = { optimize: false } as const
const TABLES_FIRST = 3
/** Rows of a view, or of a table made by a query: joins of such things with each other have millions. */
const MADE_ROWS_MAX = 100

/** One database, from its seed alone. */
export async function playRound(seed: number, size: number): Promise<RoundReport> {
  const database: Database = await modelDatabases().open('fuzz', { partitions: 4, redundancy: 1 })
  const ports = { database, clock: new StillClock(), virtualTables: [] }
  const session = sqlEngine({})({ ...ports, random: new SimRandom(seed) }).session()
  const naive = sqlEngine(PLANS)({ ...ports, random: new SimRandom(`naive ${seed}`) }).session()
  const round = new Round(seed, session, naive)
  try {
    for (let at = 0; at < size; at++) await round.next(at)
    return round.report()
  } finally {
    session.close()
    naive.close()
  }
}

class Round {
  readonly #seed: number
  readonly #session: Session
  readonly #dice: Dice
  readonly #schema = new Schema()
  readonly #queries: Queries
  readonly #writes: Writes
  readonly #definitions: Definitions
  readonly #checks: Checks
  readonly #statements: { kind: string; sqlstate: string | null }[] = []
  readonly #failures: FuzzFailure[] = []
  #at = 0
  #statement = ''
  /** The schema at BEGIN, and at the savepoint. */
  #begun: (() => void) | null = null
  #saved: (() => void) | null = null

  constructor(seed: number, session: Session, naive: Session) {
    this.#seed = seed
    this.#session = session
    this.#dice = new Dice(seed)
    this.#queries = new Queries(this.#dice, this.#schema)
    this.#writes = new Writes(this.#dice, this.#schema, this.#queries)
    this.#definitions = new Definitions(this.#dice, this.#schema, this.#queries)
    const asker =
      (of: Session): Asker =>
      (sql) =>
        ask(of, sql)
    this.#checks = new Checks(this.#dice, asker(session), asker(naive), (problem) => this.#fail(problem))
  }

  report(): RoundReport {
    return {
      seed: this.#seed,
      statements: this.#statements,
      checks: this.#checks.made,
      failures: this.#failures,
    }
  }

  async next(at: number): Promise<void> {
    this.#at = at
    const dice = this.#dice
    if (this.#session.transactionState === 'failed') return this.#endTransaction('ROLLBACK')
    if (this.#schema.tables.length < TABLES_FIRST && at < 2 * TABLES_FIRST) return this.#define()
    if (at < 20) return this.#write()
    await dice.weighted<() => Promise<void>>([
      [48, () => this.#select()],
      [32, () => this.#write()],
      [8, () => this.#define()],
      [5, () => this.#transaction()],
      [3, () => this.#other()],
      [4, () => this.#broken()],
    ])()
  }

  #fail(problem: string): void {
    this.#failures.push({ problem, statement: this.#statement, at: this.#at })
  }

  async #run(kind: string, sql: string): Promise<SqlResult | null> {
    this.#statement = sql
    const { result, sqlstate, problem } = await ask(this.#session, sql)
    if (problem !== null) this.#fail(problem)
    this.#statements.push({ kind, sqlstate })
    return result
  }

  async #select(): Promise<void> {
    const query = this.#queries.query()
    const result = await this.#run('SELECT', query.sql)
    if (this.#session.transactionState !== 'idle') return
    if (result !== null && query.settled) await this.#checks.otherPlan(query.sql, result)
    if (this.#dice.chance(30)) {
      const plain = this.#queries.plainSelect()
      this.#statement = `SELECT ${plain.items.join(', ')} FROM ${plain.from} WHERE ${plain.where}`
      await this.#checks.partitioned(plain)
    }
  }

  async #write(): Promise<void> {
    const write = this.#writes.any()
    if (write === null) return this.#define()
    const { kind, sql, count } = write
    this.#statement = sql
    const alone = this.#session.transactionState === 'idle'
    const expected =
      alone && count !== null && this.#dice.chance(50) ? await this.#checks.countOf(count) : null
    const result = await this.#run(kind, sql)
    if (result !== null && expected !== null && result.rowCount !== expected)
      this.#fail(`changed ${result.rowCount} rows, where ${expected} met the condition`)
  }

  async #define(): Promise<void> {
    const { kind, sql, rows, done } = this.#definitions.any()
    if ((await this.#run(kind, sql)) === null) return
    const counted = rows === null ? null : await this.#aside(rows.count)
    if (rows !== null && Number(counted?.rows[0]?.[0] ?? 0) > MADE_ROWS_MAX) await this.#aside(rows.drop)
    else done()
  }

  /** A statement of the fuzzer's own, which is not counted among those it makes up. */
  async #aside(sql: string): Promise<SqlResult | null> {
    const { result, problem } = await ask(this.#session, sql)
    if (problem !== null) this.#fail(`${sql}: ${problem}`)
    return result
  }

  async #transaction(): Promise<void> {
    const dice = this.#dice
    if (this.#begun === null) {
      const begun = this.#schema.save()
      if ((await this.#run('BEGIN', 'BEGIN')) !== null) this.#begun = begun
      return
    }
    if (this.#saved === null && dice.chance(40)) {
      const saved = this.#schema.save()
      if ((await this.#run('SAVEPOINT', 'SAVEPOINT s')) !== null) this.#saved = saved
      return
    }
    if (this.#saved !== null && dice.chance(40)) {
      const { chance } = { chance: dice.chance(50) }
      if (chance) {
        if ((await this.#run('ROLLBACK TO', 'ROLLBACK TO s')) !== null) this.#saved()
      } else if ((await this.#run('RELEASE', 'RELEASE s')) !== null) this.#saved = null
      return
    }
    await this.#endTransaction(dice.pick(['COMMIT', 'COMMIT', 'ROLLBACK']))
  }

  async #endTransaction(word: string): Promise<void> {
    const result = await this.#run(word, word)
    if (this.#session.transactionState !== 'idle') return
    if (result?.command !== 'COMMIT') this.#begun?.()
    this.#begun = null
    this.#saved = null
  }

  async #other(): Promise<void> {
    const dice = this.#dice
    const query = this.#queries.query()
    const name = this.#schema.fresh('p')
    const [kind, sql] = dice.pick<readonly [string, string]>([
      ['EXPLAIN', `EXPLAIN ${dice.pick(['', 'ANALYZE ', 'VERBOSE '])}${query.sql}`],
      ['SHOW', 'SHOW ALL'],
      ['SET', `SET timezone = '${dice.pick(['UTC', 'UTC', 'Europe/Oslo', 'America/New_York'])}'`],
      ['PREPARE', `PREPARE ${name} AS ${query.sql}`],
      [
        'catalog',
        "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'",
      ],
      [
        'catalog',
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
      ],
    ])
    await this.#run(kind, sql)
  }

  async #broken(): Promise<void> {
    const write = this.#dice.chance(40) ? this.#writes.any() : null
    await this.#run('broken', broken(this.#dice, write?.sql ?? this.#queries.query().sql))
  }
}
